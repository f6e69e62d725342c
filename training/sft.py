"""`python -m training.sft RUN_DIR`: LIMA's supervised fine-tuning in one loop, the same on CPU and CUDA.

Reads spec.json and data/, writes progress.jsonl, log.txt, checkpoints/ and result.json (see training/folder.py).
Run again in the same folder, it goes on from the last whole checkpoint; on the CPU bit by bit as if never stopped.
Exit codes: 0 succeeded, 1 failed, 3 stopped on request.
"""

import argparse
import fcntl
import math
import os
import platform
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from training import checkpoint as checkpoints
from training.data import IGNORED, Row, collate, micro_batches, step_rows
from training.errors import BadInput, Busy, Failure, NotFinite, classify
from training.folder import RunFolder, boot_id, read_result, started_at, whole_checkpoints, write_json
from training.prepare import Run, prepare
from training.result import Facts, Log, ProgressFile, mean_of_last, write_result
from training.schedule import learning_rate
from training.spec import keeps_epoch

SUCCEEDED, FAILED, STOPPED = 0, 1, 3


class StopFlag:
    """True once somebody asked to stop: by the file `stop`, SIGTERM or SIGINT."""

    def __init__(self, file: Path) -> None:
        """Look at the file."""
        self._file = file
        self._signalled = False

    def listen(self) -> "StopFlag":
        """Hear signals as well, from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)
        return self

    def _note(self, *_: object) -> None:
        self._signalled = True

    def __bool__(self) -> bool:
        """Look at both."""
        return self._signalled or self._file.exists()


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m training.sft", description=__doc__)
    parser.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    folder = RunFolder(parser.parse_args().run_dir.absolute())
    stop = StopFlag(folder.stop).listen()
    try:
        with only_trainer(folder):
            return train_folder(folder, stop)
    except Failure as failure:
        sys.stderr.write(f"{failure} {failure.next_step}\n")
        return FAILED


@contextmanager
def only_trainer(folder: RunFolder) -> Iterator[None]:
    """Hold the folder's lock and name this process in process.json; a second trainer is refused with Busy."""
    if not folder.path.is_dir():
        raise BadInput(f"There is no run folder {str(folder.path)!r}.")
    with folder.lock.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy("Another trainer is at work in this run folder.") from None
        pid = os.getpid()
        write_json(folder.process, {"pid": pid, "started": started_at(pid), "boot_id": boot_id(),
                                    "host": platform.node(), "time": time.time()})  # fmt: skip
        yield


def train_folder(folder: RunFolder, stop: StopFlag) -> int:
    """Train what the folder says and leave a result.json whatever happens; a finished run is left alone."""
    if (read_result(folder.path) or {}).get("state") == "succeeded":
        print("This run has succeeded already; nothing to do.")
        return SUCCEEDED
    folder.result.unlink(missing_ok=True)
    log = Log(folder.log)
    facts = Facts()
    try:
        run = prepare(folder, log)
        announce(run)
        facts = Facts(run.steps, run.report.as_dict(), run.machine.as_dict())
        finished = train(run, stop)
    except Exception as error:  # noqa: BLE001 - every end of a run is told in result.json
        tell_failure(folder, log, facts, error)
        return FAILED
    write_result(folder, "succeeded" if finished else "stopped", facts)
    log.say("Done." if finished else f"Stopped on request after step {run.step} of {run.steps}.")
    return SUCCEEDED if finished else STOPPED


def tell_failure(folder: RunFolder, log: Log, facts: Facts, error: Exception) -> None:
    """Say in result.json and log.txt why the run ended; an unforeseen reason with its traceback."""
    failure = classify(error)
    if type(failure) is Failure:
        traceback.print_exception(error)
    log.say(f"Failed ({failure.reason}): {failure} {failure.next_step}")
    write_result(folder, "failed", facts, failure)


def announce(run: Run) -> None:
    """Say what will be done."""
    report = run.report
    run.log.say(
        f"{report.rows_used} rows, {report.tokens:,} tokens; {report.rows_cut} cut, "
        f"{report.rows_without_eot} without their EOT, {report.rows_untrained} with nothing to learn."
    )
    run.log.say(f"Steps {run.step + 1} to {run.steps} on {run.machine.words}.")


