"""The map's own parts: what is alike lies together, regions and their names, and a line means the same everywhere."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.selection.areas import NoLine, corners_of
from app.selection.atlas import clustering, grid, layout, naming, neighbours
from app.selection.map_models import FULL

SEED = 7


def go_on():
    """Nobody asks for a stop."""


def clouds(count: int, kinds: int = 4, dimensions: int = 48, seed: int = 1):
    """Unit rows around so many middles, and around which one each of them is."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(kinds, dimensions))
    kind = np.arange(count) % kinds
    rows = middles[kind] + 0.6 * rng.normal(size=(count, dimensions))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), kind


def test_neighbours_are_exact_and_of_equal_ones_the_first_comes_first(monkeypatch):
    rows, _ = clouds(300)
    rows[7] = rows[3]
    monkeypatch.setattr(neighbours, "CELLS", 64 * 300)  # several blocks
    found, cosines = neighbours.nearest(rows, rows, 5)
    products = rows @ rows.T
    wanted = [sorted(range(300), key=lambda other, row=row: (-products[row, other], other))[:5] for row in range(300)]
    assert [set(one) for one in found.tolist()] == [set(one) for one in wanted]
    assert found[7].tolist()[:2] == found[3].tolist()[:2] == [3, 7]
    assert np.allclose(cosines, np.take_along_axis(products, found, axis=1), atol=1e-6)
    assert np.allclose(neighbours.highest_cosines(rows[:9], rows[9:]), products[:9, 9:].max(axis=1), atol=1e-6)
    assert neighbours.highest_cosines(rows, rows[:0]).tolist() == [0.0] * 300


def test_principal_components_are_those_of_the_covariance_and_have_one_sign():
    rows, _ = clouds(200)
    places = layout.principal(rows)
    spread = np.linalg.eigvalsh(np.cov(rows.T, bias=True))[::-1][:2]
    assert np.allclose(places.var(axis=0), spread, rtol=1e-3)
    assert (layout.principal(rows.copy()) == places).all()
    assert layout.principal(rows[:1]).tolist() == [[0.0, 0.0]]


@pytest.fixture(scope="module")
def laid_out():
    rows, kind = clouds(240)
    first = layout.principal(rows)
    return rows, kind, layout.neighbourly(rows, first, SEED, go_on)


def test_umap_keeps_neighbours_and_is_the_same_each_time(laid_out):
    rows, kind, places = laid_out
    off = np.linalg.norm(places[:, None] - places[None], axis=2)
    near = np.argsort(off, axis=1)[:, 1:11]
    assert (kind[near] == kind[:, None]).mean() > 0.95
    assert (layout.neighbourly(rows, layout.principal(rows), SEED, go_on) == places).all()


def test_what_comes_later_lies_among_its_like_and_its_place_hangs_on_no_other_newcomer(laid_out):
    rows, kind, places = laid_out
    more, more_kind = clouds(280)
    more, more_kind = more[240:], more_kind[240:]
    before = places.copy()
    placed = layout.placed(more, rows, places, SEED, go_on)
    assert (places == before).all(), "what is there stays where it is"
    off = np.linalg.norm(placed[:, None] - places[None], axis=2)
    near = np.argsort(off, axis=1)[:, :5]
    assert (kind[near] == more_kind[:, None]).mean() > 0.9
    alone = layout.placed(more[3:4], rows, places, SEED, go_on)
    assert np.linalg.norm(alone[0] - placed[3]) < np.ptp(places) * 0.1


def test_islands_move_together_and_nothing_changes_sides():
    rng = np.random.default_rng(2)
    places = np.concatenate([rng.normal(size=(50, 2)), rng.normal(size=(50, 2)) + 60]).astype(np.float32)
    even = layout.evened(places)
    for axis in range(2):
        assert (np.argsort(even[:, axis], kind="stable") == np.argsort(places[:, axis], kind="stable")).all()
        gap = even[50:, axis].min() - even[:50, axis].max()
        assert gap < 0.7 * (places[50:, axis].min() - places[:50, axis].max())


