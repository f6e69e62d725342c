"""What the ways of looking that did not name a pair say about it: measured when it is looked at, from its words now."""

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.duplicates.lexical import LENGTH, alike, runs
from app.duplicates.models import DuplicatePair, Method, On
from app.duplicates.queries import Member
from app.duplicates.texts import Text
from app.embeddings.models import Embedding
from app.embeddings.vectors import STORED, text_hash
from app.text.dialogue import prompt_of, response_of


def other_scores(
    session: Session, pair: DuplicatePair, members: Mapping[str, Member], model: str = ""
) -> dict[Method, float]:
    """The share of the wording and the cosine of a pair, without that of its own method; {} where a side is not there.

    The cosine is read from the vectors of this model; where one of them is not stored, none is told.
    """
    sides = [members.get(pair.left_key), members.get(pair.right_key)]
    texts = [Text(one.key, prompt_of(one.messages), response_of(one.messages), one.split) for one in sides if one]
    if len(texts) < 2 or pair.method is Method.EXACT:
        return {}
    words = [text.words(pair.on) for text in texts]
    found = {}
    if pair.method is not Method.LEXICAL:
        found[Method.LEXICAL] = alike(runs(words[0], LENGTH), runs(words[1], LENGTH))
    if pair.method is not Method.EMBEDDING and pair.on is not On.PAIR and model:
        cosine = _cosine(session, model, words)
        found |= {} if cosine is None else {Method.EMBEDDING: cosine}
    return found


def _cosine(session: Session, model: str, words: Sequence[str]) -> float | None:
    hashes = [text_hash(text) for text in words]
    query = select(Embedding.text_hash, Embedding.vector).where(
        Embedding.model == model, Embedding.text_hash.in_(hashes)
    )
    stored = {text: np.frombuffer(vector, dtype=STORED) for text, vector in session.execute(query)}
    if not set(hashes) <= set(stored):
        return None
    return min(1.0, float(stored[hashes[0]] @ stored[hashes[1]]))
