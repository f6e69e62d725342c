"""The pool is made searchable: after a large import by a job, after small ones by a worker's hourly round."""

import time

from app.config import Settings
from app.db import Database
from app.jobs.running import JobContext, chore, handles
from app.selection import searching

LONGEST_PAUSE = 0.1


@handles("index_pool")
def index_pool(context: JobContext) -> None:
    """Index a thousand candidates a transaction, so that nobody waits long; a restart goes on where it was."""
    with context.reading() as session:
        waiting = session.scalars(searching.unindexed()).all() if searching.on_sqlite(session) else []
    for done, import_run_id in enumerate(waiting):
        context.progress(done, len(waiting), "imports")
        whole = False
        while not whole:
            began = time.monotonic()
            with context.writing() as session:
                whole = searching.index_some(session, import_run_id)
            # As long again for the others: SQLite gives the turn to whoever looks, and those who wait look seldom.
            time.sleep(min(LONGEST_PAUSE, time.monotonic() - began))


@chore
def index_the_rest(database: Database, settings: Settings) -> None:  # noqa: ARG001
    """Index what no job has; until then its words are read through."""
    with database.reading() as session:
        waiting = session.scalars(searching.unindexed()).all() if searching.on_sqlite(session) else []
    for import_run_id in waiting:
        whole = False
        while not whole:
            with database.writing() as session:
                whole = searching.index_some(session, import_run_id)
