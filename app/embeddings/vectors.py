"""Vectors as they are kept: little-endian float32 bytes, keyed by the text's hash and the model's key."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Vectors: TypeAlias = npt.NDArray[np.float32]
# Ids of texts, as a model is given them.
Tokens: TypeAlias = Sequence[Sequence[int]]
Progress: TypeAlias = Callable[[int, int], None]

STORED = np.dtype("<f4")
LONGEST_NAME = 180


class BrokenVectorError(ValueError):
    """Stored bytes that cannot be a vector of the length that the model gives."""


def to_bytes(vector: npt.ArrayLike) -> bytes:
    """Give the bytes to store for one vector: 4 a dimension, little-endian on every machine."""
    return np.asarray(vector, dtype=STORED).tobytes()


def from_bytes(stored: bytes, dimensions: int) -> Vectors:
    """Read one stored vector: shape (dimensions,), writable; raises BrokenVectorError on any other length."""
    row: Vectors = stack([stored], dimensions)[0]
    return row


def stack(stored: Iterable[bytes], dimensions: int) -> Vectors:
    """Read many stored vectors into one array of shape (n, dimensions), in the order given.

    Raises BrokenVectorError when any of them has another length.
    """
    rows = list(stored)
    for position, row in enumerate(rows):
        if len(row) != dimensions * STORED.itemsize:
            message = f"vector {position} has {len(row)} bytes, not {dimensions * STORED.itemsize}"
            raise BrokenVectorError(message)
    joined = np.frombuffer(b"".join(rows), dtype=STORED)
    return joined.reshape(len(rows), dimensions).astype(np.float32)


def text_hash(text: str) -> str:
    """Give the SHA-256 of the text's UTF-8 in hex: equal when all code points are, and only then."""
    return hashlib.sha256(text.encode()).hexdigest()


def model_key(name: str, fingerprint: str) -> str:
    """Name the model that made a vector, in at most 197 characters: another name once any file differs."""
    return f"{name[:LONGEST_NAME]}@{fingerprint[:16]}"
