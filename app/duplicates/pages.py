"""The inbox of clusters and pairs, one pair side by side, and the pairs of one example."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.duplicates import queries
from app.duplicates.gathering import Cluster, cluster_with, clusters_of
from app.duplicates.models import DuplicatePair, Verdict
from app.duplicates.narrowing import at_least
from app.duplicates.operations import THRESHOLD
from app.duplicates.queries import PairCount
from app.duplicates.scan_pages import ScanFields, ScanRow, scan_fields, scan_rows
from app.duplicates.scores import other_scores
from app.duplicates.sheet import KEPT_OUT, METHOD_WORDS, VERDICT_WORDS, PairView, pair_view, score_words, verdict_of
from app.duplicates.texts import example_key
from app.examples.labels import SourceLabels
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of
from app.web.paging import PAGE_SIZE, Pager, page_of

# The rows of the table behind the slider.
TABLE = (100, 98, 95, 92, 90, 85, 80, 70, 60, 50)
LOWEST = 50


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
    texts: int = 2


@dataclass(frozen=True)
class MemberRow:
    """A text of a cluster beside its first, by the pair of the two."""

    pair_id: int
    title: str
    score: str
    leak: bool
    at: bool


@dataclass(frozen=True)
class ClusterView:
    """The cluster of the pair that is shown: more than two texts, settled at once or pair by pair.

    `seen` names what is shown, so that nothing else is settled by it.
    """

    size: int
    seen: str
    leak: bool
    kept_out: bool
    first: str
    rows: Sequence[MemberRow]
    following: int | None


@dataclass(frozen=True)
class ThresholdRow:
    """What a threshold finds: `waiting` open pairs, of the settled ones `same` and `different`."""

    score: str
    waiting: int
    same: int
    different: int


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
    cluster: ClusterView | None
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
class ExamplePairsPage:
    """The pairs that an example is in."""

    example_id: int
    rows: Sequence[PairRow]


def inbox_page(
    session: Session,
    access: ProjectAccess,
    *,
    chosen: DuplicatePair | None = None,
    show: str = "open",
    at: int | None = None,
    number: int = 1,
) -> InboxPage:
    """The list with one pair open: the chosen one, else the first. A constant number of queries.

    What is open is listed by its clusters, what is settled pair by pair.
    """
    project_id = access.project.id
    if chosen is not None:
        show = "open" if chosen.verdict is Verdict.OPEN else "settled"
    scan = session.scalar(queries.scans_of(project_id).limit(1))
    steps = tuple(percent / 100 for percent in TABLE)
    counts = queries.counts_at(session, project_id, ((at or 0) / 100, *steps))
    lowest = _lowest(counts)
    list_of = _open_list if show == "open" else _settled_list
    listed = list_of(session, access, chosen, (at or 0) / 100, number)
    shown = listed.chosen
    model = scan.result.get("standing", {}).get("model", "") if scan else ""
    last = scan_rows(session, [scan])[0] if scan else None
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
        rows=listed.rows,
        pager=listed.pager,
        pair=_pair_view(session, access, shown, listed.place, model) if shown else None,
        cluster=listed.cluster,
        scan=last,
        form=scan_fields(scan),
    )


@dataclass(frozen=True)
class _Listed:
    rows: Sequence[PairRow]
    pager: Pager
    chosen: DuplicatePair | None
    place: int | None
    cluster: ClusterView | None = None


def _settled_list(
    session: Session, access: ProjectAccess, chosen: DuplicatePair | None, threshold: float, number: int
) -> _Listed:
    project_id = access.project.id
    conditions = (at_least(session, threshold), queries.SETTLED)
    number = queries.position_of(session, chosen, *conditions) // PAGE_SIZE + 1 if chosen else number
    pairs, pager = page_of(session, queries.listed(session, project_id).where(*conditions), number)
    chosen = chosen or (pairs[0] if pairs else None)
    rows = _pair_rows(session, project_id, pairs, chosen)
    ids = [pair.id for pair in pairs]
    place = pager.first + ids.index(chosen.id) if chosen and chosen.id in ids else None
    return _Listed(rows, pager, chosen, place)


def _open_list(
    session: Session, access: ProjectAccess, chosen: DuplicatePair | None, threshold: float, number: int
) -> _Listed:
    project_id = access.project.id
    clusters = clusters_of(session, project_id, threshold)
    mine = cluster_with(clusters, chosen) if chosen else None
    place = clusters.index(mine) if mine in clusters else None
    pager = Pager(min(place // PAGE_SIZE + 1 if place is not None else number, _pages(clusters)), len(clusters))
    part = clusters[max(0, pager.first - 1) : pager.last]
    if mine is None and part:
        mine, place = part[0], pager.first - 1
    if chosen is None and mine is not None:
        chosen = session.scalar(queries.pair_in(project_id, mine.head.id))
    keys = {key for cluster in part for key in cluster.members} | set(mine.members if mine else ())
    titles, kept_out = queries.titles(session, project_id, keys), queries.out_of_sight(session, project_id, keys)
    rows = tuple(_cluster_row(cluster, titles, kept_out, cluster is mine) for cluster in part)
    if chosen is None or mine is None:
        return _Listed(rows, pager, None, None)
    number_of = place + 1 if place is not None else None
    return _Listed(rows, pager, chosen, number_of, _cluster_view(mine, chosen.id, titles, kept_out))


def _pages(clusters: Sequence[Cluster]) -> int:
    return max(1, -(-len(clusters) // PAGE_SIZE))


def _cluster_row(cluster: Cluster, titles: Mapping[str, str], kept_out: Collection[str], at: bool) -> PairRow:
    head = cluster.head
    hidden = not {head.left, head.right}.isdisjoint(kept_out)
    named = [titles[key] for key in (head.left, head.right, *cluster.members) if titles.get(key)]
    return PairRow(
        id=head.id,
        title=named[0] if named else KEPT_OUT if hidden else head.left,
        score="" if hidden else score_words(head.score),
        method="kept out of sight" if hidden else METHOD_WORDS[head.method],
        leak=cluster.leak,
        verdict=VERDICT_WORDS[Verdict.OPEN],
        settled=False,
        at=at,
        texts=len(cluster.members),
    )


def _cluster_view(
    cluster: Cluster, shown: int, titles: Mapping[str, str], kept_out: Collection[str]
) -> ClusterView | None:
    if len(cluster.members) == 2:
        return None
    ids = [edge.id for edge in cluster.pairs]
    here = ids.index(shown) if shown in ids else -1
    following = [*ids[here + 1 :], *ids][0]
    rows = []
    for edge in cluster.shown():
        other = edge.right if edge.left == cluster.centre else edge.left
        hidden = other in kept_out or cluster.centre in kept_out
        rows.append(
            MemberRow(
                edge.id,
                _title(other, titles, kept_out),
                "" if hidden else score_words(edge.score),
                edge.leak,
                edge.id == shown,
            )
        )
    return ClusterView(
        size=len(cluster.members),
        seen=cluster.seen,
        leak=cluster.leak,
        kept_out=not set(cluster.members).isdisjoint(kept_out),
        first=_title(cluster.centre, titles, kept_out),
        rows=rows,
        following=following if following != shown else None,
    )


def _title(key: str, titles: Mapping[str, str], kept_out: Collection[str]) -> str:
    return KEPT_OUT if key in kept_out else titles.get(key) or key


def _lowest(counts: Sequence[PairCount]) -> int:
    """Where the slider begins: below the least score known there is nothing to show."""
    least = min((count.lowest for count in counts), default=THRESHOLD)
    return max(LOWEST, min(99, int(least * 100)))


def _threshold_row(counts: Sequence[PairCount], column: int, step: float) -> ThresholdRow:
    def total(*verdicts: Verdict) -> int:
        return sum(count.reaching[column] for count in counts if count.verdict in verdicts)

    same = total(Verdict.KEEP_LEFT, Verdict.KEEP_RIGHT)
    return ThresholdRow(f"{step:.2f}".removeprefix("0"), total(Verdict.OPEN), same, total(Verdict.KEEP_BOTH))


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
        verdict=verdict_of(pair),
        settled=pair.verdict is not Verdict.OPEN,
        at=chosen is not None and chosen.id == pair.id,
    )


def _pair_view(
    session: Session, access: ProjectAccess, pair: DuplicatePair, number: int | None, model: str
) -> PairView:
    members = queries.members(session, pair.project_id, (pair.left_key, pair.right_key))
    labels = SourceLabels(session.scalars(composition_of(access.project)))
    kept_out = queries.out_of_sight(session, pair.project_id, (pair.left_key, pair.right_key))
    return pair_view(pair, number, members, labels, kept_out, other_scores(session, pair, members, model))


def example_pairs_page(session: Session, access: ProjectAccess, example_id: int) -> ExamplePairsPage:
    """Every pair that an example is in, by the title of the other side."""
    key = example_key(example_id)
    pairs = session.scalars(queries.pairs_with(access.project.id, [key])).all()
    others = {pair.id: pair.right_key if pair.left_key == key else pair.left_key for pair in pairs}
    titles = queries.titles(session, access.project.id, others.values())
    kept_out = queries.out_of_sight(session, access.project.id, others.values())
    rows = tuple(_pair_row(pair, titles.get(others[pair.id], others[pair.id]), kept_out) for pair in pairs)
    return ExamplePairsPage(example_id, rows)
