"""The handler of imports into the set."""

from app.examples.arrivals import add_examples, fail_arrivals, forget_arrivals
from app.jobs.running import JobContext, handles
from app.sources.importing import run_import


@handles("import_examples", on_failure=fail_arrivals)
def import_examples(context: JobContext) -> None:
    """Make submitted examples of what the rules keep; a restart starts over."""
    with context.writing() as session:
        forget_arrivals(session, context.args["import_run_id"])
    run_import(context, add_examples)
