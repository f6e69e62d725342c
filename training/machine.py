"""Where a run computes: device, precision and threads, pinned so that the same run gives the same numbers."""

import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import transformers

from training.errors import BadInput
from training.spec import RunSpec


@dataclass(frozen=True)
class Machine:
    """Device, precision ("fp32" or "bf16") and CPU threads of this run."""

    device: torch.device
    precision: str
    threads: int

    @property
    def words(self) -> str:
        """For the log."""
        return f"{self.device.type}, {self.precision}, {self.threads} threads"

    def autocast(self) -> AbstractContextManager[Any]:
        """Computes in bf16 where asked; master weights, gradients and moments stay float32."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def as_dict(self) -> dict[str, Any]:
        """For result.json, with the software that computed."""
        versions = {"torch": torch.__version__, "transformers": transformers.__version__}
        return {"device": self.device.type, "precision": self.precision, "threads": self.threads, **versions}


def choose_machine(spec: RunSpec, threads: int) -> Machine:
    """Take the device the settings ask for and make it deterministic; `threads` 0 means all cores."""
    cuda = torch.cuda.is_available()
    if spec.device == "cuda" and not cuda:
        raise BadInput("device is cuda, but no CUDA device can be used on this machine.")
    device = torch.device("cuda" if cuda and spec.device != "cpu" else "cpu")
    precision = spec.precision
    if precision == "auto":
        precision = "bf16" if device.type == "cuda" else "fp32"
    threads = threads or len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    make_deterministic(device)
    return Machine(device, precision, threads)


def make_deterministic(device: torch.device) -> None:
    """Same numbers each time: exactly on the CPU; on CUDA where a deterministic kernel exists."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
