"""One pair as people read it: both sides, where they come from, what was decided."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from app.duplicates.comparing import Turn, compared
from app.duplicates.models import DuplicatePair, Method, On, Verdict
from app.duplicates.queries import Member
from app.duplicates.texts import Kind
from app.examples.labels import SourceLabel, SourceLabels

METHOD_WORDS = {
    Method.EXACT: "exact",
    Method.LEXICAL: "by wording",
    Method.EMBEDDING: "by meaning",
    Method.TRANSLATION: "translated",
}
KEPT_OUT = "A test prompt, kept out of sight"
STATES_UNSAID = {"open"}
VERDICT_WORDS = {
    Verdict.OPEN: "to settle",
    Verdict.KEEP_LEFT: "kept left",
    Verdict.KEEP_RIGHT: "kept right",
    Verdict.KEEP_BOTH: "kept both",
}
MERGED_WORDS = {Verdict.KEEP_LEFT: "merged into left", Verdict.KEEP_RIGHT: "merged into right"}
ON_WORDS = {On.PROMPT: "prompts", On.RESPONSE: "responses", On.PAIR: "whole pairs"}


@dataclass(frozen=True)
class SideView:
    """One side of a pair and where it came from; `why_not` says why it cannot be the one to keep."""

    key: str
    kind: str
    id: int
    title: str
    turns: Sequence[Turn]
    where: str
    split: str
    source: SourceLabel | None
    origin: str
    author: str | None
    author_url: str | None
    votes: int | None
    licence: str | None
    url: str | None
    why_not: str | None


@dataclass(frozen=True)
class PairView:
    """A pair to settle or settled; `number` is its place in the list, None if the list does not show it."""

    id: int
    number: int | None
    found: str
    where: str
    leak: bool
    open: bool
    verdict: str
    decided_by: str | None
    decided_at: datetime | None
    outcome: str
    leader: int | None
    left: SideView | None
    right: SideView | None
    # One side is a test prompt that whoever looks may not read.
    kept_out: bool = False
    # What the other ways of looking say: "wording .710, cosine .934".
    also: str = ""
    reason: str = ""
    left_key: str = ""
    right_key: str = ""


def score_words(score: float) -> str:
    """.934, or 1.00; cut rather than rounded up, so that only equal texts read as equal."""
    return "1.00" if score >= 1 else f"{int(score * 1000) / 1000:.3f}".removeprefix("0")


def scored(method: Method, score: float) -> str:
    """A score with what it is of: cosine .934, wording .710; nothing of texts that are equal."""
    unit = {Method.LEXICAL: "wording", Method.EMBEDDING: "cosine"}.get(method)
    return f"{unit} {score_words(score)}" if unit else ""


def pair_view(
    pair: DuplicatePair,
    number: int | None,
    members: Mapping[str, Member],
    labels: SourceLabels,
    kept_out: Collection[str] = (),
    others: Mapping[Method, float] = MappingProxyType({}),
) -> PairView:
    """One pair from its members by key; `labels` name and colour its source.

    The members with keys in `kept_out` are there, and not to be read by whoever looks.
    """
    left, right = members.get(pair.left_key), members.get(pair.right_key)
    turns = compared(left.messages if left else (), right.messages if right else ())
    return PairView(
        id=pair.id,
        number=number,
        found="one side is kept out of sight" if kept_out else _found(pair),
        where="with a test prompt" if kept_out else _where(left, right, leak=pair.leak),
        leak=pair.leak,
        open=pair.verdict is Verdict.OPEN,
        verdict=verdict_of(pair),
        decided_by=pair.decider.name if pair.decider else None,
        decided_at=pair.decided_at,
        outcome=_outcome(pair),
        leader=pair.effect.get("follows"),
        left=_side_view(left, turns[0], labels) if left else None,
        right=_side_view(right, turns[1], labels) if right else None,
        kept_out=bool(kept_out),
        also="" if kept_out else _also(others),
        reason=pair.reason,
        left_key=pair.left_key,
        right_key=pair.right_key,
    )


def verdict_of(pair: DuplicatePair) -> str:
    """What was decided, as people say it."""
    return MERGED_WORDS[pair.verdict] if "merged" in pair.effect else VERDICT_WORDS[pair.verdict]


def _also(others: Mapping[Method, float]) -> str:
    return ", ".join(scored(method, score) for method, score in others.items())


def _found(pair: DuplicatePair) -> str:
    if pair.method is Method.EXACT:
        return f"{ON_WORDS[pair.on]} are the same"
    if pair.method is Method.LEXICAL:
        return f"{score_words(pair.score)} of the wording of {ON_WORDS[pair.on]} is the same"
    if pair.method is Method.TRANSLATION:
        return "linked as translations"
    return f"cosine {score_words(pair.score)} of {ON_WORDS[pair.on]}, found by meaning"


def _where(left: Member | None, right: Member | None, *, leak: bool) -> str:
    if left is None or right is None:
        return "one of them is gone"
    if leak:
        return f"between {left.split} and {right.split}"
    kinds = {left.kind, right.kind}
    if len(kinds) == 2:
        return "one in the pool, one in the set"
    return "both in the pool" if kinds == {Kind.CANDIDATE} else "both in the set"


def _outcome(pair: DuplicatePair) -> str:
    """What a decision changed, in a sentence."""
    if pair.verdict is Verdict.OPEN:
        return ""
    if pair.verdict is Verdict.KEEP_BOTH:
        why = "Kept on purpose, because:" if pair.kept_because else "Because:"
        return "Both stay as they are." + (f" {why} {pair.reason}" if pair.reason else "")
    gone = pair.right_key if pair.verdict is Verdict.KEEP_LEFT else pair.left_key
    if merged := pair.effect.get("merged"):
        return f"Words of {gone} are in example {merged['example']} from revision {merged['after']['revision']} on."
    if "candidate" in pair.effect or "example" in pair.effect:
        kept = f" of {pair.effect['kept']}" if "kept" in pair.effect else ""
        return f"{gone} is rejected as a duplicate{kept}."
    return f"{gone} was out already."


def _side_view(member: Member, turns: Sequence[Turn], labels: SourceLabels) -> SideView:
    return SideView(
        key=member.key,
        kind=member.kind.value,
        id=member.id,
        title=member.title,
        turns=turns,
        where=_standing(member),
        split=member.split,
        source=labels.of(member.source) if member.source else None,
        origin=" ".join(part for part in (member.site, member.external_id) if part) or member.key,
        author=member.author,
        author_url=_web_address(member.author_url),
        votes=member.score,
        licence=member.licence,
        url=_web_address(member.url),
        why_not=_why_not(member),
    )


def _standing(member: Member) -> str:
    words = ["in the pool" if member.kind is Kind.CANDIDATE else "in the set", member.split]
    return ", ".join(words if member.state in STATES_UNSAID else [*words, member.state])


def _why_not(member: Member) -> str | None:
    return "is rejected already" if member.rejected else None


def _web_address(url: str | None) -> str | None:
    """An imported address only if it leads to the web: anything else would be a script in disguise."""
    return url if url and url.lower().startswith(("https://", "http://")) else None
