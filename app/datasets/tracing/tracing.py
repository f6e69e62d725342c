"""From a row of a version back to where its words came from, and from an example on to every version that holds it.

What stands in a version is read from the version alone; all that hangs on it (example, revisions, people, candidate,
import) is looked for and may be gone. Test prompts that a person may not read are in nothing that is found here.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.datasets.canonical import PREFIX, version_id
from app.datasets.models import Version, VersionRow
from app.errors import NotFound
from app.examples.messages import Message
from app.examples.models import Example, Revision
from app.examples.queries import head_revision, revisions_of
from app.examples.sight import OutOfSight, hidden_from, kept_person
from app.projects.models import Project, Split
from app.reviews.models import Review
from app.reviews.queries import reviews_of
from app.selection.sampling.models import Sampling, SamplingPick
from app.sources.models import Candidate, ImportRecord, ImportRun
from app.sources.queries import record_of_candidate, record_of_external_id
from app.text.licences import keys_of
from app.text.search import Wanted, missing_in, parse
from app.web.paging import PAGE_SIZE, Pager

ROWS_AT_ONCE = 500
SHORTEST_HASH = 8
HEX = frozenset("0123456789abcdef")


class NoSuchRow(NotFound):
    """{version} has {count} rows, counted from 1; there is no row {row}."""


@dataclass(frozen=True)
class RowFilter:
    """Which rows of a version; what is empty does not narrow. Words are those of `app.text.search`, or a row's hash."""

    words: str = ""
    split: Split | None = None
    source: str = ""
    licence: str = ""
    import_run_id: int | None = None


EVERY_ROW = RowFilter()


@dataclass(frozen=True)
class Held:
    """One row of one version, and the example and revision that it was frozen from; `position` counts from 1."""

    version: str
    version_id: str
    frozen_at: datetime
    position: int
    example_id: int
    revision: int
    split: str
    sha256: str

    def document(self) -> dict[str, Any]:
        """As the command line and the API print it."""
        return {
            "version": self.version,
            "id": self.version_id,
            "frozen_at": self.frozen_at.isoformat(),
            "row": self.position,
            "example": self.example_id,
            "revision": self.revision,
            "split": self.split,
            "sha256": PREFIX + self.sha256,
        }


@dataclass(frozen=True)
class Origin:
    """Where an example came from, as far as it is still here: candidate, import, its record there, sampling plan."""

    candidate: Candidate | None = None
    import_run: ImportRun | None = None
    record: ImportRecord | None = None
    sampling: Sampling | None = None


@dataclass(frozen=True)
class Trace:
    """A row of a version with everything behind it; `example` and all that hangs on it is None where it is gone."""

    version: Version
    row: VersionRow
    words: Mapping[str, Any]
    example: Example | None
    head: Revision | None
    revisions: Sequence[Revision]
    reviews: Sequence[Review]
    origin: Origin
    held: Sequence[Held]

    @property
    def position(self) -> int:
        """The row's place in examples.jsonl, from 1."""
        return self.row.position + 1

    @property
    def frozen(self) -> Revision | None:
        """The revision that was frozen."""
        return next((one for one in self.revisions if one.number == self.row.revision_number), None)

    @property
    def now(self) -> str:
        """What became of the words since: the same, reworded, or gone with their example."""
        if self.head is None:
            return "gone"
        return "same" if plain(self.head.messages) == plain(self.words["messages"]) else "reworded"


def plain(messages: Iterable[Message]) -> list[tuple[str, str]]:
    """Messages as a version has them: role and content, nothing else."""
    return [(str(said["role"]), str(said["content"])) for said in messages]


def in_sight(session: Session) -> list[ColumnElement[bool]]:
    """Conditions on rows: no test prompt, and no row whose example is one by now, that this person may not read."""
    person = kept_person(session)
    if person is None:
        return []
    return [VersionRow.split != Split.TEST, VersionRow.example_id.not_in(hidden_from(person))]


