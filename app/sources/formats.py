"""Every format that can be imported, behind one door: recognise the file, give its reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from app.sources.chat_rows import FORMS
from app.sources.chats import ChatReader, first_fault, first_form
from app.sources.files import LARGEST_LINE, Sniffed, sniff
from app.sources.records import BadInput, BadLine, Record
from app.sources.stackexchange import PromptChoice, StackExchangeReader

FORMATS = {
    "auto": "Recognise it",
    "stackexchange": "Stack Exchange dump (Posts.xml)",
    "lima": "LIMA (conversations as a list of texts)",
    "messages": "OpenAI messages",
    "alpaca": "Alpaca (instruction, input, output)",
    "sharegpt": "ShareGPT (conversations of from and value)",
}
"""Format -> its name on a form, in the order of the form."""


class Reader(Protocol):
    """What every importer offers.

    `validate` reads the whole input and raises a Refusal with line numbers, or returns; `records` yields the
    records in file order and may be called again. Both move `bytes_read` of `total_bytes` in `phase`.
    """

    format: str
    site: str
    total_bytes: int
    bytes_read: int
    phase: str
    errors: list[BadLine]
    error_count: int

    def validate(self) -> Any:
        """Check everything before anything is written."""

    def records(self) -> Iterator[Record]:
        """Yield the records."""


@dataclass(frozen=True)
class ReadOptions:
    """How to read: bad lines skipped or refused, encoding, prompt's part, names, licence of the whole.

    `name` is the set that a file's own ids belong to where no site is given; `longest` is in bytes.
    """

    skip_bad: bool = False
    encoding: str = "auto"
    prompt: PromptChoice = field(default_factory=PromptChoice)
    users: Path | None = None
    name: str | None = None
    licence: str | None = None
    longest: int = LARGEST_LINE
    on_progress: Callable[[str, int, int], None] | None = None


def open_source(
    path: Path,
    format: str = "auto",
    site: str | None = None,
    options: ReadOptions | None = None,
) -> Reader:
    """Give the reader of a file or of a folder with Posts.xml; its content decides, never its name.

    `site` is required for a dump, which does not name its own; for conversations it names the set in which
    their ids are unique. Raises BadInput (422) with a sentence.
    """
    if format not in FORMATS:
        raise BadInput(f"there is no format {format!r}; there are {', '.join(FORMATS)}")
    chosen = options or ReadOptions()
    file = source_file(path)
    sniffed = sniff(file, chosen.encoding)
    if sniffed.kind == "xml":
        if format not in {"auto", "stackexchange"}:
            raise BadInput(f"this is XML, which is not {FORMATS[format]}", 1)
        return _dump(file, site, chosen)
    if format == "stackexchange":
        raise BadInput("this is JSON, which is not a Stack Exchange dump", 1)
    is_array = sniffed.kind == "array"
    form = format if format in FORMS else first_form(file, sniffed.encoding, is_array=is_array)
    return ChatReader(
        file,
        form=form or _no_form(file, sniffed),
        is_array=is_array,
        encoding=sniffed.encoding,
        site=site,
        name=chosen.name,
        licence=chosen.licence,
        skip_bad=chosen.skip_bad,
        longest=chosen.longest,
        on_progress=chosen.on_progress,
    )


def recognise(path: Path) -> str:
    """Name the format of a file or folder by its content. Raises BadInput (422) with a sentence."""
    file = source_file(path)
    sniffed = sniff(file, "auto")
    if sniffed.kind == "xml":
        return "stackexchange"
    return first_form(file, sniffed.encoding, is_array=sniffed.kind == "array") or _no_form(file, sniffed)


def source_file(path: Path) -> Path:
    """The file to read: the path itself, or a folder's Posts.xml or only file. Raises BadInput (422)."""
    if path.is_file():
        return path
    if not path.exists():
        raise BadInput(f"there is nothing at {path}")
    posts = path / "Posts.xml"
    if posts.is_file():
        return posts
    inside = sorted(child for child in path.iterdir() if child.is_file()) if path.is_dir() else []
    if len(inside) == 1:
        return inside[0]
    raise BadInput(f"the folder {path.name} holds no Posts.xml; name one file to import")


def _dump(file: Path, site: str | None, options: ReadOptions) -> StackExchangeReader:
    if not site:
        raise BadInput(
            "a Stack Exchange dump does not name its site; "
            "say which with --site on the command line, or in the field Site"
        )
    beside = file.with_name("Users.xml")
    users = options.users or (beside if file.name == "Posts.xml" and beside.is_file() else None)
    return StackExchangeReader(
        file,
        site=site,
        users=users,
        prompt=options.prompt,
        skip_bad=options.skip_bad,
        longest=options.longest,
        on_progress=options.on_progress,
    )


def _no_form(file: Path, sniffed: Sniffed) -> str:
    if sniffed.head.split("\n", 1)[0].strip() == "{":
        raise BadInput("this is one JSON object over several lines; give one object a line, or an array of objects", 1)
    if fault := first_fault(file, sniffed.encoding, is_array=sniffed.kind == "array"):
        raise BadInput(fault.reason, fault.line)
    raise BadInput(
        "no row of the first hundred has a known form: LIMA and ShareGPT have `conversations`, OpenAI `messages`, "
        "Alpaca `instruction`",
        1,
    )
