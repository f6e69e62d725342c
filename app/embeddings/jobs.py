"""The handler that encodes a project's pool, and what has it encoded again when something has come in."""

import logging
import time

from app.config import Settings
from app.db import Database
from app.embeddings import queries
from app.embeddings.choosing import models_in_use
from app.embeddings.operations import KIND, keep_encoded, light_encoder_within
from app.embeddings.pool import encode_pool
from app.errors import Refusal
from app.jobs.running import JobContext, handles, look

# Imports are seen at once. A restored record changes nothing that is cheap to ask for, so it is found after a while.
LOOK_AGAIN = 60.0
WITHOUT_MODEL = 600.0
# A model that takes longer to load is loaded meanwhile, and used by the next look.
PATIENCE = 1.0

log = logging.getLogger(__name__)

# By database: how many imports were shown when nothing was left to begin, and until when that needs no closer look.
_seen: dict[str, tuple[int, float]] = {}


@handles(KIND, patient=True)
def encode(context: JobContext) -> None:
    """Give every candidate its vector; a restart goes on where it was, and other work of its lane goes first."""
    encode_pool(context, int(context.args["project"]))


@look
def encode_what_came(database: Database, settings: Settings) -> None:
    """Have encoded what came into pools that were encoded before: where there is none, no model is loaded for it."""
    with database.reading() as session:
        shown, begun = queries.imports_shown(session), queries.any_encoded(session)
    seen, until = _seen.get(database.url, (-1, 0.0))
    if not begun or (shown == seen and time.monotonic() < until):
        return
    with database.reading() as session:
        models = models_in_use(session, settings)
    again = LOOK_AGAIN
    for model, projects in models.items():
        try:
            encoder = light_encoder_within(PATIENCE, model)
            if encoder is None:  # it is being loaded; the next look has it
                return
            keep_encoded(database, encoder.key, projects)
        except Refusal as refusal:
            log.warning("pools are not encoded: %s", refusal.message)
            again = WITHOUT_MODEL
    _seen[database.url] = shown, time.monotonic() + again
