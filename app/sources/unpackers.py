"""What lies in an archive, part by part and piece by piece; names are labels, and no part is ever a path."""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import py7zr

from app.sources.archive_parts import (
    ENTRY,
    LOCKED,
    PIECE,
    Limits,
    Part,
    check_count,
    check_mode,
    check_name,
    check_size,
    pieces_of,
    reading,
)
from app.sources.packed_streams import STREAMS, stream_part
from app.sources.records import BadInput

_SIGNATURES = (
    ("zip", re.compile(rb"PK(\x03\x04|\x05\x06)")),
    ("7z", re.compile(rb"7z\xbc\xaf\x27\x1c")),
    ("gz", re.compile(rb"\x1f\x8b")),
    ("zst", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")),
    ("bz2", re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)")),
    ("xz", re.compile(rb"\xfd7zXZ\x00")),
    ("rar", re.compile(rb"Rar!\x1a\x07")),
)
# A spreadsheet is a ZIP too; what comes first in one is among these.
_OFFICE = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"xl/", b"mimetype", b"customXml/")
_ENDING = re.compile(r"\.(gz|zst|zstd|bz2|xz)$", re.IGNORECASE)


def kind_of(head: bytes) -> str | None:
    """Which archive a file is by its first bytes, None where it is none; a spreadsheet is none."""
    found = next((name for name, signature in _SIGNATURES if signature.match(head)), None)
    return None if found == "zip" and head[30:].startswith(_OFFICE) else found


def archive_kind(path: Path) -> str | None:
    """Which archive a file is by its content, None where it is none."""
    with path.open("rb") as file:
        return kind_of(file.read(64))


@contextmanager
def opened(path: Path, name: str, limits: Limits) -> Iterator[Sequence[Part]]:
    """The parts of an archive, checked by what it says of them. Raises BadInput (422) with a sentence."""
    kind = archive_kind(path)
    with ExitStack() as stack:
        if kind == "zip":
            parts = _zip_parts(path, limits, stack)
        elif kind == "7z":
            parts = _7z_parts(path, limits, stack)
        elif kind in STREAMS:
            parts = [stream_part(path, kind, _ENDING.sub("", name), stack)]
        else:
            raise BadInput(f"{name} is no archive that is opened; there are zip, 7z, gz, zst, bz2 and xz")
        _check(parts, path.stat().st_size, limits)
        yield parts


def _check(parts: Sequence[Part], packed: int, limits: Limits) -> None:
    """Refuse by the directory alone, before anything is written."""
    if not parts:
        raise BadInput("the archive holds no file")
    seen: set[str] = set()
    for part in parts:
        check_name(part.name)
        if part.name in seen:
            raise BadInput(f"the archive holds two files called {part.name[:80]!r}; name them apart and pack it again")
        seen.add(part.name)
    check_size(sum(part.size or 0 for part in parts), packed, limits)


def _zip_parts(path: Path, limits: Limits, stack: ExitStack) -> list[Part]:
    _check_directory(path, limits)
    with reading():
        archive = stack.enter_context(zipfile.ZipFile(path))
    entries = archive.infolist()
    check_count(len(entries), limits)
    for entry in entries:
        check_name(entry.orig_filename)
        if entry.flag_bits & 0x2041:
            raise BadInput(LOCKED)
        check_mode(entry.filename, entry.external_attr >> 16)
    return [_zip_part(archive, entry) for entry in entries if not entry.is_dir()]


def _zip_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Part:
    def pieces() -> Iterator[bytes]:
        with reading():
            file = archive.open(entry)
        with file:
            yield from pieces_of(file)

    return Part(entry.filename, entry.file_size, pieces, lambda _: entry.file_size)


def _check_directory(path: Path, limits: Limits) -> None:
    """Refuse a ZIP by the end of its file alone: a directory of a million entries is not even read."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 66_000))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22:
        raise BadInput("the archive is broken or cut off (a ZIP ends with its directory, and there is none)")
    count, length = struct.unpack_from("<HL", tail, at + 10)
    # With the 64-bit record where the library looks for it.
    if tail[at - 20 :].startswith(b"PK\x06\x07") and at >= 76:
        count, length = struct.unpack_from("<QQ", tail, at - 44)
    check_count(max(count, length // ENTRY), limits)


def _7z_parts(path: Path, limits: Limits, stack: ExitStack) -> list[Part]:
    with reading():
        _check_header(path, limits)
        try:
            archive = stack.enter_context(py7zr.SevenZipFile(path))
        except py7zr.exceptions.Bad7zFile as error:
            if "exceeds limit" in str(error):
                check_count(limits.parts + 1, limits)
            raise
        if archive.needs_password():
            raise BadInput(LOCKED)
        entries = list(archive.files)
    check_count(len(entries), limits)
    for entry in entries:
        check_name(entry.filename)
        if entry.is_symlink or entry.is_junction or entry.is_socket:
            check_mode(entry.filename, stat.S_IFLNK)
        check_mode(entry.filename, (entry.file_properties()["posix_mode"] or 0) | (entry.st_fmt or 0))
    solid = _Solid(archive, stack.enter_context(path.open("rb")))
    return [_7z_part(solid, entry) for entry in entries if not entry.is_directory]


def _7z_part(solid: _Solid, entry: Any) -> Part:
    return Part(entry.filename, entry.uncompressed, lambda: solid.pieces(entry), lambda _: int(entry.uncompressed))


def _check_header(path: Path, limits: Limits) -> None:
    """Refuse a 7z by the size of its packed directory: what it unpacks to is bounded by the library's reading of it."""
    with path.open("rb") as file:
        head = file.read(32)
    # Of a head that is not what was written nothing can be told, its size least of all.
    if len(head) < 32 or zlib.crc32(head[12:]) != struct.unpack_from("<L", head, 8)[0]:
        raise EOFError("its head is damaged")
    start, length = struct.unpack_from("<QQ", head, 12)
    check_count(length // ENTRY, limits)
    if 32 + start + length > path.stat().st_size:
        raise EOFError("a 7z ends with its directory, and there is none")


class _Solid:
    """The streams of a 7z, read in order: what is behind a part is had only by reading through it."""

    def __init__(self, archive: py7zr.SevenZipFile, file: BinaryIO) -> None:
        self._file = file
        self._start = archive.afterheader
        self._rest: Iterator[bytes] = iter(())
        streams = archive.header.main_streams
        self._folders: list[Any] = streams.unpackinfo.folders if streams else []
        self._positions: list[int] = streams.packinfo.packpositions if streams else []
        self._at: Any = None

    def pieces(self, entry: Any) -> Iterator[bytes]:
        """Give a part's bytes; what was left of the one before is read first."""
        for _ in self._rest:
            pass
        self._rest = self._read(entry)
        return self._rest

    def _read(self, entry: Any) -> Iterator[bytes]:
        if entry.emptystream:
            return
        if entry.folder is not self._at:
            self._enter(entry.folder)
        left, sum_ = entry.uncompressed, 0
        while left > 0:
            with reading():
                at = self._file.tell()
                piece = bytes(entry.folder.get_decompressor(entry.compressed).decompress(self._file, min(left, PIECE)))
                if not piece and self._file.tell() == at:
                    raise EOFError("it ends before its parts do")
            left, sum_ = left - len(piece), zlib.crc32(piece, sum_)
            yield piece
        if entry.crc32 is not None and sum_ != entry.crc32:
            raise BadInput(f"{entry.filename[:80]!r} in the archive is damaged: its checksum is wrong")

    def _enter(self, folder: Any) -> None:
        self._at = folder
        self._file.seek(self._start + self._positions[self._folders.index(folder)])
