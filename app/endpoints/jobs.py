"""The handler that tests a model server."""

from app.endpoints import operations
from app.endpoints.client import ask
from app.endpoints.models import Endpoint
from app.errors import NotFound
from app.jobs.running import JobContext, handles

QUESTION = ({"role": "user", "content": "Answer with the one word: ready"},)


@handles("test_endpoint", on_failure=operations.fail_test)
def test_endpoint(context: JobContext) -> None:
    """Ask a model server one word; a restart asks again."""
    with context.reading() as session:
        endpoint = session.get(Endpoint, context.args["endpoint_id"])
        if endpoint is None:
            raise NotFound("The model server was removed.")
        server = operations.server_of(context.settings, endpoint)
    # A model that thinks before it answers needs room to do so.
    reply = ask(server, QUESTION, most_tokens=1024, check=context.go_on)
    with context.writing() as session:
        operations.note_test(session, endpoint.id, reply)
