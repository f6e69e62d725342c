"""The handler of imports into the pool."""

from app.jobs.running import JobContext, handles
from app.sources.importing import run_import
from app.sources.operations import add_candidates, fail_import


@handles("import_source", on_failure=fail_import)
def import_source(context: JobContext) -> None:
    """Make candidates of what the rules keep; a restart starts over."""
    run_import(context, add_candidates)