def test_a_grid_gives_places_back_to_the_hair():
    places = np.random.default_rng(4).normal(size=(500, 2)).astype(np.float32)
    frame = layout.frame_of(places)
    cells = grid.on_grid(places, frame)
    assert cells.min() > 0
    assert cells.max() < FULL
    assert np.abs(grid.off_grid(cells, frame) - places).max() < np.ptp(places) / FULL
    outside = grid.on_grid(np.array([[1e6, -1e6]], dtype=np.float32), frame)
    assert outside.tolist() == [[FULL, 0]]


def test_regions_are_the_clouds_and_the_largest_is_the_first():
    rows, kind = clouds(400)
    rows, kind = rows[kind != 3], kind[kind != 3]
    rows, kind = np.concatenate([rows, rows[kind == 2]]), np.concatenate([kind, kind[kind == 2]])
    centres = clustering.divided(rows, 3, SEED, go_on)
    centres, held = clustering.by_size(centres, clustering.belonging(rows, centres)[0])
    assert (held == np.where(kind == 2, 0, held)).all()
    assert len({(one, other) for one, other in zip(kind.tolist(), held.tolist(), strict=True)}) == 3
    assert np.allclose(np.linalg.norm(centres, axis=1), 1, atol=1e-5)
    assert (clustering.divided(rows, 3, SEED, go_on) == clustering.divided(rows, 3, SEED, go_on)).all()


def test_rows_that_are_all_the_same_make_regions_without_a_crash():
    rows = np.ones((40, 4), dtype=np.float32) / 2
    found = clustering.divided(rows, 3, SEED, go_on)
    centres, held = clustering.by_size(found, clustering.belonging(rows, found)[0])
    assert len(centres) == 1
    assert set(held.tolist()) == {0}


@pytest.mark.parametrize(("rows", "regions"), [(1, 1), (23, 1), (24, 2), (1000, 9), (100_000, 12)])
def test_a_pool_has_as_many_regions_as_a_table_reads(rows, regions):
    assert clustering.how_many(rows) == regions


def test_regions_are_called_by_words_that_are_theirs():
    bread = ["How do I bake bread?", "Why is my bread dough flat?", "Bake sourdough bread at home", "Dough for bread"]
    code = [
        "Reverse a list in Python",
        "Python list index error",
        "Why does Python copy a list?",
        "Error in Python code",
    ]
    titles = [(title, 0) for title in bread] + [(title, 1) for title in code]
    named = naming.names(titles, 2)
    assert named[0].startswith("Bread")
    assert "Python" in named[1]
    assert not {"how", "why", "the"} & {word.lower() for name in named for word in name.replace(",", "").split()}
    shuffled = random.Random(3).sample(titles, len(titles))
    assert naming.names(shuffled, 2) == named


def test_names_are_never_the_same_and_one_without_words_has_a_number():
    same = [("Coffee beans", 0), ("Coffee beans", 1), ("Coffee beans", 0), ("Coffee beans", 1), ("??", 2)]
    named = naming.names(same, 3)
    assert len(set(named)) == 3
    assert named[2] == "Region 3"


def test_plurals_count_as_one_word_and_other_scripts_are_words():
    named = naming.names([("Roses", 0), ("Rose", 0), ("Roses in May", 0), ("咖啡 豆子", 1), ("咖啡 机器", 1)], 2)
    assert named[0] == "Roses"
    assert named[1]


@pytest.mark.parametrize("words", ["", "1.2", "1.2-3.4", "1.2-3.4-5", "1.2-3.4-99999.1", "a.b-c.d-e.f", "-1.2-3.4-5.6"])
def test_what_is_no_line_is_refused(words):
    with pytest.raises(NoLine):
        corners_of(words)


@given(st.lists(st.tuples(st.integers(0, FULL), st.integers(0, FULL)), min_size=3, max_size=64))
def test_a_line_is_read_as_it_was_written(corners):
    assert corners_of("-".join(f"{x}.{y}" for x, y in corners)) == corners
