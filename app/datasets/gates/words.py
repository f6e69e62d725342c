"""Gates that read the approved words: personal data, remarks of house style, rows that training would cut."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.datasets.gates.base import NOTHING_YET, Finding, Judgement, Side, Weight, some
from app.web.words import plural


@dataclass(frozen=True)
class Remarked:
    """A text with the remarks on it, counted by what they say; the side's words are the first passage."""

    side: Side
    counts: Mapping[str, int]


def personal_gate(texts: Sequence[Remarked], total: int) -> Judgement:
    """Find texts with an e-mail address, a phone number or a key that nobody has left on purpose."""
    return _remarked(
        "personal", texts, f"None of {plural(total, 'example')} shows an address, a number or a key.", total
    )


def style_gate(texts: Sequence[Remarked], titles: Sequence[str], total: int) -> Judgement:
    """Find texts on which the chosen rules (`titles`) remark."""
    if not titles:
        return Judgement("style", "No rule of the house style counts here.")
    clean = f"No remark of {plural(len(titles), 'chosen rule')} on {plural(total, 'example')}: {some(titles)}."
    return _remarked("style", texts, clean, total)


def _remarked(gate: str, texts: Sequence[Remarked], clean: str, total: int) -> Judgement:
    if not texts:
        return Judgement(gate, clean if total else NOTHING_YET)
    spread: Counter[str] = Counter()
    for text in texts:
        spread.update(text.counts.keys())
    told = some([f"{title} {count:,}" for title, count in spread.most_common()])
    findings = tuple(Finding(_counted(text.counts), (text.side,)) for text in texts)
    return Judgement(gate, f"{plural(len(texts), 'example')}: {told}.", Weight.FOUND, findings)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(title + (f" × {count}" if count > 1 else "") for title, count in counts.items())


@dataclass(frozen=True)
class Long:
    """A row that training would not read to its end, and how many tokens it has."""

    side: Side
    tokens: int


def tokenizer_gate(rows: Sequence[Long], total: int, limit: int, tokenizer: str) -> Judgement:
    """Find rows longer than training reads; without a `tokenizer` the tokens are estimated, and it says so."""
    by = f"by {tokenizer}" if tokenizer else "by an estimate, as the project names no tokenizer"
    if not rows:
        fits = f"All {total:,} fit" if total != 1 else "The one fits"
        return Judgement("tokenizer", f"{fits} into {limit:,} tokens, {by}." if total else NOTHING_YET)
    about = "" if tokenizer else "about "
    findings = tuple(Finding(f"{about}{row.tokens:,} tokens", (row.side,)) for row in rows)
    longest = max(row.tokens for row in rows)
    words = f"{plural(len(rows), 'example')} of {total:,} would be cut at {limit:,} tokens, {by}; "
    return Judgement("tokenizer", f"{words}the longest has {about}{longest:,}.", Weight.FOUND, findings)
