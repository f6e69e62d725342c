"""The page of splits: what the seeded rule would move, what it keeps together, and what was drawn before."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.datasets.models import SplitPlan
from app.datasets.splits import operations as splits
from app.datasets.splits.forms import SplitForm
from app.datasets.splits.splitting import DEV, TEST, TRAIN, Asked, Drawn, Group, Move
from app.duplicates.queries import scans_of, titles
from app.duplicates.texts import example_key
from app.examples.labels import SourceLabel, SourceLabels, shown_title
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of
from app.web.forms import Posted

SHOWN = 20
MEMBERS_SHOWN = 6
PAST_SHOWN = 10
SPLITS = (TRAIN, DEV, TEST)


@dataclass(frozen=True)
class Count:
    """How many approved examples stand in a split, before and afterwards."""

    split: str
    before: int
    after: int


@dataclass(frozen=True)
class SourceLine:
    """One source, or all of them: its counts by split."""

    source: SourceLabel | None
    counts: tuple[Count, ...]


@dataclass(frozen=True)
class MemberRow:
    """An example in a list: where it stands and where it would."""

    id: int
    title: str
    source: SourceLabel
    before: str
    after: str
    follows: bool


@dataclass(frozen=True)
class GroupRow:
    """Examples that are kept together; `more` are not shown."""

    rows: tuple[MemberRow, ...]
    more: int


@dataclass(frozen=True)
class GroupList:
    """The first groups of one kind, and how many there are."""

    shown: tuple[GroupRow, ...]
    total: int


NO_GROUPS = GroupList((), 0)


@dataclass(frozen=True)
class PastPlan:
    """A draw that was applied."""

    number: int
    dev: int
    test: int
    seed: int
    moved: int
    at: datetime
    undone_at: datetime | None
    may_undo: bool


@dataclass(frozen=True)
class SplitsPage:
    """The form and what it would do; `looked_at` is when duplicates were last looked for."""

    slug: str
    asked: Asked
    by: str
    fingerprint: str
    moves: int
    to_test: int
    to_dev: int
    to_train: int
    short: tuple[Count, ...]
    lines: tuple[SourceLine, ...]
    total: SourceLine
    # Of the picture: (colour, title) of each source, and a row a split with the percents of its sources afterwards.
    legend: tuple[tuple[int, str], ...]
    shares: tuple[tuple[str, tuple[float, ...]], ...]
    together: GroupList
    torn: GroupList
    too_big: GroupList
    rows: tuple[MemberRow, ...]
    looked_at: datetime | None
    past: tuple[PastPlan, ...]
    open: bool
    # What was typed and cannot be asked, and why, by field; then nothing is drawn.
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def splits_page(session: Session, access: ProjectAccess, form: SplitForm) -> SplitsPage:
    """What the rule would do now, in a constant number of queries."""
    asked = form.asked(splits.usual(session, access.project))
    drawn = splits.look(session, access.project, asked)
    labels = SourceLabels(session.scalars(composition_of(access.project)))
    lines = tuple(_lines(drawn, labels))
    shown = _Shown(session, access.project.id, labels, drawn)
    to = {split: sum(move.after == split for move in drawn.moves) for split in SPLITS}
    wanted = (
        Count(DEV, asked.dev, drawn.total(DEV, after=True)),
        Count(TEST, asked.test, drawn.total(TEST, after=True)),
    )
    scan = session.scalars(scans_of(access.project.id).limit(1)).first()
    return SplitsPage(
        slug=access.project.slug,
        asked=asked,
        by=form.by,
        fingerprint=drawn.fingerprint,
        moves=len(drawn.moves),
        to_test=to[TEST],
        to_dev=to[DEV],
        to_train=to[TRAIN],
        short=tuple(count for count in wanted if count.after != count.before),
        lines=lines,
        total=SourceLine(None, _counts(drawn, None)),
        legend=tuple((line.source.number, line.source.short) for line in lines if line.source),
        shares=tuple(_shares(split, lines) for split in SPLITS),
        together=shown.groups(drawn.together),
        torn=shown.groups(drawn.torn),
        too_big=shown.groups(drawn.too_big),
        rows=tuple(shown.rows(drawn.moves[:SHOWN])),
        looked_at=scan.finished_at if scan else None,
        past=_past(session, access),
        open=access.project.archived_at is None,
    )


def refused_page(session: Session, access: ProjectAccess, wanted: Posted[SplitForm]) -> SplitsPage:
    """The form as it was typed, with what is wrong beside each field; nothing is drawn and nothing shown of it."""
    page = splits_page(session, access, SplitForm(dev=0, test=0))
    return replace(
        page, lines=(), rows=(), moves=0, together=NO_GROUPS, torn=NO_GROUPS, too_big=NO_GROUPS,
        typed=wanted.typed, errors=wanted.errors,
    )  # fmt: skip


def _lines(drawn: Drawn, labels: SourceLabels) -> Iterable[SourceLine]:
    for source in sorted({source for source, _ in (*drawn.before, *drawn.after)}):
        yield SourceLine(labels.of(source), _counts(drawn, source))


def _shares(split: str, lines: Sequence[SourceLine]) -> tuple[str, tuple[float, ...]]:
    counts = [line.counts[SPLITS.index(split)].after for line in lines]
    return split.capitalize(), tuple(100 * count / (sum(counts) or 1) for count in counts)


def _counts(drawn: Drawn, source: str | None) -> tuple[Count, ...]:
    if source is None:
        return tuple(Count(one, drawn.total(one, after=False), drawn.total(one, after=True)) for one in SPLITS)
    return tuple(Count(one, drawn.before.get((source, one), 0), drawn.after.get((source, one), 0)) for one in SPLITS)


class _Shown:
    """Builds rows with their titles, which are asked for once."""

    def __init__(self, session: Session, project_id: int, labels: SourceLabels, drawn: Drawn) -> None:
        self._labels = labels
        self._moves = {move.id: move for move in drawn.moves}
        groups = (*drawn.together[:SHOWN], *drawn.torn[:SHOWN], *drawn.too_big[:SHOWN])
        self._sources = drawn.sources
        ids = [move.id for move in drawn.moves[:SHOWN]] + [
            member.id for group in groups for member in group.members[:MEMBERS_SHOWN]
        ]
        self._titles = titles(session, project_id, map(example_key, ids))

    def rows(self, moves: Sequence[Move]) -> list[MemberRow]:
        return [self._row(move.id, move.before) for move in moves]

    def groups(self, found: Sequence[Group]) -> GroupList:
        return GroupList(tuple(map(self._group, found[:SHOWN])), len(found))

    def _group(self, group: Group) -> GroupRow:
        members = group.members[:MEMBERS_SHOWN]
        return GroupRow(tuple(self._row(one.id, one.split) for one in members), len(group.members) - len(members))

    def _row(self, number: int, before: str) -> MemberRow:
        move = self._moves.get(number)
        title = shown_title(self._titles.get(example_key(number), ""))
        source = self._labels.of(self._sources[number])
        return MemberRow(number, title, source, before, move.after if move else before, bool(move and move.follows))


def _past(session: Session, access: ProjectAccess) -> tuple[PastPlan, ...]:
    plans = list(session.scalars(splits.plans_of(access.project).limit(PAST_SHOWN)))
    newest = next((plan.id for plan in plans if plan.undone_at is None), None)
    return tuple(_plan(plan, may_undo=plan.id == newest) for plan in plans)


def _plan(plan: SplitPlan, *, may_undo: bool) -> PastPlan:
    asked = plan.asked
    return PastPlan(
        plan.id, asked["dev"], asked["test"], asked["seed"], len(plan.moves), plan.created_at, plan.undone_at, may_undo
    )
