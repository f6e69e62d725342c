"""Each example has one cell, at a place of its own."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.cells import SMALL, Cell, CellSource, draw_cells, rows_for

LIMA = [("STEM", 200), ("Other", 200), ("wikiHow", 200), ("Stories", 150), ("Tasks", 50), ("Authors", 200)]


def source(title: str, target: int, *statuses: str, number: int = 1) -> CellSource:
    return CellSource(title, number, target, [Cell(status, f"/{status}", status) for status in statuses])


def test_the_lima_target_gives_blocks_of_whole_columns() -> None:
    picture = draw_cells([source(title, target) for title, target in LIMA])
    assert (picture.width, picture.height) == (796, 471)
    assert [block.x for block in picture.blocks] == [0, 160, 320, 480, 602, 648]
    assert [len({cell.x for cell in block.cells}) for block in picture.blocks] == [8, 8, 8, 6, 2, 8]


def test_a_name_is_left_out_where_it_would_run_into_the_next() -> None:
    blocks = draw_cells([source("STEM", 20), source("Other", 17), source("Our own authors", 23)]).blocks
    assert [block.named for block in blocks] == [False, True, True]
    assert all(block.named for block in draw_cells([source(title, target) for title, target in LIMA]).blocks)


def test_a_block_fills_from_its_foot_upwards_by_status() -> None:
    [block] = draw_cells([source("All", 200, "draft", "approved", "review")]).blocks
    assert [cell.status for cell in block.cells[:4]] == ["approved", "review", "draft", "none"]
    assert block.cells[0].y == max(cell.y for cell in block.cells)
    assert block.done == 1


def test_empty_cells_lead_nowhere_and_the_others_to_their_example() -> None:
    [block] = draw_cells([source("All", 2, "draft")]).blocks
    assert [cell.url for cell in block.cells] == ["/draft", None]


def test_a_source_without_target_and_examples_takes_no_place() -> None:
    assert draw_cells([source("Nothing", 0)]).blocks == ()


def test_a_source_with_more_than_its_target_shows_all_it_has() -> None:
    [block] = draw_cells([source("All", 1, "approved", "approved", "draft")]).blocks
    assert (len(block.cells), block.done, block.target) == (3, 2, 1)


@pytest.mark.parametrize(("total", "rows"), [(1000, 25), (10, 5), (60, 7), (3000, 44)])
def test_the_picture_stays_near_forty_to_twenty_five(total: int, rows: int) -> None:
    assert rows_for(total) == rows


@given(st.lists(st.tuples(st.integers(0, 120), st.integers(0, 60)), min_size=1, max_size=8))
def test_no_two_cells_stand_at_one_place(sizes: list[tuple[int, int]]) -> None:
    picture = draw_cells([source("S", target, *["draft"] * have) for target, have in sizes])
    places = [(cell.x, cell.y) for block in picture.blocks for cell in block.cells]
    assert len(places) == len(set(places)) == sum(max(size) for size in sizes)
    assert all(0 <= x <= picture.width - 15 and 0 <= y <= picture.height - 15 for x, y in places)


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 40), st.integers(0, 20)), min_size=1, max_size=8))
def test_in_small_each_cell_is_a_dash_of_the_strength_of_its_filling(sizes: list[tuple[int, int, int]]) -> None:
    sources = [source("S", target, *["approved"] * full, *["draft"] * begun) for target, full, begun in sizes]
    picture, dashes = draw_cells(sources), Counter[float]()
    for block in picture.small.blocks:
        for strength, path in block.paths:
            dashes[strength] += sum((int(line) + 1) // SMALL for line in re.findall(r"v(\d+)", path))
    cells = Counter(cell.status for block in picture.blocks for cell in block.cells)
    assert (dashes[1.0], dashes[0.45], dashes[0.22]) == (cells["approved"], cells["draft"], cells["none"])
    assert picture.small.height * 19 >= picture.height * 5
