"""The lists of Write, and the history of an example."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.errors import NotFound
from app.examples import queries
from app.examples.forms import ExampleQuery, HistoryQuery, new_key
from app.examples.labels import MessageDiff, SourceLabel, SourceLabels, diff_messages, shown_title
from app.examples.messages import Message
from app.examples.models import Example, ExampleState, Revision
from app.examples.queries import ExampleFilter
from app.examples.searching import page_of_examples, told
from app.examples.style_queries import is_model
from app.examples.tallies import FacetCount, facet_counts
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of, members_of
from app.sources.models import Candidate
from app.text.languages import name_with_code
from app.text.search import Piece, Wanted, parse, says_too_much
from app.web.paging import Pager, page_of

MINE_SHOWN = 12
HISTORY_PAGE = 20


@dataclass(frozen=True)
class ExampleRow:
    """An example in a list; `passage` is where its texts say what was looked for and the title does not.

    `said` are the second person's last words.
    """

    id: int
    title: str
    pieces: Sequence[Piece]
    passage: Sequence[Piece]
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
    """One's own open work, then all examples.

    `more`: further examples fit than are counted; `too_much`: further words were typed than are looked for.
    """

    slug: str
    returned: Sequence[ExampleRow]
    drafts: Sequence[ExampleRow]
    counts: dict[str, int]
    total: int
    rows: Sequence[ExampleRow]
    pager: Pager
    more: bool
    wanted: ExampleQuery
    list_query: str
    sources: Sequence[tuple[str, str]]
    people: Sequence[tuple[str, str]]
    languages: Sequence[tuple[str, str]]
    licences: Sequence[tuple[str, str]]
    too_much: bool
    open: bool
    # Whether the project is the translation of another.
    follows: bool = False


@dataclass(frozen=True)
class HelpMark:
    """What a model had said by then; `words` of it stand in the revision, `copied` if somebody copied it."""

    suggestion: int
    kind: str
    by: str
    model: str
    words: int
    copied: bool


@dataclass(frozen=True)
class RevisionRow:
    """One revision with what it changed, and what of it is a model's."""

    number: int
    by: str
    at: datetime
    note: str
    diffs: Sequence[MessageDiff]
    first: bool
    head: bool
    approved: bool
    help: Sequence[HelpMark] = ()

    @property
    def has_words_of_a_model(self) -> bool:
        """Whether words of a suggestion stand in it, or one was copied before it was saved."""
        return any(mark.copied or mark.words for mark in self.help)


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
    may_model: bool
    model: bool
    problem: str = ""

    @property
    def choices(self) -> list[tuple[int, str]]:
        """What can be compared: every revision, the newest first, and the post it came from."""
        numbers = [(number, f"Revision {number}") for number in range(self.head, 0, -1)]
        return [*numbers, (0, "The source post")] if self.has_source else numbers


def write_page(session: Session, access: ProjectAccess, wanted: ExampleQuery) -> WritePage:
    """The lists; one's own work stands above them while nothing is searched for."""
    project = access.project
    labels = SourceLabels(session.scalars(composition_of(project)))
    facets = facet_counts(session, project.id)
    narrowed, looked_for = wanted.as_filter(access.user), parse(wanted.words)
    total = queries.total_of(facets, narrowed)
    listed = page_of_examples(session, project.id, narrowed, wanted.page, total)
    returned, drafts = ([], []) if wanted.narrows else _own_work(session, access, labels)
    counts = _counts(facets)
    return WritePage(
        slug=project.slug,
        returned=returned,
        drafts=drafts,
        counts=counts,
        total=sum(counts.values()),
        rows=[example_row(head, labels, looked_for) for head in listed.heads],
        pager=listed.pager,
        more=listed.more,
        wanted=wanted,
        list_query=wanted.as_query(without_page=True),
        sources=labels.options(sorted({row.source for row in facets})),
        people=_others(session, access),
        languages=_named({row.language for row in facets}, wanted.language, name_with_code),
        licences=_named({row.licence for row in facets}, wanted.licence),
        too_much=says_too_much(wanted.words),
        open=project.archived_at is None,
        follows=project.follows_id is not None,
    )


def _counts(facets: Sequence[FacetCount]) -> dict[str, int]:
    counts = dict.fromkeys((state.value for state in ExampleState), 0)
    for row in facets:
        counts[row.state.value] += row.count
    return counts


def _others(session: Session, access: ProjectAccess) -> list[tuple[str, str]]:
    """The other members, by number and name."""
    members = session.scalars(members_of(access.project))
    return [(str(one.user_id), one.user.name) for one in members if one.user_id != access.user.id]


def _named(
    found: Iterable[str | None], chosen: str, title: Callable[[str], str] = shown_title
) -> list[tuple[str, str]]:
    """The choices of a filter; what is chosen is among them, whether any example has it or not."""
    names = {name for name in (*found, chosen) if name}
    return [(name, title(name)) for name in sorted(names)]


def _own_work(
    session: Session, access: ProjectAccess, labels: SourceLabels
) -> tuple[list[ExampleRow], list[ExampleRow]]:
    """What came back to this person, and what they have begun."""
    mine = queries.with_own_ids(session, access.project.id, ExampleFilter(mine=access.user))
    latest = queries.latest_of_each(access.project.id, mine, queries.UNFINISHED, MINE_SHOWN)
    found = [example_row(head, labels) for head in session.scalars(queries.heads_by_id(session.scalars(latest).all()))]
    returned, drafts = (
        [row for row in found if row.state == state] for state in (ExampleState.RETURNED, ExampleState.DRAFT)
    )
    return returned, drafts


def example_row(head: Revision, labels: SourceLabels, looked_for: Wanted = Wanted()) -> ExampleRow:
    """A row for an example's newest revision."""
    example = head.example
    writer = head.author or example.creator
    pieces, passage = told(head, looked_for)
    return ExampleRow(
        id=example.id,
        title=shown_title(head.title),
        pieces=pieces,
        passage=passage,
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
        may_model=_may_model(access, example),
        model=is_model(session, example),
    )


def _may_model(access: ProjectAccess, example: Example) -> bool:
    approved = example.state is ExampleState.APPROVED
    return approved and access.role is Role.ADMIN and access.project.archived_at is None


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
        help=[HelpMark(**mark) for mark in revision.help or ()],
    )
