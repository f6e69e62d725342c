"""What the page of one row shows: its words as they were frozen, and the way back from them to the post."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.datasets.canonical import PREFIX
from app.datasets.comparison.reworded import Part, Turn, parts_of, turns_of
from app.datasets.credits import is_file
from app.datasets.models import Version
from app.datasets.sourcenames import labels_of
from app.datasets.told import told_in, told_of
from app.datasets.tracing.forms import RowsQuery
from app.datasets.tracing.tracing import Held, Origin, Trace, neighbours, places, row_at, trace_row
from app.examples.credit import MERGED, called, credits_in
from app.examples.labels import shown_text, shown_title, turn_title, web_address
from app.examples.marking import has_words
from app.examples.models import Example, Revision
from app.examples.roles import WORDS, roles_of
from app.projects.access import ProjectAccess
from app.reviews.models import Review, ReviewVerdict
from app.sources.models import ImportRun
from app.text.plain import plain_words

LONGEST_TITLE = 90
VERDICTS = {
    ReviewVerdict.APPROVED: ("approved", "Approved"),
    ReviewVerdict.IMPORTED: ("approved", "Approved elsewhere, let in"),
    ReviewVerdict.RETURNED: ("returned", "Sent back"),
    ReviewVerdict.REJECTED: ("rejected", "Rejected"),
    ReviewVerdict.WITHDRAWN: ("draft", "Verdict taken back"),
}
GONE = "somebody who is not here any more"


@dataclass(frozen=True)
class Said:
    """A message of the row with its heading, in Markdown."""

    turn: str
    role: str
    content: str


@dataclass(frozen=True)
class Reworded:
    """What changed in a message since; `change` is "added" or "removed" for one that only one side has."""

    turn: str
    parts: Sequence[Part]
    change: str


@dataclass(frozen=True)
class Judged:
    """A verdict on a revision: the state of its badge, its words, by whom and when."""

    state: str
    verdict: str
    by: str
    at: datetime
    words: str


@dataclass(frozen=True)
class Step:
    """A revision on the way: who wrote it, what was said of it, and which models had a part in it."""

    number: int
    by: str
    at: datetime
    note: str
    frozen: bool
    after: bool
    judged: Sequence[Judged]
    help: Sequence[Mapping[str, Any]]
    words_of_a_model: bool


@dataclass(frozen=True)
class ExampleNow:
    """The example as it stands today; `differs` names what is not as it was frozen, besides the words."""

    id: int
    state: str
    revision: int
    approved: int | None
    differs: Sequence[str]


@dataclass(frozen=True)
class Credit:
    """Who is to be credited, as the row itself says it, for the response or for the question."""

    of: str
    author: str | None
    author_url: str | None
    url: str | None
    licence: str | None


@dataclass(frozen=True)
class Record:
    """What an import kept of the origin: the import, its rules by their hash, and the place of the record there."""

    import_id: int
    import_name: str
    imported_at: datetime | None
    ruleset: str
    number: int | None
    line: int | None
    external_id: str | None
    restored: bool


@dataclass(frozen=True)
class Drawn:
    """The sampling plan that drew the candidate."""

    plan: str
    seed: int
    sha256: str
    at: datetime


@dataclass(frozen=True)
class OriginPart:
    """Where the words came from; each part is None where it is gone, or where there was none."""

    candidate_id: int | None
    candidate_title: str
    # Of a text that names no site, the file that it came in.
    site: str | None
    file: str | None
    posted: str | None
    record: Record | None
    drawn: Drawn | None
    credits: Sequence[Credit]


@dataclass(frozen=True)
class RowPage:
    """One row of a version, and everything behind it that is still here."""

    slug: str
    version: str
    frozen_at: datetime
    frozen_by: str
    position: int
    total: int
    title: str
    previous: int | None
    next: int | None
    query: str
    narrowed: int | None
    messages: Sequence[Said]
    split: str
    source: str
    colour: int
    licence: str | None
    told: Sequence[str]
    sha256: str
    line: str
    size: int
    example_id: int
    now: str
    changes: Sequence[Reworded]
    example: ExampleNow | None
    steps: Sequence[Step]
    revision: int
    since: int
    origin: OriginPart
    held: Sequence[Held]


def row_page(session: Session, access: ProjectAccess, version: Version, position: int, wanted: RowsQuery) -> RowPage:
    """One row; `wanted` is the list that it was opened from, through which j and k go on."""
    trace = trace_row(session, access.project, version, row_at(session, version, position))
    positions = places(session, version, wanted.as_filter)
    before, after = neighbours(positions, trace.row.position)
    narrows = wanted.narrows or bool(wanted.split)
    label = labels_of(version.manifest["composition"]).of(trace.row.source)
    messages = trace.words["messages"]
    return RowPage(
        slug=access.project.slug,
        version=version.name,
        frozen_at=version.frozen_at,
        frozen_by=version.manifest["frozen"]["by"]["name"],
        position=position,
        total=version.row_count,
        title=title_of(messages),
        previous=None if before is None else before + 1,
        next=None if after is None else after + 1,
        query=wanted.as_query(),
        narrowed=len(positions) if narrows else None,
        messages=[Said(turn_title(messages, at), said["role"], said["content"]) for at, said in enumerate(messages)],
        split=trace.row.split.value,
        source=label.title,
        colour=label.number,
        licence=trace.words["licence"],
        told=list(_told(trace.words)),
        sha256=PREFIX + trace.row.sha256,
        line=trace.row.line,
        size=len(trace.row.line.encode()),
        example_id=trace.row.example_id,
        now=trace.now,
        changes=[Reworded(turn.title, parts_of(turn.segments), turn.change) for turn in changes_of(trace)],
        example=_example(trace, trace.example) if trace.example else None,
        steps=list(_steps(trace)),
        revision=trace.row.revision_number,
        since=max(0, trace.head.number - trace.row.revision_number) if trace.head else 0,
        origin=_origin(trace.origin, trace.words),
        held=trace.held,
    )


def title_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """The first question on one line, cut."""
    question = next((str(said["content"]) for said in messages if said["role"] == "user"), "")
    title = shown_title(" ".join(plain_words(question).split()))
    return title if len(title) <= LONGEST_TITLE else title[:LONGEST_TITLE].rstrip() + "…"


def changes_of(trace: Trace) -> list[Turn]:
    """What the example's newest revision changes in the frozen words, turn by turn; nothing where it is gone."""
    if trace.head is None or trace.now == "same":
        return []
    return [turn for turn in turns_of(trace.words["messages"], trace.head.messages) if turn.changed]


