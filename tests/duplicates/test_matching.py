"""Exact matches by normal form; near matches exactly those of a plain comparison of every pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.duplicates import bound, matching
from app.duplicates.matching import (
    PairsTooMany,
    ThresholdOutOfRange,
    VectorsUnusable,
    distinct,
    exact_groups,
    pairs_at_least,
)
from app.duplicates.normal import normal_form


def unit_rows(count, dimensions=384, seed=0, copies=0.2):
    """Rows with a falling spectrum, as texts have, a share of them near copies of others."""
    random = np.random.default_rng(seed)
    spread = np.arange(1, dimensions + 1) ** -0.5
    rows = random.normal(size=(count, dimensions)) * spread
    near = int(count * copies)
    noise = random.uniform(0.05, 0.7, size=(near, 1)) * random.normal(size=(near, dimensions)) * spread
    rows[:near] = rows[count - near :] + noise
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def plain_pairs(rows, threshold):
    """Every pair, one by one."""
    found = []
    for left in range(len(rows)):
        for right in range(left + 1, len(rows)):
            score = np.einsum("ij,ij->i", rows[left : left + 1], rows[right : right + 1])[0]
            if score >= np.float32(threshold):
                found.append((left, right, min(score, np.float32(1))))
    return found


@pytest.fixture
def always_bounded(monkeypatch):
    monkeypatch.setattr(matching, "BOUND_FROM_ROWS", 0)
    monkeypatch.setattr(matching, "BOUND_FROM_THRESHOLD", 0)


@pytest.fixture
def never_bounded(monkeypatch):
    monkeypatch.setattr(matching, "BOUND_FROM_ROWS", 10**9)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is  Coffee?\n", "what is coffee?"),
        ("\u201cIt\u2019s\u201d \u2014 so\u2026", '"it\'s" - so...'),
        ("caf\u00e9", "cafe\u0301"),
        ("STRASSE", "stra\u00dfe"),
        ("no\u00adthing\u200b hidden", "nothing hidden"),
        ("a\u00a0b\u3000c", "a b c"),
        ("\u1fb3", "\u1fbc"),
    ],
)
def test_texts_that_only_look_different_are_exact_duplicates(one, other):
    assert normal_form(one) == normal_form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C", "C++"),
        ("f(x)", "fx"),
        ("x\u00b2", "x2"),
        ("a b", "b a"),
        ("r\u00e9sum\u00e9", "resume"),
        ("-v", "--v"),
        ("a, b", "a b"),
        ("ab", "a b"),
    ],
)
def test_texts_that_a_reader_tells_apart_are_not(one, other):
    assert normal_form(one) != normal_form(other)


@given(st.text())
def test_the_normal_form_is_its_own_normal_form(text):
    assert normal_form(normal_form(text)) == normal_form(text)


@given(st.text())
def test_white_space_at_the_ends_never_counts(text):
    assert normal_form(f"\n {text}\t") == normal_form(text)


def test_exact_groups_are_ascending_and_in_order_of_first_place():
    texts = ["b", "A", "c", "a ", "B", "", "  ", "a"]
    assert exact_groups(texts) == [(0, 4), (1, 3, 7)]


def test_blank_texts_are_duplicates_of_nothing():
    assert exact_groups(["", " ", "\u200b", "\n"]) == []


def test_distinct_texts_are_the_first_of_each_form():
    assert distinct(["b", "A", "", "a ", "B", "c"]) == [0, 1, 5]


@given(st.lists(st.sampled_from(["a", "A", "b ", " B", "", " ", "c"]), max_size=12))
def test_groups_and_distinct_texts_agree(texts):
    groups, firsts = exact_groups(texts), distinct(texts)
    assert [group[0] for group in groups] == [first for first in firsts if first in {g[0] for g in groups}]
    repeated = sum(len(group) - 1 for group in groups)
    assert len(firsts) + repeated == sum(1 for text in texts if text.strip())
    for group in groups:
        assert len({normal_form(texts[position]) for position in group}) == 1


@pytest.mark.usefixtures("never_bounded")
@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9, 0.97])
def test_the_blocked_product_finds_exactly_the_pairs_of_a_plain_comparison(monkeypatch, threshold):
    monkeypatch.setattr(matching, "BLOCK", 64)
    rows = unit_rows(300)
    found = pairs_at_least(rows, threshold)
    assert found.tolist() == [tuple(map(float, pair)) for pair in plain_pairs(rows, threshold)]
    assert len(found) > 0


@pytest.mark.usefixtures("always_bounded")
@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9, 0.97])
def test_the_bound_finds_exactly_the_pairs_of_a_plain_comparison(threshold):
    rows = unit_rows(300)
    assert pairs_at_least(rows, threshold).tolist() == [tuple(map(float, p)) for p in plain_pairs(rows, threshold)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("threshold", [0.8, 0.9])
def test_bound_and_product_give_the_same_pairs_over_many_tiles(monkeypatch, seed, threshold):
    rows = unit_rows(3000 + seed, seed=seed)
    monkeypatch.setattr(matching, "BOUND_FROM_ROWS", 10**9)
    by_product = pairs_at_least(rows, threshold)
    monkeypatch.setattr(matching, "BOUND_FROM_ROWS", 0)
    by_bound = pairs_at_least(rows, threshold)
    assert len(by_product) > 100
    assert np.array_equal(by_bound, by_product)


@pytest.mark.parametrize("dimensions", [2, 40, 60, 61, 100, 768])
def test_bound_and_product_agree_whatever_the_length_of_vectors(monkeypatch, dimensions):
    rows = unit_rows(700, dimensions)
    monkeypatch.setattr(matching, "BOUND_FROM_ROWS", 10**9)
    by_product = pairs_at_least(rows, 0.9)
    monkeypatch.setattr(matching, "BOUND_FROM_ROWS", 0)
    assert np.array_equal(pairs_at_least(rows, 0.9), by_product)


def test_short_rows_bound_products_even_where_rounding_is_at_its_worst():
    """Most rows lie almost wholly within the axes, a few stand out of them, all in one direction."""
    random = np.random.default_rng(1)
    rows = np.zeros((600, 384))
    rows[:, :60] = random.normal(size=(600, 60))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[:, 100] = random.uniform(1e-4, 5e-4, size=600)
    rows[::50, 100] = 0.4
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    short = bound.shortened(rows).astype(np.float64)
    assert (short @ short.T - rows.astype(np.float64) @ rows.T).min() > -bound.ROUNDING


@pytest.mark.parametrize("bounded_from", [0, 10**9])
def test_a_pair_exactly_at_the_threshold_is_found(monkeypatch, bounded_from):
    monkeypatch.setattr(matching, "BOUND_FROM_ROWS", bounded_from)
    rows = unit_rows(400)
    known = pairs_at_least(rows, 0.8)[:12]
    assert len(known) == 12
    for left, right, score in known.tolist():
        assert (left, right, score) in pairs_at_least(rows, score).tolist()


@settings(max_examples=60)
@given(st.integers(1, 60), st.integers(1, 70), st.floats(0.05, 1.0), st.integers(0, 2**32 - 1), st.booleans())
def test_any_small_set_gives_the_plain_pairs_by_either_way(count, dimensions, threshold, seed, bounded):
    rows = unit_rows(count, dimensions, seed, copies=0.5)
    propose = bound.candidates if bounded else matching.product_candidates
    expected = plain_pairs(rows, threshold)
    found = [
        pair
        for _, left, right in propose(rows, threshold)
        for pair in matching.measured(rows, left, right, threshold).tolist()
    ]
    assert sorted(found) == [tuple(map(float, pair)) for pair in expected]


@settings(max_examples=40)
@given(st.integers(2, 500), st.integers(0, 2**32 - 1))
def test_short_rows_bound_the_products_of_whole_rows(count, seed):
    rows = unit_rows(count, 100, seed)
    short = bound.shortened(rows).astype(np.float64)
    assert (short @ short.T - rows.astype(np.float64) @ rows.T).min() > -bound.ROUNDING


@pytest.mark.usefixtures("always_bounded")
def test_small_integers_do_when_the_processor_saturates_larger_ones(monkeypatch):
    rows = unit_rows(600)
    expected = pairs_at_least(rows, 0.9)
    monkeypatch.setattr(bound, "_levels", lambda: 63)
    assert np.array_equal(pairs_at_least(rows, 0.9), expected)


def test_a_score_does_not_depend_on_where_a_row_stands():
    rows = unit_rows(500)
    order = np.random.default_rng(3).permutation(500)
    straight = {(left, right): score for left, right, score in pairs_at_least(rows, 0.8).tolist()}
    moved = {
        tuple(sorted((int(order[left]), int(order[right])))): score
        for left, right, score in pairs_at_least(rows[order], 0.8).tolist()
    }
    assert len(straight) > 50
    assert moved == straight


def test_pairs_come_in_order_and_scores_never_above_one():
    rows = unit_rows(400)
    rows[200] = rows[3]
    found = pairs_at_least(rows, 0.8)
    places = [(left, right) for left, right, _ in found.tolist()]
    assert places == sorted(places)
    assert (3, 200) in places
    assert all(left < right for left, right in places)
    assert found["score"].max() <= 1


@pytest.mark.parametrize("threshold", [0, -0.1, 1.01, float("nan"), float("inf")])
def test_a_threshold_outside_its_range_is_refused(threshold):
    with pytest.raises(ThresholdOutOfRange, match="cosine above 0 and at most 1"):
        pairs_at_least(unit_rows(5), threshold)


@pytest.mark.parametrize("fault", [0, np.nan, np.inf, 0.5])
def test_rows_that_are_no_unit_vectors_are_refused_with_their_number(fault):
    rows = unit_rows(9)
    rows[4] = fault
    with pytest.raises(VectorsUnusable, match=r"^1 of the texts have no usable vector \(the first is number 4\)"):
        pairs_at_least(rows, 0.9)


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.usefixtures("never_bounded")
def test_too_few_rows_have_no_pairs(count):
    found = pairs_at_least(unit_rows(count), 0.9)
    assert found.dtype == matching.PAIR
    assert found.tolist() == []


def test_more_pairs_than_memory_should_hold_are_refused(monkeypatch):
    monkeypatch.setattr(matching, "BLOCK", 50)
    with pytest.raises(PairsTooMany, match="more than 100 pairs"):
        pairs_at_least(np.repeat(unit_rows(1), 200, axis=0), 0.9, most=100)


@pytest.mark.parametrize("rows", [300, 11_000])
def test_progress_counts_rows_up_to_the_last(rows):
    steps = []
    pairs_at_least(unit_rows(rows, 64), 0.95, lambda begun, total: steps.append((begun, total)))
    assert steps == sorted(steps)
    assert steps[-1] == (rows, rows)


def test_what_progress_raises_ends_the_work():
    def cancel(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pairs_at_least(unit_rows(10), 0.9, cancel)
