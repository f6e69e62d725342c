"""Every format that can be imported, behind one door: recognise the files, give their reader."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from app.sources import unread
from app.sources.excerpts import visible
from app.sources.inputs import Input, input_of
from app.sources.readers import READERS, tables
from app.sources.readers.base import Format, Reader, ReadOptions
from app.sources.readers.containers import first_fault, first_items
from app.sources.readers.files import Sniffed, is_about_encoding
from app.sources.readers.settings import Setting, Switch
from app.sources.records import BadInput, BadLine, BadLines, LeftOut, Place, Record

MIXED = "mixed"
BY_NAME = {format.name: format for format in READERS}
FORMATS = {"auto": "Recognise it", **{format.name: format.title for format in READERS}}
"""Format -> its name on a form, in the order of the form."""


def title_of(name: str) -> str:
    """A format's name in words."""
    return FORMATS.get(name, "Several formats" if name == MIXED else name).partition(" (")[0]


def noun_of(name: str) -> str:
    """What one record of a format is called."""
    return BY_NAME[name].noun if name in BY_NAME else "record"


def rules_of(name: str) -> str:
    """The preset of rules that an import of a format begins with."""
    return BY_NAME[name].rules if name in BY_NAME else "none"


def fitting(name: str) -> list[str]:
    """The formats that an input may be read as when this one was recognised, itself first."""
    kinds = BY_NAME[name].kinds if name in BY_NAME else frozenset()
    others = [one.name for one in READERS if one.kinds & kinds and not one.needs_site]
    return list(dict.fromkeys([name, *others]))


def settings_of(name: str) -> tuple[Setting | Switch, ...]:
    """The settings of a format's own that a page asks for."""
    return BY_NAME[name].settings if name in BY_NAME else ()


def known_settings(name: str) -> tuple[str, ...]:
    """The names of all settings that a format reads; of an input that is not looked at yet, those of any."""
    if name not in BY_NAME:
        return tuple(dict.fromkeys(chain.from_iterable(map(known_settings, BY_NAME))))
    of_kind = ("sheet",) if "xlsx" in BY_NAME[name].kinds else ()
    columns = ("columns",) if name == tables.FORMAT.name else ()
    return (*columns, *of_kind, *(one.name for one in settings_of(name)))


def require_known(name: str, settings: Iterable[str]) -> None:
    """Refuse settings that a format does not read. Raises BadInput (422), which names those that there are."""
    known = known_settings(name)
    for one in settings:
        if one not in known:
            there = f"there are {', '.join(known)}" if known else "it has none"
            raise BadInput(f"{title_of(name)} has no setting {one[:40]!r}; {there}")


def claimed(name: str, files: Sequence[Sniffed]) -> tuple[Sniffed, ...]:
    """The files of an input that a format reads, in its order; all of them where several formats read it."""
    return tuple(chain.from_iterable(BY_NAME[name].claim(files))) if name in BY_NAME else tuple(files)


def needs_site(name: str) -> bool:
    """Whether an import of a format must say which site it comes from."""
    return name in BY_NAME and BY_NAME[name].needs_site


def open_source(
    source: Path | Input, format: str = "auto", site: str | None = None, options: ReadOptions | None = None
) -> Reader:
    """Give the reader of a file, a folder, or an input; its content decides, never its name.

    `site` is required for a dump, which does not name its own; for rows it names the set in which their ids are
    unique. Raises BadInput (422) with a sentence.
    """
    if format not in {*FORMATS, MIXED}:
        raise BadInput(f"there is no format {format!r}; there are {', '.join(FORMATS)}")
    chosen = options or ReadOptions()
    if site:
        chosen = replace(chosen, site=site)
    found = source if isinstance(source, Input) else input_of(source, chosen.encoding)
    groups, rest = _groups(found, format)
    readers = [one.reader(files, chosen) for one, files in groups]
    reader = readers[0] if len(readers) == 1 else Several(readers, chosen)
    _pass_over(reader, rest, [one for one, _ in groups])
    return reader


def _pass_over(reader: Reader, rest: Sequence[Sniffed], formats: Sequence[Format]) -> None:
    """Tell a reader of the files that are not read: what should be and cannot be is bad, the others are named."""
    broken = [file for file in rest if unread.is_broken(file, formats)]
    named = (unread.left_out(file, formats) for file in rest if file not in broken)
    reader.broken = tuple(map(unread.fault_of, broken))
    reader.left_out = (*reader.left_out, *named)


def passed_over(found: Input, format: str) -> tuple[LeftOut, ...]:
    """The files of an input that are not read as a format; none where nothing of it can be."""
    try:
        groups, rest = _groups(found, format)
    except BadInput:
        return ()
    formats = [one for one, _ in groups]
    return tuple(unread.left_out(file, formats) for file in rest if not unread.is_broken(file, formats))


def recognise(source: Path | Input, told: str = "auto") -> str:
    """Name the format of a file or folder by its content, or the one that it is `told` to be where that can be tried.

    Raises BadInput (422) with a sentence.
    """
    groups, _ = _groups(source if isinstance(source, Input) else input_of(source), told)
    names = {format.name for format, _ in groups}
    return names.pop() if len(names) == 1 else MIXED


def _groups(found: Input, format: str) -> tuple[list[tuple[Format, list[Sniffed]]], list[Sniffed]]:
    """Which format reads which files, in the order of the input; and the files that none takes."""
    if format in BY_NAME:
        _require_one_site(found, BY_NAME[format])
        fit = _fit(found, BY_NAME[format])
        read = {file.path for file in fit}
        return [(BY_NAME[format], fit)], [file for file in found.files if file.path not in read]
    rest = list(found.files)
    groups: list[tuple[Format, list[Sniffed]]] = []
    for one in READERS:
        # Rows of no known form need a mapping, which nobody owes for what lies beside rows that are known.
        if one is tables.FORMAT and groups:
            break
        _require_one_site(found, one)
        for files in one.claim(rest):
            groups.append((one, files))
            rest = [file for file in rest if file not in files]
        if groups and one.needs_site:
            # A site's dump is one thing: a note beside it is no part of it.
            break
    if not groups:
        _refuse(found)
    return sorted(groups, key=lambda group: found.files.index(group[1][0])), rest


