"""A whole cluster is settled by one decision, and opened again by one undo."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.duplicates import queries
from app.duplicates.gathering import Cluster
from app.duplicates.models import DuplicatePair, Verdict
from app.duplicates.operations import KeptIsGone, LeakNeedsReason, TestKeptOut, settle
from app.duplicates.sides import Side, locked_texts, take_out
from app.errors import Conflict, Refusal
from app.projects.limits import require_open
from app.projects.models import Project


class ClusterChanged(Conflict):
    """Somebody settled a pair of this cluster in the meantime, or a newer look changed it. Nothing was changed: look again."""  # noqa: E501


class NotInCluster(Refusal):
    """{key} is none of the texts of this cluster. Nothing was changed."""


def settle_cluster(
    session: Session, actor: User, project: Project, cluster: Cluster, keep: str | None, reason: str = "", *,
    seen: str = "",
) -> DuplicatePair:  # fmt: skip
    """Keep one text of a cluster and reject the others, or keep all (`keep` is None); give the pair with the undo.

    All of a cluster with a leak is kept only for a reason. `seen` names the texts that whoever decides looked at.
    Raises NotInCluster, ClusterChanged, KeptIsGone, LeakNeedsReason, and TestKeptOut where one text is out of this
    person's sight. Other open pairs of the texts that go are settled with them.
    """
    require_open(project)
    if seen and seen != cluster.seen:
        raise ClusterChanged
    if keep is not None and keep not in cluster.members:
        raise NotInCluster(key=keep)
    if queries.out_of_sight(session, project.id, cluster.members):
        raise TestKeptOut
    sides = locked_texts(session, project.id, cluster.members)
    pairs = _held(session, cluster)
    why = " ".join(reason.split())
    if keep is None:
        leader = _keep_all(actor, [pairs[edge.id] for edge in cluster.pairs], why)
    else:
        leader = _keep_one(session, actor, cluster, sides, pairs, keep, why)
    session.flush()
    detail = {"texts": list(cluster.members), "kept": keep or "all"} | ({"reason": why} if why else {})
    record(session, actor, "settle cluster", f"pair:{leader.id}", project_id=project.id, **detail)
    return leader


def _held(session: Session, cluster: Cluster) -> dict[int, DuplicatePair]:
    """The pairs as they are now, held; all of them are still open."""
    ids = [edge.id for edge in cluster.pairs]
    query = select(DuplicatePair).where(DuplicatePair.id.in_(ids)).order_by(DuplicatePair.id)
    held = session.scalars(query.with_for_update().execution_options(populate_existing=True))
    pairs = {pair.id: pair for pair in held if pair.verdict is Verdict.OPEN}
    if len(pairs) != len(ids):
        raise ClusterChanged
    return pairs


def _keep_all(actor: User, pairs: Sequence[DuplicatePair], why: str) -> DuplicatePair:
    leader = pairs[0]
    if not why and any(pair.leak for pair in pairs):
        raise LeakNeedsReason
    for pair in pairs:
        said: dict[str, Any] = {"kept_because" if pair.leak else "why": why} if why else {}
        bound = {"followed": [other.id for other in pairs[1:]]} if pair is leader else {"follows": leader.id}
        settle(pair, actor, Verdict.KEEP_BOTH, said | bound)
    return leader


def _keep_one(
    session: Session, actor: User, cluster: Cluster, sides: dict[str, Side], pairs: dict[int, DuplicatePair],
    keep: str, why: str,
) -> DuplicatePair:  # fmt: skip
    if not sides[keep].live:
        raise KeptIsGone(key=keep)
    losers = [key for key in cluster.members if key != keep]
    chosen = {key: pairs[cluster.pair_of(key, keep).id] for key in losers}
    leader = chosen[losers[0]]
    gone = {name for key in losers for name in sides[key].keys}
    others = _others(session, leader.project_id, gone, {pair.id for pair in chosen.values()})
    effects = {key: take_out(sides[key], f"duplicate of {keep}") for key in losers}
    followed = [pair.id for key, pair in chosen.items() if pair is not leader] + [pair.id for pair in others]
    for key, pair in chosen.items():
        stays = Verdict.KEEP_RIGHT if pair.left_key == key else Verdict.KEEP_LEFT
        said = {"kept": keep} if keep not in (pair.left_key, pair.right_key) else {}
        bound: dict[str, Any] = {"followed": followed} if pair is leader else {"follows": leader.id}
        settle(pair, actor, stays, effects[key] | said | bound | ({"why": why} if why else {}))
    for pair in others:
        stays = Verdict.KEEP_RIGHT if pair.left_key in gone else Verdict.KEEP_LEFT
        settle(pair, actor, stays, {"follows": leader.id})
    return leader


def _others(session: Session, project_id: int, gone: Iterable[str], chosen: set[int]) -> Sequence[DuplicatePair]:
    query = queries.pairs_with(project_id, set(gone)).where(queries.OPEN, DuplicatePair.id.not_in(chosen))
    return session.scalars(query.order_by(None).order_by(DuplicatePair.id).with_for_update()).all()
