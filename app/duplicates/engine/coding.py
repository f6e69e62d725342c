"""Rows in the numbers that are multiplied: small integers, whose rounding is allowed for, or the floats themselves.

What rounding may take from a product is bounded by the largest error of any row, measured over all of them: for rows a
and b and errors e, |a'b - q'p| <= |a||e| + |q||e|. That much lower is the threshold put, so that no pair is lost.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from app.duplicates.engine.shortening import ROUNDING, by_parts
from app.embeddings.vectors import Vectors

Codes: TypeAlias = npt.NDArray[np.int8]

LEVELS = 127
# What makes any signed byte an unsigned one.
OFFSET = 128
# Two products of an unsigned with a signed byte are added in 16 bits, and stay at the end of these if they are larger.
LARGEST = 2**15 - 1
# The square of this many steps is the product of a unit row with itself.
MOST_STEPS = 181


@dataclass(frozen=True)
class Coded:
    """Rows for a tile: what it multiplies at once is an atom, (n, groups) of them, and a row's sums begin at its start.

    A sum above nothing at the end means that the pair may reach the threshold. Columns are `offset` higher than rows.
    """

    atoms: npt.NDArray[Any]
    starts: npt.NDArray[Any]
    offset: int = 0

    def words(self, atoms: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
        """What 32 bits of a row are set against atoms of columns: the atom, twice where it has half as many bits."""
        lowered = np.ascontiguousarray(atoms)
        if self.offset:
            lowered = (lowered.view(np.uint8) - np.uint8(self.offset)).view(atoms.dtype)
        return lowered if lowered.dtype == np.uint32 else lowered.astype(np.uint32) * np.uint32(0x10001)


@dataclass(frozen=True)
class Question:
    """Rows that hits are asked about once more, one pair at a time: bytes (n, d), and the least product that counts."""

    codes: Codes
    lowest: int


def in_floats(short: Vectors, threshold: float) -> Coded:
    """Give float32 rows as they are; the sums of a tile begin below nothing, which doubles what rounding may do."""
    starts = np.full(len(short), 2 * ROUNDING - threshold, dtype=np.float32)
    return Coded(np.ascontiguousarray(short).view(np.uint32), starts)


def in_quads(short: Vectors, threshold: float, processors: int = 1) -> Coded:
    """Give float32 rows as fours of bytes, whose sums have 32 bits: nothing wraps, and all steps of a byte are used."""
    short = np.pad(short, ((0, 0), (0, -short.shape[1] % 4)))
    scale = LEVELS / _widest(short)
    codes, lost = rounded(short, scale, processors)
    lowest = int(np.floor((threshold - lost) * scale**2))
    starts = (1 - lowest - OFFSET * codes.sum(axis=1, dtype=np.int64)).astype(np.int32)
    return Coded((codes.view(np.uint8) + np.uint8(OFFSET)).view(np.uint32), starts, OFFSET)


def in_bytes(short: Vectors, threshold: float, processors: int = 1) -> Coded:
    """Give float32 rows as pairs of bytes. Sums of 16 bits may wrap far below a hit, where that makes one in vain."""
    if short.shape[1] % 2:
        short = np.pad(short, ((0, 0), (0, 1)))
    scale, offset = _scale(short, threshold, processors)
    codes, lost = rounded(short, scale, processors)
    lowest = int(np.floor((threshold - lost) * scale**2))
    sums = np.rint(codes.astype(np.float32) @ np.ones(codes.shape[1], dtype=np.float32)).astype(np.int64)
    starts = (1 - lowest - offset * sums).astype(np.int16)
    return Coded((codes.view(np.uint8) + np.uint8(offset)).view(np.uint16), starts, offset)


def in_question(rows: Vectors | None, count: int, threshold: float, processors: int = 1) -> Question:
    """Give float32 rows as bytes for the second question; without rows a question to which all pairs answer yes."""
    if rows is None:
        return Question(np.empty((count, 0), dtype=np.int8), 0)
    scale = LEVELS / _widest(rows)
    codes, lost = rounded(rows, scale, processors)
    return Question(codes, int(np.floor((threshold - lost) * scale**2)))


def lost_in_quads(short: Vectors) -> float:
    """By how much `in_quads` puts the threshold lower for such rows."""
    return rounded(short, LEVELS / _widest(short))[1]


def lost_in_bytes(short: Vectors, threshold: float) -> float:
    """By how much `in_bytes` puts the threshold lower for such rows, of an even number of columns."""
    return rounded(short, _scale(short, threshold)[0])[1]


def rounded(rows: Vectors, scale: float, processors: int = 1) -> tuple[Codes, float]:
    """Round rows to so many steps to 1; with them the most that a product of two of them may lose by that."""
    codes = np.empty(rows.shape, dtype=np.int8)

    def measured(part: slice) -> tuple[float, float]:
        steps = rows[part] * np.float32(scale)
        codes[part] = np.rint(steps, out=steps)
        steps /= np.float32(scale)
        steps -= rows[part]
        return _longest(steps), _longest(rows[part])

    found = by_parts(measured, len(rows), processors)
    error, longest = (max(side) for side in zip(*found, strict=True)) if found else (0.0, 0.0)
    return codes, 2 * longest * error + error**2 + ROUNDING


def _longest(rows: Vectors) -> float:
    return float(np.sqrt(np.einsum("ij,ij->i", rows, rows).max()))


def _widest(rows: Vectors) -> float:
    return max(float(rows.max(initial=0)), -float(rows.min(initial=0)), 1e-9)


def _scale(short: Vectors, threshold: float, processors: int = 1) -> tuple[float, int]:
    """How many steps make 1, and how far columns are raised: as many as keep every sum of two products in 16 bits.

    With columns between 0 and twice the offset, such a sum is at most the product of two pairs of numbers, and the
    offset times what one pair adds up to. And no hit may be so high above its start that it wraps.
    """

    def lengths(part: slice) -> tuple[float, float, float]:
        squares = short[part] ** 2
        pairs = squares[:, ::2] + squares[:, 1::2]
        return float(squares.max()), float(pairs.max()), float(pairs.sum(axis=1).max())

    found = by_parts(lengths, len(short), processors) or [(0.0, 0.0, 0.0)]
    widest, pair, longest = (float(np.sqrt(max(side))) for side in zip(*found, strict=True))

    def fits(scale: float) -> bool:
        two = (scale * pair + 1) ** 2 + _offset(scale, widest) * np.sqrt(2) * (scale * pair + 1)
        error = np.sqrt(short.shape[1]) / 2 / scale
        high = (longest + error) ** 2 - threshold + 2 * longest * error + error**2 + ROUNDING
        return bool(_offset(scale, widest) <= LEVELS and two <= LARGEST and high * scale**2 + 2 <= LARGEST)

    scale = float(MOST_STEPS)
    while not fits(scale):
        scale *= 0.99
    return scale, _offset(scale, widest)


def _offset(scale: float, widest: float) -> int:
    return int(np.ceil(scale * widest)) + 1
