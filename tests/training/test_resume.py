"""A run that was stopped or killed goes on as if nothing had happened, bit by bit."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.conftest import losses, pair, result, steps, train
from training.folder import COMPLETE, RunFolder, trainer_process
from training.spec import clear_stop, spec_from, whole_checkpoints

MakeRun = Callable[..., RunFolder]
ROWS = [pair(number) for number in range(12)]
DROPOUT = {"residual_dropout": "0.3"}


def start(folder: RunFolder) -> subprocess.Popen[bytes]:
    """`python -m training.sft` with its words in log.txt, as the job runner starts it."""
    with folder.log.open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "training.sft", str(folder.path)], stdout=log, stderr=log)


def wait_for(truth: Callable[[], bool], trainer: subprocess.Popen[bytes], seconds: float = 120) -> None:
    """Until something is so; the trainer must not end before."""
    end = time.monotonic() + seconds
    while not truth():
        assert trainer.poll() is None, "the trainer ended too early"
        assert time.monotonic() < end, "the trainer is too slow"
        time.sleep(0.005)


def reached(folder: RunFolder, step: int) -> bool:
    """Whether progress.jsonl has a whole line of that step."""
    return folder.progress.exists() and folder.progress.read_bytes().count(b"\n") >= step


def weights(folder: RunFolder) -> list[tuple[str, str]]:
    """Name and hash of every checkpoint's weights."""
    return [(one.name, one.sha256) for one in whole_checkpoints(folder.path)]


def test_killed_in_the_middle_and_resumed_equals_unbroken(make_run: MakeRun) -> None:
    unbroken = make_run("unbroken", ROWS, epochs="10", **DROPOUT)
    assert train(unbroken) == 0
    broken = make_run("broken", ROWS, epochs="10", **DROPOUT)
    trainer = start(broken)
    wait_for(lambda: reached(broken, 8), trainer)
    assert trainer_process(broken.path) == trainer.pid
    trainer.kill()
    assert trainer.wait() == -signal.SIGKILL
    assert not broken.result.exists()
    assert trainer_process(broken.path) is None
    resumed_after = whole_checkpoints(broken.path)[-1].step
    assert 6 <= resumed_after < 30

    again = start(broken)
    assert again.wait(timeout=120) == 0
    assert [line["step"] for line in steps(broken)] == list(range(1, 31))
    assert losses(broken) == losses(unbroken)
    assert weights(broken) == weights(unbroken)
    told, whole = result(broken), result(unbroken)
    assert told["checkpoints"] == whole["checkpoints"]
    assert (told["first_loss"], told["last_loss"], told["steps"]) == (whole["first_loss"], whole["last_loss"], 30)
    assert f"Steps {resumed_after + 1} to 30" in broken.log.read_text()
    # Standard output is log.txt here: each line stands once.
    assert broken.log.read_text().count("Saved checkpoint epoch-10.") == 1


class StopAfter:
    """Asks to stop once so many steps are done."""

    def __init__(self, folder: RunFolder, step: int) -> None:
        self.folder, self.step = folder, step

    def __bool__(self) -> bool:
        return reached(self.folder, self.step)


def stop_after(folder: RunFolder, step: int) -> int:
    """Train in this process until a step, as if the flag had come then."""
    from training.sft import train_folder

    return train_folder(folder, StopAfter(folder, step))  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [1, 3, 4])
def test_stopped_in_an_epoch_or_at_its_end_and_resumed_equals_unbroken(make_run: MakeRun, step: int) -> None:
    unbroken = make_run("unbroken", ROWS, epochs="3", **DROPOUT)
    train(unbroken)
    broken = make_run("broken", ROWS, epochs="3", **DROPOUT)
    assert stop_after(broken, step) == 3
    told = result(broken)
    assert (told["state"], told["steps"], told["total_steps"]) == ("stopped", step, 9)
    name = "epoch-01" if step == 3 else f"step-{step:06d}"
    assert told["checkpoints"][-1]["path"] == f"checkpoints/{name}"
    assert told["checkpoints"][-1]["epoch"] == step // 3
    assert train(broken) == 0
    assert losses(broken) == losses(unbroken)
    assert weights(broken) == weights(unbroken)


@pytest.mark.parametrize("how", ["flag", "signal"])
def test_a_stop_saves_at_the_next_step(make_run: MakeRun, how: str) -> None:
    folder = make_run("run", ROWS, epochs="900", batch_size="3")
    trainer = start(folder)
    wait_for(lambda: reached(folder, 2), trainer)
    folder.stop.touch() if how == "flag" else trainer.send_signal(signal.SIGTERM)
    assert trainer.wait(timeout=60) == 3
    told = result(folder)
    assert (told["state"], told["total_steps"]) == ("stopped", 3600)
    assert told["checkpoints"][-1]["step"] == told["steps"] == len(steps(folder)) < 3600
    clear_stop(folder.path)


