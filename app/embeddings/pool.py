"""The pool is encoded: every published candidate's prompt gets its vector, once a model.

Guarantee: it can be done again, by two at once and after any stop; whoever comes second finds it done. Nothing that was
kept is encoded again.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.embeddings import measured
from app.embeddings.choosing import model_of, note_key, settle, wanted_model
from app.embeddings.encoder import Encoder
from app.embeddings.forgetting import forget_others
from app.embeddings.models import CandidateText, Embedding
from app.embeddings.operations import TEXTS_A_CHUNK, encoder_for, vectors_for
from app.embeddings.queries import pool_standing, set_texts, unencoded
from app.embeddings.vectors import text_hash
from app.jobs.running import JobContext
from app.sources.bulk import insert_ignoring
from app.text.dialogue import prompt_of, response_of

# Of like length side by side they are encoded faster, so each part is large enough to be sorted.
CANDIDATES_A_PART = 2000
EXAMPLES_A_PART = 500
# Each telling is a transaction.
TELL_EVERY = 0.5


@dataclass
class Encoding:
    """One run of the job. It counts what it does itself: so rate and time left hold after a restart as well."""

    context: JobContext
    encoder: Encoder
    project_id: int
    # Its name, by which it is seen whether it is still wanted.
    model: str
    before: int = 0
    done: int = 0
    total: int = 0
    told: float = 0.0

    def run(self) -> None:
        """Encode what has no vector yet, part by part, until there is none: an import may show lower numbers late.

        Only as long as this model is wanted.
        """
        with self.context.reading() as session:
            self.before, _ = pool_standing(session, self.encoder.key, self.project_id)
        after = 0
        while (part := self._part(after)) or after:
            self._encode(part)
            after = part[-1].id if part else 0

    def _part(self, after: int) -> Sequence[Row[Any]]:
        with self.context.reading() as session:
            if wanted_model(session, self.context.settings, self.project_id) != self.model:
                return []
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
    """Encode what has no vector yet; a restart goes on where another left off.

    Where the project changes to another model, the set is encoded as well, and then the new one is put to use.
    """
    context.progress(0, unit="candidates", note="loading the model")
    with context.reading() as session:
        model, in_use = (of(session, context.settings, project_id) for of in (wanted_model, model_of))
    encoder = encoder_for(model)
    with context.writing() as session:
        note_key(session, context.settings, project_id, model, encoder.key)
    over = False
    while not over:
        if model != in_use:
            _encode_set(context, encoder, project_id)
        Encoding(context, encoder, project_id, model).run()
        with context.writing() as session:
            over = settle(session, context.settings, project_id, model, encoder.key)
    with context.reading() as session:
        used = {of(session, context.settings, project_id) for of in (wanted_model, model_of)}
    if used == {model}:
        forget_others(context, project_id, encoder.key)


def _encode_set(context: JobContext, encoder: Encoder, project_id: int) -> None:
    """Give the examples' newest words their vectors, so that nothing near is overlooked once the model is in use."""
    context.progress(0, unit="examples", note="encoding the set")
    after = 0
    while True:
        with context.reading() as session:
            part = session.execute(set_texts(project_id, after).limit(EXAMPLES_A_PART)).all()
        if not part:
            return
        context.go_on()
        texts = [said for row in part for said in (prompt_of(row.messages), response_of(row.messages))]
        vectors_for(context, encoder, texts, lambda _done, _total: context.go_on())
        after = part[-1].id


def keep(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Note that these have their vectors; one that is noted already stays as it is, and one without a vector is not.

    The vectors are held meanwhile: somebody who gives this model up may be taking them away.
    """
    model, hashes = rows[0]["model"], {row["prompt_hash"] for row in rows}
    held = select(Embedding.text_hash).where(Embedding.model == model, Embedding.text_hash.in_(hashes))
    there = set(session.scalars(held.order_by(Embedding.text_hash).with_for_update(read=True, key_share=True)))
    noted = [row for row in rows if not row["prompt_hash"] or row["prompt_hash"] in there]
    if noted:
        session.execute(insert_ignoring(session, CandidateText), noted)
