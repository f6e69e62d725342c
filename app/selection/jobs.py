"""The pool is made searchable: after a large import by a job, after small ones by a worker's hourly round."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.config import Settings
from app.db import Database
from app.jobs.models import Job
from app.jobs.operations import enqueue
from app.jobs.queries import LIVE
from app.jobs.running import JobContext, Step, chore, handles
from app.selection import searching

KIND = "index_pool"
TITLE = "Make the pool searchable"


@handles(KIND)
def index_pool(context: JobContext) -> None:
    """Index some fifty candidates at a time, letting others write in between; a restart goes on where it was."""
    for done, import_run_id in enumerate(waiting := _unindexed(context.database)):
        context.progress(done, len(waiting), "imports")
        with context.reading() as session:
            ends = searching.ends_of(session, import_run_id)
        context.in_turns(_until_whole(import_run_id, ends))


def _unindexed(database: Database) -> list[int]:
    with database.reading() as session:
        return list(session.scalars(searching.unindexed())) if searching.on_sqlite(session) else []


def _until_whole(import_run_id: int, ends: tuple[int, int]) -> Iterator[Step]:
    whole = False

    def index(session: Session) -> None:
        nonlocal whole
        whole = searching.index_some(session, import_run_id, ends)

    while not whole:
        yield index


@chore
def index_the_rest(database: Database, settings: Settings) -> None:  # noqa: ARG001
    """Have indexed what no job has; until then its words are read through."""
    if not _unindexed(database):
        return
    with database.writing() as session:
        if session.scalars(select(Job.id).where(Job.kind == KIND, Job.state.in_(LIVE)).limit(1)).first() is None:
            enqueue(session, None, KIND, title=TITLE)
