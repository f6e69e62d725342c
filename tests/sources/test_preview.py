"""Counting before the import: all records of a file, or a sample of a large one."""

import json

import pytest

from app import sample
from app.sources import preview as previews
from app.sources.preview import preview
from app.sources.readers.base import ReadOptions
from app.sources.records import BadInput
from app.sources.rulesets import LIMA, NONE, ruleset_from
from tests.sources.rooms import SITE

EXPECTED = json.loads(sample.expected_file().read_text("utf-8"))["dump"]


def looked_at(path, format="lima", rules=NONE, site=None):
    return preview(path, format, rules, ReadOptions(site=site))


def test_all_of_a_small_dump_is_counted():
    found = looked_at(sample.dump_folder(), "stackexchange", LIMA, SITE)
    assert (found.records, found.kept, found.is_sample) == (
        EXPECTED["answers"],
        len(EXPECTED["final_answer_ids"]),
        False,
    )
    assert len(found.first) == previews.SHOWN
    assert [decision.kept for _, decision in found.first] == [True] * 15 + [False] * 5
    assert found.licences == {"CC BY-SA 2.5", "CC BY-SA 3.0", "CC BY-SA 4.0"}


def pairs(count):
    return "".join(json.dumps({"conversations": [f"{n}", "r" * (9 if n % 2 else 90)]}) + "\n" for n in range(count))


@pytest.mark.parametrize(("dropped", "shown"), [(0, [True] * 20), (2, [True] * 18 + [False] * 2)])
def test_where_little_is_dropped_kept_records_fill_the_list(tmp_path, dropped, shown):
    path = tmp_path / "x.jsonl"
    rows = [{"conversations": [f"{n}", "r" * (90 if n < 40 else 9)]} for n in range(40 + dropped)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    rules = ruleset_from({"rules": {"length": {"on": True, "minimum": 50, "maximum": 4096}}})
    assert [decision.kept for _, decision in looked_at(path, rules=rules).first] == shown


@pytest.fixture
def low(monkeypatch):
    monkeypatch.setattr(previews, "COUNTED", 40_000)


def test_of_a_large_dump_the_beginning_is_the_sample(low):
    found = looked_at(sample.dump_folder(), "stackexchange", LIMA, SITE)
    assert found.is_sample
    assert 0 < found.records < EXPECTED["answers"]
    assert 40_000 <= found.share * (sample.dump_folder() / "Posts.xml").stat().st_size < 40_000 + (1 << 16)


def test_of_a_large_file_of_lines_too(low, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps({"conversations": [f"{n}", "r" * 90]}) + "\n" for n in range(1000)))
    found = looked_at(path)
    assert 300 < found.records < 400
    assert round(found.records / found.share) == pytest.approx(1000, rel=0.02)


def test_of_a_long_array_too(low, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(json.dumps([{"conversations": [f"{n}", "r" * 90]} for n in range(1000)]))
    found = looked_at(path)
    assert 300 < found.records < 1000
    assert round(found.records / found.share) == pytest.approx(1000, rel=0.02)


def test_a_line_longer_than_the_sample_is_read_whole(low, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text((json.dumps({"conversations": ["p", "r" * 90_000]}) + "\n") * 2)
    assert looked_at(path).records == 1


def test_a_fault_of_the_file_is_said(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"conversations": ["a", "b"]}\n{broken\n')
    found = looked_at(path)
    assert "line 2" in found.refusal.message
    assert ([record.prompt for record, _ in found.first], found.bad_total) == (["a"], 1)
    path.write_text("{broken\n")
    with pytest.raises(BadInput, match="Line 1"):
        looked_at(path, format="auto")
