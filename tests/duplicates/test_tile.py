"""A tile finds exactly the pairs that its numbers have, whatever they are, and the numbers lose no pair."""

import os
import subprocess
import sys
import textwrap
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.duplicates.engine.coding import Coded, in_bytes, in_floats, in_quads, in_question, lost_in_bytes, rounded
from app.duplicates.engine.forms import Form, form_here, form_of
from app.duplicates.engine.shortening import ROUNDING, main_axes, shortened
from tests.duplicates.rows import FORMS, brute, unit_rows

COMPILED = [form for form in FORMS if form is not Form.BLOCKS]
pytestmark = pytest.mark.skipif(not COMPILED, reason="this processor compares blocks")
if COMPILED:
    from app.duplicates.engine import tile
    from app.duplicates.engine.tile import RowTiles


def coded(short, threshold, form):
    return {Form.QUADS: in_quads, Form.BYTES: in_bytes, Form.FLOATS: in_floats}[form](short, threshold)


def pairs(tiles, *limits):
    left, right = tiles.near(*limits)
    return list(zip(left.tolist(), right.tolist(), strict=True))


def short_rows(count, width, seed=0):
    rows = unit_rows(count, 96, seed)
    return shortened(rows, main_axes(rows), width)


def signed(rows):
    """The 8-bit integers of coded rows, (n, columns)."""
    return rows.words(rows.atoms).astype(np.uint16).view(np.int8).astype(np.int64)


def spread(rows, seed):
    """Rows with their weight in few places, and their opposites: what sums and integers may overflow with."""
    random = np.random.default_rng(seed)
    rows = rows**3
    third = len(rows) // 3
    rows[: 3 * third : 3] = -rows[1 : 3 * third : 3]
    rows[::5] = 0
    rows[::5, random.integers(rows.shape[1])] = random.choice([-1, 1])
    return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)


@pytest.mark.skipif(Form.BYTES not in FORMS, reason="this processor has no AVX2")
@settings(max_examples=40, deadline=None)
@given(st.integers(4, 140), st.integers(1, 24), st.floats(0.05, 1), st.integers(0, 2**32 - 1), st.booleans())
def test_bytes_have_the_sums_of_whole_numbers(count, half, threshold, seed, sharp):
    """No sum of two products is cut at the end of 16 bits: all hits are those that wrapped sums of integers have."""
    width = 2 * half + 2
    rows = short_rows(count, width, seed)
    rows = spread(rows, seed) if sharp else rows
    codes = in_bytes(rows, threshold)
    numbers = signed(codes)
    starts = codes.starts.astype(np.int64) + codes.offset * numbers.sum(axis=1)
    sums = (numbers @ numbers.T + starts[:, None]).astype(np.int16)
    expected = sorted(zip(*(side.tolist() for side in np.nonzero(np.triu(sums > 0, 1))), strict=True))
    tiles = RowTiles(codes, in_question(None, count, threshold))
    assert sorted(pairs(tiles, 0, count, 0, count)) == expected
    # What reaches the threshold does so in integers as well, and none of those wraps to below nothing.
    assert brute(rows, threshold) <= set(expected)


@pytest.mark.skipif(Form.QUADS not in FORMS, reason="this processor has no VNNI")
@settings(max_examples=40, deadline=None)
@given(st.integers(4, 140), st.integers(2, 50), st.floats(0.05, 1), st.integers(0, 2**32 - 1), st.booleans())
def test_fours_of_bytes_have_the_sums_of_whole_numbers(count, width, threshold, seed, sharp):
    rows = short_rows(count, width, seed)
    rows = spread(rows, seed) if sharp else rows
    codes = in_quads(rows, threshold)
    numbers = codes.words(codes.atoms).view(np.int8).astype(np.int64)
    sums = numbers @ numbers.T + codes.starts[:, None] + codes.offset * numbers.sum(axis=1)[:, None]
    expected = sorted(zip(*(side.tolist() for side in np.nonzero(np.triu(sums > 0, 1))), strict=True))
    tiles = RowTiles(codes, in_question(None, count, threshold))
    assert sorted(pairs(tiles, 0, count, 0, count)) == expected
    assert brute(rows, threshold) <= set(expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 80), st.integers(2, 40), st.floats(0.02, 1), st.integers(0, 2**32 - 1), st.booleans())
def test_rounded_products_lose_no_more_than_is_said(count, width, threshold, seed, sharp):
    rows = short_rows(count, width, seed)
    rows = spread(rows, seed) if sharp else rows
    scale = 127 / float(np.abs(rows).max())
    codes, lost = rounded(rows, scale)
    whole = codes.astype(np.float64) / scale
    assert np.abs(whole @ whole.T - rows.astype(np.float64) @ rows.T).max() <= lost
    assert lost < 1.5
    if width % 2 == 0:
        assert lost_in_bytes(rows, threshold) >= ROUNDING


