"""What an archive may hold: its parts, their names and sizes, and what is said of one that is broken."""

from __future__ import annotations

import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import py7zr
import py7zr.archiveinfo
import zstandard

from app.sources.records import BadInput

PIECE = 1 << 20
# What an archive's directory may take for each entry: more holds no names but an attack.
ENTRY = 400
# The library's own bounds are in the millions, each entry 200 bytes of memory; they are read when an archive is opened.
py7zr.archiveinfo.MAX_NUMFILES = py7zr.archiveinfo.MAX_NUMFOLDERS = py7zr.archiveinfo.MAX_SUBSTREAMS = 20_000
py7zr.archiveinfo.MAX_HEADER_SIZE = 16 << 20


@dataclass(frozen=True)
class Limits:
    """What an archive may be: its parts, their bytes in all, those for each packed one, seconds of unpacking."""

    parts: int
    size: int
    ratio: int
    seconds: float


@dataclass(frozen=True)
class Part:
    """A file in an archive: its label, its size where the archive says it, its bytes; to be read in order.

    `guess` says how large it is in all when so many bytes of it were read.
    """

    name: str
    size: int | None
    pieces: Callable[[], Iterator[bytes]]
    guess: Callable[[int], int]


def check_size(size: int, packed: int, limits: Limits) -> None:
    """Refuse what unpacks to too much: in all, or for its packed size once it is over 100 MB."""
    if size > limits.size:
        raise BadInput(
            f"the archive unpacks to more than {limits.size // 1_000_000:,} MB, which is the limit; an operator can "
            "raise HANDPICKED_MAX_UNPACKED_MB"
        )
    if size > 100_000_000 and size > packed * limits.ratio:
        raise BadInput(
            f"the archive unpacks to more than {limits.ratio} times its own size, which is the limit; an operator can "
            "raise HANDPICKED_MAX_UNPACKED_RATIO"
        )


def check_count(count: int, limits: Limits) -> None:
    """Refuse too many parts."""
    if count > limits.parts:
        raise BadInput(f"the archive holds more than {limits.parts:,} files, which is the limit; pack it in parts")


def check_name(name: str) -> None:
    """Refuse what points outside, on any system."""
    unsafe = name.startswith("/") or "\\" in name or "\x00" in name or re.match(r"[A-Za-z]:", name)
    if unsafe or ".." in name.split("/") or not name.strip():
        raise BadInput(f"the archive holds a file called {name[:80]!r}, which points outside of it; pack it again")


def check_mode(name: str, mode: int) -> None:
    """Refuse links and devices; archives from systems without modes have none."""
    kind = stat.S_IFMT(mode)
    if kind and kind not in {stat.S_IFREG, stat.S_IFDIR}:
        raise BadInput(f"{name[:80]!r} in the archive is a link or a device and no file; pack it again without")


@contextmanager
def reading() -> Iterator[None]:
    """Turn what the libraries raise at broken archives into a sentence."""
    try:
        yield
    except BadInput:
        raise
    except py7zr.exceptions.PasswordRequired:
        raise BadInput(LOCKED) from None
    except (NotImplementedError, py7zr.exceptions.UnsupportedCompressionMethodError):
        raise BadInput("the archive is packed by a method that is not read; pack it again as zip or gz") from None
    except _BROKEN as error:
        words = " ".join(str(error).split())[:120]
        raise BadInput(f"the archive is broken or cut off ({words or type(error).__name__})") from None


# What py7zr raises at a malformed header is whatever its parser stumbles over.
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    zstandard.ZstdError,
    py7zr.exceptions.ArchiveError,
    EOFError,
    OSError,
    struct.error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    RuntimeError,
)
LOCKED = "the archive is locked with a password; pack it again without one"


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    """Read a file to its end, piece by piece. Raises BadInput where it is broken."""
    while True:
        with reading():
            piece = file.read(PIECE)
        if not piece:
            return
        yield piece
