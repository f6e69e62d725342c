"""A model of BERT's kind over many texts at once, its products of whole numbers: the loops that numba compiles.

Texts lie one after the other, without anything between them. Each row of numbers is told in whole ones of 16 or of 8
bits, with a scale of its own; sums are exact, in 32 bits. What lies between two products is done while its rows are
near the processor. Devlin et al. 2018; Vaswani et al. 2017, section 3; see app.embeddings.light for the same in numpy.
"""

import math
from contextlib import suppress
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from numpy.polynomial import Polynomial, chebyshev

from app.embeddings.tiles import ROWS, WIDTH, highest_of, largest_of, squares_of, tile, total_of

Array = npt.NDArray[Any]


class Linear(NamedTuple):
    """Weights of all layers as tiles read them, (layers, blocks, groups, WIDTH, in a group), and (layers, columns)."""

    columns: Array
    scales: Array
    # What is too much in the sums because rows are told in numbers that are not below nothing.
    offsets: Array
    biases: Array


class Norm(NamedTuple):
    """(layers, width) each."""

    weights: Array
    biases: Array


class Coding(NamedTuple):
    """How a row becomes whole numbers: how large its largest part, how long it may be, what is added to each part."""

    most: np.float32
    longest: np.float32
    added: np.int32


class Model(NamedTuple):
    """The weights: of words and places, then of each layer in the order in which they are used."""

    words: Array
    places: Array
    first: Norm
    asked: Linear
    told: Linear
    heard: Norm
    inner: Linear
    outer: Linear
    last: Norm
    heads: int
    epsilon: np.float32
    # Whether a text is the mean of its tokens, or its first one.
    mean: bool


ONE, HALF = np.float32(1), np.float32(0.5)
LEAST, LOWEST = np.float32(1e-12), np.float32(-1e30)
ROOT_OF_HALF = np.float32(math.sqrt(0.5))
# The error function is 1 to 7e-7 from here on, and below it x times a polynomial of x squared, fitted here.
FAR = 3.5


def _fitted(degree: int = 12, points: int = 600) -> tuple[np.float32, ...]:
    """Factors of a polynomial of 2 x^2 / FAR^2 - 1 that is erf(x) / x, off by less than 1e-6."""
    at = np.cos(np.pi * (np.arange(points) + 0.5) / points)
    roots = np.sqrt((at + 1) / 2) * FAR
    wanted = [math.erf(root) / root for root in roots]
    fit = chebyshev.Chebyshev.fit(at, wanted, degree, domain=[-1, 1]).convert(kind=Polynomial)
    return tuple(np.float32(factor) for factor in fit.coef)


E = _fitted()
EDGE, SQUARED = np.float32(FAR), np.float32(2 / FAR**2)


@numba.njit(nogil=True, fastmath=True)
def _gelu(x: Any) -> Any:
    z = min(max(x * ROOT_OF_HALF, -EDGE), EDGE)
    u = z * z * SQUARED - ONE
    low = E[0] + u * (E[1] + u * (E[2] + u * (E[3] + u * (E[4] + u * (E[5] + u * E[6])))))
    u2 = u * u
    high = E[7] + u * (E[8] + u * (E[9] + u * (E[10] + u * (E[11] + u * E[12]))))
    return HALF * x * (ONE + z * (low + u2 * u2 * u2 * u * high))


@numba.njit(nogil=True, fastmath=True)
def _code(row: Any, coded: Any, coding: Any) -> Any:
    """Tell a row in whole numbers; what one of them stands for."""
    most = max(largest_of(row.ctypes.data, len(row)), LEAST)
    scale = min(coding.most / most, coding.longest / np.sqrt(max(squares_of(row.ctypes.data, len(row)), LEAST)))
    for at in range(len(row)):
        coded[at] = np.int32(np.rint(row[at] * scale)) + coding.added
    return ONE / scale


@numba.njit(nogil=True, fastmath=True)
def _multiply(coded: Any, start: Any, linear: Any, layer: Any, sums: Any) -> Any:
    """The sums of ROWS rows from `start` on with all columns."""
    columns, step = linear.columns, coded.strides[0]
    rows = coded.ctypes.data + start * step
    first = columns.ctypes.data + layer * columns.strides[0]
    for block in range(columns.shape[1]):
        tile(
            coded[0, 0], rows, step, first + block * columns.strides[1], columns.shape[2],
            sums.ctypes.data + block * WIDTH * 4, sums.strides[0],
        )  # fmt: skip


