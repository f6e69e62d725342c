"""One vector beside many: by however many threads, and the highest whatever stands among the scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.embeddings import matrix
from app.embeddings.matrix import cosines, highest

SCORES = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0, float("nan"), -float("inf")]), max_size=60)


@pytest.mark.parametrize("count", [0, 1, 6, 7, 100])
def test_threads_give_what_one_gives(count, monkeypatch):
    rows = np.random.default_rng(count).normal(size=(count, 24)).astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    one = np.eye(24, dtype=np.float32)[3] if not count else rows[count // 2] * np.float32(1 + 1e-6)
    alone = cosines(rows, one)
    monkeypatch.setattr(matrix, "ROWS_AT_ONCE", 7)
    by_threads = cosines(rows, one)
    assert by_threads.dtype == np.float32
    assert np.allclose(by_threads, alone, atol=1e-6)
    assert np.allclose(by_threads, np.minimum(rows.astype(np.float64) @ one, 1), atol=1e-6)
    assert by_threads.max(initial=0) <= 1
    assert len(by_threads) == count


@given(SCORES, st.integers(0, 70))
def test_the_highest_are_those_of_a_plain_sort(scores, count):
    numbers = [place for place, score in enumerate(scores) if not np.isnan(score)]
    expected = sorted(numbers, key=lambda place: (-scores[place], place))[:count]
    assert highest(np.array(scores, dtype=np.float32), count).tolist() == expected
