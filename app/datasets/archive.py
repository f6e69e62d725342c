"""An export as one file whose bytes depend on the files in it alone: no times, no owners, names in order.

A .tar is stored as it is, so it has the same bytes wherever it is made; a .zip is smaller, and has the same bytes
wherever the same zlib packs it.
"""

import os
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from app.datasets.canonical import FrozenLine
from app.datasets.exports import FolderTaken, parents_of, paths_in, write_folder
from app.datasets.formats import Format
from app.errors import Refusal

# The earliest moment that a .zip knows.
EPOCH = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644
UNIX = 3
CHUNK = 1 << 20
# A folder of such a name would be taken for an archive.
OTHER_ENDINGS = {".7z", ".bz2", ".gz", ".rar", ".tbz", ".tbz2", ".tgz", ".txz", ".tzst", ".xz", ".zst"}

Named = Iterator[tuple[str, Path]]


class Packing(StrEnum):
    """What an export is packed as."""

    ZIP = "zip"
    TAR = "tar"

    @property
    def media_type(self) -> str:
        """What a browser is told of the file."""
        return f"application/{'zip' if self is Packing.ZIP else 'x-tar'}"


class FileTaken(FolderTaken):
    """{path} is there already; nothing was written. Name a new file."""


class OtherPacking(Refusal):
    """{path} ends like an archive of another kind; nothing was written. Name a file in .tar or .zip, or a folder."""


def packing_of(path: Path) -> Packing | None:
    """What a path's ending asks for; None where it is that of a folder. Raises OtherPacking (422)."""
    if path.suffix.lower() in OTHER_ENDINGS:
        raise OtherPacking(path=path)
    return next((one for one in Packing if path.suffix.lower() == f".{one}"), None)


def archive_name(manifest: Mapping[str, Any], form: Format) -> str:
    """What an export is called, as a file and as the folder in it; made of our own checked names alone."""
    return f"{manifest['project']['slug']}-{manifest['version']}-{form}"


def write_archive(
    manifest: Mapping[str, Any], lines: Iterable[FrozenLine], form: Format, out: Path, packing: Packing
) -> list[dict[str, Any]]:
    """Write the export as one new file; gives the files in it as `write_folder` does.

    Raises FileTaken where `out` is there already, VersionBroken as `write_folder`.
    """
    if out.is_symlink() or out.exists():
        raise FileTaken(path=out)
    with parents_of(out), TemporaryDirectory(prefix=f".{out.name}-", dir=out.absolute().parent) as scratch:
        folder = Path(scratch) / "export"
        files = write_folder(manifest, lines, form, folder)
        pack(folder, archive_name(manifest, form), out, packing)
    return files


def pack(folder: Path, top: str, out: Path, packing: Packing) -> None:
    """Write the folder's files below `top/` into `out`, whole or not at all; an archive in its place is replaced."""
    named = ((f"{top}/{path.relative_to(folder).as_posix()}", path) for path in paths_in(folder))
    handle, name = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            _PACKERS[packing](file, named)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(MODE & 0o777)
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _zip(out: IO[bytes], files: Named) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr, entry.create_system = MODE << 16, UNIX
            entry.file_size = path.stat().st_size
            with path.open("rb") as file, archive.open(entry, "w") as target:
                while chunk := file.read(CHUNK):
                    target.write(chunk)


def _tar(out: IO[bytes], files: Named) -> None:
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in files:
            entry = tarfile.TarInfo(name)  # its times and owners are zero, its owners' names empty
            entry.mode = MODE & 0o777
            entry.size = path.stat().st_size
            with path.open("rb") as file:
                archive.addfile(entry, file)


_PACKERS: Mapping[Packing, Callable[[IO[bytes], Named], None]] = {Packing.ZIP: _zip, Packing.TAR: _tar}
