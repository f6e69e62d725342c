"""Files that people bring in: written under names of ours into a folder of their own, never under theirs."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from app.config import Settings
from app.errors import Denied, Refusal

# Files of a dump keep their names, because readers find them by it; any other file is called `upload`.
DUMP_FILES = ("Posts.xml", "Users.xml", "Comments.xml", "Votes.xml", "Tags.xml", "PostLinks.xml")
CHUNK = 1 << 20


class TooLarge(Refusal):
    """The upload is larger than {limit:,} MB; nothing was kept. An operator can raise HANDPICKED_MAX_UPLOAD_MB."""

    status = 413


class NotOffered(Denied):
    """That folder is not among those that may be imported from in the browser (HANDPICKED_IMPORT_FOLDERS)."""


def keep_upload(settings: Settings, files: Iterable[tuple[str, BinaryIO]]) -> Path:
    """Write the files of one upload and give the folder of a dump, or the one file's path; all or nothing."""
    folder = (settings.data_dir / "uploads" / uuid4().hex).absolute()
    folder.mkdir(parents=True)
    try:
        kept = [_keep(settings, folder / safe_name(name), stream) for name, stream in files]
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if not kept:
        shutil.rmtree(folder, ignore_errors=True)
        raise Refusal("No file was chosen; nothing was kept.")
    return folder if (folder / "Posts.xml").exists() else kept[0]


def safe_name(name: str) -> str:
    """A dump's own file name, or `upload`."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    return base if base in DUMP_FILES else "upload"


def _keep(settings: Settings, path: Path, stream: BinaryIO) -> Path:
    limit, written = settings.max_upload_mb * 1_000_000, 0
    with path.open("xb") as out:
        while chunk := stream.read(CHUNK):
            written += len(chunk)
            if written > limit:
                raise TooLarge(limit=settings.max_upload_mb)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    return path


def server_path(settings: Settings, typed: str) -> Path:
    """A path on the server, if it lies below one of the folders that the operator offers."""
    path = Path(typed).resolve()
    if not any(path == folder.resolve() or folder.resolve() in path.parents for folder in settings.import_folders):
        raise NotOffered
    if not path.exists():
        raise Refusal(f"There is nothing at {typed}; nothing was imported.")
    return path
