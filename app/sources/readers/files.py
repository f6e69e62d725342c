"""Opening a file: what it is, by its content and never by its name, and its text line by line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from app.sources.readers.cells import delimiter_of
from app.sources.readers.strict_json import BadJson, parse
from app.sources.records import BadInput

LARGEST_LINE = 8 << 20


def too_long(what: str, longest: int) -> str:
    """Say that a record, or what holds it, has more bytes than one may have, and what allows it more."""
    return f"{what} is longer than {longest >> 20} MB (HANDPICKED_MAX_RECORD_MB)"


_SIGNATURES = (
    (b"PK\x03\x04", "a ZIP archive", "unpack it first"),
    (b"PK\x05\x06", "an empty ZIP archive", "there is nothing in it"),
    (b"\x1f\x8b", "a gzip file", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"\xfd7zXZ\x00", "an xz file", "unpack it first"),
    (b"BZh", "a bzip2 file", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"\x93NUMPY", "a NumPy file", "it holds numbers and no text"),
    (b"SQLite format 3\x00", "an SQLite database", "export its rows as JSONL first"),
    (b"%PDF", "a PDF", "it holds pages and no records"),
    (b"\x89PNG", "a picture", "it holds no text"),
    (b"\xff\xd8\xff", "a picture", "it holds no text"),
    (b"GIF8", "a picture", "it holds no text"),
    (b"\x7fELF", "a program", "it holds no text"),
    (b"MZ", "a program", "it holds no text"),
    (b"\x89HDF", "an HDF5 file", "export it as JSONL first"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office file (XLS)", "save it as XLSX or CSV first"),
    (b"ARROW1", "an Arrow file", "export it as Parquet or JSONL first"),
)
_OLD_LINES = "the file has lines that end in a carriage return alone (CR); save it with LF or CR LF at their ends"
_SHEET_PARTS = (b"[Content_Types].xml", b"_rels/.rels", b"docProps/", b"xl/")
_PICKLE = re.compile(rb"\x80[\x02-\x05][\x95}\](cX\x8c(]")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ENCODINGS = ("auto", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252")
"""What a person may choose; `auto` is UTF-8, or what a byte-order mark says."""
_WRONGLY_READ = re.compile(r"byte \d+ of the file is not valid |choose its encoding")


@dataclass(frozen=True)
class Sniffed:
    """A file, what people call it, and what its first bytes say: kind, encoding, first words.

    `kind` is xml, html, lines (JSON objects), array, object (one, over several lines), csv, tsv, parquet, xlsx,
    text, or nothing, and then `fault` says why no reader takes it.
    `memo` is for what readers learn of the file while they recognise it.
    """

    path: Path
    name: str
    kind: str
    encoding: str = "utf-8-sig"
    head: str = ""
    fault: BadInput | None = None
    memo: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)
    # Whether it lies in a folder of data files, whose names say something: test.jsonl alone may be anything.
    in_folder: bool = False


def sniff(path: Path, encoding: str = "auto", name: str = "") -> Sniffed:
    """Look at a file's first bytes. Raises BadInput (422) for an encoding that is none."""
    require_encoding(encoding)
    name = name or path.name
    with path.open("rb") as file:
        raw = file.read(4096)
    if kind := _packed_kind(raw):
        return Sniffed(path, name, kind)
    try:
        _refuse_binary(raw)
        chosen = _encoding_of(raw, encoding)
        head = codecs.getincrementaldecoder(chosen)(errors="replace").decode(raw).lstrip(" \t\r\n")
        if not head:
            _refuse_blank(path, chosen)
    except BadInput as fault:
        return Sniffed(path, name, "nothing", fault=fault)
    kind = _kind_of(head)
    if kind == "text" and "\r" in head.rstrip() and "\n" not in head:
        return Sniffed(path, name, "nothing", fault=BadInput(_OLD_LINES, 1))
    return Sniffed(path, name, kind, chosen, head)


def require_encoding(name: str) -> None:
    """Refuse what is no encoding that is read. Raises BadInput (422) with those that are."""
    if name not in ENCODINGS:
        raise BadInput(f"{name[:40]!r} is no encoding that is read; choose one of {', '.join(ENCODINGS)}")


def is_about_encoding(reason: str) -> bool:
    """Whether a fault says that the text is written in another encoding than it was read by."""
    return _WRONGLY_READ.search(reason) is not None


def _packed_kind(raw: bytes) -> str | None:
    """Parquet and spreadsheets, by their first bytes; a spreadsheet is a ZIP archive that begins with a part of one."""
    if raw.startswith(b"PAR1"):
        return "parquet"
    return "xlsx" if raw.startswith(b"PK\x03\x04") and raw[30:].startswith(_SHEET_PARTS) else None


def _refuse_binary(raw: bytes) -> None:
    if not raw:
        raise BadInput("the file is empty")
    for signature, what, advice in _SIGNATURES:
        if raw.startswith(signature):
            raise BadInput(f"this is {what}, by its content; {advice}")
    if raw[257:262] == b"ustar":
        raise BadInput("this is a tar archive, by its content; unpack it first")
    if _PICKLE.match(raw):
        raise BadInput("this is a Python pickle, by its content; pickles can run programs and are never opened")


