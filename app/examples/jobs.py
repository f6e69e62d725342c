"""The handler of imports into the set; what a worker adds up."""

from app.config import Settings
from app.db import Database
from app.examples.arrivals import add_examples, fail_arrivals, forgetting_arrivals
from app.examples.tallies import settle
from app.examples.working_copies import forget_thrown
from app.jobs.running import JobContext, chore, handles
from app.sources.importing import run_import


@handles("import_examples", on_failure=fail_arrivals)
def import_examples(context: JobContext) -> None:
    """Make submitted examples of what the rules keep; a restart starts over."""
    run_import(context, add_examples, forgetting_arrivals)


@chore
def settle_tallies(database: Database, _settings: Settings) -> None:
    """Add up the counts of examples."""
    with database.writing() as session:
        settle(session)


@chore
def forget_thrown_words(database: Database, _settings: Settings) -> None:
    """Delete what people threw away and did not want back."""
    with database.writing() as session:
        forget_thrown(session)