@numba.njit(nogil=True, fastmath=True)
def _told(sums: Any, scale: Any, linear: Any, layer: Any, row: Any) -> Any:
    """Sums as the numbers that they stand for."""
    scales, offsets, biases = linear.scales[layer], linear.offsets[layer], linear.biases[layer]
    for at in range(len(row)):
        row[at] = np.float32(np.int32(sums[at] - offsets[at])) * (scale * scales[at]) + biases[at]


@numba.njit(nogil=True, fastmath=True)
def _normed(row: Any, norm: Any, layer: Any, epsilon: Any) -> Any:
    weights, biases = norm.weights[layer], norm.biases[layer]
    mean = total_of(row.ctypes.data, len(row)) / np.float32(len(row))
    for at in range(len(row)):
        row[at] -= mean
    factor = ONE / np.sqrt(squares_of(row.ctypes.data, len(row)) / np.float32(len(row)) + epsilon)
    for at in range(len(row)):
        row[at] = row[at] * factor * weights[at] + biases[at]


@numba.njit(nogil=True, fastmath=True)
def _shared(row: Any, length: Any, factor: Any) -> Any:
    """So many scores become shares of one: exp(x) as exp(x / 256) by its series, squared eight times."""
    for at in range(length, len(row)):
        row[at] = LOWEST
    most = highest_of(row.ctypes.data, len(row))
    for at in range(len(row)):
        x = max((row[at] - most) * factor, np.float32(-80)) * np.float32(1 / 256)
        y = ONE + x * (ONE + x * (HALF + x * (np.float32(1 / 6) + x * (np.float32(1 / 24) + x * np.float32(1 / 120)))))
        y *= y
        y *= y
        y *= y
        y *= y
        y *= y
        y *= y
        y *= y
        y *= y
        row[at] = y
    share = ONE / total_of(row.ctypes.data, len(row))
    for at in range(len(row)):
        row[at] *= share


