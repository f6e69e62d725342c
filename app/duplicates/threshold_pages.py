"""The page of thresholds: how many pairs have which score, what a threshold finds, and pairs near it to judge."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.duplicates import queries
from app.duplicates.calibrating import Reading, share_words
from app.duplicates.models import DuplicatePair, Method, On, Verdict
from app.duplicates.sheet import ON_WORDS, PairView, pair_view
from app.duplicates.standing import BINS
from app.duplicates.thresholds import STEP, Readings, Ready, readings_of
from app.examples.labels import SourceLabels
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of

HEIGHT = 100


@dataclass(frozen=True)
class Bar:
    """A hundredth of the histogram, in a box of `Histogram.width` by 100."""

    x: int
    y: float
    height: float
    reached: bool
    title: str


@dataclass(frozen=True)
class Histogram:
    """Bars from the floor to 1; `line` is where the threshold stands, `labels` (x in percent, words) stand below."""

    width: int
    bars: Sequence[Bar]
    line: int
    label: str
    labels: Sequence[tuple[float, str]]
    most: int


@dataclass(frozen=True)
class ReadingRow:
    """A threshold in words."""

    at: int
    score: str
    pairs: int
    precision: str
    recall: str
    links: str
    chosen: bool


@dataclass(frozen=True)
class ThresholdsPage:
    """What the last look counted by one method, read at one threshold, and a pair to judge."""

    method: str
    methods: Sequence[str]
    on: str
    on_words: str
    read: Readings
    here: ReadingRow | None
    table: Sequence[ReadingRow]
    histogram: Histogram | None
    skipped: int
    pair: PairView | None


def thresholds_page(
    session: Session, access: ProjectAccess, method: Method, at: int | None, skipped: int = 0
) -> ThresholdsPage:
    """The page for one method; `skipped` pairs to judge are left for later."""
    read = readings_of(session, access.project.id, method, at)
    rows = [_row(reading, reading.at == read.at) for reading in read.readings]
    ready = read.ready[skipped % len(read.ready)] if read.ready else None
    return ThresholdsPage(
        method=method.value,
        methods=[one.value for one in read.methods],
        on=On.PROMPT.value,
        on_words=ON_WORDS[On.PROMPT],
        read=read,
        here=next((row for row in rows if row.chosen), None),
        table=rows,
        histogram=_histogram(read.counts, read.floor, read.at) if rows else None,
        skipped=skipped,
        pair=_shown(session, access, method, ready) if ready else None,
    )


def _row(reading: Reading, chosen: bool) -> ReadingRow:
    return ReadingRow(
        reading.at, f".{reading.at:02}", reading.pairs, share_words(reading.precision), share_words(reading.recall),
        share_words(reading.links), chosen,
    )  # fmt: skip


def _histogram(counts: Sequence[int], floor: int, at: int) -> Histogram:
    shown = counts[floor:]
    most = max(shown, default=0) or 1
    # Roots, so that a few pairs at the top are seen beside hundreds at the floor; the numbers stand in the table.
    bars = [
        Bar(
            number * 10, HEIGHT * (1 - (count / most) ** 0.5), HEIGHT * (count / most) ** 0.5,
            number + floor >= at, f".{number + floor:02}: {count:,}",
        )
        for number, count in enumerate(shown)
    ]  # fmt: skip
    width = len(shown) * 10
    labels = [(100 * (step - floor) / len(shown), f".{step:02}") for step in range(floor, BINS, STEP * 2)]
    label = f"{sum(counts[at:]):,} pairs reach .{at:02}, {sum(shown):,} reach .{floor:02}"
    return Histogram(width, bars, (at - floor) * 10, label, [*labels, (100.0, "1.00")], most)


def _shown(session: Session, access: ProjectAccess, method: Method, ready: Ready) -> PairView:
    left, right, score = ready
    pair = DuplicatePair(
        id=0, project_id=access.project.id, left_key=left, right_key=right, on=On.PROMPT, method=method,
        score=score, leak=False, verdict=Verdict.OPEN, effect={},
    )  # fmt: skip
    members = queries.members(session, access.project.id, (left, right))
    return pair_view(pair, None, members, SourceLabels(session.scalars(composition_of(access.project))))
