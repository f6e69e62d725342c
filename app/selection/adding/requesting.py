"""What the set needs more of, as people say it: asked for, withdrawn, asked for again; rooms above ask the same way."""

from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.db import now
from app.errors import Conflict, NotFound, Refusal
from app.projects.limits import require_open
from app.projects.models import Project
from app.selection.adding.models import CoverageRequest
from app.text.wellformed import require_wellformed

SHORTEST, LONGEST = 3, 300
# Each is compared with the whole pool whenever somebody asks what to add.
MOST = 30


class NoRequest(Refusal):
    """Say in 3 to 300 characters of what the set needs more; nothing was asked for."""


class TooManyRequests(Conflict):
    """30 requests stand already, and more would weigh nothing against each other; nothing was asked for. Withdraw one that is answered."""  # noqa: E501


def open_requests(project_id: int) -> Select[int, str, str, datetime]:
    """(id, words, name of who asked or None, at) of the requests that stand, the first one first."""
    columns = (CoverageRequest.id, CoverageRequest.words, User.name, CoverageRequest.created_at.label("at"))
    query = select(*columns).outerjoin(User, User.id == CoverageRequest.asked_by)
    stand = (CoverageRequest.project_id == project_id, CoverageRequest.withdrawn_at.is_(None))
    return query.where(*stand).order_by(CoverageRequest.id)


def request_in(session: Session, project_id: int, number: int) -> CoverageRequest:
    """The project's request of that number, or NotFound."""
    here = (CoverageRequest.id == number, CoverageRequest.project_id == project_id)
    found = session.scalar(select(CoverageRequest).where(*here))
    if found is None:
        raise NotFound("There is no such request here.")
    return found


def request_coverage(session: Session, actor: User, project: Project, words: str) -> CoverageRequest:
    """Ask for more of something; the same words asked for twice are one request, from the first time on."""
    require_open(project)
    words = " ".join(require_wellformed(words, "The request").split())
    if not SHORTEST <= len(words) <= LONGEST:
        raise NoRequest
    stand = (CoverageRequest.project_id == project.id, CoverageRequest.withdrawn_at.is_(None))
    same = session.scalar(select(CoverageRequest).where(*stand, CoverageRequest.words == words))
    if same is not None:
        return same
    if (session.scalar(select(func.count(CoverageRequest.id)).where(*stand)) or 0) >= MOST:
        raise TooManyRequests
    made = CoverageRequest(project_id=project.id, words=words, asked_by=actor.id)
    session.add(made)
    session.flush()
    record(session, actor, "request coverage", f"request:{made.id}", project_id=project.id, words=words)
    return made


def withdraw_request(session: Session, actor: User, project: Project, request: CoverageRequest) -> None:
    """Let a request weigh no more; twice, nothing changes."""
    require_open(project)
    if request.withdrawn_at is None:
        request.withdrawn_at = now()
        session.flush()
        record(session, actor, "withdraw request", f"request:{request.id}", project_id=project.id)


def restore_request(session: Session, actor: User, project: Project, request: CoverageRequest) -> None:
    """Undo a withdrawal: it weighs as before, with what was begun since it was asked."""
    require_open(project)
    if request.withdrawn_at is not None:
        request.withdrawn_at = None
        session.flush()
        record(session, actor, "restore request", f"request:{request.id}", project_id=project.id)
