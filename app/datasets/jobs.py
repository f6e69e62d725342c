"""A worker looks once a day whether each version is still what was frozen."""

from sqlalchemy import select

from app.config import Settings
from app.datasets import checking
from app.db import Database
from app.jobs.models import Job
from app.jobs.operations import enqueue
from app.jobs.queries import LIVE
from app.jobs.running import JobContext, chore, handles

KIND = "verify_versions"
TITLE = "Compare versions with their freeze"


@handles(KIND)
def verify_versions(context: JobContext) -> None:
    """Look at one version after the other, reading only; a restart goes on with those that nobody looked at yet."""
    with context.reading() as session:
        waiting = checking.due(session)
    for done, number in enumerate(waiting):
        context.go_on()
        context.progress(done, len(waiting), "versions")
        with context.reading() as session:
            found = checking.look_at(session, number)
        with context.writing() as session:
            checking.note(session, number, found)


@chore
def have_versions_verified(database: Database, settings: Settings) -> None:  # noqa: ARG001
    """Ask for that look where it is due and nobody has asked yet."""
    with database.reading() as session:
        asked = select(Job.id).where(Job.kind == KIND, Job.state.in_(LIVE)).limit(1)
        if not checking.due(session) or session.scalar(asked) is not None:
            return
    with database.writing() as session:
        enqueue(session, None, KIND, title=TITLE)
