"""Whatever is multiplied, and however much is cut off: no pair that reaches the threshold is lost."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.duplicates.engine import integers, searching
from app.duplicates.engine.floats import FloatTiles
from app.duplicates.engine.integers import IntegerTiles, worth_while
from app.duplicates.engine.searching import Search, best_width
from app.duplicates.engine.shortening import ROUNDING, main_axes, products, shortened
from app.embeddings.light import one_thread
from tests.duplicates.test_matching import unit_rows

KINDS = [FloatTiles, IntegerTiles]


def brute(rows, threshold):
    """The places of all pairs at the threshold, by one product of everything with everything in float64."""
    whole = rows.astype(np.float64)
    return set(zip(*(side.tolist() for side in np.nonzero(np.triu(whole @ whole.T >= threshold, 1))), strict=True))


def proposed(search):
    return {
        pair for _, left, right in search.pieces() for pair in zip(left.tolist(), right.tolist(), strict=True)
    }  # fmt: skip


def planted(rows, threshold, count=40):
    """Put pairs a hair around the threshold among the rows, on either side of it."""
    random = np.random.default_rng(5)
    rows = rows.astype(np.float64)
    for number in range(count):
        one, other = rows[2 * number], rows[2 * number + 1]
        across = other - one * (one @ other)
        across /= np.linalg.norm(across)
        cosine = threshold + random.uniform(-2e-6, 2e-6)
        rows[2 * number + 1] = cosine * one + np.sqrt(1 - cosine**2) * across
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def flat(count):
    """Rows alike in all directions, some of them near copies."""
    rows = np.random.default_rng(2).normal(size=(count, 384))
    rows[: count // 10] = rows[-(count // 10) :] + 0.3 * np.random.default_rng(3).normal(size=(count // 10, 384))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(autouse=True, scope="module")
def small_tiles():
    """Tiles of integers take a tenth of a second each where a processor cannot multiply those well; so do threads."""
    with pytest.MonkeyPatch.context() as patch, one_thread():
        patch.setattr(integers, "TILE", 64)
        yield


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def kind(request, monkeypatch):
    monkeypatch.setattr(searching, "tiles_of", request.param)
    return request.param


@pytest.mark.parametrize("width", [2, 48])
@pytest.mark.parametrize("threshold", [0.3, 0.8, 0.95])
def test_no_pair_is_lost_and_few_are_proposed_in_vain(kind, width, threshold):
    rows = planted(unit_rows(400), threshold)
    search = Search(rows, threshold, width)
    assert isinstance(search.tiles, kind)
    found, expected = proposed(search), brute(rows, threshold)
    assert expected <= found
    assert len(expected) >= 10
    # The second question, on longer rows, leaves hardly any that do not belong, where the threshold leaves room.
    assert threshold < 0.8 or len(found) < 1.2 * len(expected) + 40


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 513])
def test_any_number_of_rows_will_do(kind, count):
    rows = unit_rows(count)
    found = proposed(Search(rows, 0.8, 32)) if count else proposed(Search(rows, 0.8))
    assert brute(rows, 0.8) <= found
    assert all(left < right < count for left, right in found)


def test_pieces_that_are_cut_anywhere_meet_without_a_gap(kind, monkeypatch):
    monkeypatch.setattr(searching, "ROWS_A_PIECE", 128)
    monkeypatch.setattr(searching, "COLUMNS_A_PIECE", 256)
    rows = unit_rows(700)
    pieces = list(Search(rows, 0.8, 48).pieces())
    found = [pair for _, left, right in pieces for pair in zip(left.tolist(), right.tolist(), strict=True)]
    assert len(found) == len(set(found))
    assert brute(rows, 0.8) <= set(found)
    assert [begun for begun, _, _ in pieces] == sorted(begun for begun, _, _ in pieces)


def test_rows_that_are_all_alike_and_rows_alike_in_all_directions(kind):
    same = np.repeat(unit_rows(1), 70, axis=0)
    assert proposed(Search(same, 1.0 - 1e-6, 32)) == {(one, other) for one in range(70) for other in range(one + 1, 70)}
    rows = flat(500)
    assert brute(rows, 0.9) <= proposed(Search(rows, 0.9, 48))
    assert len(brute(rows, 0.9)) >= 40


@pytest.mark.parametrize("dimensions", [2, 33, 768])
def test_vectors_of_any_length_will_do(kind, dimensions, monkeypatch):
    monkeypatch.setattr(searching, "SHORT_FROM_ROWS", 0)
    rows = unit_rows(300, dimensions)
    expected = brute(rows, 0.9 + 1e-6)
    assert expected <= proposed(Search(rows, 0.9))
    assert expected <= proposed(Search(rows, 0.9, max(2, dimensions // 2)))
    assert expected


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 60), st.integers(2, 70), st.integers(2, 70), st.floats(0.05, 0.999), st.integers(0, 2**32 - 1),
    st.sampled_from(KINDS),
)  # fmt: skip
def test_any_small_set_loses_nothing(count, dimensions, width, threshold, seed, kind):
    rows = unit_rows(count, dimensions, seed, copies=0.5)
    short = shortened(rows, main_axes(rows), width) if width < dimensions else rows
    left, right = kind(short, threshold).near(0, count, 0, count)
    found = set(zip(left.tolist(), right.tolist(), strict=True))
    assert brute(rows, threshold) <= found
    assert all(one < other < count for one, other in found)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 300), st.integers(2, 99), st.integers(0, 2**32 - 1))
def test_short_rows_bound_the_products_of_whole_rows(count, width, seed):
    rows = unit_rows(count, 100, seed)
    short = shortened(rows, main_axes(rows), width).astype(np.float64)
    assert (short @ short.T - rows.astype(np.float64) @ rows.T).min() > -ROUNDING


def test_short_rows_bound_products_even_where_rounding_is_at_its_worst():
    """Most rows lie almost wholly within the axes, a few stand out of them, all in one direction."""
    random = np.random.default_rng(1)
    rows = np.zeros((600, 384))
    rows[:, :60] = random.normal(size=(600, 60))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[:, 100] = random.uniform(1e-4, 5e-4, size=600)
    rows[::50, 100] = 0.4
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    short = shortened(rows, main_axes(rows), 61).astype(np.float64)
    assert (short @ short.T - rows.astype(np.float64) @ rows.T).min() > -ROUNDING


def test_products_are_those_of_the_rows_side_by_side():
    rows, random = unit_rows(300), np.random.default_rng(4)
    left, right = random.integers(0, 300, size=(2, 9001))
    exact = np.einsum("ij,ij->i", rows[left].astype(np.float64), rows[right])
    assert np.abs(products(rows, left, right) - exact).max() < 1e-6
    assert len(products(rows, left[:0], right[:0])) == 0


def test_rows_are_cut_where_that_leaves_little_to_look_at_again_and_left_whole_where_not():
    falling, alike = unit_rows(2000), flat(2000)
    assert best_width(falling, main_axes(falling), 0.9) < 384
    assert best_width(falling, main_axes(falling), 0.9) <= best_width(falling, main_axes(falling), 0.6)
    assert best_width(alike, main_axes(alike), 0.3) == 384


def test_few_rows_are_compared_whole_and_many_are_cut():
    assert Search(unit_rows(300), 0.9).width == 384
    assert Search(unit_rows(searching.SHORT_FROM_ROWS), 0.9).width < 384


def test_whether_integers_are_worth_while_is_tried_once():
    assert worth_while() is worth_while()
    short = shortened(unit_rows(300), main_axes(unit_rows(300)), 32)
    assert isinstance(searching.tiles_of(short, 0.9), IntegerTiles if worth_while() else FloatTiles)


def test_whoever_stops_early_leaves_no_thread_behind():
    rows = unit_rows(2600)
    before = threading.active_count()
    pieces = Search(rows, 0.9, 32).pieces()
    next(pieces)
    pieces.close()
    assert threading.active_count() == before