def _told(words: Mapping[str, Any]) -> Iterator[str]:
    told = told_in(words)
    if "group" in told:
        yield f"group {told['group']}"
    yield from (WORDS.get(flag, flag) for flag in told.get("flags", ()))


def _example(trace: Trace, example: Example) -> ExampleNow:
    return ExampleNow(
        example.id, example.state.value, example.revision_number, example.approved_number, differs_of(trace, example)
    )


def differs_of(trace: Trace, example: Example) -> list[str]:
    """What of the example is not as it was frozen, besides its words: “split: train then, test now”."""
    roles = roles_of(example)
    group = roles.author_group.value if roles.author_group else None
    pairs = [
        ("split", trace.row.split.value, example.split.value),
        ("source", trace.row.source, example.source),
        ("licence", trace.words["licence"] or "not stated", example.licence or "not stated"),
    ]
    found = [f"{what}: {then} then, {now} now" for what, then, now in pairs if then != now]
    known = {key: value for key, value in example.attribution.items() if value not in (None, "")}
    found += ["attribution"] if known != trace.words["attribution"] else []
    return found + (["group or flags"] if told_of(group, roles.flags) != told_in(trace.words) else [])


def _steps(trace: Trace) -> Iterator[Step]:
    frozen = trace.row.revision_number
    for revision in trace.revisions:
        yield Step(
            number=revision.number,
            by=author_of(trace, revision),
            at=revision.created_at,
            note=revision.note,
            frozen=revision.number == frozen,
            after=revision.number > frozen,
            judged=[_judged(one) for one in reversed(trace.reviews) if one.revision_number == revision.number],
            help=revision.help or (),
            words_of_a_model=has_words(revision.help or ()),
        )


def author_of(trace: Trace, revision: Revision) -> str:
    """Who wrote a revision, in words."""
    if revision.author:
        return revision.author.name
    brought = revision.number == 1 and (trace.origin.import_run or trace.origin.candidate)
    return "the import, as it came in" if brought else GONE


def _judged(review: Review) -> Judged:
    state, verdict = VERDICTS[review.verdict]
    return Judged(state, verdict, review.reviewer.name if review.reviewer else GONE, review.created_at, review.words)


def _origin(origin: Origin, words: Mapping[str, Any]) -> OriginPart:
    candidate, sampling = origin.candidate, origin.sampling
    site = called(words["attribution"].get("site"), origin.import_run)
    file = site if site and is_file(site) else None
    return OriginPart(
        candidate_id=candidate.id if candidate else None,
        candidate_title=shown_title(candidate.title) if candidate else "",
        site=None if file else site,
        file=file,
        posted=words["attribution"].get("date"),
        record=_record(origin, origin.import_run) if origin.import_run else None,
        drawn=Drawn(str(sampling.plan["name"]), sampling.seed, sampling.plan_sha256, sampling.created_at)
        if sampling
        else None,
        credits=list(credits_of(words)),
    )


def _record(origin: Origin, run: ImportRun) -> Record:
    record = origin.record
    return Record(
        import_id=run.id,
        import_name=shown_text(run.name),
        imported_at=run.finished_at,
        ruleset=run.ruleset_hash,
        number=record.number if record else None,
        line=record.line if record else None,
        external_id=record.external_id if record else None,
        restored=bool(record and record.restored_at),
    )


def credits_of(words: Mapping[str, Any]) -> Iterator[Credit]:
    """Whom a frozen line credits: for its response, and for the question where that has a writer of its own.

    Of a text that was merged of several, all of them.
    """
    first, *others = credits_in(words["attribution"])
    question = _of_the_question(first)
    licence = first.get("licence") if others else words["licence"]
    yield from _credits_for(first, "response" if question else "text", "question", licence)
    for one in others:
        yield from _credits_for(one, MERGED, MERGED, one.get("licence"))


def _of_the_question(said: Mapping[str, Any]) -> bool:
    return any(said.get(f"question_{key}") for key in ("author", "url"))


def _credits_for(said: Mapping[str, Any], text: str, question: str, licence: str | None) -> Iterator[Credit]:
    if said.get("author") or said.get("url"):
        yield _credit(text, said, "", licence)
    if _of_the_question(said):
        yield _credit(question, said, "question_", said.get("question_licence") or licence)


def _credit(of: str, said: Mapping[str, Any], prefix: str, licence: str | None) -> Credit:
    author = said.get(f"{prefix}author")
    return Credit(
        of,
        shown_text(str(author)) if author else None,
        web_address(said.get(f"{prefix}author_url")),
        web_address(said.get(f"{prefix}url")),
        licence,
    )
