"""The peak of a piece of work is its own, whatever the process had loaded before."""

import mmap
import resource

import pytest

from app.jobs import memory

LARGE = 300 << 20


@pytest.fixture
def earlier():
    """Memory that was taken and given back before the work begins."""
    with mmap.mmap(-1, LARGE) as pages:
        for at in range(0, LARGE, mmap.PAGESIZE):
            pages[at] = 1
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_what_was_taken_before_does_not_count(earlier):
    peak = memory.Peak()
    if not peak.own:
        pytest.skip("this system does not tell the peak of a piece of work")
    assert 1 < peak.mb() < earlier - 200


def test_where_it_cannot_be_told_it_is_said_to_be_the_process_s(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_FORGET", tmp_path / "none" / "clear_refs")
    peak = memory.Peak()
    assert not peak.own
    assert peak.mb() > 1
    assert peak.grown_mb() is None
    assert peak.document() == {"peak_rss_mb": peak.mb(), "peak_of_process": True}


def test_what_the_process_holds_is_no_growth():
    held = bytearray(LARGE)
    peak = memory.Peak()
    if not peak.own:
        pytest.skip("this system does not tell the peak of a piece of work")
    taken = bytearray(LARGE // 3)
    assert 90 < peak.grown_mb() < 150
    assert peak.mb() > (len(held) + len(taken)) / (1 << 20)
    assert set(peak.document()) == {"peak_rss_mb", "grown_mb"}


def test_what_earlier_work_freed_is_growth_when_it_is_taken_again():
    pieces = [bytes(2000) for _ in range(60_000)]
    del pieces
    peak = memory.Peak()
    if not peak.own:
        pytest.skip("this system does not tell the peak of a piece of work")
    again = [bytes(2000) for _ in range(60_000)]
    assert peak.grown_mb() > 90, len(again)
