"""Two texts side by side, part by part, to be merged into one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from app.duplicates import queries
from app.duplicates.gathering import Cluster, cluster_with, clusters_of
from app.duplicates.merge_forms import takes_in
from app.duplicates.models import DuplicatePair
from app.duplicates.operations import TestKeptOut
from app.duplicates.parts import Part, parts_between
from app.duplicates.sheet import PairView, pair_view
from app.examples.forms import turns_in
from app.examples.labels import SourceLabels
from app.examples.merging import Turns
from app.projects.access import ProjectAccess
from app.projects.queries import composition_of
from app.text.diff import Piece, side_by_side


@dataclass(frozen=True)
class PartRow:
    """A part with the words marked that stand in one text only; what is taken of it, and what is written anew."""

    number: int
    title: str
    left: Sequence[Piece]
    right: Sequence[Piece]
    same: bool
    take: str
    own: str

    @property
    def field(self) -> str:
        """The name of the box to write in."""
        return f"turn_{self.number}" if self.number else "system"


@dataclass(frozen=True)
class MergePage:
    """A pair to merge, as it stands or as it was typed; `others` are the texts of its cluster besides the two."""

    pair: PairView
    keep: str
    rows: Sequence[PartRow]
    left_at: int
    right_at: int
    others: int
    seen: str
    whole: bool = False
    reason: str = ""
    t: int = 0
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Merged:
    """A pair with both texts as they stand now, its cluster, and whether all of that is in sight."""

    pair: DuplicatePair
    members: Mapping[str, queries.Member]
    parts: Sequence[Part]
    cluster: Cluster
    whole_in_sight: bool


def texts_to_merge(session: Session, access: ProjectAccess, pair: DuplicatePair, percent: int = 0) -> Merged:
    """Both texts of a pair; raises TestKeptOut where whoever looks may not read one of them."""
    project_id, keys = access.project.id, (pair.left_key, pair.right_key)
    if queries.out_of_sight(session, project_id, keys):
        raise TestKeptOut
    members = queries.standing_members(session, project_id, keys)
    left, right = (members[key].messages if key in members else () for key in keys)
    cluster = cluster_with(clusters_of(session, project_id, percent / 100), pair)
    hidden = queries.out_of_sight(session, project_id, cluster.members)  # then a lead settles it as a whole
    return Merged(pair, members, parts_between(left, right), cluster, not hidden)


def merge_page(session: Session, access: ProjectAccess, found: Merged, percent: int = 0) -> MergePage:
    """The two as they stand: an example is kept rather than a candidate, and written anew begins with its words."""
    pair = found.pair
    labels = SourceLabels(session.scalars(composition_of(access.project)))
    left, right = (found.members.get(key) for key in (pair.left_key, pair.right_key))
    side = "right" if _stands_better(right, left) else "left"
    return MergePage(
        pair=pair_view(pair, None, found.members, labels),
        keep=f"keep_{side}",
        rows=[_row(part, side, getattr(part, side)) for part in found.parts],
        left_at=left.revision if left else 0,
        right_at=right.revision if right else 0,
        others=len(found.cluster.members) - 2 if found.whole_in_sight else 0,
        seen=found.cluster.seen,
        t=percent,
    )


def _stands_better(one: queries.Member | None, other: queries.Member | None) -> bool:
    """Whether that one can be kept and the other cannot, or is a candidate beside an example."""
    if one is None or one.rejected:
        return False
    return other is None or other.rejected or (one.revision > 0 and other.revision == 0)


def _row(part: Part, side: str, own: str) -> PartRow:
    sides, same = side_by_side(part.left, part.right), part.left == part.right
    return PartRow(part.number, part.title, sides.left, sides.right, same, "left" if same else side, own)


def typed_merge(page: MergePage, typed: Mapping[str, Any], errors: Mapping[str, str]) -> MergePage:
    """The page as it was typed, with what speaks against it."""
    takes, own = takes_in(typed), dict(enumerate(Turns(typed.get("system", ""), turns_in(typed)).texts))
    return replace(
        page,
        keep=typed.get("keep", page.keep),
        rows=[
            replace(row, take=takes.get(row.number, row.take), own=own.get(row.number, row.own)) for row in page.rows
        ],
        whole="whole" in typed,
        reason=typed.get("reason", ""),
        errors=errors,
    )
