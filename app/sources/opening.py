"""Records of an import read again from the upload that was kept: what was dropped is shown without a copy of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.config import Settings
from app.errors import Conflict, Refusal
from app.sources import hub
from app.sources.archives import brought, packed_bytes, workspace_of
from app.sources.formats import open_source
from app.sources.inputs import files_at
from app.sources.models import ImportRecord, ImportRun
from app.sources.readers.base import Progress, PromptChoice, Reader, ReadOptions
from app.sources.records import Place, Record
from app.text.canonical import content_hash

# Raised when readers or rules begin to decide otherwise: then the same file is read anew.
READERS_SINCE = 4
# An archive above this size, in bytes, is unpacked by a worker and not while somebody waits for a page.
UNPACKED_AT_ONCE = 4_000_000


class StillPacked(Conflict):
    """This record lies in an archive that must be unpacked again first: on the import's page, or POST …/unpacking."""


def reader_of(run: ImportRun, settings: Settings, tell: Progress | None = None) -> Reader:
    """The reader of an import's files with its settings: the same each time, so that places stay true."""
    options = ReadOptions(
        skip_bad=run.skip_bad,
        prompt=PromptChoice(**run.options.get("prompt", {})),
        name=run.options.get("file"),
        licence=run.licence,
        longest=settings.max_record_mb << 20,
        settings=run.options.get("settings", {}),
        encoding=encoding_of(run),
        on_progress=tell,
    )
    name = run.options.get("file") or ""
    source = brought(Path(run.path), workspace_of(settings), name=name, encoding=encoding_of(run), tell=tell)
    return open_source(source, run.format, run.site or None, options)


def encoding_of(run: ImportRun) -> str:
    """The encoding that a person chose for an import's text; auto where nobody did."""
    return str(run.options.get("encoding") or "auto")


def stamp_of(path: Path) -> str:
    """What shows that files are those that were imported: names, sizes and times, no word of them is read."""
    if not path.exists():
        return ""
    lines = [f"{name}\0{one.stat().st_size}\0{one.stat().st_mtime_ns}" for name, one in _files(path)]
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


@dataclass(frozen=True)
class Origin:
    """What an import is made of: its files' bytes by a hash and their number, and all that its outcome depends on."""

    content: str
    size: int
    made_from: str


def origin_of(run: ImportRun, settings: Settings) -> Origin:
    """Read all bytes of an import's files once; about a second a gigabyte."""
    hashes = _hashes(Path(run.path))
    return Origin(_content(hashes), size_of(Path(run.path)), _made_from(run, settings, _words(hashes)))


def _made_from(run: ImportRun, settings: Settings, words: str) -> str:
    """The hash of all that an import's outcome depends on: bytes, format, site, rules and every other setting."""
    chosen = {key: run.options.get(key) for key in ("file", "prompt", "settings")}
    # Left out where nobody chose it, so that imports from before there was a choice are known again.
    chosen |= {"encoding": encoding_of(run)} if encoding_of(run) != "auto" else {}
    return content_hash(
        {
            "bytes": words,
            "format": run.format,
            "site": run.site,
            "rules": run.ruleset_hash,
            "into": run.into,
            "source": run.source,
            "licence": run.licence,
            "skip_bad": run.skip_bad,
            "longest": settings.max_record_mb,
            "readers": READERS_SINCE,
            **chosen,
        }
    )


def content_of(path: Path) -> str:
    """The SHA-256 of a file whatever it is called, or of a folder's files with their names; a second a gigabyte."""
    return _content(_hashes(path))


def size_of(path: Path) -> int:
    """How many bytes an import of this path reads."""
    return sum(one.stat().st_size for _, one in _files(path))


def _content(hashes: Sequence[tuple[str, str]]) -> str:
    return hashes[0][1] if len(hashes) == 1 else _words(hashes)


def _words(hashes: Sequence[tuple[str, str]]) -> str:
    """One hash of all files, their names included."""
    lines = "".join(f"{name}\0{one}\n" for name, one in hashes)
    return hashlib.sha256(lines.encode(errors="surrogateescape")).hexdigest()


def _hashes(path: Path) -> list[tuple[str, str]]:
    """The name and the SHA-256 of each file that an import of this path reads."""
    found = []
    for name, one in _files(path):
        with one.open("rb") as file:
            found.append((name, hashlib.file_digest(file, "sha256").hexdigest()))
    return found


def _files(path: Path) -> list[tuple[str, Path]]:
    """All files that an import of this path reads, under their names in it: a dump's Posts.xml brings the others."""
    return [(one.relative_to(path if path.is_dir() else path.parent).as_posix(), one) for one in files_at(path)]


def is_as_imported(run: ImportRun) -> bool:
    """Whether the files of an import are there, as they were when it read them."""
    try:
        return Path(run.path).exists() and run.options.get("stamp") == stamp_of(Path(run.path))
    except OSError:
        return False


def is_packed(run: ImportRun, settings: Settings) -> bool:
    """Whether the files of an import lie in an archive that takes longer to unpack than a page may take."""
    try:
        return is_as_imported(run) and packed_bytes(Path(run.path), workspace_of(settings)) > UNPACKED_AT_ONCE
    except OSError:
        return False


def require_unpacked(run: ImportRun, settings: Settings) -> None:
    """Refuse to read a record whose archive has to be unpacked first. Raises StillPacked (409)."""
    if is_packed(run, settings):
        raise StillPacked


def unpack(run: ImportRun, settings: Settings, tell: Progress | None = None) -> None:
    """Unpack the archives of an import, for everybody who opens its records for some days. Raises BadInput (422)."""
    brought(Path(run.path), workspace_of(settings), name=run.options.get("file") or "", tell=tell)


def fetch_dataset(run: ImportRun, settings: Settings, tell: Progress | None = None) -> dict[str, str] | None:
    """Fetch the data set of the Hub that an import is of, unless it is here; its id and commit, None for other imports.

    Raises NotFetched (422).
    """
    about: dict[str, str] | None = run.options.get("hub")
    if about is None or Path(run.path).is_dir():
        return about
    return {**about, "commit": hub.fetch(hub.hub_id(about["id"]), Path(run.path), settings, tell)}


def read_again(
    run: ImportRun, settings: Settings, rows: Sequence[ImportRecord], *, patient: bool = False
) -> Mapping[int, Record]:
    """The records of these rows by their numbers; those that cannot be found any more are not among them.

    None is where a large archive has to be unpacked for them, unless the caller is `patient`.
    """
    if not is_as_imported(run) or (not patient and is_packed(run, settings)):
        return {}
    try:
        reader = reader_of(run, settings)
        return dict(_read_again(reader, rows))
    except (Refusal, OSError):
        return {}


def _read_again(reader: Reader, rows: Sequence[ImportRecord]) -> Iterator[tuple[int, Record]]:
    for row in rows:
        record = None if row.position is None else _at(reader, Place(row.member, row.position, row.beside))
        # A stamp may be equal by chance; another record's words under this one's reason never are shown.
        if record is not None and record.external_id == row.external_id:
            yield row.number, record


def _at(reader: Reader, place: Place) -> Record | None:
    try:
        return reader.record_at(place)
    except (Refusal, StopIteration, LookupError, ValueError):
        return None
