"""Why a run failed, in words for a person: a code, a sentence and what to do next."""

import errno
from typing import ClassVar


class Failure(Exception):
    """Training cannot go on; the message is one sentence, `next_step` another."""

    reason: ClassVar[str] = "crashed"
    next_step: ClassVar[str] = "Read the end of log.txt; the run can be resumed from its last whole checkpoint."


class BadInput(Failure):
    """The run folder, its settings or its data cannot be used."""

    reason = "bad_input"
    next_step = "Correct the named file or setting and start the run again."


class ModelRefused(Failure):
    """The base model cannot be trained here."""

    reason = "model_refused"
    next_step = "Choose a base model of a supported family whose weights are safetensors files on this machine."


class NoTrainedTokens(Failure):
    """No row has a token to learn from."""

    reason = "no_trained_tokens"
    next_step = "Raise max_tokens, or give rows with an assistant message."


class NotFinite(Failure):
    """The loss or its gradient is no longer a number."""

    reason = "not_finite"
    next_step = "Lower peak_lr, keep clip on, and look at the rows of this step; earlier checkpoints are kept."


class OutOfMemory(Failure):
    """The machine has too little memory for this run."""

    reason = "out_of_memory"
    next_step = "Lower micro_batch or max_tokens, turn gradient_checkpointing on, or take a smaller model."


class DiskFull(Failure):
    """There is no room left for the next checkpoint."""

    reason = "disk_full"
    next_step = "Make room, or set keep_epochs=last, and resume; the last whole checkpoint is kept."


class CheckpointDamaged(Failure):
    """A checkpoint differs from its manifest."""

    reason = "checkpoint_damaged"
    next_step = "Bring the named file back from a copy, or delete that checkpoint's folder and resume."


class Busy(Failure):
    """Another trainer is at work in this folder."""

    reason = "busy"
    next_step = "Wait for it, or stop it first."


def classify(error: BaseException) -> Failure:
    """The failure that an exception amounts to; an unknown one becomes a plain `Failure` with its text."""
    if isinstance(error, Failure):
        return error
    text = f"{type(error).__name__}: {error}"
    if _is_out_of_memory(error, text):
        return OutOfMemory("The machine ran out of memory in the middle of a step.")
    if _is_disk_full(error, text):
        return DiskFull("The disk is full; the checkpoint being written was thrown away.")
    return Failure(f"The trainer failed: {text[:500]}")


def _is_out_of_memory(error: BaseException, text: str) -> bool:
    signs = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or any(sign in text for sign in signs)


def _is_disk_full(error: BaseException, text: str) -> bool:
    signs = ("No space left on device", "File too large", "Disk quota exceeded")
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return (isinstance(error, OSError) and error.errno in full) or any(sign in text for sign in signs)
