"""Exact matches by normal form; near matches exactly those of a plain comparison of every pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.duplicates import matching
from app.duplicates.engine import searching
from app.duplicates.matching import (
    PairsTooMany,
    ThresholdOutOfRange,
    VectorsUnusable,
    distinct,
    exact_groups,
    pairs_at_least,
    reaching,
)
from app.duplicates.normal import normal_form
from tests.duplicates.rows import FORMS, flat, planted, unit_rows


@pytest.fixture(params=[None, *FORMS], ids=lambda form: form.value if form else "whole")
def form(request, monkeypatch):
    """Rows that are compared whole, and short ones in every form that this processor has, however few there are."""
    if request.param:
        monkeypatch.setattr(searching, "SHORT_FROM_ROWS", 0)
        monkeypatch.setattr(searching, "COMPILED_FROM_ROWS", 0)
        monkeypatch.setattr(searching, "form_here", lambda: request.param)
    return request.param


def plain_pairs(rows, threshold):
    """Every pair, one by one."""
    found = []
    for left in range(len(rows)):
        for right in range(left + 1, len(rows)):
            score = np.einsum("ij,ij->i", rows[left : left + 1], rows[right : right + 1])[0]
            if score >= np.float32(threshold):
                found.append((left, right, min(score, np.float32(1))))
    return found


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


@pytest.mark.parametrize("threshold", [0.05, 0.5, 0.8, 0.9, 0.97])
def test_the_pairs_are_exactly_those_of_a_plain_comparison(form, threshold):
    rows = planted(unit_rows(300), threshold) if threshold > 0.4 else unit_rows(300)
    found = pairs_at_least(rows, threshold)
    assert found.tolist() == [tuple(map(float, pair)) for pair in plain_pairs(rows, threshold)]
    assert len(found) > 0


def test_a_pair_exactly_at_the_threshold_is_found(form):
    rows = unit_rows(400)
    known = pairs_at_least(rows, 0.8)[:12]
    assert len(known) == 12
    for left, right, score in known.tolist():
        assert (left, right, score) in pairs_at_least(rows, score).tolist()
        above = float(np.nextafter(np.float32(score), np.float32(2)))
        assert above > 1 or (left, right, score) not in pairs_at_least(rows, above).tolist()


def test_rows_alike_in_all_directions_and_copies_are_compared_exactly_as_well(form):
    rows = np.vstack([flat(150), np.repeat(flat(20), 3, axis=0)])
    found = pairs_at_least(rows, 0.9)
    assert found.tolist() == [tuple(map(float, pair)) for pair in plain_pairs(rows, 0.9)]
    assert len(found) >= 60


def test_every_higher_threshold_is_read_from_the_pairs_of_a_low_one():
    rows = unit_rows(1500)
    low = pairs_at_least(rows, 0.5)
    for threshold in (0.5, 0.62, 0.8, 0.9, float(low["score"].max()), 1.0):
        assert np.array_equal(reaching(low, threshold), pairs_at_least(rows, threshold))
    assert len(reaching(low, 0.9)) < len(reaching(low, 0.8)) < len(low)


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
def test_too_few_rows_have_no_pairs(count):
    found = pairs_at_least(unit_rows(count), 0.9)
    assert found.dtype == matching.PAIR
    assert found.tolist() == []


def test_more_pairs_than_memory_should_hold_are_refused():
    with pytest.raises(PairsTooMany, match="more than 100 pairs"):
        pairs_at_least(np.repeat(unit_rows(1), 200, axis=0), 0.9, most=100)


@pytest.mark.parametrize("rows", [300, 9000])
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
