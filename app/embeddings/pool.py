"""The pool is encoded: every published candidate's prompt gets its vector, once a model.

Guarantee: it can be done again, by two at once and after any stop; whoever comes second finds it done. Nothing that was
kept is encoded again.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.embeddings import measured
from app.embeddings.encoder import Encoder
from app.embeddings.models import CandidateText
from app.embeddings.operations import TEXTS_A_CHUNK, encoder_for, vectors_for
from app.embeddings.queries import pool_standing, unencoded
from app.embeddings.vectors import text_hash
from app.jobs.running import JobContext
from app.sources.bulk import insert_ignoring
from app.text.dialogue import prompt_of

# Of like length side by side they are encoded faster, so each part is large enough to be sorted.
CANDIDATES_A_PART = 2000
# Each telling is a transaction.
TELL_EVERY = 0.5


@dataclass
class Encoding:
    """One run of the job. It counts what it does itself: so rate and time left hold after a restart as well."""

    context: JobContext
    encoder: Encoder
    project_id: int
    before: int = 0
    done: int = 0
    total: int = 0
    told: float = 0.0

    def run(self) -> None:
        """Encode what has no vector yet, part by part, until there is none: an import may show lower numbers late."""
        with self.context.reading() as session:
            self.before, _ = pool_standing(session, self.encoder.key, self.project_id)
        after = 0
        while (part := self._part(after)) or after:
            self._encode(part)
            after = part[-1].id if part else 0

    def _part(self, after: int) -> Sequence[Row[Any]]:
        with self.context.reading() as session:
            self.done, self.total = pool_standing(session, self.encoder.key, self.project_id)
            part = session.execute(unencoded(self.encoder.key, self.project_id, after).limit(CANDIDATES_A_PART)).all()
        self.context.give_way()
        self._tell()
        return part

    def _encode(self, part: Sequence[Row[Any]]) -> None:
        """Encode a part by length, some hundred at a time, and note those at once: so much is there after any stop."""
        prompts = {row.id: prompt_of(row.messages) for row in part}
        ordered = sorted(prompts, key=lambda number: (-len(prompts[number]), number))
        for start in range(0, len(ordered), TEXTS_A_CHUNK):
            chunk = ordered[start : start + TEXTS_A_CHUNK]
            self.context.give_way()
            vectors_for(self.context, self.encoder, [prompts[number] for number in chunk])
            with self.context.writing() as session:
                keep(session, [self._row(number, prompts[number]) for number in chunk])
            self.done += len(chunk)
            if time.monotonic() - self.told >= TELL_EVERY:
                self._tell()
        measured.note(self.context.settings, self.encoder)

    def _row(self, candidate_id: int, prompt: str) -> dict[str, Any]:
        return {
            "candidate_id": candidate_id,
            "project_id": self.project_id,
            "model": self.encoder.key,
            "prompt_hash": text_hash(prompt) if prompt.strip() else "",
        }

    def _tell(self) -> None:
        self.told = time.monotonic()
        note = "encoding" if self.encoder.choice is None else f"encoding with {self.encoder.choice.engine}"
        self.context.progress(max(0, self.done - self.before), self.total - self.before, "candidates", note)


def encode_pool(context: JobContext, project_id: int) -> None:
    """Encode what has no vector yet; a restart goes on where another left off."""
    context.progress(0, unit="candidates", note="loading the model")
    Encoding(context, encoder_for(context.settings.embedding_model), project_id).run()


def keep(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Note that these have their vectors; one that is noted already stays as it is."""
    session.execute(insert_ignoring(session, CandidateText), list(rows))
