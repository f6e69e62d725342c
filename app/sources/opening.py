"""Records of an import read again from the upload that was kept: what was dropped is shown without a copy of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from app.config import Settings
from app.errors import Refusal
from app.sources.archives import brought, workspace_of
from app.sources.formats import open_source
from app.sources.inputs import files_at
from app.sources.models import ImportRecord, ImportRun
from app.sources.readers.base import Progress, PromptChoice, Reader, ReadOptions
from app.sources.records import Place, Record
from app.text.canonical import content_hash

# Raised when readers or rules begin to decide otherwise: then the same file is read anew.
READERS_SINCE = 1


def reader_of(run: ImportRun, settings: Settings, tell: Progress | None = None) -> Reader:
    """The reader of an import's files with its settings: the same each time, so that places stay true."""
    options = ReadOptions(
        skip_bad=run.skip_bad,
        prompt=PromptChoice(**run.options.get("prompt", {})),
        name=run.options.get("file"),
        licence=run.licence,
        longest=settings.max_record_mb << 20,
        settings=run.options.get("settings", {}),
        on_progress=tell,
    )
    source = brought(Path(run.path), workspace_of(settings), name=run.options.get("file") or "", tell=tell)
    return open_source(source, run.format, run.site or None, options)


def stamp_of(path: Path) -> str:
    """What shows that files are those that were imported: names, sizes and times, no word of them is read."""
    if not path.exists():
        return ""
    lines = [f"{name}\0{one.stat().st_size}\0{one.stat().st_mtime_ns}" for name, one in _files(path)]
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def made_from_of(run: ImportRun, settings: Settings) -> str:
    """The hash of all that an import's outcome depends on: bytes, format, site, rules and every other setting."""
    chosen = {key: run.options.get(key) for key in ("file", "prompt", "settings")}
    return content_hash(
        {
            "bytes": words_of(Path(run.path)),
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


def words_of(path: Path) -> str:
    """The SHA-256 of all the bytes of a file or folder, names of files in it included; about a second a gigabyte."""
    digest = hashlib.sha256()
    for name, one in _files(path):
        with one.open("rb") as file:
            whole = hashlib.file_digest(file, "sha256")
        digest.update(f"{name}\0{whole.hexdigest()}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _files(path: Path) -> list[tuple[str, Path]]:
    """All files that an import of this path reads, under their names in it: a dump's Posts.xml brings the others."""
    return [(one.relative_to(path if path.is_dir() else path.parent).as_posix(), one) for one in files_at(path)]


def is_as_imported(run: ImportRun) -> bool:
    """Whether the files of an import are there, as they were when it read them."""
    try:
        return Path(run.path).exists() and run.options.get("stamp") == stamp_of(Path(run.path))
    except OSError:
        return False


def read_again(run: ImportRun, settings: Settings, rows: Sequence[ImportRecord]) -> Mapping[int, Record]:
    """The records of these rows by their numbers; those that cannot be found any more are not among them."""
    if not is_as_imported(run):
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
