"""Readers of the run folder never meet half a file."""

import json
import os
from pathlib import Path

import pytest

from training.folder import boot_id, checkpoint_problem, sha256_of, started_at
from training.spec import RunFolder, clear_stop, read_progress, read_result, request_stop, trainer_process
from training.spec import whole_checkpoints as whole


def mark(path: Path, step: int, content: bytes = b"weights") -> Path:
    """A whole checkpoint of one file."""
    path.mkdir(parents=True)
    weights = path / "model.safetensors"
    weights.write_bytes(content)
    files = {"model.safetensors": {"bytes": len(content), "sha256": sha256_of(weights)}}
    manifest = {"epoch": 1, "step": step, "resumable": True, "files": files}
    (path / "COMPLETE").write_text(json.dumps(manifest))
    return path


def test_progress_is_read_on_from_an_offset(tmp_path: Path) -> None:
    file = tmp_path / "progress.jsonl"
    file.write_text('{"step": 1}\n{"step": 2}\n{"st')
    first = read_progress(tmp_path)
    assert [step["step"] for step in first.steps] == [1, 2]
    file.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n')
    second = read_progress(tmp_path, first.offset)
    assert ([step["step"] for step in second.steps], second.restarted) == ([3], False)
    assert read_progress(tmp_path, second.offset).steps == []


@pytest.mark.parametrize("offset", [5, 500])
def test_progress_that_was_cut_back_is_read_from_its_start(tmp_path: Path, offset: int) -> None:
    (tmp_path / "progress.jsonl").write_text('{"step": 1}\n')
    progress = read_progress(tmp_path, offset)
    assert (progress.steps, progress.restarted) == ([{"step": 1}], True)


def test_a_folder_without_progress_or_result(tmp_path: Path) -> None:
    assert read_progress(tmp_path).steps == []
    assert read_result(tmp_path) is None
    assert whole(tmp_path) == []
    assert trainer_process(tmp_path) is None


def test_whole_checkpoints_come_in_order_of_steps(tmp_path: Path) -> None:
    for step, name in ((20, "epoch-10"), (4, "epoch-02"), (5, "step-000005")):
        mark(tmp_path / "checkpoints" / name, step)
    assert [(one.name, one.at_epoch_end) for one in whole(tmp_path)] == [
        ("epoch-02", True),
        ("step-000005", False),
        ("epoch-10", True),
    ]


def test_half_written_checkpoints_are_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    mark(folder / "epoch-01", 1)
    (mark(folder / "epoch-02", 2) / "COMPLETE").unlink()
    (mark(folder / "epoch-03", 3) / "model.safetensors").write_bytes(b"wei")
    (mark(folder / "epoch-04", 4) / "COMPLETE").write_text('{"epoch": 4, "st')
    mark(folder / ".epoch-05.part", 5)
    assert [one.name for one in whole(tmp_path)] == ["epoch-01"]


def test_one_changed_byte_is_found_and_its_file_named(tmp_path: Path) -> None:
    path = mark(tmp_path / "epoch-01", 1)
    assert checkpoint_problem(path) is None
    (path / "model.safetensors").write_bytes(b"weightz")
    assert checkpoint_problem(path) == ("Checkpoint epoch-01 is damaged: model.safetensors differs from its manifest.")


def test_stop_can_be_asked_for_and_taken_back(tmp_path: Path) -> None:
    request_stop(tmp_path)
    assert RunFolder(tmp_path).stop.exists()
    clear_stop(tmp_path)
    clear_stop(tmp_path)
    assert not RunFolder(tmp_path).stop.exists()


def test_a_reused_pid_is_not_taken_for_the_trainer(tmp_path: Path) -> None:
    pid = os.getpid()
    noted = {"pid": pid, "started": started_at(pid), "boot_id": boot_id()}
    file = RunFolder(tmp_path).process
    file.write_text(json.dumps(noted))
    assert trainer_process(tmp_path) == pid
    file.write_text(json.dumps({**noted, "started": 1}))
    assert trainer_process(tmp_path) is None
    file.write_text(json.dumps({**noted, "boot_id": "another"}))
    assert trainer_process(tmp_path) is None
