"""What a comparison by meaning needs: an encoder and the shelf of a project, or the words that say why not."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.config import Settings
from app.db import DATABASE, Database
from app.duplicates.shelf import Shelf, shelf_within
from app.embeddings.choosing import model_of
from app.embeddings.encoder import Encoder
from app.embeddings.operations import light_encoder_within
from app.embeddings.vectors import Vectors
from app.errors import Refusal

# A page waits so long for a model that is not loaded yet, and then says that it is under way.
PATIENCE = 0.5


@dataclass(frozen=True)
class Asking:
    """Where to look, and how long whoever asks can wait for what is not there yet."""

    database: Database
    settings: Settings
    patience: float = PATIENCE

    @classmethod
    def within(cls, session: Session) -> Asking:
        """Where to look from inside a transaction."""
        database: Database = session.info[DATABASE]
        return cls(database, database.settings)


@dataclass(frozen=True)
class Means:
    """An encoder with a shelf; without one of them `reason` says why, or it is under way."""

    encoder: Encoder | None = None
    shelf: Shelf | None = None
    reason: str = ""

    @property
    def under_way(self) -> bool:
        """Whether asking again in a moment will do."""
        return not self.reason and (self.encoder is None or self.shelf is None)

    def vector_of(self, text: str) -> Vectors | None:
        """The unit vector of a text; None for a blank one, or without an encoder."""
        if self.encoder is None or not text.strip():
            return None
        vector: Vectors = self.encoder.encode([text])[0]
        return vector


def means_of(session: Session, asking: Asking, project_id: int) -> Means:
    """What there is within the asker's patience."""
    try:
        encoder = light_encoder_within(asking.patience, model_of(session, asking.settings, project_id))
    except Refusal as refusal:
        return Means(reason=refusal.message)
    if encoder is None:
        return Means()
    shelf = shelf_within(asking.patience, session, asking.database, asking.settings, encoder, project_id)
    return Means(encoder, shelf)
