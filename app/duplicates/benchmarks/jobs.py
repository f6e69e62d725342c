"""The handler that compares a project's examples with its benchmarks, and what a worker does after every save."""

import time

from sqlalchemy import func, select

from app.config import Settings
from app.db import Database
from app.duplicates.benchmarks.checking import compare_what_is_new
from app.duplicates.benchmarks.models import BenchmarkList
from app.duplicates.benchmarks.operations import KIND, live_comparing
from app.duplicates.models import DuplicateScan, ExampleText
from app.examples.models import Revision
from app.jobs.running import JobContext, handles, look

LOOK_AGAIN = 600.0

# By database: what was there when all was compared, and until when that needs no closer look.
_seen: dict[str, tuple[object, float]] = {}


@handles(KIND)
def compare(context: JobContext) -> None:
    """Compare what is new with a project's lists; a restart goes on where it was."""

    def tell(done: int, total: int) -> None:
        context.progress(done, total, "prompts", "encoding the listed prompts")

    compare_what_is_new(context, context.settings, int(context.args["project"]), tell)


@look
def compare_after_a_save(database: Database, settings: Settings) -> None:
    """Compare the newest words of examples in projects that name a benchmark."""
    here = _standing(database)
    seen, until = _seen.get(database.url, (None, 0.0))
    if here == seen and time.monotonic() < until:
        return
    with database.reading() as session:
        projects = session.scalars(select(BenchmarkList.project_id).distinct().order_by(BenchmarkList.project_id)).all()
        busy = [project_id for project_id in projects if live_comparing(session, project_id)]
    for project_id in projects:
        # A new list is encoded by its job, which may take minutes; whatever it leaves is seen by the next look.
        if project_id not in busy:
            compare_what_is_new(database, settings, project_id)
    if not busy:
        _seen[database.url] = here, time.monotonic() + LOOK_AGAIN


def _standing(database: Database) -> object:
    """What changes with every save, vector, list and look for duplicates: cheap to ask, twice a second."""
    with database.reading() as session:
        if session.scalar(select(BenchmarkList.id).limit(1)) is None:
            return None
        newest = (func.max(Revision.id), func.max(ExampleText.id), func.max(DuplicateScan.finished_at))
        columns = [select(one).scalar_subquery() for one in newest]
        lists = select(func.count(BenchmarkList.id), func.max(BenchmarkList.created_at), *columns)
        return tuple(session.execute(lists).one())
