"""Selections are those of plain greed, to the index, and the same however their products are cut into blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.selection.coverage import facility
from app.selection.coverage import whole as wholes
from app.selection.coverage.baselines import by_chance, filtered, highest_first
from app.selection.coverage.centres import farthest_first, most_central
from app.selection.coverage.facility import Greed, floor_of, ground_of, most_served, strided
from app.selection.coverage.whole import Whole, measured, nearest, whole


def rows(count, dimensions=24, seed=0, groups=None):
    """Unit rows that lie in groups, as texts about the same things do."""
    draw = np.random.default_rng(seed)
    middles = draw.standard_normal((groups or max(2, count // 20), dimensions))
    found = middles[draw.integers(0, len(middles), count)] + 0.7 * draw.standard_normal((count, dimensions))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def plainly_farthest(pool, count, taken=None, eligible=None):
    """Plain greed by the letter: every pick goes through the whole pool."""
    exact = pool.rows.astype(np.float64)
    may = np.ones(len(pool), dtype=bool) if eligible is None else eligible.copy()
    near = np.full(len(pool), -np.inf)
    if taken is not None and len(taken):
        near = (exact @ taken.astype(np.float64).T).max(axis=1)
        picks = []
    else:
        picks = [int(np.where(may, exact @ exact.sum(axis=0), -np.inf).argmax())]
    while len(picks) < count:
        if picks:
            may[picks[-1]] = False
            near = np.maximum(near, exact @ exact[picks[-1]])
        picks.append(int(np.where(may, near, np.inf).argmin()))
    return picks


def plainly_served(pool, places, floor, count, taken=None, eligible=None, weights=None, enough=np.inf):
    """Plain greed by the letter: what every row would add is summed anew for every pick."""
    exact = pool.rows.astype(np.float64)
    above = np.clip(exact @ exact[places].T - int(floor), 0, enough)
    served = np.zeros(len(places))
    if taken is not None:
        served = np.maximum((exact[places] @ taken.astype(np.float64).T).max(axis=1) - int(floor), 0)
        served = np.minimum(served, enough)
    may = np.ones(len(pool), dtype=bool) if eligible is None else eligible.copy()
    weights = np.ones(len(pool), dtype=np.int64) if weights is None else weights
    picks = []
    while len(picks) < count:
        adds = np.where(may, np.maximum(above - served, 0).sum(axis=1) * weights, -1)
        best = int(adds.argmax())
        if adds[best] <= 0:
            break
        picks.append(best)
        may[best] = False
        served = np.maximum(served, above[best])
    return picks


def test_products_of_whole_rows_have_no_error_in_any_order():
    pool = whole(rows(300, 384))
    exact = pool.rows.astype(np.int64) @ pool.rows.astype(np.int64).T
    assert exact.max() <= 2**24
    backwards = np.ascontiguousarray(pool.rows[:, ::-1])
    assert (pool.rows @ pool.rows.T == exact).all()
    assert (backwards @ backwards.T == exact).all()
    cosines = rows(300, 384) @ rows(300, 384).T
    assert np.abs(exact / pool.one - cosines).max() < 5e-4


@pytest.mark.parametrize("spoilt", [np.nan, np.inf, 3.0])
def test_what_is_no_unit_row_is_refused(spoilt):
    given = rows(5)
    given[3, 2] = spoilt
    with pytest.raises(ValueError, match="length 1"):
        whole(given)


@pytest.mark.parametrize("front", [1, 7, 64, 5000])
@pytest.mark.parametrize("count", [1, 2, 63, 200])
def test_farthest_first_is_plain_greed_to_the_index(front, count):
    pool = whole(rows(500, seed=count))
    assert farthest_first(pool, count, front=front).tolist() == plainly_farthest(pool, count)


def test_farthest_first_of_two_thousand_begins_with_what_is_taken_and_takes_only_what_may_be():
    given = rows(2000, 384, seed=3)
    pool, taken = whole(given), whole(rows(40, 384, seed=4)).rows
    may = np.arange(2000) % 3 > 0
    wanted = plainly_farthest(pool, 100, taken, may)
    assert farthest_first(pool, 100, taken=taken, eligible=may, front=50).tolist() == wanted
    assert all(may[wanted])


def test_equal_rows_are_taken_once_each_the_lowest_first():
    pool = whole(np.repeat(rows(10, seed=1, groups=10), 4, axis=0))
    found = farthest_first(pool, 40, front=6).tolist()
    assert found == plainly_farthest(pool, 40)
    assert sorted(found) == list(range(40))
    assert all(place % 4 == 0 for place in found[:10])


def test_nothing_comes_of_nothing():
    pool = whole(np.empty((0, 24), dtype=np.float32))
    assert farthest_first(pool, 5).tolist() == []
    assert most_served(Greed(ground_of(pool)), 5, np.arange(0)) == []
    assert measured(pool, np.arange(0)) == (0.0, 0.0)
    one = whole(rows(1))
    assert farthest_first(one, 5).tolist() == [0]
    assert most_served(Greed(ground_of(one)), 5, np.arange(1)) == [0]
    assert filtered(one, np.arange(1), 5).tolist() == [0]


def test_the_lazy_greed_is_plain_greed_at_two_thousand_rows():
    pool = whole(rows(2000, 384, seed=5))
    ground = ground_of(pool)
    assert len(ground.places) == 2000, "all are clients"
    wanted = plainly_served(pool, ground.places, ground.floor, 200)
    assert most_served(Greed(ground), 200, np.arange(2000)) == wanted
    assert len(wanted) == 200


def test_the_lazy_greed_with_weights_a_set_and_fewer_clients_is_plain_greed():
    pool, taken = whole(rows(1500, 64, seed=6)), whole(rows(60, 64, seed=7)).rows
    ground = ground_of(pool, pairs=1)
    assert len(ground.places) == 1000, "never fewer than can speak for a pool"
    may = np.arange(1500) % 4 > 0
    weights = np.arange(1500) % 7
    found = most_served(Greed(ground, taken), 80, np.flatnonzero(may), lambda row: float(weights[row]))
    assert found == plainly_served(pool, ground.places, ground.floor, 80, taken, may, weights)
    assert all(weights[found] > 0)


def test_what_is_served_enough_wants_no_more():
    pool, taken = whole(rows(500, seed=20, groups=40)), whole(rows(500, seed=20, groups=40)).rows[:5]
    ground = ground_of(pool)
    found = most_served(Greed(ground, taken, enough=ground.enough), 60, np.arange(500))
    assert found == plainly_served(pool, ground.places, ground.floor, 60, taken, enough=ground.enough)
    assert found != most_served(Greed(ground, taken), 60, np.arange(500))
    assert pool.cosine(ground.floor + ground.enough) == pytest.approx((1 + pool.cosine(ground.floor)) / 2, abs=1e-4)


def test_weights_that_fall_while_rows_are_taken_are_heeded():
    pool = whole(rows(400, seed=8))
    left = {0: 3, 1: 400}

    def took(row):
        left[row % 2] -= 1

    found = most_served(Greed(ground_of(pool)), 30, np.arange(400), lambda row: float(left[row % 2] > 0), took)
    assert sum(row % 2 == 0 for row in found) <= 3
    assert len(found) > 3


def test_what_counts_more_draws_more():
    pool = whole(rows(600, seed=9))
    ground = ground_of(pool)
    far = int(nearest(pool.rows, pool.rows[most_served(Greed(ground), 1, np.arange(600))]).argmin())
    importance = np.ones(600, dtype=np.int64)
    importance[far] = 10_000
    (first,) = most_served(Greed(ground, importance=importance.tolist()), 1, np.arange(600))
    assert pool.cosine(float(pool.rows[first] @ pool.rows[far])) > pool.cosine(ground.floor)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 1000), st.integers(1, 4))
def test_both_are_plain_greed_for_any_small_pool(count, picks, seed, copies):
    pool = whole(np.repeat(rows(count, 6, seed), copies, axis=0))
    wanted = min(picks, len(pool))
    assert farthest_first(pool, wanted, front=5).tolist() == plainly_farthest(pool, wanted)
    ground = ground_of(pool)
    plainly = plainly_served(pool, ground.places, ground.floor, wanted)
    assert most_served(Greed(ground), wanted, np.arange(len(pool))) == plainly


def test_how_products_are_cut_into_blocks_changes_nothing(monkeypatch):
    pool = whole(rows(700, seed=10))
    before = ground_of(pool)
    picks = farthest_first(pool, 50).tolist(), most_served(Greed(before), 50, np.arange(700))
    for module in (wholes, facility):
        monkeypatch.setattr(module, "blocks", lambda rows, _width: [(0, rows[:33]), (33, rows[33:])])
    after = ground_of(pool)
    assert (after.floor, after.above.tolist()) == (before.floor, before.above.tolist())
    assert (farthest_first(pool, 50, front=9).tolist(), most_served(Greed(after), 50, np.arange(700))) == picks


def test_one_pair_in_twenty_is_near_and_in_a_small_pool_more():
    pool = whole(rows(1000, dimensions=8, seed=11))
    products = pool.rows @ pool.rows.T
    share = (products[np.triu_indices(1000, 1)] > floor_of(pool)).mean()
    assert 0.04 < share <= 0.0501
    small = whole(rows(30, dimensions=4, seed=12))
    near = ((small.rows @ small.rows.T) > floor_of(small)).sum(axis=1) - 1
    assert 5 <= near.mean() <= 12


def test_what_is_near_is_so_in_any_pool():
    """A pool of copies is not without neighbours, and one of strangers has none."""
    copies = whole(np.repeat(rows(5, groups=5), 20, axis=0))
    assert copies.cosine(floor_of(copies)) == pytest.approx(0.8, abs=1e-4)
    assert len(most_served(Greed(ground_of(copies)), 100, np.arange(100))) == 5
    strangers = whole(np.eye(40, dtype=np.float32))
    assert strangers.cosine(floor_of(strangers)) == pytest.approx(0.3, abs=1e-4)


def test_places_are_strided_evenly():
    assert strided(10, 5).tolist() == [0, 2, 4, 6, 8]
    assert strided(3, 3).tolist() == [0, 1, 2]
    assert strided(0, 0).tolist() == []


def test_the_first_centre_is_the_middle_one():
    given = np.array([[1, 0], [0.9, 0.43589], [0.6, 0.8], [-1, 0]], dtype=np.float32)
    assert most_central(whole(given), np.ones(4, dtype=bool)) == 1
    assert most_central(whole(given), np.array([True, False, True, True])) == 2


def test_by_chance_knows_only_the_seed_and_the_names():
    names = [f"site/{number}" for number in range(100)]
    first = [names[place] for place in by_chance(names, 10, 1)]
    assert [names[::-1][place] for place in by_chance(names[::-1], 10, 1)] == first
    assert [names[place] for place in by_chance(names, 10, 2)] != first
    assert len(set(first)) == 10


def test_the_highest_come_first_and_what_has_none_last():
    assert highest_first([None, 3, 7, 3, 0]).tolist() == [2, 1, 3, 4, 0]


def test_deita_s_filter_passes_over_what_is_too_near_to_a_better_one():
    pool = whole(rows(900, 48, seed=13, groups=30))
    order = highest_first(np.random.default_rng(1).random(900).tolist())
    exact, bar = pool.rows.astype(np.float64), 0.6 * pool.one
    plainly = []
    for place in order.tolist():
        if len(plainly) < 120 and all(exact[place] @ exact[other] <= bar for other in plainly):
            plainly.append(place)
    found = filtered(pool, order, 120, too_near=0.6)
    assert found.tolist() == plainly
    assert len(plainly) < 120 or plainly != order[:120].tolist()


def test_coverage_reaches_farther_than_chance():
    """What the figures of docs/add-next.md say, in small."""
    pool = whole(rows(2000, 64, seed=14))
    chance = by_chance([str(number) for number in range(2000)], 100, 0)
    served = np.array(most_served(Greed(ground_of(pool)), 100, np.arange(2000)))
    spread = farthest_first(pool, 100)
    assert measured(pool, spread)[0] > measured(pool, chance)[0]
    assert measured(pool, served)[1] > measured(pool, chance)[1]
    assert isinstance(pool, Whole)