@numba.njit(nogil=True, fastmath=True)
def _attend(wide: Any, start: Any, length: Any, heads: Any, context: Any) -> Any:
    """What each token of a text hears of all, into `context`; rows beyond the text's last are written over later."""
    width = context.shape[1]
    part = width // heads
    blocks = (length + WIDTH - 1) // WIDTH
    keys = np.zeros((blocks, part, WIDTH), np.float32)
    values = np.empty((part // WIDTH, length, WIDTH), np.float32)
    shares = np.empty((ROWS, blocks * WIDTH), np.float32)
    factor = ONE / np.sqrt(np.float32(part))
    step, room = wide.strides[0], context.strides[0]
    for head in range(heads):
        own = head * part
        for token in range(length):
            for at in range(part):
                keys[token // WIDTH, at, token % WIDTH] = wide[start + token, width + own + at]
            for block in range(part // WIDTH):
                for at in range(WIDTH):
                    values[block, token, at] = wide[start + token, 2 * width + own + block * WIDTH + at]
        for first in range(0, length, ROWS):
            rows = wide.ctypes.data + (start + first) * step + own * 4
            for block in range(blocks):
                tile(
                    factor, rows, step, keys.ctypes.data + block * keys.strides[0], part,
                    shares.ctypes.data + block * WIDTH * 4, shares.strides[0],
                )  # fmt: skip
            for row in range(min(ROWS, length - first)):
                _shared(shares[row], length, factor)
            for block in range(part // WIDTH):
                tile(
                    factor, shares.ctypes.data, shares.strides[0], values.ctypes.data + block * values.strides[0],
                    length, context.ctypes.data + (start + first) * room + (own + block * WIDTH) * 4, room,
                )  # fmt: skip


@numba.njit(nogil=True, fastmath=True)
def _add(coded: Any, scales: Any, linear: Any, norm: Any, layer: Any, count: Any, epsilon: Any, x: Any) -> Any:
    """Add what a product says to each row of `x`, and norm it."""
    sums, row = _room(linear)
    for start in range(0, count, ROWS):
        _multiply(coded, start, linear, layer, sums)
        for at in range(ROWS):
            _told(sums[at], scales[start + at], linear, layer, row)
            for place in range(len(row)):
                x[start + at, place] += row[place]
            _normed(x[start + at], norm, layer, epsilon)


@numba.njit(nogil=True, fastmath=True)
def _room(linear: Any) -> Any:
    size = linear.scales.shape[1]
    return np.empty((ROWS, size), np.int32), np.empty(size, np.float32)


@numba.njit(nogil=True, fastmath=True)
def _code_all(rows: Any, coded: Any, scales: Any, coding: Any) -> Any:
    for at in range(len(rows)):
        scales[at] = _code(rows[at], coded[at], coding)


@numba.njit(nogil=True, fastmath=True)
def _ask(coded: Any, scales: Any, linear: Any, layer: Any, count: Any, wide: Any) -> Any:
    """What each row asks for, answers to, and tells."""
    sums, _ = _room(linear)
    for start in range(0, count, ROWS):
        _multiply(coded, start, linear, layer, sums)
        for at in range(ROWS):
            _told(sums[at], scales[start + at], linear, layer, wide[start + at])


@numba.njit(nogil=True, fastmath=True)
def _think(coded: Any, scales: Any, linear: Any, layer: Any, count: Any, coding: Any, inner: Any) -> Any:
    """The wider rows between two products, told in whole numbers again."""
    sums, row = _room(linear)
    for start in range(0, count, ROWS):
        _multiply(coded, start, linear, layer, sums)
        for at in range(ROWS):
            _told(sums[at], scales[start + at], linear, layer, row)
            for place in range(len(row)):
                row[place] = _gelu(row[place])
            scales[start + at] = _code(row, inner[start + at], coding)


@numba.njit(nogil=True, fastmath=True)
def _begun(model: Any, ids: Any, ends: Any, x: Any) -> Any:
    """Words at their places, normed; rows beyond the last are of zeros."""
    start = 0
    for end in ends:
        for at in range(start, end):
            word, place = model.words[ids[at]], model.places[at - start]
            for part in range(len(word)):
                x[at, part] = word[part] + place[part]
            _normed(x[at], model.first, 0, model.epsilon)
        start = end


@numba.njit(nogil=True, fastmath=True)
def _pooled(model: Any, ends: Any, x: Any, found: Any) -> Any:
    """Of each text the mean of its rows, or its first one, of unit length."""
    start = 0
    for text in range(len(ends)):
        end = ends[text] if model.mean else start + 1
        row = found[text]
        row[:] = 0
        for at in range(start, end):
            for part in range(len(row)):
                row[part] += x[at, part]
        square = LEAST * LEAST
        for part in range(len(row)):
            square += row[part] * row[part]
        factor = ONE / np.sqrt(square)
        for part in range(len(row)):
            row[part] *= factor
        start = ends[text]


@numba.njit(nogil=True, fastmath=True)
def forward(model: Any, coding: Any, kind: Any, ids: Any, ends: Any, found: Any) -> Any:
    """The unit vector of each text into `found` (n, width): its ids lie before ends[i]. Of `kind` the type counts."""
    width, count = model.words.shape[1], ends[-1]
    # A tile reads and writes ROWS rows, from wherever a text begins.
    rows = (count + ROWS - 1) // ROWS * ROWS
    x, context = np.zeros((rows, width), np.float32), np.zeros((rows + ROWS, width), np.float32)
    wide = np.zeros((rows + ROWS, 3 * width), np.float32)
    coded = np.empty((rows, width), kind.dtype)
    inner = np.empty((rows, model.inner.scales.shape[1]), kind.dtype)
    scales = np.empty(rows, np.float32)
    _begun(model, ids, ends, x)
    for layer in range(len(model.asked.scales)):
        _code_all(x, coded, scales, coding)
        _ask(coded, scales, model.asked, layer, count, wide)
        start = 0
        for end in ends:
            _attend(wide, start, end - start, model.heads, context)
            start = end
        _code_all(context[:rows], coded, scales, coding)
        _add(coded, scales, model.told, model.heard, layer, count, model.epsilon, x)
        _code_all(x, coded, scales, coding)
        _think(coded, scales, model.inner, layer, count, coding, inner)
        _add(inner, scales, model.outer, model.last, layer, count, model.epsilon, x)
    _pooled(model, ends, x, found)


# What was compiled is kept beside this file or in the person's cache folder; where neither can be written, not at all.
with suppress(RuntimeError):
    forward.enable_caching()
