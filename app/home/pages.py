"""The home of a project: for those who lead it the whole set, for those who write their own day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.datasets.checking import Standing, broken
from app.db import now
from app.examples.labels import in_words
from app.examples.models import ExampleState, Revision
from app.home import composition, queries
from app.home.composition import SourceRow, SplitTable
from app.home.inbox import Inbox, inbox_of
from app.home.queries import Count, PersonLoad
from app.jobs import queries as jobs
from app.jobs.models import Job
from app.jobs.pace import how_far, pace
from app.projects import queries as projects
from app.projects.access import ProjectAccess
from app.projects.models import Project
from app.reviews.models import Review
from app.web.cells import CellsPicture, draw_cells

SHOWN = 5
EXCERPT = 420


@dataclass(frozen=True)
class Waiting:
    """Something that waits for somebody: a count and, if known, since when the oldest."""

    count: int
    oldest: datetime | None = None


@dataclass(frozen=True)
class Running:
    """A job under way."""

    id: int
    title: str
    waits: bool
    done: int
    total: int
    words: str
    left: str


@dataclass(frozen=True)
class LeadPage:
    """The whole set: cells, what waits, what runs, composition, people."""

    slug: str
    name: str
    empty: bool
    train: SourceRow
    towards: int
    short: Sequence[SourceRow]
    picture: CellsPicture | None
    per_cell: int
    leaks: int
    exact: int
    pairs: int
    review: Waiting
    returned: Waiting
    running: Sequence[Running]
    legend: Sequence[tuple[int, str]]
    target_shares: Sequence[float]
    approved_shares: Sequence[float]
    tables: Sequence[SplitTable]
    people: Sequence[PersonLoad]
    may_lead: bool
    broken: Sequence[Standing]


@dataclass(frozen=True)
class MyExample:
    """An example of one's own, with what the reviewer said where it came back."""

    id: int
    title: str
    source: str
    colour: int
    changed_at: datetime
    words: str = ""
    reviewer: str = ""
    said_at: datetime | None = None


@dataclass(frozen=True)
class Suggestion:
    """The next best thing to write, and why."""

    candidate_id: int
    title: str
    source: str
    colour: int
    score: int | None
    why: str


@dataclass(frozen=True)
class GoodExample:
    """What good looks like: an approved example, cut to a glance."""

    id: int
    prompt: str
    response: str
    approved_at: datetime


@dataclass(frozen=True)
class DayPage:
    """One person's day: what came back, the next best thing, drafts."""

    slug: str
    name: str
    empty: bool
    returned: Sequence[MyExample]
    suggestion: Suggestion | None
    skip: int
    drafts: Sequence[MyExample]
    tally: dict[str, int]
    shortest: SourceRow | None
    good: GoodExample | None
    to_review: int
    may_review: bool
    inbox: Inbox
    open: bool


@dataclass(frozen=True)
class EmptyPage:
    """The first page of all: nothing here yet, one thing to do."""

    may_create: bool


def lead_page(session: Session, access: ProjectAccess, example_url: Callable[[int], str]) -> LeadPage:
    """The whole set: a constant number of queries."""
    project = access.project
    counts = queries.counts(session, project)
    rows = composition.source_rows(session.scalars(projects.composition_of(project)), counts)
    train = [row for row in rows if row.split == "train"]
    leaks, exact, pairs = queries.open_pairs(session, project)
    per_cell, picture = _picture(session, project, rows, example_url)
    return LeadPage(
        slug=project.slug,
        name=project.name,
        empty=not queries.has_material(session, project),
        train=composition.total_of(train, "train"),
        towards=composition.towards(train),
        short=tuple(sorted((row for row in train if row.short), key=lambda row: -row.short)[:2]),
        picture=picture,
        per_cell=per_cell,
        leaks=leaks,
        exact=exact,
        pairs=pairs,
        review=_waiting(session, project, counts, ExampleState.REVIEW),
        returned=_waiting(session, project, counts, ExampleState.RETURNED),
        running=running(session, project),
        legend=tuple((row.colour, row.short_title) for row in train),
        target_shares=composition.shares(train, "target"),
        approved_shares=composition.shares(train, "approved"),
        tables=composition.split_tables(rows),
        people=tuple(queries.loads(session, project)),
        may_lead=access.role is Role.ADMIN,
        broken=broken(session, project.id),
    )