def _encoding_of(raw: bytes, chosen: str) -> str:
    marked = next((name for mark, name in _BOMS if raw.startswith(mark)), None)
    if marked is not None:
        # In no other encoding do these bytes begin a text: what was chosen is for the files without a mark.
        return marked
    if chosen != "auto":
        return "utf-8-sig" if chosen == "utf-8" else chosen
    if b"\x00" in raw[:64]:
        evens, odds = raw[0:64:2].count(0), raw[1:64:2].count(0)
        if max(evens, odds) > len(raw[:64]) // 4:
            advice = "choose its encoding, or save it as UTF-8"
            raise BadInput(f"this looks like UTF-16 without a byte-order mark; {advice}", 1)
        line = raw[: raw.index(b"\x00")].count(b"\n") + 1
        raise BadInput(f"byte {raw.index(0)} is NUL; this is no text", line)
    return "utf-8-sig"


def _refuse_blank(path: Path, encoding: str) -> None:
    for line in lines(path, encoding):
        if line.text.strip(" \t\r\n"):
            raise BadInput("the file begins with kilobytes of blanks; remove them")
    raise BadInput("the file is empty but for blanks")


def _kind_of(head: str) -> str:
    if head[0] == "[":
        return "array"
    if head[0] == "{":
        return "object" if _goes_on(head) else "lines"
    if re.match(r"<(?:!doctype\s+html|html)\b", head, re.IGNORECASE):
        return "html"
    if head[0] == "<":
        return "xml"
    return {None: "text", "\t": "tsv"}.get(delimiter_of(head), "csv")


def _goes_on(head: str) -> bool:
    """Whether the object that begins here is not over at the end of its line, and no other begins on the next."""
    first, _, rest = head.partition("\n")
    try:
        parse(first)
    except BadJson as error:
        return error.unfinished and bool(rest.strip()) and not rest.startswith("{")
    return False


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number (1-based), the bytes up to its end, its text or why there is none, where it begins.

    `start` is -1 where the encoding has no such place.
    """

    number: int
    end: int
    text: str
    fault: str | None = None
    start: int = -1


def has_places(encoding: str) -> bool:
    """Whether a line of this encoding can be found again by the byte at which it begins."""
    return encoding in {"utf-8", "utf-8-sig", "latin-1", "cp1252"}


def lines(path: Path, encoding: str = "utf-8-sig", longest: int = LARGEST_LINE, start: int = 0) -> Iterator[Line]:
    """Yield a file's lines, ended by LF alone: U+2028, U+0085 and a lone CR belong to the text.

    A line that is longer than `longest` bytes comes with a `fault` and no text, one that is not valid in its encoding
    with a `fault` and what can be read of it. `start` is the byte at which to begin; line numbers count from there.
    """
    if has_places(encoding):
        yield from _byte_lines(path, encoding, longest, start)
    else:
        yield from _wide_lines(path, encoding, longest)


def _byte_lines(path: Path, encoding: str, longest: int, start: int) -> Iterator[Line]:
    number, end = 0, start
    with path.open("rb") as file:
        file.seek(start)
        while raw := file.readline(longest + 1):
            number += 1
            start, end = end, end + len(raw)
            if len(raw) > longest:
                end += _skip_line(file, raw)
                yield Line(number, end, "", too_long("the line", longest), start)
                continue
            if start == 0:
                raw = raw.removeprefix(codecs.BOM_UTF8)
                start = end - len(raw)
            yield _decoded(raw, number, start, end, encoding.removesuffix("-sig"))


def _skip_line(file: BinaryIO, raw: bytes) -> int:
    skipped = 0
    while raw and not raw.endswith(b"\n"):
        raw = file.readline(1 << 20)
        skipped += len(raw)
    return skipped


def _decoded(raw: bytes, number: int, start: int, end: int, encoding: str) -> Line:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"byte {start + error.start} of the file is not valid {encoding.upper()}"
        return Line(number, end, raw.decode(encoding, "replace"), reason, start)
    if "\x00" in text:
        return Line(number, end, text, f"there is a NUL character at character {text.index(chr(0)) + 1}", start)
    return Line(number, end, text, None, start)


def _wide_lines(path: Path, encoding: str, longest: int) -> Iterator[Line]:
    """Lines of UTF-16 and UTF-32: a broken character ends the file, for nothing after it can be trusted."""
    number, end, pending = 0, 0, ""
    try:
        for text, end in chunks(path, encoding):
            *whole, pending = (pending + text).split("\n")
            for line in whole:
                number += 1
                yield Line(number, end, f"{line}\n")
            if len(pending) > longest:
                yield Line(number + 1, end, "", f"{too_long('the line', longest)}; the rest was not read")
                return
    except BadInput as error:
        yield Line(max(number + 1, error.line or 0), end, "", error.reason)
        return
    if pending:
        yield Line(number + 1, end, pending)


def chunks(path: Path, encoding: str = "utf-8-sig") -> Iterator[tuple[str, int]]:
    """Yield a file's text in pieces of some 64 KB, each with the bytes read by then.

    Raises BadInput with line and byte for what is not valid in the encoding, and for NUL.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    line, end = 1, 0
    with path.open("rb") as file:
        while True:
            raw = file.read(1 << 16)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(raw, final=not raw)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                where = f"byte {end - pending + error.start} of the file"
                raise BadInput(f"{where} is not valid {encoding.removesuffix('-sig').upper()}", line) from None
            if "\x00" in text:
                raise BadInput("there is a NUL character", line + text.count("\n", 0, text.index("\x00")))
            line += text.count("\n")
            end += len(raw)
            if not raw:
                break
            yield text, end
    if text:
        yield text, end
