"""The handler that asks: a model server, or a checkpoint of the project's own."""

import time

from app.endpoints.answers import LONGEST, storable
from app.endpoints.client import ask
from app.endpoints.models import Endpoint
from app.endpoints.operations import server_of
from app.errors import Refusal
from app.examples.models import Suggestion
from app.jobs.running import JobContext, handles
from app.runs.decoding import Decoding
from app.runs.generating import Asked, generate
from app.runs.models import Checkpoint
from app.suggestions import operations

MOST_TOKENS = 1500
# A trained model answers in LIMA's way, but shorter: an outline or a few points.
DECODING = Decoding(max_new_tokens=512)


@handles("suggest", on_failure=operations.fail_suggestion)
def suggest(context: JobContext) -> None:
    """Ask for one suggestion; a restart asks again, and what was answered is not asked twice."""
    with context.reading() as session:
        suggestion = session.get_one(Suggestion, context.args["suggestion_id"])
        endpoint = session.get(Endpoint, suggestion.endpoint_id) if suggestion.endpoint_id else None
        checkpoint = session.get(Checkpoint, suggestion.checkpoint_id) if suggestion.checkpoint_id else None
    if not suggestion.waits:
        return
    if endpoint is not None:
        _ask_server(context, suggestion, endpoint)
    elif checkpoint is not None:
        _ask_checkpoint(context, suggestion, checkpoint)
    else:
        raise Refusal(f"The {suggestion.by} was removed before it answered; nothing was sent.")


def _ask_server(context: JobContext, suggestion: Suggestion, endpoint: Endpoint) -> None:
    server = server_of(context.settings, endpoint)
    reply = ask(server, suggestion.sent, most_tokens=MOST_TOKENS, check=context.go_on)
    with context.writing() as session:
        operations.note_answer(
            session, suggestion.id, reply.words, model=reply.model, cut=reply.cut, tokens=reply.tokens,
            seconds=reply.seconds,
        )  # fmt: skip


def _ask_checkpoint(context: JobContext, suggestion: Suggestion, checkpoint: Checkpoint) -> None:
    began = time.monotonic()
    prompt = Asked(suggestion.id, suggestion.sent)
    said = generate(context, checkpoint, [prompt], DECODING)[suggestion.id]
    if said["stopped_by"] == "prompt_too_long":
        raise Refusal("Text and instruction are longer than this model can read. Shorten the instruction or the guide.")
    words = storable(said["response"]).strip()[:LONGEST]
    if not words:
        raise Refusal("The model ended at once and said nothing.")
    with context.writing() as session:
        operations.note_answer(
            session, suggestion.id, words, cut=said["stopped_by"] == "length", tokens=said["tokens"],
            seconds=time.monotonic() - began,
        )  # fmt: skip