def places(session: Session, version: Version, wanted: RowFilter = EVERY_ROW) -> list[int]:
    """The positions (from 0) of the rows that fit, in their order; without words or licence no line is read."""
    query = _narrowed(session, select(VersionRow.position), version, wanted)
    looked_for = _hash_in(wanted.words)
    if looked_for:
        query = query.where(VersionRow.sha256.startswith(looked_for))
    elif wanted.words or wanted.licence:
        lines = _narrowed(session, select(VersionRow.position, VersionRow.line), version, wanted)
        terms = parse(wanted.words)
        with session.execute(lines.execution_options(yield_per=ROWS_AT_ONCE)) as rows:
            return [position for position, line in rows if _fits(json.loads(line), wanted, terms)]
    return list(session.scalars(query))


def _narrowed(session: Session, query: Any, version: Version, wanted: RowFilter) -> Any:
    query = query.where(VersionRow.version_id == version.id, *in_sight(session)).order_by(VersionRow.position)
    if wanted.split:
        query = query.where(VersionRow.split == wanted.split)
    if wanted.source:
        query = query.where(VersionRow.source == wanted.source)
    if wanted.import_run_id:
        query = query.where(VersionRow.example_id.in_(brought_by(wanted.import_run_id)))
    return query


def brought_by(import_run_id: int) -> Select[int]:
    """The examples that came out of an import: into the set at once, or as candidates by way of the pool."""
    candidates = select(Candidate.id).where(Candidate.import_run_id == import_run_id)
    return select(Example.id).where(or_(Example.import_run_id == import_run_id, Example.candidate_id.in_(candidates)))


def _hash_in(words: str) -> str:
    """The hash, or the beginning of one, that was typed instead of words."""
    digits = words.strip().lower().removeprefix(PREFIX)
    return digits if len(digits) >= SHORTEST_HASH and set(digits) <= HEX else ""


def _fits(example: Mapping[str, Any], wanted: RowFilter, terms: Wanted) -> bool:
    if wanted.licence and not keys_of(wanted.licence) <= keys_of(example["licence"]):
        return False
    text = "\n".join(str(said["content"]) for said in example["messages"])
    return not missing_in(text, terms).all and all(missing_in(text, Wanted((term,))).all for term in terms.none)


