"""The store of vectors: each text once, chunk by chunk, in the order asked for."""

import numpy as np
import pytest
from sqlalchemy import func, select

from app.embeddings import operations
from app.embeddings.encoder import load_encoder
from app.embeddings.models import Embedding
from app.embeddings.operations import encoder_for, keep_vectors, vectors_for
from app.embeddings.vectors import text_hash

TEXTS = ["How do I brew coffee?", "", "Explain entanglement.", "How do I brew coffee?", "Undo a commit"]


class Counting:
    """The encoder that a test uses, telling what it was asked to encode."""

    def __init__(self, encoder) -> None:
        self.encoder, self.asked = encoder, []
        self.name, self.key, self.dimensions = encoder.name, encoder.key, encoder.dimensions

    def encode(self, texts, progress=None):
        self.asked += texts
        return self.encoder.encode(texts, progress)


@pytest.fixture(scope="module")
def bundled():
    return load_encoder()


@pytest.fixture
def encoder(bundled):
    return Counting(bundled)


def stored(database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count(Embedding.id)))


def test_each_text_has_its_row_and_is_encoded_once(database, encoder):
    rows = vectors_for(database, encoder, TEXTS)
    assert rows.dtype == np.float32
    assert np.allclose(rows, encoder.encoder.encode(TEXTS), atol=1e-5)
    assert sorted(encoder.asked) == sorted({text for text in TEXTS if text})
    assert stored(database) == 3


def test_what_is_stored_is_not_encoded_again(database, encoder):
    first = vectors_for(database, encoder, TEXTS)
    encoder.asked.clear()
    assert (vectors_for(database, encoder, [*TEXTS, "Something new"])[: len(TEXTS)] == first).all()
    assert encoder.asked == ["Something new"]


def test_vectors_of_another_model_are_not_taken(database, encoder, bundled):
    other = Counting(bundled)
    other.key = "another@0"
    vectors_for(database, encoder, TEXTS)
    vectors_for(database, other, TEXTS)
    assert len(other.asked) == 3
    assert stored(database) == 6


def test_chunks_before_a_stop_are_kept(database, encoder, monkeypatch):
    monkeypatch.setattr(operations, "TEXTS_A_CHUNK", 1)

    def stop(done: int, total: int) -> None:
        assert total == 3
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vectors_for(database, encoder, TEXTS, stop)
    assert stored(database) == 2
    encoder.asked.clear()
    vectors_for(database, encoder, TEXTS)
    assert len(encoder.asked) == 1


def test_progress_counts_different_texts_to_the_end(database, encoder):
    told = []
    vectors_for(database, encoder, TEXTS, lambda done, total: told.append((done, total)))
    assert told[0] == (0, 3)
    assert told[-1] == (3, 3)


def test_storing_twice_keeps_the_first(database, encoder):
    rows = encoder.encode(["a", "b"])
    hashes = [text_hash("a"), text_hash("b")]
    for vectors in (rows, rows[::-1]):
        with database.writing() as session:
            keep_vectors(session, encoder.key, hashes, vectors)
    assert (vectors_for(database, encoder, ["a", "b"]) == rows).all()
    assert stored(database) == 2


def test_nothing_to_encode_is_no_work(database, encoder):
    assert vectors_for(database, encoder, []).shape == (0, encoder.dimensions)
    assert not vectors_for(database, encoder, ["  "]).any()
    assert encoder.asked == []


def test_the_encoder_is_loaded_once_a_process():
    assert encoder_for("") is encoder_for("")
