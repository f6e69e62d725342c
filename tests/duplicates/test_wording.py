"""Texts alike in their wording: what the bands propose is what comparing every two texts finds."""

import random
from itertools import combinations

import numpy as np
import pytest

from app.duplicates.lexical import LENGTH, WordingUnfit, alike, runs
from app.duplicates.matching import PairsTooMany
from app.duplicates.wording import PARTS, SURE, rows_a_band, wording_pairs

WORDS = (
    *("kettle", "limescale", "bread", "dough", "commit", "branch", "garden", "tomato", "window", "paint", "letter"),
    *("friend", "river", "stone", "music", "engine", "teach", "write", "explain", "compare", "describe", "short"),
    *("long", "simple", "careful", "quick"),
)


def texts(seed: int, count: int = 120) -> list[str]:
    """Sentences, and of each third one a copy with a few words changed."""
    draw = random.Random(seed)
    made = [" ".join(draw.choices(WORDS, k=draw.randint(6, 30))) for _ in range(count)]
    for text in made[::3]:
        words = text.split()
        for _ in range(draw.randint(1, 3)):
            words[draw.randrange(len(words))] = draw.choice(WORDS)
        made.append(" ".join(words))
    return made


def brute(given: list[str], threshold: float) -> dict[tuple[int, int], float]:
    parts = [runs(text, LENGTH) for text in given]
    scores = ((pair, alike(parts[pair[0]], parts[pair[1]])) for pair in combinations(range(len(given)), 2))
    return {pair: score for pair, score in scores if score >= threshold}


def found(given: list[str], threshold: float) -> dict[tuple[int, int], float]:
    pairs = wording_pairs(given, threshold)
    return {(int(left), int(right)): float(score) for left, right, score in pairs}


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.6, 0.8, 1.0])
def test_no_pair_is_there_that_is_not_and_next_to_none_is_missing(threshold):
    wanted, missed = 0, 0
    for seed in range(3):
        given = texts(seed)
        truth, got = brute(given, threshold), found(given, threshold)
        assert set(got) <= set(truth)
        assert all(got[pair] == pytest.approx(truth[pair], abs=1e-6) for pair in got)
        wanted, missed = wanted + len(truth), missed + len(set(truth) - set(got))
    assert threshold == 1.0 or wanted > 20
    assert missed <= (1 - SURE) * wanted + 1


def test_pairs_are_sorted_and_the_same_again():
    given = texts(7)
    once = wording_pairs(given, 0.5)
    assert np.array_equal(once, wording_pairs(given, 0.5))
    assert np.array_equal(once, once[np.lexsort((once["right"], once["left"]))])
    assert (once["left"] < once["right"]).all()


def test_copies_reach_one_and_blanks_are_like_none():
    assert found(["A kettle of fish", "", "a  KETTLE of fish", "   ", "Bread"], 1.0) == {(0, 2): 1.0}
    assert found([], 0.6) == {}
    assert found(["one text alone"], 0.6) == {}


def test_bands_hold_what_they_promise():
    for threshold in np.linspace(0.3, 1, 36):
        rows = rows_a_band(float(threshold))
        assert 1 <= rows <= 16
        assert rows == 1 or 1 - (1 - threshold**rows) ** (PARTS // rows) >= SURE


def test_thresholds_that_make_no_sense_and_too_many_pairs_are_refused():
    for threshold in (0.0, 0.29, 1.01, float("nan")):
        with pytest.raises(WordingUnfit):
            wording_pairs(["a"], threshold)
    with pytest.raises(PairsTooMany):
        wording_pairs(["the very same words"] * 20, 0.6, most=100)


def test_one_large_group_is_paired_whole(monkeypatch):
    monkeypatch.setattr("app.duplicates.wording.PAIRS_AT_ONCE", 7)
    assert len(found(["the very same words"] * 20, 0.6)) == 190
