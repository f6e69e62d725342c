"""A version as a folder: written beside its place, synced, and renamed, so that an export is whole or absent."""

import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from app.datasets.canonical import PREFIX, Line
from app.datasets.card import card
from app.datasets.credits import Credits
from app.datasets.formats import Format, Writer, record_of, writer_for
from app.datasets.manifest import CARD, CREDITS, EXAMPLES, MANIFEST, SUMS, sealed, sums
from app.errors import Conflict


class FolderTaken(Conflict):
    """{path} is there already and not an empty folder; nothing was written. Name a new folder."""


class VersionBroken(Conflict):
    """{name} is not what was frozen: {fault}. Nothing was done with it; restore the database from a backup."""


@dataclass(frozen=True)
class FrozenLine:
    """A line of a version, and whether somebody changed its words after it came in."""

    line: Line
    edited: bool


def write_folder(
    manifest: Mapping[str, Any], lines: Iterable[FrozenLine], form: Format, out: Path
) -> list[dict[str, Any]]:
    """Write the export and give its files as `{"path", "sha256", "bytes", "records"}`, sorted by path.

    Raises FolderTaken unless `out` is absent or an empty folder, VersionBroken where the lines are not the manifest's.
    """
    with whole_folder(out) as folder:
        records = _write_data(folder, manifest, lines, form)
        (folder / CARD).write_text(card(manifest, form), encoding="utf-8", newline="\n")
        files = list(_describe(folder, records))
        shown = {key: value for key, value in manifest.items() if key != "examples_file"}
        body = sealed(shown | {"export": {"format": form.value, "software": _software(form)}, "files": files})
        (folder / MANIFEST).write_bytes(body)
        (folder / SUMS).write_bytes(sums(files, hashlib.sha256(body).hexdigest()))
        return list(_describe(folder, records))


def _software(form: Format) -> dict[str, str]:
    if form is not Format.PARQUET:
        return {}
    import pyarrow as pa

    return {"pyarrow": pa.__version__}


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A temporary folder beside `out` that takes its place at the end of the block, or vanishes with an exception."""
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise FolderTaken(path=out)
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.absolute().parent))
    try:
        yield folder
        folder.chmod(0o755)
        _sync(folder)
        try:
            folder.rename(out)  # an empty folder in its place is replaced
        except OSError as error:
            raise FolderTaken(path=out) from error
        _sync_entry(out.absolute().parent)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _sync(folder: Path) -> None:
    for path in folder.iterdir():
        _sync_entry(path)
    _sync_entry(folder)


def _sync_entry(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_data(folder: Path, manifest: Mapping[str, Any], lines: Iterable[FrozenLine], form: Format) -> Counter[str]:
    records: Counter[str] = Counter()
    splits: dict[str, Writer] = {}
    told_path = folder / CREDITS
    with (folder / EXAMPLES).open("xb") as examples, told_path.open("x", encoding="utf-8", newline="\n") as told:
        credits_file, digest = Credits(told), hashlib.sha256()
        for frozen in lines:
            _add_line(examples, digest, frozen.line.text)
            example = json.loads(frozen.line.text)
            credits_file.add(example, edited=frozen.edited)
            name = f"{example['split']}.{form.suffix}"
            if name not in splits:
                splits[name] = writer_for(form, folder / name)
            splits[name].add(record_of(form, frozen.line.sha256, example))
            records.update((name, EXAMPLES))
        credits_file.close()
    for writer in splits.values():
        writer.close()
    if manifest["id"] != PREFIX + digest.hexdigest():
        raise VersionBroken(name=manifest["version"], fault="its rows have another hash")
    return records


def _add_line(file: BinaryIO, digest: Any, text: str) -> None:
    data = text.encode() + b"\n"
    file.write(data)
    digest.update(data)


def _describe(folder: Path, records: Counter[str]) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.iterdir()):
        sha256 = file_sha256(path)
        size = path.stat().st_size
        yield {"path": path.name, "sha256": sha256, "bytes": size, "records": records.get(path.name)}


def file_sha256(path: Path) -> str:
    """Give the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
