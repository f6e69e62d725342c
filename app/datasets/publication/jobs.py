"""The handlers that publish versions and compare what the Hub holds of them."""

from app.config import Settings
from app.datasets.publication import operations as publishing
from app.datasets.publication import preview as publish_preview
from app.datasets.publication import sending as publish_sending
from app.db import Database
from app.jobs.running import JobContext, chore, handles


@handles(publishing.PUBLISH, on_failure=publishing.note_failure)
def publish_version(context: JobContext) -> None:
    """Send a version to the Hub; a restart looks what there is of it and goes on."""
    publish_sending.publish(context)


@handles(publishing.CHECK)
def check_publication(context: JobContext) -> None:
    """Compare the Hub's files with what was sent; a restart looks again."""
    publish_sending.check(context)


@chore
def sweep(database: Database, settings: Settings) -> None:  # noqa: ARG001
    """Remove what publications of killed workers left behind."""
    publish_preview.sweep(settings)
