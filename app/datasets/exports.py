"""A version as a folder: written beside its place, synced, and renamed, so that an export is whole or absent."""

import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from app.datasets.canonical import PREFIX, FrozenLine
from app.datasets.card.card import PICTURE, Shown, card
from app.datasets.card.croissant import CROISSANT, croissant_document
from app.datasets.card.licensing import LICENSE, licence_text
from app.datasets.card.picture import composition_svg
from app.datasets.credits import Credits
from app.datasets.formats import Format
from app.datasets.formats.base import BUFFER, Layout, Writer
from app.datasets.manifest import CARD, CREDITS, EXAMPLES, MANIFEST, SUMS, sealed, sums
from app.datasets.told import has_columns
from app.datasets.trainers import configurations
from app.errors import Conflict

# Of what lies in an export beside the data; a higher number where the same version would be written otherwise now, so
# that no archive of an earlier make is given out.
EDITION = 5


class FolderTaken(Conflict):
    """{path} is there already and not an empty folder; nothing was written. Name a new folder."""


class VersionBroken(Conflict):
    """{name} is not what was frozen: {fault}. Nothing was done with it; restore the database from a backup."""


def write_folder(
    manifest: Mapping[str, Any], lines: Iterable[FrozenLine], form: Format, out: Path
) -> list[dict[str, Any]]:
    """Write the export and give its files as `{"path", "sha256", "bytes", "records"}`, sorted by path.

    Raises FolderTaken unless `out` is absent or an empty folder, VersionBroken where the lines are not the manifest's.
    """
    with whole_folder(out) as folder:
        records, shown_in_card = _write_data(folder, manifest, lines, form)
        for name, text in _words(manifest, form, shown_in_card).items():
            _write(folder / name, text.encode())
        files = [_described(folder, path, records) for path in paths_in(folder)]
        _write(folder / CROISSANT, croissant_document(manifest, form, files))
        files.append(_described(folder, folder / CROISSANT, records))
        shown = {key: value for key, value in manifest.items() if key != "examples_file"}
        about = {"format": form.value, "edition": EDITION, "software": _software(form)}
        body = sealed(shown | {"export": about, "files": files})
        _write(folder / MANIFEST, body)
        _write(folder / SUMS, sums(files, hashlib.sha256(body).hexdigest()))
        last = [_described(folder, folder / name, records) for name in (MANIFEST, SUMS)]
        return sorted([*files, *last], key=lambda file: file["path"])


def _words(manifest: Mapping[str, Any], form: Format, example: Mapping[str, Any] | None) -> dict[str, str]:
    """What an export says of itself, by path."""
    return {
        CARD: card(manifest, form, example),
        PICTURE: composition_svg(manifest),
        LICENSE: licence_text(manifest),
        **configurations(manifest, form),
    }


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def _software(form: Format) -> dict[str, str]:
    if form.suffix != "parquet":
        return {}
    import pyarrow as pa

    return {"pyarrow": pa.__version__}


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A temporary folder beside `out` that takes its place at the end of the block, or vanishes with an exception."""
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise FolderTaken(path=out)
    with parents_of(out):
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


@contextmanager
def parents_of(out: Path) -> Iterator[None]:
    """Make the folders above `out`; those that were made vanish with an exception, as far as they are empty."""
    above = [folder for folder in out.absolute().parents if not folder.exists()]
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for folder in above:
            with suppress(OSError):
                folder.rmdir()
        raise


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync_entry(path)
    _sync_entry(folder)


def _sync_entry(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_data(
    folder: Path, manifest: Mapping[str, Any], lines: Iterable[FrozenLine], form: Format
) -> tuple[Counter[str], Mapping[str, Any] | None]:
    """Write examples.jsonl, attribution, and each split's file; gives the records of each, and the card's example."""
    digest, shown, splits = hashlib.sha256(), Shown(), _Splits(folder, form.layout(told=has_columns(manifest)))
    with (
        (folder / EXAMPLES).open("xb", buffering=BUFFER) as examples,
        (folder / CREDITS).open("x", encoding="utf-8", newline="\n") as told,
        closing(splits),
    ):
        credits_file = Credits(told)
        for frozen in lines:
            data = frozen.line.text.encode() + b"\n"
            examples.write(data)
            digest.update(data)
            example = json.loads(frozen.line.text)
            credits_file.add(example, edited=frozen.edited)
            splits.add(frozen.line.sha256, example)
            shown.offer(example)
        credits_file.close()
    if manifest["id"] != PREFIX + digest.hexdigest():
        raise VersionBroken(name=manifest["version"], fault="its rows have another hash")
    return splits.records + Counter({EXAMPLES: splits.records.total()}), shown.example


class _Splits:
    """The data files, opened as their first example comes."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        self.records: Counter[str] = Counter()
        self._folder, self._layout = folder, layout
        self._writers: dict[str, Writer] = {}

    def add(self, sha256: str, example: Mapping[str, Any]) -> None:
        name = self._layout.path_of(example["split"])
        if name not in self._writers:
            (self._folder / name).parent.mkdir(exist_ok=True)
            self._writers[name] = self._layout.writer(self._folder / name)
        self._writers[name].add(self._layout.record_of(sha256, example))
        self.records[name] += 1

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()


def paths_in(folder: Path) -> list[Path]:
    """Give the files of an export, those in folders as well, in the order of their names."""
    return sorted(
        (path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.relative_to(folder).as_posix()
    )


def _described(folder: Path, path: Path, records: Mapping[str, int]) -> dict[str, Any]:
    name = path.relative_to(folder).as_posix()
    return {"path": name, "sha256": file_sha256(path), "bytes": path.stat().st_size, "records": records.get(name)}


def file_sha256(path: Path) -> str:
    """Give the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
