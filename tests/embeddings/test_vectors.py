"""Vectors survive storage, and their keys tell texts and models apart."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from app.embeddings.vectors import BrokenVectorError, from_bytes, model_key, stack, text_hash, to_bytes

ROWS = hnp.arrays(np.float32, st.tuples(st.integers(0, 6), st.integers(1, 9)), elements=st.floats(width=32))


@given(ROWS)
def test_every_float_comes_back_bit_by_bit(rows):
    back = stack([to_bytes(row) for row in rows], rows.shape[1])
    assert back.dtype == np.float32
    assert back.shape == rows.shape
    assert back.tobytes() == rows.tobytes()


def test_bytes_are_little_endian_float32():
    assert to_bytes([1.0, -2.0]) == bytes.fromhex("0000803f000000c0")
    assert to_bytes(np.array([1.0], dtype=">f8")) == bytes.fromhex("0000803f")


def test_one_vector_comes_back_and_can_be_written_to():
    vector = from_bytes(to_bytes([0.5, 0.25]), 2)
    vector[0] = 0
    assert vector.tolist() == [0, 0.25]


def test_a_vector_of_another_length_is_refused_with_its_position():
    with pytest.raises(BrokenVectorError, match="vector 1 has 8 bytes, not 12"):
        stack([to_bytes([1, 2, 3]), to_bytes([1, 2])], 3)
    with pytest.raises(BrokenVectorError):
        from_bytes(b"", 3)


def test_no_vectors_make_an_empty_array_of_the_right_width():
    assert stack([], 384).shape == (0, 384)


@given(st.text(), st.text())
def test_hashes_are_equal_exactly_when_texts_are(one, other):
    assert (text_hash(one) == text_hash(other)) == (one == other)


def test_the_hash_is_that_of_the_utf8_bytes():
    assert text_hash("süß") == hashlib.sha256(b"s\xc3\xbc\xc3\x9f").hexdigest()


def test_the_model_key_is_readable_and_changes_with_the_files():
    assert model_key("mini", "a" * 64) == "mini@aaaaaaaaaaaaaaaa"
    assert model_key("mini", "a" * 64) != model_key("mini", "b" * 64)
    assert len(model_key("m" * 300, "a" * 64)) == 197