def _require_one_site(found: Input, format: Format) -> None:
    """Refuse the dumps of several sites in one input: an import has one site, and their ids are the same numbers."""
    dumps = [group[0].name for group in format.claim(found.files)] if format.needs_site else []
    if len(dumps) > 1:
        listed = ", ".join(map(visible, dumps[: BadLines.SHOWN]))
        more = f" and {len(dumps) - BadLines.SHOWN:,} more" if len(dumps) > BadLines.SHOWN else ""
        raise BadInput(
            f"there are {len(dumps):,} dumps in {visible(found.name)} ({listed}{more}), and none names its site; "
            "import each from a file or folder of its own, with its site"
        )


def _fit(found: Input, format: Format) -> list[Sniffed]:
    """The files that a format may be told to read. Raises BadInput where there is none."""
    fit = [file for file in found.files if file.kind in format.kinds]
    if not fit and format is tables.FORMAT:
        fit = tables.lists_in(found.files)
    # Of several files those that it knows, with what belongs to them; of those it knows none of, all that it can try.
    whole = fit if format is tables.FORMAT or not fit else found.files
    fit = list(chain(*format.claim(whole))) or fit
    if not fit:
        first = found.files[0]
        if first.fault is not None:
            raise first.fault
        raise BadInput(f"this is {_KINDS[first.kind]}, which is not {format.title}", 1)
    return fit


_KINDS = {
    "xml": "XML",
    "html": "a web page",
    **dict.fromkeys(("lines", "array", "object"), "JSON"),
    **dict.fromkeys(("csv", "tsv"), "a table"),
    "parquet": "a Parquet file",
    "xlsx": "a spreadsheet",
    "text": "neither XML nor JSON",
}


def _refuse(found: Input) -> None:
    """Say why no reader takes an input."""
    if len(found.files) > 1:
        raise BadInput(f"none of the {len(found.files):,} files in {found.name} is of a form that is read")
    file = found.files[0]
    if file.fault is not None:
        raise _naming(file.fault, found.name)
    if file.kind == "html":
        raise BadInput("this is a web page, and no saved article of wikiHow", 1)
    if file.kind == "text":
        raise BadInput(
            "this is neither XML nor JSON, and no table with a header either; the documentation lists what is read",
            1,
        )
    if fault := first_fault(file):
        other = "; choose its encoding if that is another one"
        raise BadInput(fault.reason + (other if is_about_encoding(fault.reason) else ""), fault.line)
    if file.kind == "object":
        raise BadInput(_object_fault(first_items(file)[0].value), 1)
    if file.kind in tables.KINDS and not first_items(file):
        raise BadInput("the file holds no row")
    raise BadInput("no row of the first hundred is an object with columns", 1)


def _naming(fault: BadInput, name: str) -> BadInput:
    """The same fault, with the name by which people know the file."""
    for beginning in ("the file ", "this "):
        if fault.reason.startswith(beginning):
            return BadInput(f"the file {visible(name)} {fault.reason.removeprefix(beginning)}", fault.line)
    return fault


def _object_fault(value: dict[str, Any]) -> str:
    """Why one object is no source: whichever of its lists is meant, a person must say."""
    lists = [name for name, inner in value.items() if isinstance(inner, list) and inner and isinstance(inner[0], dict)]
    if not lists:
        return "this is one JSON object over several lines; give one object a line, or an array of objects"
    named = ", ".join(repr(name[:40]) for name in lists[:5])
    return f"this is one JSON object with lists of objects in it ({named}); save the list that you mean as a file"


class Several(Reader):
    """The files of one input that need several readers, one after the other."""

    def __init__(self, readers: list[Reader], options: ReadOptions) -> None:
        """Take the readers in the order of their files."""
        super().__init__([file for reader in readers for file in reader.files], options)
        names = {reader.format for reader in readers}
        self.format = names.pop() if len(names) == 1 else MIXED
        self.site = options.site or self.format
        self._readers = readers
        self.left_out = tuple(chain.from_iterable(reader.left_out for reader in readers))

    def prepare(self) -> None:
        """Prepare each."""
        for reader in self._readers:
            reader.prepare()
        self.notes = tuple(chain.from_iterable(reader.notes for reader in self._readers))

    def records(self) -> Iterator[Record]:
        """Yield the records of each, their places counted through; the bad ones of all are told together."""
        self.errors, self.error_count = [], 0
        count, first = 0, 0
        for reader in self._readers:
            reader.on_bad = partial(self._note_of, reader)
            try:
                for record in reader.records():
                    count += 1
                    yield record.at(replace(record.place, member=first + record.place.member))
            except BadLines:
                pass
            first += len(reader.files)
        self.settle(count)

    def _note_of(self, reader: Reader, bad: BadLine) -> None:
        named = bad.file or (reader.files[0].name if len(reader.files) == 1 and len(self.files) > 1 else "")
        self.remember(replace(bad, file=named))

    def record_at(self, place: Place) -> Record:
        """Read a record again from whichever reader has it."""
        first = 0
        for reader in self._readers:
            if place.member < first + len(reader.files):
                return reader.record_at(replace(place, member=place.member - first)).at(place)
            first += len(reader.files)
        raise BadInput("the files changed since they were imported")
