"""What a person brought to import: a file, or a folder with its files, each looked at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from app.sources.readers.files import Sniffed, sniff
from app.sources.records import BadInput

# A dump's other files belong to its Posts.xml wherever that is named alone.
BESIDE_POSTS = ("Users.xml", "Comments.xml", "Votes.xml", "Tags.xml", "PostLinks.xml")
OF_AN_EXPORT = ("examples.jsonl", "manifest.json", "SHA256SUMS")
MOST_FILES = 10_000


@dataclass(frozen=True)
class Input:
    """The files of one import, under the names that people know them by."""

    name: str
    files: tuple[Sniffed, ...]


def input_of(path: Path, encoding: str = "auto") -> Input:
    """Look at a file or at the files of a folder. Raises BadInput (422) where there is nothing to look at."""
    if not path.exists():
        raise BadInput(f"there is nothing at {path}")
    found = files_at(path)
    if not found:
        raise BadInput(f"the folder {path.name} is empty")
    if len(found) > MOST_FILES:
        raise BadInput(f"the folder {path.name} holds more than {MOST_FILES:,} files; import it in parts")
    base = path if path.is_dir() else path.parent
    looked_at = (sniff(one, encoding, one.relative_to(base).as_posix()) for one in found)
    # In the folder of an export even a file that is brought alone is called after its split.
    is_named = path.is_dir() or all((base / name).is_file() for name in OF_AN_EXPORT)
    return Input(path.name, tuple(replace(one, in_folder=is_named) for one in looked_at))


def files_at(path: Path) -> list[Path]:
    """The files that an import of a path reads: a folder's but for links, a dump's Posts.xml with what is beside it."""
    if path.is_dir():
        return sorted(child for child in path.rglob("*") if child.is_file() and not child.is_symlink())
    beside = [path.with_name(name) for name in BESIDE_POSTS] if path.name == "Posts.xml" else []
    return [path, *(other for other in beside if other.is_file())]