def train(run: Run, stop: StopFlag) -> bool:
    """The loop. True when all steps are done, False when it was stopped; either way a checkpoint stands there."""
    progress = ProgressFile(run.folder.progress, run.step)
    run.model.train()
    if stop:
        return False
    while run.step < run.steps:
        epoch, index = divmod(run.step, run.steps_per_epoch)
        started = time.perf_counter()
        rate = learning_rate(run.step, run.steps, run.spec.peak_lr, run.spec.floor_lr)
        rows = step_rows(run.rows, run.spec.seed, epoch, index, run.spec.batch_size)
        loss, norm = train_step(run, rows, rate)
        run.step += 1
        ends_epoch = index + 1 == run.steps_per_epoch
        run.durations.append(time.perf_counter() - started)
        values = progress_values(run, rows, loss, norm, rate)
        if ends_epoch and run.dev_rows:
            values["dev_loss"] = dev_loss(run)
        progress.add(**values)
        run.log.say(f"step {run.step}/{run.steps}  loss {loss:.4f}  lr {rate:.3g}")
        stopping = bool(stop)
        if ends_epoch or stopping:
            progress.sync()
            save(run, f"epoch-{epoch + 1:02d}" if ends_epoch else f"step-{run.step:06d}")
        if stopping:
            return run.step == run.steps
    return True


def train_step(run: Run, rows: list[Row], rate: float) -> tuple[float, float]:
    """One update on the mean loss over all target tokens of the batch; returns that loss and the gradient's norm."""
    targets = sum(row.targets for row in rows)
    total = torch.zeros((), device=run.machine.device)
    for part in micro_batches(rows, run.spec.micro_batch):
        loss = summed_loss(run, part) / targets
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    norm = float(torch.nn.utils.clip_grad_norm_(run.model.parameters(), run.spec.clip))
    if not (math.isfinite(norm) and math.isfinite(float(total))):
        raise NotFinite(
            f"At step {run.step + 1} the loss ({float(total):g}) or its gradient ({norm:g}) is not a number."
        )
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    run.optimizer.step()
    run.optimizer.zero_grad(set_to_none=True)
    return float(total), norm


def summed_loss(run: Run, rows: list[Row]) -> torch.Tensor:
    """Cross-entropy in nats, summed over the target tokens of some rows.

    No attention mask: padding stands on the right, where causal attention never looks.
    """
    ids, labels = (tensor.to(run.machine.device) for tensor in collate(rows, run.vocabulary.pad))
    with run.machine.autocast():
        logits = run.model(input_ids=ids, use_cache=False).logits
    wanted = labels[:, 1:] != IGNORED
    return cross_entropy(logits[:, :-1][wanted].float(), labels[:, 1:][wanted], reduction="sum")


@torch.no_grad()
def dev_loss(run: Run) -> float:
    """Mean loss on the dev rows, without dropout; it draws no random numbers."""
    run.model.eval()
    total = sum(float(summed_loss(run, part)) for part in micro_batches(run.dev_rows, run.spec.micro_batch))
    run.model.train()
    return total / sum(row.targets for row in run.dev_rows)


def progress_values(run: Run, rows: list[Row], loss: float, norm: float, rate: float) -> dict[str, Any]:
    """The line of one step; `tokens` are real ones, padding not counted, `seconds_left` is an estimate."""
    seconds = run.durations[-1]
    tokens = sum(len(row.ids) for row in rows)
    return {
        "step": run.step,
        "steps": run.steps,
        "epoch": run.step / run.steps_per_epoch,
        "loss": loss,
        "lr": rate,
        "grad_norm": norm,
        "tokens": tokens,
        "trained_tokens": sum(row.targets for row in rows),
        "seconds": seconds,
        "tokens_per_second": round(tokens / seconds, 1),
        "seconds_left": round(mean_of_last(run.durations) * (run.steps - run.step), 1),
        "time": time.time(),
    }


def save(run: Run, name: str) -> None:
    """Write a checkpoint, then take from the older ones what only the last one needs."""
    older = whole_checkpoints(run.folder.path)
    path = run.folder.checkpoints / name
    checkpoints.save_checkpoint(path, run.model, run.vocabulary, run.optimizer, run.position())
    for one in older:
        if one.path == path:
            continue
        if one.at_epoch_end and keeps_epoch(run.spec, one.epoch):
            checkpoints.drop_resume_state(one)
        else:
            checkpoints.delete_checkpoint(one)
    run.log.say(f"Saved checkpoint {name}.")


if __name__ == "__main__":
    raise SystemExit(main())