def test_a_half_written_checkpoint_is_passed_over(make_run: MakeRun) -> None:
    unbroken = make_run("unbroken", ROWS, epochs="3")
    train(unbroken)
    broken = make_run("broken", ROWS, epochs="3")
    stop_after(broken, 3)
    half = broken.checkpoints / "epoch-02"
    half.mkdir()
    (half / "model.safetensors").write_bytes(b"half")
    part = broken.checkpoints / ".epoch-02.part"
    part.mkdir()
    (part / COMPLETE).write_text("{}")
    assert train(broken) == 0
    assert losses(broken) == losses(unbroken)
    assert weights(broken) == weights(unbroken)
    assert not part.exists()


@pytest.mark.parametrize("name", ["model.safetensors", "resume.safetensors", "resume.json", "tokenizer.json"])
def test_a_checkpoint_with_one_changed_byte_is_never_trained_on(make_run: MakeRun, name: str) -> None:
    folder = make_run("run", ROWS, epochs="3")
    stop_after(folder, 3)
    file = whole_checkpoints(folder.path)[-1].path / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert train(folder) == 1
    told = result(folder)
    assert (told["state"], told["reason"]) == ("failed", "checkpoint_damaged")
    assert told["message"] == f"Checkpoint epoch-01 is damaged: {name} differs from its manifest."


def test_a_checkpoint_that_was_cut_short_is_refused_and_not_begun_anew(make_run: MakeRun) -> None:
    folder = make_run("run", ROWS, epochs="3")
    stop_after(folder, 3)
    file = folder.checkpoints / "epoch-01" / "model.safetensors"
    os.truncate(file, file.stat().st_size - 10)
    assert train(folder) == 1
    assert result(folder)["reason"] == "checkpoint_damaged"
    assert len(steps(folder)) == 3


def test_a_run_without_its_optimizer_is_not_resumed_with_a_fresh_one(make_run: MakeRun) -> None:
    folder = make_run("run", ROWS, epochs="3")
    stop_after(folder, 6)
    (folder.checkpoints / "epoch-02" / COMPLETE).unlink()
    assert train(folder) == 1
    assert result(folder)["message"].endswith("its optimizer state is gone.")


def test_changed_settings_or_rows_are_another_run(make_run: MakeRun) -> None:
    folder = make_run("run", ROWS, epochs="3")
    stop_after(folder, 3)
    spec = json.loads(folder.spec.read_text())
    folder.spec.write_text(json.dumps({**spec, "epochs": 2}))
    assert train(folder) == 1
    assert result(folder)["message"].startswith("epochs changed since the last checkpoint")
    folder.spec.write_text(json.dumps({**spec, "micro_batch": 2}))
    rows = folder.train.read_bytes()
    folder.train.write_bytes(rows + rows[: rows.index(b"\n") + 1])
    assert train(folder) == 1
    assert result(folder)["message"].startswith("data/train.jsonl changed since the last checkpoint")
    folder.train.write_bytes(rows)
    assert train(folder) == 0


def test_a_resume_keeps_the_threads_it_began_with(make_run: MakeRun, tiny: Path) -> None:
    folder = make_run("run", ROWS, epochs="3")
    stop_after(folder, 3)
    quick = {"epochs": "3", "batch_size": "4", "micro_batch": "4", "threads": "2", "device": "cpu"}
    folder.spec.write_text(spec_from("smoke", quick, base_model=str(tiny)).to_json())
    assert train(folder) == 0
    assert result(folder)["machine"]["threads"] == 1


@pytest.mark.long
def test_killed_thirty_times_anywhere_and_still_equal(make_run: MakeRun) -> None:
    unbroken = make_run("unbroken", ROWS, epochs="40", **DROPOUT)
    train(unbroken)
    broken = make_run("broken", ROWS, epochs="40", **DROPOUT)
    chance = random.Random(0)
    kills = 0
    for _ in range(30):
        trainer = start(broken)
        begun = len(steps(broken)) if broken.progress.exists() else 0
        while trainer.poll() is None and not reached(broken, begun + 1):
            time.sleep(0.001)
        time.sleep(chance.random() * 0.4)
        trainer.kill()
        kills += trainer.wait() == -signal.SIGKILL
    assert kills >= 10
    assert start(broken).wait(timeout=300) == 0
    assert losses(broken) == losses(unbroken)
    assert weights(broken) == weights(unbroken)
