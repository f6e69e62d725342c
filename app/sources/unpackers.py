"""What lies in an archive, part by part and piece by piece; names are labels, and no part is ever a path."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import py7zr
import py7zr.archiveinfo
import zstandard

from app.sources.records import BadInput

PIECE = 1 << 20
# A long-range window of 2 GiB, as the dumps of Reddit have it.
WINDOW = 1 << 31
# What an archive's directory may take for each entry: more holds no names but an attack.
ENTRY = 400
# The library's own bounds are in the millions, each entry 200 bytes of memory; they are read when an archive is opened.
py7zr.archiveinfo.MAX_NUMFILES = py7zr.archiveinfo.MAX_NUMFOLDERS = py7zr.archiveinfo.MAX_SUBSTREAMS = 20_000
py7zr.archiveinfo.MAX_HEADER_SIZE = 16 << 20
_SIGNATURES = (
    ("zip", re.compile(rb"PK(\x03\x04|\x05\x06)")),
    ("7z", re.compile(rb"7z\xbc\xaf\x27\x1c")),
    ("gz", re.compile(rb"\x1f\x8b\x08")),
    ("zst", re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")),
    ("bz2", re.compile(rb"BZh[1-9](1AY&SY|\x17\x72\x45\x38\x50\x90)")),
    ("xz", re.compile(rb"\xfd7zXZ\x00")),
    ("rar", re.compile(rb"Rar!\x1a\x07")),
)
# A spreadsheet is a ZIP too; what comes first in one is among these.
_OFFICE = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"xl/", b"mimetype", b"customXml/")
_ENDING = re.compile(r"\.(gz|zst|zstd|bz2|xz)$", re.IGNORECASE)


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
        elif kind in _STREAMS:
            parts = [_stream_part(path, kind, _ENDING.sub("", name), stack)]
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
        _check_name(part.name)
        if part.name in seen:
            raise BadInput(f"the archive holds two files called {part.name[:80]!r}; name them apart and pack it again")
        seen.add(part.name)
    check_size(sum(part.size or 0 for part in parts), packed, limits)


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


def _check_count(count: int, limits: Limits) -> None:
    if count > limits.parts:
        raise BadInput(f"the archive holds more than {limits.parts:,} files, which is the limit; pack it in parts")


def _check_name(name: str) -> None:
    unsafe = name.startswith("/") or "\\" in name or "\x00" in name or re.match(r"[A-Za-z]:", name)
    if unsafe or ".." in name.split("/") or not name.strip():
        raise BadInput(f"the archive holds a file called {name[:80]!r}, which points outside of it; pack it again")


@contextmanager
def _reading() -> Iterator[None]:
    """Turn what the libraries raise at broken archives into a sentence."""
    try:
        yield
    except BadInput:
        raise
    except py7zr.exceptions.PasswordRequired:
        raise BadInput(_LOCKED) from None
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
_LOCKED = "the archive is locked with a password; pack it again without one"


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while True:
        with _reading():
            piece = file.read(PIECE)
        if not piece:
            return
        yield piece


def _zip_parts(path: Path, limits: Limits, stack: ExitStack) -> list[Part]:
    _check_directory(path, limits)
    with _reading():
        archive = stack.enter_context(zipfile.ZipFile(path))
    entries = archive.infolist()
    _check_count(len(entries), limits)
    for entry in entries:
        _check_name(entry.orig_filename)
        if entry.flag_bits & 0x2041:
            raise BadInput(_LOCKED)
        _check_mode(entry.filename, entry.external_attr >> 16)
    return [_zip_part(archive, entry) for entry in entries if not entry.is_dir()]


def _zip_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Part:
    def pieces() -> Iterator[bytes]:
        with _reading():
            file = archive.open(entry)
        with file:
            yield from _pieces(file)

    return Part(entry.filename, entry.file_size, pieces, lambda _: entry.file_size)


def _check_mode(name: str, mode: int) -> None:
    """Refuse links and devices; archives from systems without modes have none."""
    kind = stat.S_IFMT(mode)
    if kind and kind not in {stat.S_IFREG, stat.S_IFDIR}:
        raise BadInput(f"{name[:80]!r} in the archive is a link or a device and no file; pack it again without")


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
    _check_count(max(count, length // ENTRY), limits)


def _7z_parts(path: Path, limits: Limits, stack: ExitStack) -> list[Part]:
    with _reading():
        _check_header(path, limits)
        try:
            archive = stack.enter_context(py7zr.SevenZipFile(path))
        except py7zr.exceptions.Bad7zFile as error:
            if "exceeds limit" in str(error):
                _check_count(limits.parts + 1, limits)
            raise
        if archive.needs_password():
            raise BadInput(_LOCKED)
        entries = list(archive.files)
    _check_count(len(entries), limits)
    for entry in entries:
        _check_name(entry.filename)
        if entry.is_symlink or entry.is_junction or entry.is_socket:
            _check_mode(entry.filename, stat.S_IFLNK)
        _check_mode(entry.filename, (entry.file_properties()["posix_mode"] or 0) | (entry.st_fmt or 0))
    solid = _Solid(archive, stack.enter_context(path.open("rb")))
    return [_7z_part(solid, entry) for entry in entries if not entry.is_directory]


def _7z_part(solid: _Solid, entry: Any) -> Part:
    return Part(entry.filename, entry.uncompressed, lambda: solid.pieces(entry), lambda _: int(entry.uncompressed))


def _check_header(path: Path, limits: Limits) -> None:
    """Refuse a 7z by the size of its packed directory: what it unpacks to is bounded by the library's reading of it."""
    with path.open("rb") as file:
        file.seek(20)
        _check_count(struct.unpack("<Q", file.read(8))[0] // ENTRY, limits)


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
            with _reading():
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


def _stream_part(path: Path, kind: str, name: str, stack: ExitStack) -> Part:
    raw = stack.enter_context(path.open("rb"))
    packed = path.stat().st_size

    def pieces() -> Iterator[bytes]:
        with _STREAMS[kind](raw) as file:
            yield from _pieces(file)
        if kind == "zst":
            _check_frames(path)

    return Part(name, None, pieces, lambda done: int(done * packed / max(1, raw.tell())))


def _zst(raw: BinaryIO) -> IO[bytes]:
    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    return unpacker.stream_reader(raw, read_across_frames=True, closefd=False)


def _gz(raw: BinaryIO) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(raw))


_STREAMS: dict[str, Callable[[BinaryIO], IO[bytes]]] = {"gz": _gz, "bz2": bz2.BZ2File, "xz": lzma.LZMAFile, "zst": _zst}


def _check_frames(path: Path) -> None:
    """Refuse a Zstandard file that is cut off, which its library reads as if it ended there."""
    size = path.stat().st_size
    with path.open("rb") as file, _reading():
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
