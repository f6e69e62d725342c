"""Pairs near a threshold are judged, so that a project learns from its own texts where its threshold belongs.

"Different" keeps both, as in the inbox. "The same" leaves the pair open there, with what was said: which of the two to
keep is another question. Either is remembered by the next look, and undone like any decision.
"""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.duplicates import queries
from app.duplicates.models import DuplicatePair, DuplicateScan, Method, On, Verdict
from app.duplicates.operations import DecidedOtherwise, LeakNeedsReason, TestKeptOut, settle, verdict_words
from app.duplicates.texts import place
from app.errors import NotFound
from app.projects.limits import require_open
from app.projects.models import Project
from app.sources.bulk import insert_ignoring


class NothingToJudge(NotFound):
    """No look for duplicates has named these two texts as a pair, so there is nothing to judge. Nothing was changed."""


def judge(
    session: Session, actor: User, project: Project, left: str, right: str, on: On, *, same: bool
) -> DuplicatePair:
    """Say of a pair of the inbox, or of one that the last look holds ready below its threshold, what its texts are.

    Raises NothingToJudge, DecidedOtherwise for a settled pair, TestKeptOut, and LeakNeedsReason for a leak whose texts
    would both be kept.
    """
    require_open(project)
    first, second = sorted((left, right), key=place)
    if queries.out_of_sight(session, project.id, (first, second)):
        raise TestKeptOut
    pair = _pair(session, project, first, second, on)
    if pair.verdict is not Verdict.OPEN:
        raise DecidedOtherwise(verdict=verdict_words(pair.verdict))
    if pair.leak and not same:
        raise LeakNeedsReason
    placed = {"placed": True} if pair.effect.get("placed") else {}
    said = "same" if same else "different"
    settle(pair, actor, Verdict.OPEN if same else Verdict.KEEP_BOTH, {"judged": said} | placed)
    session.flush()
    detail = {"left": first, "right": second, "said": said, "score": pair.score}
    record(session, actor, "judge pair", f"pair:{pair.id}", project_id=project.id, **detail)
    return pair


def _pair(session: Session, project: Project, left: str, right: str, on: On) -> DuplicatePair:
    named = (DuplicatePair.left_key == left, DuplicatePair.right_key == right, DuplicatePair.on == on)
    query = select(DuplicatePair).where(DuplicatePair.project_id == project.id, *named).with_for_update()
    pair = session.scalar(query)
    if pair is not None:
        return pair
    scan = session.scalar(queries.scans_of(project.id).where(DuplicateScan.on == on).limit(1))
    ready = _ready(scan, left, right) if scan else None
    if scan is None or ready is None:
        raise NothingToJudge
    values = {
        "project_id": project.id, "scan_id": scan.id, "left_key": left, "right_key": right, "on": on,
        "method": ready[0], "score": ready[1], "leak": False, "verdict": Verdict.OPEN, "effect": {"placed": True},
    }  # fmt: skip
    session.execute(insert_ignoring(session, DuplicatePair), [values])
    return session.scalars(query).one()


def _ready(scan: DuplicateScan, left: str, right: str) -> tuple[Method, float] | None:
    for method in (Method.EMBEDDING, Method.LEXICAL):
        kept: dict[str, Any] = scan.result.get("standing", {}).get(method.value, {})
        for one, other, score in kept.get("borderline", ()):
            if (one, other) == (left, right):
                return method, float(score)
    return None
