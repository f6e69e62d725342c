"""Two texts become one: one is kept and takes what the other says better, and the other goes as any duplicate does."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.duplicates import operations
from app.duplicates.gathering import Cluster
from app.duplicates.merged import write_merged
from app.duplicates.models import DuplicatePair, Verdict
from app.duplicates.operations import DecidedOtherwise, KeptIsGone, verdict_words
from app.duplicates.settling import settle_cluster
from app.duplicates.sides import Side
from app.errors import Conflict, Refusal
from app.examples.messages import Message
from app.projects.limits import require_open
from app.projects.models import Project, Split


class OtherIsGone(Conflict):
    """{key} is not there any more, so there is nothing to merge; nothing was changed."""


class TextChanged(Conflict):
    """One of the two texts was changed since it was shown. Nothing was merged or lost: compare again, then merge."""


class ShowsTest(Refusal):
    """One of the two is a test prompt, and this project keeps those out of sight: merged into the other, its words could be read by everybody. Keep the test prompt, or keep one of the two as it is; nothing was changed."""  # noqa: E501


@dataclass(frozen=True)
class Merging:
    """What is to become of a pair: which side stays, with which words; and what whoever says so has looked at.

    `seen` are the revisions of left and right as they were shown, 0 of a candidate; None is not compared. With a
    cluster the other texts of it go as well; `cluster_seen` names the texts that were shown.
    """

    keep: Verdict
    messages: Sequence[Message]
    reason: str = ""
    seen: tuple[int | None, int | None] = (None, None)
    cluster: Cluster | None = None
    cluster_seen: str = ""


def merge(session: Session, actor: User, project: Project, pair: DuplicatePair, wanted: Merging) -> DuplicatePair:
    """Give the kept one these words as a new revision, with the credit of both, and reject the other.

    Gives the pair whose undo takes all of it back. Raises TextChanged, OtherIsGone, ShowsTest and NothingTaken, and
    what keeping one and saving a revision raise.
    """
    require_open(project)
    sides, pair = operations.held(session, pair)
    if pair.verdict is not Verdict.OPEN:
        raise DecidedOtherwise(verdict=verdict_words(pair.verdict))
    kept, other = sides if wanted.keep is Verdict.KEEP_LEFT else reversed(sides)
    _require_mergeable(project, kept, other)
    if any(at not in {None, side.revision} for at, side in zip(wanted.seen, sides, strict=True)):
        raise TextChanged
    why = " ".join(wanted.reason.split())
    merged = write_merged(session, actor, kept, other, wanted.messages, why)
    leader = _settle(session, actor, project, pair, kept.key, wanted)
    pair.effect = {**pair.effect, "merged": merged}
    session.flush()
    told = {"kept": kept.key, "other": other.key, "example": merged["example"], "revision": merged["after"]["revision"]}
    told |= {"reason": why} if why else {}
    record(session, actor, "merge duplicates", f"pair:{leader.id}", project_id=project.id, **told)
    return leader


def _require_mergeable(project: Project, kept: Side, other: Side) -> None:
    if not kept.live or kept.row is None:
        raise KeptIsGone(key=kept.key)
    if other.row is None:
        raise OtherIsGone(key=other.key)
    if project.tests_hidden and other.row.split is Split.TEST and kept.row.split is not Split.TEST:
        raise ShowsTest


def _settle(
    session: Session, actor: User, project: Project, pair: DuplicatePair, kept: str, wanted: Merging
) -> DuplicatePair:
    if wanted.cluster is None:
        return operations.decide(session, actor, project, pair, wanted.keep, wanted.reason)
    return settle_cluster(session, actor, project, wanted.cluster, kept, wanted.reason, seen=wanted.cluster_seen)
