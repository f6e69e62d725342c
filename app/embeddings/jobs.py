"""The handler that encodes a project's pool."""

from app.embeddings.operations import KIND
from app.embeddings.pool import encode_pool
from app.jobs.running import JobContext, handles


@handles(KIND)
def encode(context: JobContext) -> None:
    """Give every candidate its vector; a restart goes on where it was."""
    encode_pool(context, int(context.args["project"]))
