"""The open pairs of a project gathered into clusters, as people settle them: leaks first, then the likest."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.duplicates.clusters import stars
from app.duplicates.models import DuplicatePair, Method, On
from app.duplicates.narrowing import at_least, told_score
from app.duplicates.queries import OPEN
from app.duplicates.texts import place


@dataclass(frozen=True)
class Edge:
    """An open pair, without its words."""

    id: int
    left: str
    right: str
    on: On
    method: Method
    score: float
    leak: bool

    @property
    def rank(self) -> tuple[bool, float, int]:
        """Its place in the inbox."""
        return not self.leak, -self.score, self.id


@dataclass(frozen=True)
class Cluster:
    """Texts of which each is paired with the first, and all open pairs among them in the order of the inbox."""

    members: tuple[str, ...]
    pairs: tuple[Edge, ...]

    @property
    def centre(self) -> str:
        """The text that every other is paired with."""
        return self.members[0]

    @property
    def head(self) -> Edge:
        """The pair to look at first."""
        return self.pairs[0]

    @property
    def leak(self) -> bool:
        """Whether one of its texts is trained on and another, paired with it, held out."""
        return self.head.leak

    @property
    def seen(self) -> str:
        """A short name of exactly these texts, by which whoever settles them says what was looked at."""
        return hashlib.sha256("\n".join(sorted(self.members)).encode()).hexdigest()[:16]

    def shown(self) -> tuple[Edge, ...]:
        """The pairs with the centre, which say why each text is here."""
        return tuple(edge for edge in self.pairs if self.centre in (edge.left, edge.right))

    def pair_of(self, text: str, keep: str) -> Edge:
        """The pair that speaks against a text if another is kept: of the two if there is one, else with the centre."""
        mine = [edge for edge in self.pairs if text in (edge.left, edge.right)]
        direct = [edge for edge in mine if keep in (edge.left, edge.right)]
        return (direct or [edge for edge in mine if self.centre in (edge.left, edge.right)])[0]


def clusters_of(session: Session, project_id: int, threshold: float = 0.0) -> list[Cluster]:
    """All clusters of open pairs from a threshold on, in the order of the inbox; one query."""
    score = told_score(session).label("told")
    columns = (DuplicatePair.id, DuplicatePair.left_key, DuplicatePair.right_key, DuplicatePair.on)
    query = select(*columns, DuplicatePair.method, score, DuplicatePair.leak).where(
        DuplicatePair.project_id == project_id, OPEN, at_least(session, threshold)
    )
    return gathered(Edge(*row) for row in session.execute(query))


def gathered(edges: Iterable[Edge]) -> list[Cluster]:
    """Stars of what was compared alike (clusters.stars); a leak between two stars is a cluster of its own.

    Any other pair between two stars waits: it is settled with the text that goes, or comes when they are settled.
    """
    by_kind = groupby(sorted(edges, key=lambda edge: (edge.on, edge.rank)), key=lambda edge: edge.on)
    found = [cluster for _, some in by_kind for cluster in _of_one_kind(list(some))]
    return sorted(found, key=lambda cluster: cluster.head.rank)


def _of_one_kind(edges: Sequence[Edge]) -> Iterator[Cluster]:
    # Numbers in the order of the keys: a thousand of them are compared sooner than as many keys.
    names = sorted({key for edge in edges for key in (edge.left, edge.right)}, key=place)
    numbers = {key: number for number, key in enumerate(names)}
    of: dict[str, int] = {}
    members: list[tuple[str, ...]] = []
    for number, star in enumerate(stars((numbers[edge.left], numbers[edge.right]) for edge in edges)):
        members.append(tuple(names[one] for one in star.members))
        of.update(dict.fromkeys(members[-1], number))
    inside: list[list[Edge]] = [[] for _ in members]
    for edge in edges:
        home = of.get(edge.left)
        if home is not None and home == of.get(edge.right):
            inside[home].append(edge)
        elif edge.leak:
            yield Cluster((edge.left, edge.right), (edge,))
    for texts, pairs in zip(members, inside, strict=True):
        yield Cluster(texts, tuple(pairs))


def cluster_with(clusters: Iterable[Cluster], pair: DuplicatePair) -> Cluster:
    """The cluster that holds an open pair; of a pair that waits between two, itself alone."""
    for cluster in clusters:
        if any(edge.id == pair.id for edge in cluster.pairs):
            return cluster
    alone = Edge(pair.id, pair.left_key, pair.right_key, pair.on, pair.method, pair.score, pair.leak)
    return Cluster((pair.left_key, pair.right_key), (alone,))


def next_after(clusters: Sequence[Cluster], keys: Collection[str], rank: tuple[bool, float, int]) -> Edge | None:
    """The pair to settle next: of the same texts if one is left, else of the next cluster, else of the first."""
    for cluster in clusters:
        if not set(keys).isdisjoint(cluster.members):
            return cluster.head
    later = (cluster.head for cluster in clusters if cluster.head.rank > rank)
    return next(later, clusters[0].head if clusters else None)
