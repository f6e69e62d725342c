"""The encoder for a text or a few, in numpy: the same vectors as the full one, without loading torch.

A web process that has to compare what somebody types cannot wait for torch (seconds, and 400 MB). The weights are
mapped from the model's own file, so every process on the machine shares them and the system may take the memory back.
Models of BERT's kind are read (that of the bundled MiniLM, of BGE, E5, GTE, multilingual MiniLM); others have only the
full encoder. Devlin et al. 2018, sections 3 and A.2; Vaswani et al. 2017, section 3.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from app.embeddings.vectors import Progress, Tokens, Vectors

Weights: TypeAlias = Mapping[str, Vectors]

# What the file's own names stand for; what is stored otherwise is left to the full encoder.
STORED: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}
POOLED = {"mean": "pooling_mode_mean_tokens", "cls": "pooling_mode_cls_token"}
KINDS = ("Transformer", "Pooling", "Normalize")


class Eighths(Protocol):
    """A model in 8 bits; see app.embeddings.integers."""

    name: str

    def vectors(self, tokens: Tokens) -> Vectors:
        """A unit row for each list of ids."""


@dataclass(frozen=True)
class LightEncoder:
    """See app.embeddings.encoder.Encoder; one text at a time, on one thread."""

    name: str
    key: str
    dimensions: int
    weights: Weights
    tokenizer: Tokenizer
    heads: int
    layers: int
    epsilon: float
    pooling: str
    # What runs it in 8 bits, where it does.
    eighths: "Eighths | None" = None
    # It is the plain way for a few texts; there is nothing to choose.
    choice: None = None

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """See Encoder.encode."""
        vectors: Vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        with one_thread():
            for position, text in enumerate(texts):
                if text.strip():
                    ids = self.tokenizer.encode(text).ids
                    vectors[position] = self.eighths.vectors([ids]) if self.eighths else self._vector(ids)
                if progress:
                    progress(position + 1, len(texts))
        return vectors

    def _vector(self, ids: Sequence[int]) -> Vectors:
        w = self.weights
        tokens = w["embeddings.word_embeddings.weight"][np.asarray(ids)]
        places = w["embeddings.position_embeddings.weight"][: len(ids)]
        rows = self._normed(tokens + places + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for number in range(self.layers):
            rows = self._layer(rows, f"encoder.layer.{number}.")
        pooled = rows[0] if self.pooling == "cls" else rows.mean(axis=0)
        unit: Vectors = pooled / np.linalg.norm(pooled)
        return unit

    def _layer(self, rows: Vectors, name: str) -> Vectors:
        heard = self._linear(self._attended(rows, f"{name}attention.self."), f"{name}attention.output.dense")
        rows = self._normed(rows + heard, f"{name}attention.output.LayerNorm")
        inner = _gelu(self._linear(rows, f"{name}intermediate.dense"))
        return self._normed(rows + self._linear(inner, f"{name}output.dense"), f"{name}output.LayerNorm")

    def _attended(self, rows: Vectors, name: str) -> Vectors:
        """Scaled dot products of all heads, (tokens, width) to (tokens, width)."""
        count, width = rows.shape
        query, key, value = (
            self._linear(rows, name + part).reshape(count, self.heads, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(np.float32(width // self.heads))
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        heard: Vectors = (shares @ value).transpose(1, 0, 2).reshape(count, width)
        return heard

    def _linear(self, rows: Vectors, name: str) -> Vectors:
        product: Vectors = rows @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return product

    def _normed(self, rows: Vectors, name: str) -> Vectors:
        off = rows - rows.mean(axis=-1, keepdims=True)
        spread = np.sqrt((off * off).mean(axis=-1, keepdims=True) + np.float32(self.epsilon))
        normed: Vectors = off / spread * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]
        return normed


def _gelu(rows: Vectors) -> Vectors:
    grown: Vectors = rows * np.float32(0.5) * (1 + _erf(rows * np.float32(np.sqrt(0.5))))
    return grown


def _erf(rows: Vectors) -> Vectors:
    """The error function to 1.2e-7, which is what float32 can tell apart (Press et al., Numerical Recipes, 6.2)."""
    size = np.abs(rows).astype(np.float64)
    step = 1 / (1 + size / 2)
    power = np.zeros_like(size)
    for factor in (
        0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
        -1.26551223,
    ):  # fmt: skip
        power = power * step + factor
    rest = step * np.exp(power - size * size)
    signed: Vectors = np.copysign(1 - rest, rows).astype(np.float32)
    return signed


@cache
def _threads() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> Any:
    """Keep products of the block on one thread: of matrices this small two threads only wait for each other."""
    return _threads().limit(limits=1, user_api="blas")


def light_encoder(name: str, key: str, folder: Path) -> LightEncoder | None:
    """Read a model of BERT's kind from its folder; None for what is none, or is stored or pooled otherwise."""
    try:
        config = _json(folder / "config.json")
        pooling = _pooling(folder)
        weights = _weights(folder / "model.safetensors")
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        longest = int(_json(folder / "sentence_bert_config.json")["max_seq_length"])
        prompted = bool(_json(folder / "config_sentence_transformers.json").get("default_prompt_name"))
    except Exception:  # noqa: BLE001 - whatever it stumbles over, the full encoder reads it or says what is wrong
        return None
    known = (config.get("model_type"), config.get("hidden_act"), config.get("position_embedding_type", "absolute"))
    if known != ("bert", "gelu", "absolute") or pooling is None or weights is None or prompted:
        return None
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return LightEncoder(
        name, key, int(config["hidden_size"]), weights, tokenizer, int(config["num_attention_heads"]),
        int(config["num_hidden_layers"]), float(config["layer_norm_eps"]), pooling,
    )  # fmt: skip


def _json(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def _pooling(folder: Path) -> str | None:
    """Which of the two poolings that are known here the model has; None for any other, or further steps."""
    steps: Any = json.loads((folder / "modules.json").read_text("utf-8"))
    if tuple(step["type"].rpartition(".")[2] for step in steps) != KINDS:
        return None
    said = _json(folder / steps[1]["path"] / "config.json")
    chosen = [mode for mode, switch in POOLED.items() if said.get(switch) or said.get("pooling_mode") == mode]
    others = [name for name, on in said.items() if name.startswith("pooling_mode_") and on is True]
    return chosen[0] if len(chosen) == 1 and set(others) <= {POOLED[chosen[0]]} else None


def _weights(file: Path) -> Weights | None:
    """The tensors of a safetensors file by name, as views of the file: its head in JSON says where each one lies."""
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        head: dict[str, Any] = json.loads(stream.read(length))
    whole: npt.NDArray[np.uint8] = np.memmap(file, dtype=np.uint8, mode="r", offset=8 + length)
    tensors = {}
    for name, tensor in head.items():
        if name == "__metadata__" or name.endswith("position_ids"):
            continue
        if tensor["dtype"] not in STORED:
            return None
        start, end = tensor["data_offsets"]
        rows = whole[start:end].view(STORED[tensor["dtype"]]).reshape(tensor["shape"])
        tensors[name.removeprefix("bert.")] = np.asarray(rows, dtype=np.float32)
    return tensors
