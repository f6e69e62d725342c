"""Files that are packed one by one: gz, bz2, xz, and zst with windows of up to 2 GiB."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, BinaryIO, cast

import zstandard

from app.sources.archive_parts import Part, pieces_of, reading

# A long-range window of 2 GiB, as the dumps of Reddit have it.
WINDOW = 1 << 31


def stream_part(path: Path, kind: str, name: str, stack: ExitStack) -> Part:
    """The one part of such a file, under the name given; the end of the stack closes it."""
    raw = stack.enter_context(path.open("rb"))
    packed = path.stat().st_size

    def pieces() -> Iterator[bytes]:
        with STREAMS[kind](raw) as file:
            yield from pieces_of(file)
        if kind == "zst":
            _check_frames(path)

    return Part(name, None, pieces, lambda done: int(done * packed / max(1, raw.tell())))


def _zst(raw: BinaryIO) -> IO[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    return unpacker.stream_reader(raw, read_across_frames=True, closefd=False)


def _gz(raw: BinaryIO) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(raw))


STREAMS: dict[str, Callable[[BinaryIO], IO[bytes]]] = {"gz": _gz, "bz2": bz2.BZ2File, "xz": lzma.LZMAFile, "zst": _zst}


def _check_frames(path: Path) -> None:
    """Refuse a Zstandard file that is cut off, which its library reads as if it ended there."""
    size = path.stat().st_size
    with path.open("rb") as file, reading():
        at = 0
        while at < size:
            at = _frame_end(file, at)
            if at > size:
                raise EOFError("its last frame does not end")


def _frame_end(file: BinaryIO, at: int) -> int:
    file.seek(at)
    head = file.read(18)
    if head[1:4] == b"\x2a\x4d\x18":
        return at + 8 + int(struct.unpack_from("<L", head, 4)[0])
    frame = zstandard.get_frame_parameters(head)
    at += zstandard.frame_header_size(head)
    last = False
    while not last:
        file.seek(at)
        block = int.from_bytes(file.read(3).ljust(3, b"\x01"), "little")
        last, kind, length = bool(block & 1), block >> 1 & 3, block >> 3
        at += 3 + (1 if kind == 1 else length)
    return at + (4 if frame.has_checksum else 0)
