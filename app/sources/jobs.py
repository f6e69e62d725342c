"""The handler of imports into the pool, and what is swept up after uploads and archives."""

from app.config import Settings
from app.db import Database
from app.jobs.running import JobContext, chore, handles
from app.sources import archives, transfers
from app.sources.importing import run_import
from app.sources.operations import add_candidates, fail_import


@handles("import_source", on_failure=fail_import)
def import_source(context: JobContext) -> None:
    """Make candidates of what the rules keep; a restart starts over."""
    run_import(context, add_candidates)


@chore
def sweep(database: Database, settings: Settings) -> None:
    """Remove uploads that nobody goes on with and unpacked archives that nobody opens."""
    transfers.sweep(database, settings)
    archives.sweep(archives.workspace_of(settings))
