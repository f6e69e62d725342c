"""Run folders: filled once, read safely."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.runs.folders import cap, fill, last_words, tail, visible
from training.spec import RunFolder, spec_from

SPEC = spec_from("smoke", {}, base_model="/somewhere")


def row(number: int, split: str, answer: str | None = "Yes.") -> dict[str, Any]:
    said = [{"role": "user", "content": f"Is it {number}?\u2028"}]
    said += [{"role": "assistant", "content": answer}] if answer else []
    return {"id": str(number), "split": split, "messages": said}


def ids(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().split("\n") if line]


def test_splits_go_where_they_belong(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    rows = [row(1, "train"), row(2, "dev"), row(3, "dev", None), row(4, "test"), row(5, "train")]
    fill(folder, SPEC, rows)
    assert ids(folder.train) == ["1", "5"]
    assert ids(folder.dev) == ["2"], "a dev prompt without an answer has no loss; a test row is never seen"
    assert folder.spec.read_text() == SPEC.to_json()
    assert sorted(path.name for path in folder.train.parent.iterdir()) == ["dev.jsonl", "train.jsonl"]


def test_a_whole_folder_is_left_alone(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    fill(folder, SPEC, [row(1, "train")])
    fill(folder, SPEC, [row(2, "train")])
    assert ids(folder.train) == ["1"]
    assert not folder.dev.exists()


def test_half_a_folder_is_filled_again(tmp_path: Path) -> None:
    """The worker died while it wrote the rows."""
    folder = RunFolder(tmp_path / "run")

    def breaks() -> Iterator[dict[str, Any]]:
        yield row(1, "train")
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        fill(folder, SPEC, breaks())
    assert not folder.spec.exists()
    fill(folder, SPEC, [row(1, "train"), row(2, "train")])
    assert ids(folder.train) == ["1", "2"]


def test_the_end_of_a_log_has_whole_lines(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    assert tail(log) == last_words(log) == ""
    log.write_text("".join(f"line {number}\n" for number in range(10_000)))
    end = tail(log, 100)
    assert end.startswith("line 99")
    assert end.endswith("line 9999\n")
    assert last_words(log) == "line 9999"
    log.write_bytes(b"x" * 1_000_000 + b"\xff\xfe")
    assert len(tail(log, 100)) <= 100


def test_control_characters_are_shown_by_their_codes() -> None:
    assert visible("a\x1b[31mb\x00\u202ec\td\r\ne\u2066") == "a\\x1b[31mb\\x00\\u202ec\td\ne\\u2066"
    assert visible("Grüße, 🍜") == "Grüße, 🍜"


def test_a76_a_log_is_cut_to_its_end_and_written_on(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"a" * 900 + b"\nthe end\n")
        cap(log, limit=1000, kept=20)
        assert log.stat().st_size == 909, "not too long yet"
        writer.write(b"b" * 200 + b"\n")
        cap(log, limit=1000, kept=20)
        writer.write(b"more\n")
    assert log.read_bytes() == b"(earlier lines were cut off, the log was too long)\n" + b"b" * 19 + b"\nmore\n"