@pytest.mark.parametrize("form", COMPILED)
def test_hits_are_asked_about_longer_rows(form):
    rows = unit_rows(300, 96)
    axes = main_axes(rows)
    short, longer = shortened(rows, axes, 8), shortened(rows, axes, 64)
    alone = set(pairs(RowTiles(coded(short, 0.8, form), in_question(None, 300, 0.8)), 0, 300, 0, 300))
    asked = set(pairs(RowTiles(coded(short, 0.8, form), in_question(longer, 300, 0.8)), 0, 300, 0, 300))
    assert brute(rows, 0.8) <= asked < alone
    assert len(asked) < len(alone) / 4


@pytest.mark.parametrize("form", COMPILED)
@pytest.mark.parametrize("count", [1, 63, 64, 65, 257])
def test_a_piece_has_its_own_pairs_and_no_others(form, count):
    short = short_rows(count, 12)
    tiles = RowTiles(coded(short, 0.5, form), in_question(None, count, 0.5))
    whole = sorted(pairs(tiles, 0, count, 0, count))
    cuts = [*range(0, count, 64), count]
    by_pieces = [
        pair
        for row, rows in pairwise(cuts)
        for column, columns in pairwise(cuts)
        if column >= row
        for pair in pairs(tiles, row, rows, column, columns)
    ]
    assert sorted(by_pieces) == whole
    assert count < 64 or len(whole) > 10


@pytest.mark.parametrize("form", COMPILED)
def test_more_pairs_than_there_was_room_for_are_all_there(form, monkeypatch):
    short = shortened(np.repeat(unit_rows(1), 130, axis=0), main_axes(unit_rows(50)), 16)
    tiles = RowTiles(coded(short, 0.99, form), in_question(None, 130, 0.99))
    monkeypatch.setattr(tile, "FIRST_ROOM", 7)
    assert len(set(pairs(tiles, 0, 130, 0, 130))) == 130 * 129 // 2


@pytest.mark.parametrize("form", COMPILED)
def test_rows_of_a_mapped_file_will_do(form, tmp_path):
    rows = unit_rows(300, 96)
    np.save(tmp_path / "rows.npy", rows)
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    short = shortened(mapped, main_axes(mapped), 24)
    found = pairs(RowTiles(coded(short, 0.8, form), in_question(None, 300, 0.8)), 0, 300, 0, 300)
    assert brute(rows, 0.8) <= set(found)


@pytest.mark.parametrize("threshold", [0.06, 0.3, 1.0])
def test_a_hit_never_wraps_to_below_nothing(threshold):
    """Rows that are all alike have the highest sums that there are."""
    short = np.repeat(unit_rows(1, 24), 70, axis=0)
    assert (in_bytes(short, threshold).starts < 0).any() or threshold < 0.1
    for form in COMPILED:
        found = pairs(RowTiles(coded(short, threshold, form), in_question(None, 70, threshold)), 0, 70, 0, 70)
        assert len(found) == 70 * 69 // 2


def test_floats_are_taken_as_they_are():
    short = short_rows(10, 6)
    taken = in_floats(short, 0.9)
    assert isinstance(taken, Coded)
    assert np.array_equal(taken.words(taken.atoms).view(np.float32), short)


def test_the_form_hangs_on_what_the_compiler_says_of_the_processor():
    assert form_of("x86_64-unknown-linux-gnu", ["+avx2", "+avx512vnni"]) is Form.QUADS
    assert form_of("x86_64-unknown-linux-gnu", ["+avx2", "+fma"]) is Form.BYTES
    assert form_of("x86_64-unknown-linux-gnu", ["-avx2", "+fma"]) is Form.FLOATS
    assert form_of("aarch64-unknown-linux-gnu", [""]) is Form.FLOATS
    assert form_of("x86_64-unknown-linux-gnu", [""]) is Form.BLOCKS
    assert form_here() is form_here()


def fresh(code, **environment):
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, **environment},
    )  # fmt: skip
    return done.stdout.split()


def test_few_rows_load_no_compiler_and_a_plain_processor_is_served_by_blocks():
    code = """
        import sys
        import numpy as np
        from app.duplicates.engine.forms import form_here
        from app.duplicates.matching import pairs_at_least
        twice = np.eye(300, dtype=np.float32).repeat(2, 0)
        print(len(pairs_at_least(twice, 0.8)), "numba" in sys.modules, form_here().value)
    """
    assert fresh(code, NUMBA_CPU_NAME="generic") == ["300", "False", "blocks"]


def test_where_nothing_can_be_written_it_is_compiled_anew():
    code = """
        import numpy as np
        from numba.core import caching
        caching.CacheImpl._locator_classes = []
        from app.duplicates.engine import tile
        from app.duplicates.engine.coding import in_floats, in_question
        rows = np.eye(64, dtype=np.float32).repeat(2, 0)
        tiles = tile.RowTiles(in_floats(rows, 0.9), in_question(None, 128, 0.9))
        print(len(tiles.near(0, 128, 0, 128)[0]), tile._sweep.stats.cache_path)
    """
    assert fresh(code) == ["64", "None"]
