"""The run folder: every path in it, and readers that never meet a half-written file.

- spec.json, data/train.jsonl, perhaps data/dev.jsonl: in
- progress.jsonl, log.txt, plan.json, process.json: while it runs
- checkpoints/epoch-NN/, checkpoints/step-NNNNNN/: whole as soon as they have a COMPLETE file
- result.json: at the end, by rename
- stop: a flag, save at the next step and end
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMPLETE = "COMPLETE"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class RunFolder:
    """Names of everything in one run folder."""

    path: Path

    @property
    def spec(self) -> Path:
        """Settings, written before the start."""
        return self.path / "spec.json"

    @property
    def train(self) -> Path:
        """Rows `{"id", "messages": [{"role", "content"}, …]}`, one a line."""
        return self.path / "data" / "train.jsonl"

    @property
    def dev(self) -> Path:
        """Optional rows of the same form, for a loss after each epoch."""
        return self.path / "data" / "dev.jsonl"

    @property
    def progress(self) -> Path:
        """One line a step."""
        return self.path / "progress.jsonl"

    @property
    def log(self) -> Path:
        """What the trainer says in words."""
        return self.path / "log.txt"

    @property
    def plan(self) -> Path:
        """What `python -m training.plan` found out."""
        return self.path / "plan.json"

    @property
    def checkpoints(self) -> Path:
        """Folder of checkpoints."""
        return self.path / "checkpoints"

    @property
    def result(self) -> Path:
        """How the run ended."""
        return self.path / "result.json"

    @property
    def stop(self) -> Path:
        """Flag: save a checkpoint at the next step and end."""
        return self.path / "stop"

    @property
    def process(self) -> Path:
        """Pid, its start time and boot id of the trainer, written by itself."""
        return self.path / "process.json"

    @property
    def lock(self) -> Path:
        """Held (flock) by the one trainer at work here."""
        return self.path / "lock"


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint, as its manifest describes it."""

    name: str
    epoch: int
    step: int
    path: Path
    sha256: str
    resumable: bool

    @property
    def at_epoch_end(self) -> bool:
        """True unless a stop in the middle of an epoch made it."""
        return self.name.startswith("epoch-")


@dataclass(frozen=True)
class Progress:
    """Steps read, the offset to read on from, and whether the file had to be read from its start again."""

    steps: list[dict[str, Any]]
    offset: int
    restarted: bool


def whole_checkpoints(run_dir: Path) -> list[Checkpoint]:
    """Checkpoints with a manifest and files of its sizes, in order of steps; contents are not hashed here."""
    folder = RunFolder(Path(run_dir)).checkpoints
    found = [read_manifest(path) for path in marked_folders(folder)]
    return sorted((checkpoint for checkpoint in found if checkpoint), key=lambda one: one.step)


def marked_folders(checkpoints: Path) -> list[Path]:
    """Folders that were finished once; those being written begin with a dot."""
    return sorted(marker.parent for marker in checkpoints.glob(f"[!.]*/{COMPLETE}"))


def read_manifest(path: Path) -> Checkpoint | None:
    """The checkpoint in a folder, or None when it is half written."""
    try:
        manifest = json.loads((path / COMPLETE).read_text("utf-8"))
        if any((path / name).stat().st_size != entry["bytes"] for name, entry in manifest["files"].items()):
            return None
        weights = manifest["files"][WEIGHTS]["sha256"]
        return Checkpoint(path.name, manifest["epoch"], manifest["step"], path, weights, manifest["resumable"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def checkpoint_problem(path: Path) -> str | None:
    """One sentence naming the first file that is missing or differs from the manifest, else None."""
    try:
        files = json.loads((path / COMPLETE).read_text("utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return f"Checkpoint {path.name} is not whole: it has no readable {COMPLETE} file."
    for name, entry in files.items():
        file = path / name
        if not file.is_file():
            return f"Checkpoint {path.name} is damaged: {name} is missing."
        if file.stat().st_size != entry["bytes"] or sha256_of(file) != entry["sha256"]:
            return f"Checkpoint {path.name} is damaged: {name} differs from its manifest."
    return None


def sha256_of(file: Path) -> str:
    """Hex digest of a file, read in pieces."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_progress(run_dir: Path, offset: int = 0) -> Progress:
    """Whole lines from a byte offset on.

    A resumed trainer cuts off the steps after its checkpoint: an offset beyond the end, or inside a line, reads
    the file from its start. Step numbers are unique in the file, so a reader that keys by step is always right.
    """
    try:
        data = RunFolder(Path(run_dir)).progress.read_bytes()
    except FileNotFoundError:
        return Progress([], 0, offset > 0)
    restarted = offset > len(data) or (offset > 0 and data[offset - 1 : offset] != b"\n")
    start = 0 if restarted else offset
    end = data.rfind(b"\n") + 1
    lines = data[start:end].splitlines() if end > start else []
    return Progress([json.loads(line) for line in lines], max(start, end), restarted)


def read_result(run_dir: Path) -> dict[str, Any] | None:
    """How the run ended, or None while there is no result; keys as `training.result.Result` names them."""
    return read_json(RunFolder(Path(run_dir)).result)


def read_json(file: Path) -> dict[str, Any] | None:
    """A JSON object, or None when the file is missing or is no JSON object."""
    try:
        value = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write_json(file: Path, value: dict[str, Any]) -> None:
    """Write by rename, so that a reader sees the old file or the new one and a power cut keeps one of both."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    with fresh.open("w", encoding="utf-8") as stream:
        json.dump(value, stream, ensure_ascii=False, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)
    fsync_folder(file.parent)


def fsync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def request_stop(run_dir: Path) -> None:
    """Ask the trainer to save at its next step and end."""
    RunFolder(Path(run_dir)).stop.touch()


def clear_stop(run_dir: Path) -> None:
    """Take the request back; needed before a stopped run is resumed."""
    RunFolder(Path(run_dir)).stop.unlink(missing_ok=True)


def trainer_process(run_dir: Path) -> int | None:
    """Pid of the trainer alive in this folder on this machine, else None; a reused pid is told apart."""
    noted = read_json(RunFolder(Path(run_dir)).process)
    if not noted or noted.get("boot_id") != boot_id():
        return None
    pid = noted.get("pid")
    return pid if isinstance(pid, int) and started_at(pid) == noted.get("started") else None


def started_at(pid: int) -> int | None:
    """Start time of a living process in clock ticks since boot, or None; a zombie counts as dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def boot_id() -> str:
    """Identity of this boot of the machine; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
    except OSError:
        return ""