def _picture(
    session: Session, project: Project, rows: Sequence[SourceRow], example_url: Callable[[int], str]
) -> tuple[int, CellsPicture | None]:
    largest = max((row.target for row in rows if row.split == "train"), default=0)
    if sum(row.target for row in rows if row.split == "train") > composition.MOST_CELLS:
        per_cell, sources = composition.scaled(rows)
    else:
        examples = queries.cell_rows(session, project, largest or composition.MOST_CELLS)
        per_cell, sources = 1, composition.cell_sources(rows, examples, example_url)
    return per_cell, draw_cells(sources) if sources else None


def _waiting(session: Session, project: Project, counts: Sequence[Count], state: ExampleState) -> Waiting:
    return Waiting(_sum(counts, state), queries.oldest(session, project, state))


def _sum(counts: Sequence[Count], state: ExampleState) -> int:
    return sum(count.count for count in counts if count.state is state)


def running(session: Session, project: Project) -> tuple[Running, ...]:
    """The project's jobs that wait or run."""
    return tuple(_running(job) for job in session.scalars(jobs.live_jobs_of(project.id)))


def _running(job: Job) -> Running:
    rate, left = pace(job, now())
    words = ", ".join(part for part in (how_far(job) if job.done else "", rate, job.note) if part)
    return Running(job.id, job.title, job.started_at is None, job.done, job.total, words, left)


def day_page(session: Session, access: ProjectAccess, skip: int) -> DayPage:
    """One person's day: a constant number of queries."""
    project, user = access.project, access.user
    counts = queries.counts(session, project)
    rows = composition.source_rows(session.scalars(projects.composition_of(project)), counts)
    furthest = composition.furthest(rows)
    titles = {row.source: row for row in reversed(rows)}
    tally = queries.my_tally(session, project, user)
    return DayPage(
        slug=project.slug,
        name=project.name,
        empty=not queries.has_material(session, project),
        returned=_returned(session, access, titles),
        suggestion=_suggestion(session, project, furthest, titles, skip),
        skip=skip,
        drafts=_drafts(session, access, titles),
        tally={state.value: tally.get(state, 0) for state in ExampleState},
        shortest=furthest[0] if furthest else None,
        good=_good(queries.good_example(session, project)),
        to_review=_sum(counts, ExampleState.REVIEW),
        may_review=access.role.covers(Role.REVIEWER),
        inbox=inbox_of(session, user, project),
        open=project.archived_at is None,
    )


def _returned(session: Session, access: ProjectAccess, titles: dict[str, SourceRow]) -> tuple[MyExample, ...]:
    found = session.scalars(queries.mine(access.project, access.user, ExampleState.RETURNED, SHOWN)).all()
    said = queries.last_reviews(session, [revision.example_id for revision in found])
    return tuple(_mine(revision, titles, said.get(revision.example_id)) for revision in found)


def _drafts(session: Session, access: ProjectAccess, titles: dict[str, SourceRow]) -> tuple[MyExample, ...]:
    found = session.scalars(queries.mine(access.project, access.user, ExampleState.DRAFT, SHOWN))
    return tuple(_mine(revision, titles) for revision in found)


def _mine(revision: Revision, titles: dict[str, SourceRow], said: Review | None = None) -> MyExample:
    example = revision.example
    row = titles.get(example.source)
    return MyExample(
        id=example.id,
        title=revision.title,
        source=row.short_title if row else in_words(example.source),
        colour=row.colour if row else composition.NO_COLOUR,
        changed_at=example.changed_at,
        words=(said.words or example.verdict_words) if said else "",
        reviewer=said.reviewer.name if said and said.reviewer else "",
        said_at=said.created_at if said else None,
    )


def _suggestion(
    session: Session, project: Project, furthest: Sequence[SourceRow], titles: dict[str, SourceRow], skip: int
) -> Suggestion | None:
    candidate = queries.candidate_to_write(session, project, [row.source for row in furthest], skip)
    if candidate is None:
        return None
    row = titles.get(candidate.source or "")
    title, colour = (
        (row.title, row.colour) if row else (in_words(candidate.source or "No source"), composition.NO_COLOUR)
    )
    why = f"{row.not_begun:,} of {row.target:,} are not begun" if row and row.not_begun else "it waits in the pool"
    return Suggestion(candidate.id, candidate.title, title, colour, candidate.score, why)


def _good(revision: Revision | None) -> GoodExample | None:
    if revision is None:
        return None
    said = {message["role"]: message["content"] for message in reversed(revision.messages)}
    prompt, response = (_glance(said.get(role, "")) for role in ("user", "assistant"))
    return GoodExample(revision.example_id, prompt, response, revision.example.changed_at)


def _glance(text: str) -> str:
    # Whole words; a reader sees by the dots that it goes on.
    return text if len(text) <= EXCERPT else text[:EXCERPT].rsplit(" ", 1)[0] + " …"
