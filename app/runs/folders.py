"""Where runs and models lie below the data folder, how a run's folder is filled, and what a page reads out of it."""

import json
import os
import shutil
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from app.config import Settings
from app.projects.models import Split
from training.spec import RunFolder, RunSpec

LONGEST_LOG = 50_000_000
LOG_KEPT = 1_000_000


def run_folder(settings: Settings, run_id: int) -> RunFolder:
    """The folder of one run; by id, so that no name of a person's choosing is ever part of a path."""
    return RunFolder((settings.data_dir / "runs" / f"{run_id:06d}").absolute())


def model_folder(settings: Settings, model_id: int) -> Path:
    """The folder of a base model that we make ourselves."""
    return (settings.data_dir / "models" / f"{model_id:04d}").absolute()


def fill(folder: RunFolder, spec: RunSpec, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write data and settings; settings come last, so a folder with a spec.json is whole. Harmless when it is.

    Train rows are learned from; dev rows that have a response give a loss after each epoch.
    """
    if folder.spec.exists():
        return
    folder.train.parent.mkdir(parents=True, exist_ok=True)
    train, dev = _fresh(folder.train), _fresh(folder.dev)
    with train.open("w", encoding="utf-8") as train_file, dev.open("w", encoding="utf-8") as dev_file:
        for row in rows:
            line = json.dumps({"id": row["id"], "messages": row["messages"]}, ensure_ascii=False) + "\n"
            if row["split"] == Split.TRAIN:
                train_file.write(line)
            elif row["split"] == Split.DEV and row["messages"][-1]["role"] == "assistant":
                dev_file.write(line)
    train.replace(folder.train)
    dev.replace(folder.dev) if dev.stat().st_size else dev.unlink()
    fresh = _fresh(folder.spec)
    fresh.write_text(spec.to_json(), "utf-8")
    fresh.replace(folder.spec)


def _fresh(path: Path) -> Path:
    # Two jobs may fill one folder at once, with the same content: each under a name of its own.
    return path.with_name(f".{path.name}.{uuid4().hex[:8]}")


def tail(path: Path, limit: int = 20_000) -> str:
    """The end of a text file of any size, as text that is safe to show; whole lines where there are any."""
    try:
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - limit))
            text = stream.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""
    return visible(text.partition("\n")[2] if size > limit and "\n" in text else text)


def visible(text: str) -> str:
    """Control and format characters by their codes: a log cannot colour, hide or turn round what it says."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}:
        return character
    return f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}"


def last_words(log: Path, limit: int = 400) -> str:
    """The last line that a child wrote, for the reason of a failure."""
    lines = tail(log).strip().splitlines()
    return lines[-1].strip()[:limit] if lines else ""


def cap(log: Path, limit: int = LONGEST_LOG, kept: int = LOG_KEPT) -> None:
    """Cut a log that grew beyond `limit` bytes down to its last `kept`; its writer appends, and goes on at the end."""
    if not log.exists() or log.stat().st_size <= limit:
        return
    with log.open("rb") as stream:
        stream.seek(-kept, os.SEEK_END)
        end = stream.read(kept)
    os.truncate(log, 0)
    with log.open("ab") as stream:
        stream.write(b"(earlier lines were cut off, the log was too long)\n" + end)


def remove(path: Path) -> None:
    """Take a folder away that is being made anew."""
    shutil.rmtree(path, ignore_errors=True)


def read_plan(folder: RunFolder) -> dict[str, Any] | None:
    """What `python -m training.plan` found out, or None while it has not."""
    try:
        return dict(json.loads(folder.plan.read_text("utf-8")))
    except (OSError, ValueError):
        return None
