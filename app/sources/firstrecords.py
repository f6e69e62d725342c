"""The first records of an import as they will look, what each rule drops of them, and whose they are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.sources import licences
from app.sources.excerpts import Piece, excerpt_of, pieces, visible
from app.sources.preview import Preview
from app.sources.records import Decision, Record
from app.sources.rulesets import (
    Ruleset,
)
from app.sources.rulewords import TITLES
from app.web.words import plural

# Counting needs no site: it only names the records. The import insists on the real one.
UNNAMED = "unnamed.example.org"


@dataclass(frozen=True)
class FirstRecord:
    """A record as it will look, and what the rules say of it, if they do; `raw` is what was imported, if HTML."""

    title: str
    pieces: Sequence[Piece]
    turns: Sequence[tuple[str, str]]
    raw: str | None
    sign: str
    verdict: str
    reason: str | None
    score: int | None
    facts: Sequence[str]


@dataclass(frozen=True)
class Behind:
    """The first records behind a number of the table: those that one rule dropped, or marked."""

    rule: str
    title: str
    total: int
    records: Sequence[FirstRecord]


@dataclass(frozen=True)
class Rights:
    """Licences that occur, the share of authors that are named, and the credit of one record."""

    licences: str
    named: float
    credit: str | None
    asked_by: str | None


@dataclass(frozen=True)
class Counted:
    """What was counted: all records, or those of a sample; `estimate` is of all that would be kept."""

    records: int
    kept: int
    is_sample: bool
    all_records: int
    estimate: int
    seconds: float


def counted_of(found: Preview) -> Counted:
    """What was counted, and what that makes of the whole file."""
    return Counted(
        records=found.records,
        kept=found.kept,
        is_sample=found.is_sample,
        all_records=rough(found.records / found.share) if found.is_sample else found.records,
        estimate=rough(found.kept / found.share) if found.is_sample else found.kept,
        seconds=found.seconds,
    )


def rough(number: float) -> int:
    """A number as an estimate tells it: its first two digits are all that a sample can know."""
    return int(round(number, min(0, 2 - len(str(round(number))))))


def behind_rules(ruleset: Ruleset, found: Preview) -> tuple[Behind, ...]:
    """The first records that each rule dropped or marked."""
    rows = [row for row in found.funnel.rows() if row["dropped"]]
    dropped = [
        Behind(
            row["rule"], f"Dropped by {TITLES[row['rule']]}", row["dropped"], _all(found.dropped[row["rule"]], ruleset)
        )
        for row in rows
    ]
    marking = [rule for rule in ruleset.rules if rule.marks] if found.marked else []
    marked = [
        Behind(rule.name, f"Marked by {rule.title}", found.funnel.flagged, _all(found.marked, ruleset))
        for rule in marking[:1]
    ]
    return (*dropped, *marked)


def _all(decided: Sequence[tuple[Record, Decision]], ruleset: Ruleset) -> tuple[FirstRecord, ...]:
    return tuple(first_record(record, decision, ruleset) for record, decision in decided)


def first_record(record: Record, decision: Decision, ruleset: Ruleset) -> FirstRecord:
    """A record as it will look, with what the rules made of it."""
    excerpt = excerpt_of(record, decision, ruleset=ruleset)
    kind = "answer" if record.is_top is not None else "record"
    length = sum(len(message.visible) for message in record.responses)
    # "Visible", because the pool and the desk count the Markdown.
    long = f"{plural(length, 'character')} of visible text" if record.responses else "a prompt without an answer"
    facts = (f"{kind} {record.external_id[:20]}", record.author and f"by {record.author}", long, _cleaned(record))
    return FirstRecord(
        title=visible(record.title),
        pieces=pieces(excerpt.text, excerpt.marks),
        turns=tuple((message.role, message.content) for message in record.messages),
        raw="\n\n".join(map(visible, raw))
        if (raw := [one.text for one in record.messages if one.markup == "html"])
        else None,
        sign=("warn" if decision.flags else "approved") if decision.kept else "stopped",
        verdict=_verdict(decision, ruleset),
        reason=_reason(decision),
        score=record.score,
        facts=tuple(visible(fact) for fact in (*facts, record.licence) if fact),
    )


def _reason(decision: Decision) -> str | None:
    if decision.kept and not decision.flags:
        return None
    # The verdict beside it says the rest.
    return visible(decision.reason.removeprefix("kept, and marked for "))


def _cleaned(record: Record) -> str | None:
    """What the cleaning takes out of the answers: addresses of links, and images."""
    text = " ".join(one.text for one in record.responses if one.markup == "html")
    counts = {"link": len(re.findall(r"<a\s", text)), "image": len(re.findall(r"<img\s", text))}
    words = [plural(number, noun) for noun, number in counts.items() if number]
    return f"cleaned: {', '.join(words)}" if words else None


def _verdict(decision: Decision, ruleset: Ruleset) -> str:
    if decision.kept:
        return f"Kept, marked: {', '.join(decision.flags)}" if decision.flags else "Would be kept"
    names = [rule.name for rule in ruleset.rules]
    place = f"{names.index(decision.rule) + 1}, " if decision.rule in names else ""
    return f"Dropped by {place}{TITLES.get(decision.rule or '', 'a rule')}"


def rights_of(found: Preview) -> Rights:
    """Licences and names of the sample, and the credit of its first record."""
    record = found.first[0][0] if found.first else None
    asked = record.extra.get("question_author") if record else None
    return Rights(
        licences=", ".join(sorted(found.licences)) or "not named",
        named=100 * found.named / max(1, found.looked_at),
        credit=visible(_credit(record)) if record and (record.author or record.licence) else None,
        asked_by=visible(f"{asked}, {record.extra.get('question_licence')}") if record and asked else None,
    )


def _credit(record: Record) -> str:
    return licences.attribution(
        site="" if record.site == UNNAMED else record.site,
        title=record.title,
        question=record.thread_id,
        url=record.url,
        author=record.author,
        author_url=record.author_url,
        licence=record.licence,
    ).sentence
