"""An export as one .zip whose bytes depend on its files alone: no times, no owners, names in order."""

import os
import tempfile
import zipfile
from pathlib import Path

# The earliest moment that the format knows.
EPOCH = (1980, 1, 1, 0, 0, 0)
REGULAR_FILE = 0o100644 << 16
UNIX = 3


def pack(folder: Path, top: str, out: Path) -> None:
    """Write the folder's files below `top/` into `out`, whole or not at all; an archive in its place is replaced."""
    handle, name = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                for path in sorted(folder.iterdir()):
                    _add(archive, path, f"{top}/{path.name}")
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr, entry.create_system = REGULAR_FILE, UNIX
    with path.open("rb") as file, archive.open(entry, "w") as target:
        while chunk := file.read(1 << 20):
            target.write(chunk)
