"""The inbox of pairs, one pair side by side, the scans, and the pairs of one example."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.duplicates import queries
from app.duplicates.models import DuplicatePair, DuplicateScan, Method, On, Verdict
from app.duplicates.narrowing import at_least
from app.duplicates.operations import THRESHOLD
from app.duplicates.queries import PairCount
from app.duplicates.sheet import METHOD_WORDS, ON_WORDS, VERDICT_WORDS, PairView, pair_view, score_words
from app.duplicates.texts import example_key
from app.examples.labels import SourceLabels
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of
from app.web.paging import Pager, page_of

# The rows of the table behind the slider.
TABLE = (100, 98, 95, 92, 90, 85, 80, 70, 60, 50)
LOWEST = 50
KEPT_OUT = "A test prompt, kept out of sight"


@dataclass(frozen=True)
class PairRow:
    """A pair in the list."""

    id: int
    title: str
    score: str
    method: str
    leak: bool
    verdict: str
    settled: bool
    at: bool = False


@dataclass(frozen=True)
class ThresholdRow:
    """What a threshold finds: `waiting` open pairs, of the settled ones `same` and `different`."""

    score: str
    waiting: int
    same: int
    different: int


@dataclass(frozen=True)
class ScanRow:
    """A scan and what it found; `state` is that of its work."""

    id: int
    job_id: int | None
    state: str
    over: bool
    methods: str
    on: str
    threshold: str
    created_at: datetime
    texts: int | None
    pairs: int | None
    leaks: int | None
    seconds: float | None
    error: str | None


@dataclass(frozen=True)
class ScanFields:
    """The form of a scan, as typed."""

    typed: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InboxPage:
    """The pairs at or above a threshold (`at`, in percent) and the chosen one."""

    show: str
    waiting: int
    leaks: int
    settled: int
    looking: bool
    at: int
    lowest: int
    here: ThresholdRow
    table: Sequence[ThresholdRow]
    rows: Sequence[PairRow]
    pager: Pager
    pair: PairView | None
    scan: ScanRow | None
    form: ScanFields

    @property
    def known(self) -> int:
        """How many pairs there are in all."""
        return self.waiting + self.settled

    @property
    def listed(self) -> int:
        """How many pairs the list has at its lowest threshold: without any there is nothing to move it for."""
        return self.waiting if self.show == "open" else self.settled


@dataclass(frozen=True)
class ScansPage:
    """All scans, newest first, and the form of a new one."""

    rows: Sequence[ScanRow]
    pager: Pager
    form: ScanFields


@dataclass(frozen=True)
class ExamplePairsPage:
    """The pairs that an example is in."""

    example_id: int
    rows: Sequence[PairRow]


def scan_fields(scan: DuplicateScan | None = None) -> ScanFields:
    """The form with the settings of the last scan, or the usual ones."""
    if scan is None:
        return ScanFields({"exact": "true", "embedding": "true", "on": On.PROMPT, "threshold": f"{THRESHOLD:.2f}"})
    typed = dict.fromkeys(scan.methods, "true")
    return ScanFields(typed | {"on": scan.on.value, "threshold": f"{scan.threshold:g}"})


def inbox_page(
    session: Session,
    access: ProjectAccess,
    *,
    chosen: DuplicatePair | None = None,
    show: str = "open",
    at: int | None = None,
    number: int = 1,
) -> InboxPage:
    """The list with one pair open: the chosen one, else the first. A constant number of queries."""
    project_id = access.project.id
    if chosen is not None:
        show = "open" if chosen.verdict is Verdict.OPEN else "settled"
    scan = session.scalar(queries.scans_of(project_id).limit(1))
    steps = tuple(percent / 100 for percent in TABLE)
    counts = queries.counts_at(session, project_id, ((at or 0) / 100, *steps))
    lowest = _lowest(counts)
    conditions = (at_least(session, (at or 0) / 100), queries.OPEN if show == "open" else queries.SETTLED)
    place = queries.position_of(session, chosen, *conditions) if chosen else 0
    number = place // 50 + 1 if chosen else number
    pairs, pager = page_of(session, queries.listed(session, project_id).where(*conditions), number)
    chosen = chosen or (pairs[0] if pairs else None)
    last = _scan_rows(session, [scan])[0] if scan else None
    return InboxPage(
        show=show,
        waiting=sum(count.total for count in counts if count.verdict is Verdict.OPEN),
        leaks=sum(count.total for count in counts if count.verdict is Verdict.OPEN and count.leak),
        settled=sum(count.total for count in counts if count.verdict is not Verdict.OPEN),
        looking=last is not None and not last.over,
        at=max(at or lowest, lowest),
        lowest=lowest,
        here=_threshold_row(counts, 0, (at or lowest) / 100),
        table=tuple(_threshold_row(counts, i, step) for i, step in enumerate(steps, 1) if step * 100 >= lowest),
        rows=_pair_rows(session, project_id, pairs, chosen),
        pager=pager,
        pair=_pair_view(session, access, chosen, _number_of(chosen, pairs, pager)) if chosen else None,
        scan=last,
        form=scan_fields(scan),
    )


def _lowest(counts: Sequence[PairCount]) -> int:
    """Where the slider begins: below the least score known there is nothing to show."""
    least = min((count.lowest for count in counts), default=THRESHOLD)
    return max(LOWEST, min(99, int(least * 100)))


def _threshold_row(counts: Sequence[PairCount], column: int, step: float) -> ThresholdRow:
    def total(*verdicts: Verdict) -> int:
        return sum(count.reaching[column] for count in counts if count.verdict in verdicts)

    same = total(Verdict.KEEP_LEFT, Verdict.KEEP_RIGHT)
    return ThresholdRow(f"{step:.2f}".removeprefix("0"), total(Verdict.OPEN), same, total(Verdict.KEEP_BOTH))


def _number_of(chosen: DuplicatePair, pairs: Sequence[DuplicatePair], pager: Pager) -> int | None:
    ids = [pair.id for pair in pairs]
    return pager.first + ids.index(chosen.id) if chosen.id in ids else None


def _pair_rows(
    session: Session, project_id: int, pairs: Sequence[DuplicatePair], chosen: DuplicatePair | None = None
) -> tuple[PairRow, ...]:
    keys = [key for pair in pairs for key in (pair.left_key, pair.right_key)]
    titles, kept_out = queries.titles(session, project_id, keys), queries.out_of_sight(session, project_id, keys)
    return tuple(
        _pair_row(pair, titles.get(pair.left_key) or titles.get(pair.right_key) or pair.left_key, kept_out, chosen)
        for pair in pairs
    )


def _pair_row(
    pair: DuplicatePair, title: str, kept_out: Collection[str], chosen: DuplicatePair | None = None
) -> PairRow:
    hidden = not {pair.left_key, pair.right_key}.isdisjoint(kept_out)
    return PairRow(
        id=pair.id,
        title=KEPT_OUT if title in kept_out else title,
        score="" if hidden else score_words(pair.score),
        method="kept out of sight" if hidden else METHOD_WORDS[pair.method],
        leak=pair.leak,
        verdict=VERDICT_WORDS[pair.verdict],
        settled=pair.verdict is not Verdict.OPEN,
        at=chosen is not None and chosen.id == pair.id,
    )


def _pair_view(session: Session, access: ProjectAccess, pair: DuplicatePair, number: int | None) -> PairView:
    members = queries.members(session, pair.project_id, (pair.left_key, pair.right_key))
    labels = SourceLabels(session.scalars(composition_of(access.project)))
    kept_out = queries.out_of_sight(session, pair.project_id, (pair.left_key, pair.right_key))
    return pair_view(pair, number, members, labels, kept_out)


def _scan_rows(session: Session, scans: Sequence[DuplicateScan]) -> tuple[ScanRow, ...]:
    jobs = queries.jobs_of_scans(session, scans)
    return tuple(_scan_row(scan, jobs.get(scan.job_id or 0)) for scan in scans)


def _scan_row(scan: DuplicateScan, job: Any) -> ScanRow:
    result = scan.result
    state = job.state if job else None
    return ScanRow(
        id=scan.id,
        job_id=scan.job_id,
        state=state.value if state else "finished",
        over=state.over if state else True,
        methods=" and ".join(METHOD_WORDS[Method(method)] for method in scan.methods),
        on=ON_WORDS[scan.on],
        threshold=f"{scan.threshold:.2f}".removeprefix("0"),
        created_at=scan.created_at,
        texts=result.get("texts"),
        pairs=sum(result["pairs"].values()) if "pairs" in result else None,
        leaks=result.get("leaks"),
        seconds=sum(result["seconds"].values()) if "seconds" in result else None,
        error=job.error if job else None,
    )


def scans_page(session: Session, access: ProjectAccess, number: int, form: ScanFields | None = None) -> ScansPage:
    """The scans of a project, with the form as typed where it did not fit."""
    scans, pager = page_of(session, queries.scans_of(access.project.id), number)
    rows = _scan_rows(session, scans)
    return ScansPage(rows, pager, form or scan_fields(scans[0] if scans else None))


def example_pairs_page(session: Session, access: ProjectAccess, example_id: int) -> ExamplePairsPage:
    """Every pair that an example is in, by the title of the other side."""
    key = example_key(example_id)
    pairs = session.scalars(queries.pairs_with(access.project.id, [key])).all()
    others = {pair.id: pair.right_key if pair.left_key == key else pair.left_key for pair in pairs}
    titles = queries.titles(session, access.project.id, others.values())
    kept_out = queries.out_of_sight(session, access.project.id, others.values())
    rows = tuple(_pair_row(pair, titles.get(others[pair.id], others[pair.id]), kept_out) for pair in pairs)
    return ExamplePairsPage(example_id, rows)
