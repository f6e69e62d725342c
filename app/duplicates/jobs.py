"""The handler of scans for duplicates, and what a worker does after every save."""

import logging
import time

from sqlalchemy import func, select

from app.config import Settings
from app.db import Database
from app.duplicates.encoding import bring_up_to_date
from app.duplicates.scanning import run_scan
from app.errors import Refusal
from app.examples.models import Revision
from app.jobs.running import JobContext, handles, look
from app.projects.models import Project
from app.sources.models import ImportRun, ImportState

# So long other quick work waits for a great many new examples; then these go on after it.
SECONDS_A_LOOK = 5.0
LOOK_AGAIN = 600.0
# A model that takes longer to load is loaded meanwhile, and used by the next look.
PATIENCE = 1.0

log = logging.getLogger(__name__)

# By database: what was there when all was encoded, and until when that needs no closer look.
_seen: dict[str, tuple[object, float]] = {}


@handles("scan_duplicates")
def scan_duplicates(context: JobContext) -> None:
    """Find pairs among candidates and examples; a restart starts over and ends in the same pairs."""
    run_scan(context)


@look
def encode_what_is_new(database: Database, settings: Settings) -> None:
    """Encode the newest words of examples, so that colleagues find them by meaning seconds after a save."""
    here = _standing(database)
    seen, until = _seen.get(database.url, (None, 0.0))
    if here == seen and time.monotonic() < until:
        return
    try:
        done = bring_up_to_date(database, settings, seconds=SECONDS_A_LOOK, patience=PATIENCE)
    except Refusal as refusal:
        log.warning("examples are not encoded: %s", refusal.message)
        done = True  # asked again when somebody saves, or after a while
    if done:
        _seen[database.url] = here, time.monotonic() + LOOK_AGAIN


def _standing(database: Database) -> object:
    """What changes with every save, import that shows and change of a model: cheap to ask, twice a second."""
    with database.reading() as session:
        newest = select(func.max(Revision.id)).scalar_subquery()
        shown = select(func.count(ImportRun.id)).where(ImportRun.state == ImportState.PUBLISHED).scalar_subquery()
        own = session.execute(select(Project.id, Project.encoder).where(Project.encoder != "").order_by(Project.id))
        return (*session.execute(select(newest, shown)).one(), *map(tuple, own))
