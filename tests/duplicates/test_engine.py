"""Whatever is multiplied, and however much is cut off: no pair that reaches the threshold is lost."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.duplicates.engine import searching
from app.duplicates.engine.floats import FloatTiles
from app.duplicates.engine.forms import Form, form_here
from app.duplicates.engine.searching import Search, best_width
from app.duplicates.engine.shortening import ROUNDING, main_axes, products, shortened, shortened_to
from app.embeddings.light import one_thread
from tests.duplicates.rows import FORMS, brute, flat, planted, unit_rows


def proposed(search):
    return {
        pair for _, left, right in search.pieces() for pair in zip(left.tolist(), right.tolist(), strict=True)
    }  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def small_products():
    with one_thread():
        yield


@pytest.fixture(params=FORMS, ids=lambda form: form.value)
def form(request):
    return request.param


@pytest.mark.parametrize("width", [2, 48])
@pytest.mark.parametrize("threshold", [0.3, 0.8, 0.95])
def test_no_pair_is_lost_and_few_are_proposed_in_vain(form, width, threshold):
    rows = planted(unit_rows(400), threshold)
    search = Search(rows, threshold, width, form)
    assert isinstance(search.tiles, FloatTiles) == (form is Form.BLOCKS)
    found, expected = proposed(search), brute(rows, threshold)
    assert expected <= found
    assert len(expected) >= 10
    # The second question, on longer rows, leaves hardly any that do not belong, where the threshold leaves room.
    assert threshold < 0.9 or len(found) < 1.5 * len(expected) + 50


@pytest.mark.parametrize("count", [0, 1, 2, 63, 64, 65, 257, 513])
def test_any_number_of_rows_will_do(form, count):
    rows = unit_rows(count)
    found = proposed(Search(rows, 0.8, 32, form)) if count else proposed(Search(rows, 0.8, form=form))
    assert brute(rows, 0.8) <= found
    assert all(left < right < count for left, right in found)


def test_pieces_that_are_cut_anywhere_meet_without_a_gap(form, monkeypatch):
    monkeypatch.setattr(searching, "ROWS_A_PIECE", 128)
    monkeypatch.setattr(searching, "COLUMNS_A_PIECE", 256)
    rows = unit_rows(700)
    pieces = list(Search(rows, 0.8, 48, form).pieces())
    found = [pair for _, left, right in pieces for pair in zip(left.tolist(), right.tolist(), strict=True)]
    assert len(found) == len(set(found))
    assert brute(rows, 0.8) <= set(found)
    assert [begun for begun, _, _ in pieces] == sorted(begun for begun, _, _ in pieces)


def test_rows_that_are_all_alike_have_every_pair_however_many(form):
    same = np.repeat(unit_rows(1), 200, axis=0)
    every = {(one, other) for one in range(200) for other in range(one + 1, 200)}
    assert proposed(Search(same, 1.0 - 1e-6, 32, form)) == every


def test_rows_alike_in_all_directions(form):
    rows = flat(500)
    assert brute(rows, 0.9) <= proposed(Search(rows, 0.9, 48, form))
    assert len(brute(rows, 0.9)) >= 40


@pytest.mark.parametrize("dimensions", [2, 33, 768])
def test_vectors_of_any_length_will_do(form, dimensions, monkeypatch):
    monkeypatch.setattr(searching, "SHORT_FROM_ROWS", 0)
    rows = unit_rows(300, dimensions)
    expected = brute(rows, 0.9 + 1e-6)
    assert expected <= proposed(Search(rows, 0.9, form=form))
    assert expected <= proposed(Search(rows, 0.9, max(2, dimensions // 2), form))
    assert expected


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 60), st.integers(3, 70), st.integers(2, 70), st.floats(0.05, 0.999), st.integers(0, 2**32 - 1),
    st.sampled_from(FORMS),
)  # fmt: skip
def test_any_small_set_loses_nothing(count, dimensions, width, threshold, seed, form):
    rows = unit_rows(count, dimensions, seed, copies=0.5)
    found = proposed(Search(rows, threshold, min(width, dimensions - 1), form))
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


def test_rows_are_shortened_to_several_widths_at_once_as_to_each_alone(monkeypatch):
    monkeypatch.setattr("app.duplicates.engine.shortening.ROWS_AT_ONCE", 128)
    rows = unit_rows(500)
    axes = main_axes(rows)
    for short, width in zip(shortened_to(rows, axes, [16, 64], 2), [16, 64], strict=True):
        assert np.abs(short - shortened(rows, axes, width)).max() < 1e-5


def test_products_are_those_of_the_rows_side_by_side():
    rows, random = unit_rows(300), np.random.default_rng(4)
    left, right = random.integers(0, 300, size=(2, 9001))
    exact = np.einsum("ij,ij->i", rows[left].astype(np.float64), rows[right])
    assert np.abs(products(rows, left, right) - exact).max() < 1e-6
    assert len(products(rows, left[:0], right[:0])) == 0


def test_rows_are_cut_where_that_leaves_little_to_look_at_again_and_left_whole_where_not(form):
    falling, alike = unit_rows(1000), flat(1000)
    assert best_width(falling, main_axes(falling), 0.9, form) < 384
    assert best_width(falling, main_axes(falling), 0.9, form) <= best_width(falling, main_axes(falling), 0.6, form)
    assert best_width(alike, main_axes(alike), 0.01, form) == 384


def test_few_rows_are_compared_whole_and_many_are_cut(monkeypatch):
    assert Search(unit_rows(300), 0.9).width == 384
    many = unit_rows(searching.SHORT_FROM_ROWS)
    assert Search(many, 0.9).width < 384
    assert Search(many, 0.9).form is Form.BLOCKS
    monkeypatch.setattr(searching, "COMPILED_FROM_ROWS", len(many))
    assert Search(many, 0.9).form is form_here()


def test_whoever_stops_early_leaves_no_thread_behind(form):
    rows = unit_rows(2600)
    before = threading.active_count()
    pieces = Search(rows, 0.9, 32, form).pieces()
    next(pieces)
    pieces.close()
    assert threading.active_count() == before
