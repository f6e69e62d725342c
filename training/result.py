"""progress.jsonl and result.json: what a run says of itself, step by step and at the end."""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from training.errors import Failure
from training.folder import RunFolder, read_progress, whole_checkpoints, write_json


@dataclass(frozen=True)
class Result:
    """The end of a run; `state` is succeeded, stopped or failed, and `reason` a code only for failed."""

    state: str
    reason: str | None = None
    message: str = ""
    next_step: str = ""
    steps: int = 0
    total_steps: int = 0
    first_loss: float | None = None
    last_loss: float | None = None
    tokens_per_second: float | None = None
    seconds: float = 0.0
    rows_cut: int = 0
    rows_without_eot: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    checkpoints: list[dict[str, Any]] = field(default_factory=list)
    machine: dict[str, Any] = field(default_factory=dict)
    time: float = 0.0


@dataclass(frozen=True)
class Facts:
    """What is known of a run from its start on; empty when it failed before that."""

    total_steps: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)


def write_result(folder: RunFolder, state: str, facts: Facts, failure: Failure | None = None) -> Result:
    """Sum up the folder's progress and checkpoints and write result.json by rename."""
    steps = read_progress(folder.path).steps
    seconds = sum(step["seconds"] for step in steps)
    result = Result(
        state=state,
        reason=failure.reason if failure else None,
        message=str(failure) if failure else "",
        next_step=failure.next_step if failure else "",
        steps=len(steps),
        total_steps=facts.total_steps,
        first_loss=steps[0]["loss"] if steps else None,
        last_loss=steps[-1]["loss"] if steps else None,
        tokens_per_second=round(sum(step["tokens"] for step in steps) / seconds, 1) if seconds else None,
        seconds=round(seconds, 3),
        rows_cut=facts.rows.get("rows_cut", 0),
        rows_without_eot=facts.rows.get("rows_without_eot", 0),
        rows=facts.rows,
        checkpoints=_checkpoint_rows(folder),
        machine=facts.machine,
        time=time.time(),
    )
    write_json(folder.result, asdict(result))
    return result


def _checkpoint_rows(folder: RunFolder) -> list[dict[str, Any]]:
    return [
        {"epoch": one.epoch, "step": one.step, "path": f"checkpoints/{one.name}", "sha256": one.sha256}
        for one in whole_checkpoints(folder.path)
    ]


class ProgressFile:
    """Appends one line a step; opened at a step, it forgets all later ones, so each step stands once."""

    def __init__(self, path: Path, after_step: int) -> None:
        """Keep the lines up to a step and cut off the rest."""
        kept = [step for step in read_progress(path.parent).steps if step["step"] <= after_step]
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_text("".join(map(_line, kept)), "utf-8")
        fresh.replace(path)
        self._path = path

    def add(self, **values: Any) -> None:
        """Write a step and hand it to the system at once."""
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(_line(values))

    def sync(self) -> None:
        """Make all lines durable: before the checkpoint that counts on them."""
        with self._path.open("rb") as stream:
            os.fsync(stream.fileno())


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values) + "\n"


class Log:
    """Words for a person: on standard output, and in log.txt unless standard output is that file already."""

    def __init__(self, path: Path) -> None:
        """Append to log.txt."""
        path.touch()
        said, kept = os.fstat(1), path.stat()
        self._path = path
        self._same = (said.st_dev, said.st_ino) == (kept.st_dev, kept.st_ino)

    def say(self, text: str) -> None:
        """One line with the time of day."""
        line = f"{time.strftime('%H:%M:%S')} {text}"
        print(line, flush=True)
        if not self._same:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")


def mean_of_last(values: Sequence[float], count: int = 20) -> float:
    """Mean of the last `count` values; the first step is left out when there are others, for it warms up."""
    tail = values[-count:] if len(values) <= 1 else values[max(1, len(values) - count) :]
    return sum(tail) / len(tail)
