"""Ways to run one model: a process that encodes much takes the fastest one whose vectors are those of the plain one.

Plain is float32 by torch, which encodes alone until so many texts have come that a trial pays. Others may have weights
in bfloat16, where the processor multiplies those, a GPU, or OpenVINO, where it is installed. A faster one is taken only
if the least cosine between its vectors and the plain ones, on texts that are to be encoded, is at least LEAST_COSINE:
so vectors by any of them may stand under one key.
"""

import copy
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from app.embeddings.light import LightEncoder
from app.embeddings.vectors import Tokens, Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

LEAST_COSINE = 0.9999
# Of vectors that are known to be others, and have a key of their own.
LEAST_MEAN = 0.995
# What is hardly faster on the sample may be slower on the rest.
WORTH = 1.1
RUNS = 2

log = logging.getLogger(__name__)


class Engine(Protocol):
    """What turns token ids into vectors."""

    @property
    def name(self) -> str:
        """What it is, for people."""

    def vectors(self, tokens: Tokens) -> Vectors:
        """A unit row for each list of ids, of like length side by side: float32 (n, dimensions)."""


@dataclass(frozen=True)
class Choice:
    """Which engine a trial has chosen, how near its vectors are to the plain ones, and how much faster it was."""

    engine: str
    least_cosine: float
    texts: int
    times: float
    mean_cosine: float = 1.0


@dataclass(frozen=True)
class Torch:
    """The model as its library runs it, without the library's own batches."""

    name: str
    model: "SentenceTransformer"
    device: str = "cpu"

    def vectors(self, tokens: Tokens) -> Vectors:
        """See Engine.vectors."""
        import torch

        ids, mask = padded(tokens, self.model.tokenizer.pad_token_id or 0)
        with torch.inference_mode():
            features = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
            found = self.model({name: part.to(self.device) for name, part in features.items()})["sentence_embedding"]
            rows: Vectors = torch.nn.functional.normalize(found.float(), dim=1).cpu().numpy()
        return rows


@dataclass(frozen=True)
class OpenVino:
    """The model as OpenVINO compiles it for this processor."""

    name: str
    compiled: Any
    pad: int

    def vectors(self, tokens: Tokens) -> Vectors:
        """See Engine.vectors."""
        rows: Vectors = np.array(next(iter(self.compiled(list(padded(tokens, self.pad))).values())))
        units: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return units


def padded(tokens: Tokens, pad: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(ids, mask) of lists of ids, filled up at their ends to the longest one."""
    shape = (len(tokens), max(map(len, tokens)))
    ids, mask = np.full(shape, pad, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for row, one in enumerate(tokens):
        ids[row, : len(one)] = one
        mask[row, : len(one)] = 1
    return ids, mask


def plain(model: "SentenceTransformer") -> Engine:
    """The engine that the others are held against."""
    return Torch("torch, float32", model)


def _integers(light: LightEncoder) -> Engine:
    import torch

    from app.embeddings.integers import HALVES, Integers

    return Integers(light, HALVES, torch.get_num_threads())


def others(model: "SentenceTransformer", light: LightEncoder | None) -> Iterator[Callable[[], Engine]]:
    """What makes each engine that this machine may have; making one may fail."""
    import torch

    if torch.cuda.is_available():
        yield lambda: Torch("GPU, float32", copy.deepcopy(model).to("cuda"), "cuda")
    if multiplies_bfloat16():
        yield lambda: Torch("torch, bfloat16", copy.deepcopy(model).to(torch.bfloat16))
    if light is not None:
        yield lambda: _integers(light)
    yield lambda: _openvino(model)


def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for it; without them it is slower than float32."""
    import torch

    known = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in known)


def against(base: Engine, engine: Engine, sample: Sequence[Tokens]) -> Choice:
    """How near the vectors of an engine are to the plain ones on a sample, in batches, and how much faster."""
    (wanted, spent), (found, taken) = _timed(base, sample), _timed(engine, sample)
    cosines = np.einsum("nd,nd->n", found, wanted)
    least, mean = (round(min(float(one), 1.0), 6) for one in (cosines.min(), cosines.mean()))
    return Choice(engine.name, least, len(wanted), round(spent / taken, 2), mean)


def choose(base: Engine, made: Iterator[Callable[[], Engine]], sample: Sequence[Tokens]) -> tuple[Engine, Choice]:
    """The fastest engine on a sample, in batches, whose vectors are near enough; `base` where none is worth it."""
    wanted, spent = _timed(base, sample)
    best, choice = base, Choice(base.name, 1.0, len(wanted), 1.0)
    for make in made:
        try:
            engine = make()
            found, taken = _timed(engine, sample)
        except Exception as error:  # noqa: BLE001 - whatever a machine lacks, the plain one encodes
            log.info("an engine is left out: %s", error)
            continue
        least = float(np.einsum("nd,nd->n", found, wanted).min())
        times = spent / taken
        log.info("%s: %.2f times the plain engine, least cosine %.6f", engine.name, times, least)
        if least >= LEAST_COSINE and times >= WORTH and times > choice.times:
            best, choice = engine, Choice(engine.name, round(min(least, 1.0), 6), len(wanted), round(times, 2))
    return best, choice


def _timed(engine: Engine, sample: Sequence[Tokens]) -> tuple[Vectors, float]:
    spent = []
    for _ in range(RUNS):
        started = time.perf_counter()
        rows = np.concatenate([engine.vectors(batch) for batch in sample])
        spent.append(time.perf_counter() - started)
    return rows, min(spent)


def _openvino(model: "SentenceTransformer") -> Engine:
    """Convert and compile, some seconds; raises ImportError where OpenVINO is not installed, or would report home."""
    ov = _silent_openvino()
    import torch

    class Whole(torch.nn.Module):
        """From ids to the pooled vector."""

        def __init__(self) -> None:
            super().__init__()
            self.model = copy.deepcopy(model)

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.model({"input_ids": input_ids, "attention_mask": attention_mask})["sentence_embedding"]

    example = torch.ones((2, 7), dtype=torch.long)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer warns of branches that the trial looks at
        graph = ov.convert_model(Whole().eval(), example_input=(example, example))
    graph.reshape({0: [-1, -1], 1: [-1, -1]})
    core = ov.Core()
    precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
    wanted = {"INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    named = {"bf16": "bfloat16", "f32": "float32"}[precision]
    return OpenVino(f"OpenVINO, {named}", core.compile_model(graph, "CPU", wanted), model.tokenizer.pad_token_id or 0)


def _silent_openvino() -> Any:
    """OpenVINO without its telemetry, which would tell of each conversion: nothing here may open a connection.

    A module that is None in sys.modules cannot be imported; OpenVINO has a stub for that case.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino
    from openvino.tools.ovc import telemetry_utils

    if telemetry_utils.tm.__name__ != "openvino.tools.ovc.telemetry_stub":
        raise ImportError("OpenVINO was loaded with its telemetry before, so it is not used")
    return openvino
