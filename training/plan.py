"""`python -m training.plan RUN_DIR`: write plan.json, what a run will do, before it does it.

Rows, tokens, what the trim costs, steps, dropout by layer, memory and disk by estimate, and of the first rows the
loss mask token by token. Neither weights nor a GPU are needed.
"""

import argparse
import os
from pathlib import Path
from typing import Any

import torch

from training.cli import ends
from training.data import Row, encode_rows, read_rows
from training.folder import RunFolder, write_json
from training.machine import choose_machine
from training.memory import Shape, estimate, shape_of
from training.prepare import read_spec
from training.schedule import layer_dropout, learning_rate
from training.spec import RunSpec, keeps_epoch, steps_per_epoch
from training.vocabulary import Vocabulary, load_vocabulary

PREVIEW_ROWS = 5
PREVIEW_TOKENS = 400


def make_plan(folder: RunFolder) -> dict[str, Any]:
    """The contents of plan.json; a set without anything to learn from gives a plan of 0 steps."""
    spec = read_spec(folder)
    base = Path(spec.base_model)
    vocabulary = load_vocabulary(base, spec.eot_token)
    rows, report = encode_rows(read_rows(folder.train), vocabulary, spec.loss_on, spec.max_tokens)
    shape = shape_of(base)
    per_epoch = steps_per_epoch(len(rows), spec.batch_size)
    steps = per_epoch * spec.epochs
    return {
        **report.as_dict(),
        "epochs": spec.epochs,
        "steps_per_epoch": per_epoch,
        "steps": steps,
        "learning_rates": [learning_rate(at, steps or 1, spec.peak_lr, spec.floor_lr) for at in (0, steps)],
        "dropout": layer_dropout(shape.layers, spec.residual_dropout),
        "parameters": shape.parameters,
        "memory": plan_memory(spec, shape, report.longest),
        "disk_bytes": plan_disk(spec, shape),
        "preview": [preview(row, vocabulary) for row in rows[:PREVIEW_ROWS]],
    }


def plan_memory(spec: RunSpec, shape: Shape, longest: int) -> dict[str, Any]:
    """Estimated bytes for the longest micro-batch against the memory of the device that would be used."""
    machine = choose_machine(spec, spec.threads)
    needed = estimate(
        shape,
        min(spec.micro_batch, spec.batch_size),
        longest,
        bf16=machine.precision == "bf16",
        checkpointing=spec.gradient_checkpointing,
    )
    if machine.device.type == "cuda":
        there = int(torch.cuda.get_device_properties(machine.device).total_memory)
    else:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        **needed.as_dict(),
        "device": machine.device.type,
        "precision": machine.precision,
        "available": there,
        "fits": needed.total <= there,
        "note": "estimate, about 20% either way, not measured",
    }


def plan_disk(spec: RunSpec, shape: Shape) -> int:
    """Bytes of all kept float32 weights and the last checkpoint's moments."""
    kept = {epoch for epoch in range(1, spec.epochs + 1) if keeps_epoch(spec, epoch)} | {spec.epochs}
    return shape.parameters * 4 * (len(kept) + 2)


def preview(row: Row, vocabulary: Vocabulary) -> dict[str, Any]:
    """The first tokens of a row as [text, trained], control tokens by name.

    A character of several tokens stands with the last of them, the others show nothing.
    """
    shown, waiting = [], []
    for token, trained in zip(row.ids[:PREVIEW_TOKENS], row.trained, strict=False):
        waiting.append(token)
        text = vocabulary.piece(waiting)
        whole = not text.endswith("\ufffd")
        shown.append([text if whole else "", trained])
        waiting = [] if whole else waiting
    return {"id": row.id, "tokens": shown, "total": len(row.ids), "cut": row.cut}


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.plan", description=__doc__)
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    folder = RunFolder(parser.parse_args().run_dir.absolute())

    def work() -> int:
        plan = make_plan(folder)
        write_json(folder.plan, plan)
        print(f"{plan['rows_used']} of {plan['rows']} rows, {plan['steps']} steps; see {folder.plan.name}.")
        return 0

    return ends(work)


if __name__ == "__main__":
    raise SystemExit(main())
