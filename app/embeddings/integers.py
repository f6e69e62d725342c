"""The engine whose products are of whole numbers: in 16 bits as good as float32, in 8 bits quicker and near.

A processor with AVX512-VNNI multiplies twice as many numbers of 16 bits at once as floats, and four times as many of 8.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from app.embeddings.forward import Coding, Linear, Model, Norm, forward
from app.embeddings.light import LightEncoder
from app.embeddings.tiles import WIDTH, processor_has_them
from app.embeddings.vectors import Tokens, Vectors

# Of rows so long and columns so long no sum of products is beyond 32 bits, whatever they hold (Cauchy-Schwarz).
LONGEST_ROW, LONGEST_COLUMN = 60_000.0, 32_768.0
# Beyond any length: 8 bits need no such limit.
ENDLESS = 1e20


@dataclass(frozen=True)
class Form:
    """How numbers are told: of weights and of rows, and how many go into 32 bits."""

    weights: type[np.signedinteger[Any]]
    rows: type[np.integer[Any]]
    group: int
    coding: Coding
    longest_column: float


HALVES = Form(np.int16, np.int16, 2, Coding(np.float32(32_767), np.float32(LONGEST_ROW), np.int32(0)), LONGEST_COLUMN)
# Rows are told from 1 to 255, as the instruction wants them, and what is too much in the sums is taken away again.
EIGHTHS = Form(np.int8, np.uint8, 4, Coding(np.float32(127), np.float32(ENDLESS), np.int32(128)), ENDLESS)


class Integers:
    """See app.embeddings.engines.Engine."""

    def __init__(self, light: LightEncoder, form: Form, threads: int) -> None:
        """Tell the weights in whole numbers; raises ValueError where the processor or the model does not fit."""
        if not processor_has_them():
            raise ValueError("the processor has no AVX512-VNNI")
        if light.dimensions // light.heads % WIDTH:
            raise ValueError(f"the heads of the model are not as wide as a multiple of {WIDTH}")
        self.name = "whole numbers of 16 bits" if form is HALVES else "8 bits"
        self._form, self._model = form, _model(light, form)
        self._threads = ThreadPoolExecutor(threads) if threads > 1 else None
        self._parts = threads

    def vectors(self, tokens: Tokens) -> Vectors:
        """See Engine.vectors; each thread has some of the texts."""
        found: Vectors = np.empty((len(tokens), self._model.words.shape[1]), dtype=np.float32)
        if self._threads is None or len(tokens) < self._parts:
            self._forward(tokens, found)
            return found
        cuts = [len(tokens) * part // self._parts for part in range(self._parts + 1)]
        pairs = pairwise(cuts)
        list(self._threads.map(lambda cut: self._forward(tokens[cut[0] : cut[1]], found[cut[0] : cut[1]]), pairs))
        return found

    def _forward(self, tokens: Tokens, found: Vectors) -> None:
        ids = np.fromiter((one for text in tokens for one in text), dtype=np.int64)
        ends = np.fromiter(accumulate(map(len, tokens)), dtype=np.int64)
        forward(self._model, self._form.coding, np.empty(0, dtype=self._form.rows), ids, ends, found)


def _model(light: LightEncoder, form: Form) -> Model:
    names = [f"encoder.layer.{number}." for number in range(light.layers)]
    asked = [[f"{name}attention.self.{part}" for part in ("query", "key", "value")] for name in names]

    def linear(rest: str) -> Linear:
        return _linear(light, form, [[f"{name}{rest}"] for name in names])

    def norm(*of: str) -> Norm:
        return Norm(*(np.stack([light.weights[f"{name}.{kind}"] for name in of]) for kind in ("weight", "bias")))

    weights = light.weights
    places = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    return Model(
        words=np.ascontiguousarray(weights["embeddings.word_embeddings.weight"]),
        places=np.ascontiguousarray(places),
        first=norm("embeddings.LayerNorm"),
        asked=_linear(light, form, asked),
        told=linear("attention.output.dense"),
        inner=linear("intermediate.dense"),
        outer=linear("output.dense"),
        heard=norm(*(f"{name}attention.output.LayerNorm" for name in names)),
        last=norm(*(f"{name}output.LayerNorm" for name in names)),
        heads=light.heads,
        epsilon=np.float32(light.epsilon),
        mean=light.pooling == "mean",
    )


def _linear(light: LightEncoder, form: Form, layers: Sequence[Sequence[str]]) -> Linear:
    parts = [
        _packed(
            np.concatenate([light.weights[f"{name}.weight"] for name in names]),
            np.concatenate([light.weights[f"{name}.bias"] for name in names]),
            form,
        )
        for names in layers
    ]
    return Linear(*(np.stack(part) for part in zip(*parts, strict=True)))


def _packed(weights: Vectors, biases: Vectors, form: Form) -> tuple[npt.NDArray[Any], ...]:
    """(columns, scales, offsets, biases) of a matrix (out, in): `columns` as a tile reads them."""
    most = np.abs(weights).max(axis=1)
    length = np.sqrt((weights.astype(np.float64) ** 2).sum(axis=1))
    limit = np.float64(np.iinfo(form.weights).max)
    scales = np.minimum(limit / np.maximum(most, 1e-12), form.longest_column / np.maximum(length, 1e-12))
    told = np.rint(weights * scales[:, None]).astype(form.weights)
    offsets = told.sum(axis=1, dtype=np.int32) * form.coding.added
    outs, ins = weights.shape
    if outs % WIDTH or ins % form.group:
        raise ValueError(f"a matrix of {outs} by {ins} does not fit into tiles")
    columns = told.reshape(outs // WIDTH, WIDTH, ins // form.group, form.group).transpose(0, 2, 1, 3)
    return (
        np.ascontiguousarray(columns), (1 / scales).astype(np.float32), offsets.astype(np.int32),
        np.ascontiguousarray(biases, dtype=np.float32),
    )  # fmt: skip
