"""What the last look holds ready of pairs by their scores: any threshold read without comparing again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.duplicates import queries
from app.duplicates.calibrating import Judged, Reading, read
from app.duplicates.models import DuplicatePair, DuplicateScan, Method, On, Verdict
from app.duplicates.standing import BINS, bin_of

# Of settled pairs the newest so many are read, and so many open ones are offered to be judged.
MOST_READ = 2000
MOST_OFFERED = 60
STEP = 5
Ready = tuple[str, str, float]


@dataclass(frozen=True)
class Readings:
    """What the last look by prompts counted by one method, read at several thresholds (in percent).

    `at` is the one that was asked for, `used` the look's own; `readings` are empty where no look has counted by this
    method. `ready` are pairs that nobody judged, the nearest to `at` first.
    """

    method: Method
    methods: Sequence[Method]
    used: int
    floor: int
    at: int
    counts: Sequence[int]
    judged: int
    same: int
    links: int
    readings: Sequence[Reading]
    ready: Sequence[Ready]


def readings_of(session: Session, project_id: int, method: Method, at: int | None = None) -> Readings:
    """Read what the last look counted, as far as this session's person may know."""
    scan = last_scan(session, project_id)
    kept = Kept.of(scan, method)
    methods = [one for one in (Method.EMBEDDING, Method.LEXICAL) if Kept.of(scan, one)]
    if kept is None:
        return Readings(method, methods, 90, 50, 90, [0] * BINS, 0, 0, 0, (), ())
    floor, used = round(kept.floor * 100), round(kept.threshold * 100)
    chosen = min(max(used if at is None else at, floor), BINS - 1)
    judged = judged_pairs(session, project_id, method)
    steps = {*range(-(-floor // STEP) * STEP, BINS, STEP), floor, chosen, min(used, BINS - 1)}
    return Readings(
        method, methods, used, floor, chosen, kept.counts, len(judged), sum(one.same for one in judged),
        len(kept.links), [read(step, kept.counts, judged, kept.links) for step in sorted(steps, reverse=True)],
        _to_judge(session, project_id, method, kept, chosen),
    )  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """What a scan kept of one method."""

    floor: float
    threshold: float
    counts: Sequence[int]
    borderline: Sequence[tuple[str, str, float]]
    links: Sequence[float]

    @classmethod
    def of(cls, scan: DuplicateScan | None, method: Method) -> "Kept | None":
        """Read it from the scan's result; None where it did not look by this method, or before thresholds were kept."""
        found: dict[str, Any] = (scan.result.get("standing", {}) if scan else {}).get(method.value, {})
        if not found:
            return None
        borderline = [(left, right, float(score)) for left, right, score in found["borderline"]]
        links = [float(score) for _, _, score in found["links"]]
        return cls(found["floor"], found["threshold"], found["counts"], borderline, links)


def last_scan(session: Session, project_id: int, on: On = On.PROMPT) -> DuplicateScan | None:
    """The newest look that is done."""
    done = (DuplicateScan.on == on, DuplicateScan.finished_at.is_not(None))
    scan: DuplicateScan | None = session.scalar(queries.scans_of(project_id).where(*done).limit(1))
    return scan


def judged_pairs(session: Session, project_id: int, method: Method, on: On = On.PROMPT) -> list[Judged]:
    """What people said of pairs of one method, without those settled along with others and those out of sight."""
    said = or_(queries.SETTLED, DuplicatePair.decided_at.is_not(None))
    query = queries.pairs_of(project_id).where(said, DuplicatePair.method == method, DuplicatePair.on == on)
    newest = query.order_by(None).order_by(DuplicatePair.decided_at.desc(), DuplicatePair.id.desc()).limit(MOST_READ)
    pairs = [pair for pair in session.scalars(newest) if _own(pair)]
    hidden = queries.out_of_sight(session, project_id, {key for p in pairs for key in (p.left_key, p.right_key)})
    return [
        Judged(pair.score, pair.verdict is not Verdict.KEEP_BOTH)
        for pair in pairs
        if hidden.isdisjoint((pair.left_key, pair.right_key))
    ]


def _own(pair: DuplicatePair) -> bool:
    return "follows" not in pair.effect and (pair.verdict is not Verdict.OPEN or pair.judged)


def _to_judge(session: Session, project_id: int, method: Method, kept: Kept, at: int) -> list[Ready]:
    """Pairs that nobody judged, the nearest to the threshold first: from below it, and open ones of the inbox."""
    here, named = (DuplicatePair.project_id == project_id,), (DuplicatePair.on == On.PROMPT,)
    known = queries.pairs_of(project_id).where(*named, DuplicatePair.method == method)
    nearest = (
        known.where(queries.OPEN).order_by(None).order_by(func.abs(DuplicatePair.score - at / 100), DuplicatePair.id)
    )
    near = [pair for pair in session.scalars(nearest.limit(MOST_OFFERED)) if not pair.judged]
    ready = [(pair.left_key, pair.right_key, pair.score) for pair in near if not pair.leak]
    keys = {left for left, _, _ in kept.borderline}
    twos = (DuplicatePair.left_key, DuplicatePair.right_key)
    seen = {tuple(row) for row in session.execute(select(*twos).where(*here, *named, DuplicatePair.left_key.in_(keys)))}
    ready += [(left, right, score) for left, right, score in kept.borderline if (left, right) not in seen]
    every = {key for left, right, _ in ready for key in (left, right)}
    hidden, there = queries.out_of_sight(session, project_id, every), queries.titles(session, project_id, every)
    fit = [one for one in ready if hidden.isdisjoint(one[:2]) and one[0] in there and one[1] in there]
    return sorted(fit, key=lambda one: (abs(bin_of(one[2]) - at), one[0], one[1]))