def page_of_rows(
    session: Session, version: Version, wanted: RowFilter, number: int
) -> tuple[Sequence[VersionRow], Pager]:
    """One page of the rows that fit, in the order of examples.jsonl."""
    found = places(session, version, wanted)
    pager = Pager(min(number, max(1, -(-len(found) // PAGE_SIZE))), len(found))
    shown = found[pager.first - 1 : pager.last] if found else []
    here = (VersionRow.version_id == version.id, VersionRow.position.in_(shown))
    return session.scalars(select(VersionRow).where(*here).order_by(VersionRow.position)).all(), pager


def row_at(session: Session, version: Version, position: int) -> VersionRow:
    """The row at that place, from 1. Raises NoSuchRow, or OutOfSight for a test prompt that is not to be read."""
    query = select(VersionRow).where(VersionRow.version_id == version.id, VersionRow.position == position - 1)
    if not 0 < position <= version.row_count:
        raise NoSuchRow(version=version.name, count=f"{version.row_count:,}", row=position)
    row = session.scalar(query.where(*in_sight(session)))
    if row is None:
        raise OutOfSight
    return row


def row_by_hash(session: Session, version: Version, sha256: str) -> VersionRow:
    """The first row whose hash begins so, with `sha256:` or without."""
    looked_for = _hash_in(sha256)
    if not looked_for:
        raise NotFound(f"A row is named by its place, from 1, or by {SHORTEST_HASH} or more digits of its hash.")
    found = places(session, version, RowFilter(words=looked_for))
    if not found:
        raise NotFound(f"No row of {version.name} has a hash that begins with {looked_for[:64]}.")
    return row_at(session, version, found[0] + 1)


def neighbours(positions: Sequence[int], at: int) -> tuple[int | None, int | None]:
    """The places before and after one (from 0) among sorted ones, be it among them or not."""
    left = bisect_left(positions, at)
    right = left + (left < len(positions) and positions[left] == at)
    return (positions[left - 1] if left else None), (positions[right] if right < len(positions) else None)


def holding(session: Session, project: Project, example_ids: Sequence[int]) -> list[Held]:
    """Every row of the project's versions that was frozen from one of these examples, the newest version first."""
    query = (
        select(
            Version.name, Version.sha256, Version.frozen_at, VersionRow.position, VersionRow.example_id,
            VersionRow.revision_number, VersionRow.split, VersionRow.sha256,
        )
        .join(Version, Version.id == VersionRow.version_id)
        .where(VersionRow.example_id.in_(example_ids), Version.project_id == project.id, *in_sight(session))
        .order_by(Version.id.desc(), VersionRow.position)
    )  # fmt: skip
    return [
        Held(name, version_id(whole), at, position + 1, example_id, revision, split.value, sha256)
        for name, whole, at, position, example_id, revision, split, sha256 in session.execute(query)
    ]


@dataclass(frozen=True)
class Share:
    """How many rows of a version came out of one import."""

    version: str
    version_id: str
    frozen_at: datetime
    total: int
    splits: Mapping[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """All of them."""
        return sum(self.splits.values())

    def document(self) -> dict[str, Any]:
        """As the command line and the API print it."""
        return {"version": self.version, "id": self.version_id, "rows": dict(self.splits), "total": self.total}


def shares_of_import(session: Session, project: Project, import_run_id: int) -> list[Share]:
    """The project's versions that hold rows of an import, the newest first, with how many."""
    rows = select(VersionRow.version_id, VersionRow.split).join(Version, Version.id == VersionRow.version_id)
    mine = (Version.project_id == project.id, VersionRow.example_id.in_(brought_by(import_run_id)))
    counts: dict[int, Counter[str]] = {}
    for number, split in session.execute(rows.where(*mine, *in_sight(session))):
        counts.setdefault(number, Counter())[split.value] += 1
    versions = select(Version).where(Version.id.in_(list(counts))).order_by(Version.id.desc())
    return [
        Share(one.name, version_id(one.sha256), one.frozen_at, one.row_count, dict(counts[one.id]))
        for one in (session.scalars(versions) if counts else ())
    ]


def trace_row(session: Session, project: Project, version: Version, row: VersionRow) -> Trace:
    """Everything behind a row that is still here."""
    example = session.scalar(select(Example).where(Example.id == row.example_id, Example.project_id == project.id))
    return Trace(
        version=version,
        row=row,
        words=json.loads(row.line),
        example=example,
        head=head_revision(session, example) if example else None,
        revisions=list(session.scalars(revisions_of(example))) if example else (),
        reviews=list(session.scalars(reviews_of(example))) if example else (),
        origin=origin_of(session, example) if example else Origin(),
        held=holding(session, project, [row.example_id]),
    )


def origin_of(session: Session, example: Example) -> Origin:
    """Candidate, import, record and sampling of an example; an import into the set made no candidate."""
    candidate = session.get(Candidate, example.candidate_id) if example.candidate_id else None
    number = candidate.import_run_id if candidate else example.import_run_id
    run = session.get(ImportRun, number) if number else None
    if run is None:
        return Origin(candidate)
    if candidate:
        record = session.scalar(record_of_candidate(run, candidate))
        return Origin(candidate, run, record, _sampling(session, candidate))
    record = session.scalar(record_of_external_id(run, example.external_id)) if example.external_id else None
    return Origin(None, run, record)


def _sampling(session: Session, candidate: Candidate) -> Sampling | None:
    """The sampling that drew a candidate; of several the last, as the manifest counts it."""
    drawn = select(Sampling).join(SamplingPick, SamplingPick.sampling_id == Sampling.id)
    drawn = drawn.where(SamplingPick.candidate_id == candidate.id).order_by(Sampling.id.desc())
    return session.scalar(drawn.limit(1))
