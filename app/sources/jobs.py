"""The handler of imports into the pool, and what is swept up after uploads and archives."""

from app.config import Settings
from app.db import Database
from app.errors import Gone
from app.jobs.running import JobContext, chore, handles
from app.sources import archives, opening, operations, transfers
from app.sources.importing import bring_from_hub, run_import, told_seldom
from app.sources.models import ImportRun
from app.sources.publishing import add_candidates, fail_import


@handles("import_source", on_failure=fail_import)
def import_source(context: JobContext) -> None:
    """Make candidates of what the rules keep; a restart starts over."""
    run_import(context, add_candidates)


@handles(operations.FETCH)
def fetch_dataset(context: JobContext) -> None:
    """Fetch a data set of the Hub for a draft, whose rules are looked at next; once it is here it does nothing."""
    bring_from_hub(context)


@handles(operations.UNPACK)
def unpack_source(context: JobContext) -> None:
    """Unpack the archive of an import whose parts were swept; once they are there it does nothing."""
    with context.reading() as session:
        run = session.get(ImportRun, context.args["import_run_id"])
    if run is None or not opening.is_as_imported(run):
        raise Gone("The file of this import is gone or changed; bring it in again. What the import made stays.")
    opening.unpack(run, context.settings, told_seldom(context, lambda phase: f"{phase} the archive"))


@chore
def sweep(database: Database, settings: Settings) -> None:
    """Remove uploads that nobody goes on with and unpacked archives that nobody opens."""
    transfers.sweep(database, settings)
    archives.sweep(archives.workspace_of(settings))
