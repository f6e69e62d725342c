"""Make a run ready: settings, rows and weights, of the base model or of the last whole checkpoint."""

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from training import checkpoint as checkpoints
from training.checkpoint import Position
from training.data import Report, Row, encode_rows, read_rows
from training.errors import BadInput, DiskFull, NoTrainedTokens
from training.folder import Checkpoint, RunFolder, sha256_of, whole_checkpoints
from training.machine import Machine, choose_machine
from training.model import add_rows, checkpoint_activations, install_residual_dropout, load_model
from training.result import Log
from training.spec import RunSpec, keeps_epoch, steps_per_epoch
from training.vocabulary import Vocabulary, load_vocabulary

# Settings that may differ when a run goes on: they change speed, memory or what is kept, not what is learned.
FREE_SETTINGS = ("recipe", "base_model", "micro_batch", "gradient_checkpointing", "keep_epochs", "threads", "device",
                 "precision")  # fmt: skip


@dataclass
class Run:
    """One run in this process: what was read, what is being trained, and where it stands."""

    folder: RunFolder
    spec: RunSpec
    log: Log
    machine: Machine
    vocabulary: Vocabulary
    rows: list[Row]
    dev_rows: list[Row]
    report: Report
    model: Any
    optimizer: torch.optim.Optimizer
    step: int = 0
    durations: list[float] = field(default_factory=list)

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one pass over the rows."""
        return steps_per_epoch(len(self.rows), self.spec.batch_size)

    def position(self) -> Position:
        """Where it stands now, for a checkpoint; `epoch` counts whole passes."""
        passes = self.step // self.steps_per_epoch
        settings = fixed_settings(self.spec)
        return Position(self.step, passes, self.machine.threads, settings, sha256_of(self.folder.train))

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.steps_per_epoch * self.spec.epochs


def prepare(folder: RunFolder, log: Log) -> Run:
    """A run that stands where its last whole checkpoint left it, or before its first step."""
    spec = read_spec(folder)
    checkpoints.sweep(folder.checkpoints)
    resume = checkpoints.last_resumable(folder.path)
    position = checkpoints.read_position(resume) if resume else None
    machine = choose_machine(spec, threads=position.threads if position else spec.threads)
    source = resume.path if resume else Path(spec.base_model)
    vocabulary = load_vocabulary(source, spec.eot_token)
    rows, report = trainable_rows(folder, spec, vocabulary)
    dev_rows = dev_rows_of(folder, spec, vocabulary)
    model = load_trainable(source, spec, vocabulary, machine)
    demand_room(folder, spec, model)
    run = Run(folder, spec, log, machine, vocabulary, rows, dev_rows, report, model, make_optimizer(model, spec))
    torch.manual_seed(spec.seed)
    if resume and position:
        take_up(run, resume, position)
    return run


def trainable_rows(folder: RunFolder, spec: RunSpec, vocabulary: Vocabulary) -> tuple[list[Row], Report]:
    """Rows with something to learn from; NoTrainedTokens when there is none."""
    rows, report = encode_rows(read_rows(folder.train), vocabulary, spec.loss_on, spec.max_tokens)
    if not rows:
        raise NoTrainedTokens(
            f"None of the {report.rows} rows has a token to learn from within {spec.max_tokens} tokens."
        )
    return rows, report


def dev_rows_of(folder: RunFolder, spec: RunSpec, vocabulary: Vocabulary) -> list[Row]:
    """Dev rows that have a response; often there are none, for a dev prompt needs no response."""
    if not folder.dev.is_file():
        return []
    return encode_rows(read_rows(folder.dev), vocabulary, spec.loss_on, spec.max_tokens)[0]


def load_trainable(source: Path, spec: RunSpec, vocabulary: Vocabulary, machine: Machine) -> Any:
    """The model with rows for the new tokens and with its dropout, on its device."""
    model = load_model(source)
    add_rows(model, vocabulary)
    install_residual_dropout(model, spec.residual_dropout)
    if spec.gradient_checkpointing:
        checkpoint_activations(model)
    return model.to(machine.device)


def take_up(run: Run, checkpoint: Checkpoint, position: Position) -> None:
    """Put a run where it stood."""
    demand_same(run, position)
    checkpoints.restore(checkpoint, run.model, run.optimizer)
    run.step = position.step


def read_spec(folder: RunFolder) -> RunSpec:
    """The settings of spec.json; raises BadInput with a sentence."""
    try:
        return RunSpec.from_json(folder.spec.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"spec.json cannot be used: {error}") from error


def demand_same(run: Run, position: Position) -> None:
    """Refuse to go on when settings or rows changed: it would be another run under the same name."""
    now = fixed_settings(run.spec)
    changed = [name for name, value in now.items() if position.settings.get(name) != value]
    if sha256_of(run.folder.train) != position.rows_sha256:
        changed.append("data/train.jsonl")
    if changed:
        raise BadInput(f"{changed[0]} changed since the last checkpoint of this run; put it back, or start a new run.")


def fixed_settings(spec: RunSpec) -> dict[str, Any]:
    """Settings that decide what is learned."""
    return {name: value for name, value in asdict(spec).items() if name not in FREE_SETTINGS}


def demand_room(folder: RunFolder, spec: RunSpec, model: Any) -> None:
    """Refuse a start that the disk cannot hold: the kept weights, one checkpoint more, and Adam's two moments twice."""
    weights = sum(weight.numel() for weight in model.parameters()) * 4
    kept = sum(keeps_epoch(spec, epoch) for epoch in range(1, spec.epochs + 1)) - len(whole_checkpoints(folder.path))
    stat = os.statvfs(folder.path)
    free, needed = stat.f_bavail * stat.f_frsize, weights * (max(kept, 0) + 5)
    if free < needed:
        raise DiskFull(f"The checkpoints need about {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free.")


def make_optimizer(model: Any, spec: RunSpec) -> torch.optim.Optimizer:
    """AdamW; matrices decay, norms and biases do not."""
    weights = list(model.parameters())
    groups = [
        {"params": [weight for weight in weights if weight.ndim > 1], "weight_decay": spec.weight_decay},
        {"params": [weight for weight in weights if weight.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=spec.peak_lr, betas=(spec.beta1, spec.beta2), fused=True)
