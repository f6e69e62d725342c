"""Checkpoints that are whole or not there: a temporary folder, fsync, a manifest, one rename.

A checkpoint is an ordinary model folder (weights, config, tokenizer, generation settings) plus, in the last one
only, what a resume needs: optimizer moments, random states and the position in the data. No file is a pickle.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import GenerationConfig

from training.errors import CheckpointDamaged
from training.folder import (
    COMPLETE,
    Checkpoint,
    RunFolder,
    checkpoint_problem,
    fsync_folder,
    marked_folders,
    read_manifest,
    sha256_of,
    whole_checkpoints,
    write_json,
)
from training.vocabulary import Vocabulary

STATE = "resume.safetensors"
POSITION = "resume.json"
MOMENTS = ("exp_avg", "exp_avg_sq", "step")
EVER = 1 << 50


@dataclass(frozen=True)
class Position:
    """Where a run stands, and what must not have changed when it goes on."""

    step: int
    epoch: int
    threads: int
    settings: dict[str, Any]
    rows_sha256: str


def save_checkpoint(
    folder: Path, model: Any, vocabulary: Vocabulary, optimizer: torch.optim.Optimizer, position: Position
) -> Checkpoint:
    """Write one checkpoint; a crash or a full disk at any point leaves the earlier ones as they were."""
    fresh = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        _write_files(fresh, model, vocabulary, optimizer, position)
        _write_manifest(fresh, position)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    fsync_folder(folder.parent)
    whole = read_manifest(folder)
    if whole is None:
        raise CheckpointDamaged(f"Checkpoint {folder.name} could not be read back after it was written.")
    return whole


def _write_files(
    out: Path, model: Any, vocabulary: Vocabulary, optimizer: torch.optim.Optimizer, position: Position
) -> None:
    model.generation_config = decoding(vocabulary)
    model.save_pretrained(out, max_shard_size=EVER)
    vocabulary.tokenizer.save_pretrained(out)
    save_file(_resume_tensors(model, optimizer), out / STATE)
    write_json(out / POSITION, vars(position))


def decoding(vocabulary: Vocabulary) -> GenerationConfig:
    """LIMA's decoding settings, with EOT as the token that ends an answer."""
    return GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=True,
        top_p=0.9,
        temperature=0.7,
        repetition_penalty=1.2,
        max_new_tokens=2048,
        eos_token_id=vocabulary.eot,
        pad_token_id=vocabulary.pad,
    )


def _resume_tensors(model: Any, optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    tensors = {"random.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    for name, weight in model.named_parameters():
        for moment in MOMENTS:
            tensors[f"{moment}.{name}"] = optimizer.state[weight][moment].detach().clone().cpu().contiguous()
    return tensors


def _write_manifest(folder: Path, position: Position) -> None:
    """Hash and fsync every file, then write the marker that makes the folder a checkpoint."""
    files = {}
    for file in sorted(folder.iterdir()):
        _fsync(file)
        files[file.name] = {"bytes": file.stat().st_size, "sha256": sha256_of(file)}
    write_json(folder / COMPLETE, {"epoch": position.epoch, "step": position.step, "resumable": True, "files": files})


def _fsync(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())


def last_resumable(run_dir: Path) -> Checkpoint | None:
    """The checkpoint to go on from, its files compared with their hashes; None when the run has none yet.

    Half-written folders are passed over. A damaged one is never trained on: CheckpointDamaged names its file.
    """
    whole = whole_checkpoints(run_dir)
    intact = {one.path for one in whole}
    for path in marked_folders(RunFolder(run_dir).checkpoints):
        if path not in intact:
            raise CheckpointDamaged(checkpoint_problem(path))
    if not whole:
        return None
    last = whole[-1]
    problem = checkpoint_problem(last.path)
    if problem is None and not last.resumable:
        problem = f"Checkpoint {last.name} is the last whole one, but its optimizer state is gone."
    if problem:
        raise CheckpointDamaged(problem)
    return last


def read_position(checkpoint: Checkpoint) -> Position:
    """Where the run stood when this checkpoint was written."""
    return Position(**json.loads((checkpoint.path / POSITION).read_text("utf-8")))


def restore(checkpoint: Checkpoint, model: Any, optimizer: torch.optim.Optimizer) -> None:
    """Put optimizer moments and random states back, bit by bit."""
    tensors = load_file(checkpoint.path / STATE)
    for name, weight in model.named_parameters():
        optimizer.state[weight] = {moment: tensors[f"{moment}.{name}"].to(weight.device) for moment in MOMENTS}
    torch.set_rng_state(tensors["random.cpu"])
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"])


def drop_resume_state(checkpoint: Checkpoint) -> None:
    """Take what only a resume needs out of an older checkpoint: manifest first, so that it is whole throughout."""
    if checkpoint.resumable:
        _write_manifest_without_state(checkpoint)
    for name in (STATE, POSITION):
        (checkpoint.path / name).unlink(missing_ok=True)


def _write_manifest_without_state(checkpoint: Checkpoint) -> None:
    """Keep the hashes that were noted at the time of writing; files are not read again."""
    marker = checkpoint.path / COMPLETE
    manifest = json.loads(marker.read_text("utf-8"))
    files = {name: entry for name, entry in manifest["files"].items() if name not in (STATE, POSITION)}
    write_json(marker, {**manifest, "resumable": False, "files": files})


def delete_checkpoint(checkpoint: Checkpoint) -> None:
    """Remove a checkpoint; without its marker first, half a deletion is no checkpoint."""
    (checkpoint.path / COMPLETE).unlink(missing_ok=True)
    shutil.rmtree(checkpoint.path, ignore_errors=True)


def sweep(folder: Path) -> None:
    """Remove what a killed trainer left half written."""
    finished = marked_folders(folder)
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir() and path not in finished:
            shutil.rmtree(path, ignore_errors=True)
