"""The lists of Write, and the history of an example."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.examples import queries
from app.examples.forms import ExampleQuery, HistoryQuery, new_key
from app.examples.labels import MessageDiff, SourceLabel, SourceLabels, diff_messages, shown_title
from app.examples.messages import Message
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import ExampleFilter, StandingCount
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of
from app.sources.models import Candidate
from app.web.paging import Pager, page_of

MINE_SHOWN = 12
HISTORY_PAGE = 20


@dataclass(frozen=True)
class ExampleRow:
    """An example in a list; `said` are the second person's last words."""

    id: int
    title: str
    source: SourceLabel
    split: str
    state: str
    revision: int
    by: str
    changed_at: datetime
    said: str
    said_by: str


@dataclass(frozen=True)
class WritePage:
    """One's own open work, then all examples."""

    slug: str
    returned: Sequence[ExampleRow]
    drafts: Sequence[ExampleRow]
    counts: dict[str, int]
    total: int
    rows: Sequence[ExampleRow]
    pager: Pager
    wanted: ExampleQuery
    list_query: str
    sources: Sequence[tuple[str, str]]
    open: bool


@dataclass(frozen=True)
class RevisionRow:
    """One revision with what it changed."""

    number: int
    by: str
    at: datetime
    note: str
    diffs: Sequence[MessageDiff]
    first: bool
    head: bool
    approved: bool


@dataclass(frozen=True)
class Compared:
    """Two texts of an example side by side in time: what the right one changes in the left one."""

    left: str
    right: str
    diffs: Sequence[MessageDiff]


@dataclass(frozen=True)
class HistoryPage:
    """All revisions of an example, the newest first; two of them compared, if somebody asks."""

    slug: str
    example_id: int
    title: str
    source: SourceLabel
    state: str
    head: int
    key: str
    rows: Sequence[RevisionRow]
    pager: Pager
    open: bool
    has_source: bool
    left: int
    right: int
    compared: Compared | None

    @property
    def choices(self) -> list[tuple[int, str]]:
        """What can be compared: every revision, the newest first, and the post it came from."""
        numbers = [(number, f"Revision {number}") for number in range(self.head, 0, -1)]
        return [*numbers, (0, "The source post")] if self.has_source else numbers


def write_page(session: Session, access: ProjectAccess, wanted: ExampleQuery) -> WritePage:
    """The lists; one's own work stands above them while nothing is searched for."""
    project = access.project
    labels = SourceLabels(session.scalars(composition_of(project)))
    standing = queries.standing_counts(session, project.id)
    counts = _counts(standing)
    narrowed = wanted.as_filter(access.user)
    total = queries.total_of(standing, narrowed)
    found, pager = page_of(session, queries.heads_of(project.id, narrowed), wanted.page, total=total)
    mine = [
        [] if wanted.narrows else _rows(session, _mine(access, state), labels)
        for state in (ExampleState.RETURNED, ExampleState.DRAFT)
    ]
    return WritePage(
        slug=project.slug,
        returned=mine[0],
        drafts=mine[1],
        counts=counts,
        total=sum(counts.values()),
        rows=[example_row(head, labels) for head in found],
        pager=pager,
        wanted=wanted,
        list_query=wanted.as_query(without_page=True),
        sources=labels.options(sorted({row.source for row in standing})),
        open=project.archived_at is None,
    )


def _counts(standing: Sequence[StandingCount]) -> dict[str, int]:
    counts = dict.fromkeys((state.value for state in ExampleState), 0)
    for row in standing:
        counts[row.state.value] += row.count
    return counts


def _mine(access: ProjectAccess, state: ExampleState) -> Select[Revision]:
    return queries.heads_of(access.project.id, ExampleFilter(state=state, mine=access.user)).limit(MINE_SHOWN)


def _rows(session: Session, query: Select[Revision], labels: SourceLabels) -> list[ExampleRow]:
    return [example_row(head, labels) for head in session.scalars(query)]


def example_row(head: Revision, labels: SourceLabels) -> ExampleRow:
    """A row for an example's newest revision."""
    example = head.example
    writer = head.author or example.creator
    return ExampleRow(
        id=example.id,
        title=shown_title(head.title),
        source=labels.of(example.source),
        split=example.split.value,
        state=example.state.value,
        revision=head.number,
        by=writer.name if writer else "nobody here",
        changed_at=example.changed_at,
        said=example.verdict_words,
        said_by=example.judge.name if example.judge else "",
    )


def history_page(session: Session, access: ProjectAccess, example: Example, wanted: HistoryQuery) -> HistoryPage:
    """The revisions with what each changed against the one before, and the two that were asked for compared."""
    found, pager = page_of(session, queries.revisions_of(example), wanted.page, HISTORY_PAGE)
    oldest = found[-1].number if found else 1
    before = queries.revision(session, example, oldest - 1) if oldest > 1 else None
    older: list[Revision | None] = [*found[1:], before]
    head = queries.head_revision(session, example)
    labels = SourceLabels(session.scalars(composition_of(access.project)))
    return HistoryPage(
        slug=access.project.slug,
        example_id=example.id,
        title=shown_title(head.title),
        source=labels.of(example.source),
        state=example.state.value,
        head=example.revision_number,
        key=new_key(),
        rows=[_revision_row(example, revision, old) for revision, old in zip(found, older, strict=True)],
        pager=pager,
        open=access.project.archived_at is None,
        has_source=example.candidate_id is not None,
        left=wanted.left if wanted.left is not None else max(1, example.revision_number - 1),
        right=wanted.right or example.revision_number,
        compared=_compared(session, example, wanted),
    )


def _compared(session: Session, example: Example, wanted: HistoryQuery) -> Compared | None:
    if wanted.left is None or wanted.right is None:
        return None
    (left, before), (right, after) = (_text_at(session, example, number) for number in (wanted.left, wanted.right))
    return Compared(left, right, diff_messages(before, after))


def _text_at(session: Session, example: Example, number: int) -> tuple[str, Sequence[Message]]:
    if number:
        revision = queries.revision(session, example, number)
        if revision is None:
            raise NotFound("There is no such revision.")
        return f"revision {number}", revision.messages
    candidate = session.get(Candidate, example.candidate_id) if example.candidate_id else None
    if candidate is None:
        raise NotFound("This example did not come from a post of the pool.")
    return "the source post", candidate.messages


def _revision_row(example: Example, revision: Revision, before: Revision | None) -> RevisionRow:
    old = before.messages if before else revision.messages
    return RevisionRow(
        number=revision.number,
        by=revision.author.name if revision.author else "Not written here",
        at=revision.created_at,
        note=revision.note,
        diffs=diff_messages(old, revision.messages),
        first=before is None,
        head=revision.number == example.revision_number,
        approved=revision.number == example.approved_number,
    )
