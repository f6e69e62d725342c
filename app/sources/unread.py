"""The files of an input that its formats do not read: broken ones refuse the input, the others are named with why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.sources.excerpts import visible
from app.sources.readers.base import Format
from app.sources.readers.containers import first_fault, first_items
from app.sources.readers.files import Sniffed
from app.sources.records import BadLine, BadLines, LeftOut
from app.web.words import plural

# A note may begin with a bracket too: "[![badge](…)](…)" is no array of rows.
_ROWS_BEGIN = {"array": re.compile(r"\[\s*\{"), "lines": re.compile(r'\{\s*"'), "object": re.compile(r'\{\s*"')}
_WHAT = {
    "text": "It is neither XML nor JSON, and no table with a header.",
    "html": "It is a web page that is not read as a record.",
    "xml": "It is XML that is no part of what is read.",
    "object": "It is one JSON object and no list of rows.",
}


def is_broken(file: Sniffed, formats: Iterable[Format]) -> bool:
    """Whether a file holds rows as the formats' own files do, and none of its first hundred can be read."""
    if not any(file.kind in format.kinds for format in formats) or first_fault(file) is None:
        return False
    begins = _ROWS_BEGIN.get(file.kind)
    is_sound = any(item.fault is None for item in first_items(file))
    return not is_sound and (begins is None or begins.match(file.head) is not None)


def fault_of(file: Sniffed) -> BadLine:
    """The first fault of a broken file, with the file's name."""
    fault = first_fault(file)
    return BadLine(fault.line if fault else 1, fault.reason if fault else "there is a fault", file.name)


def left_out(file: Sniffed, formats: Sequence[Format]) -> LeftOut:
    """A file that is passed over, with the reason as one sentence."""
    return LeftOut(file.name, _why(file, formats))


def lines_of(name: str, result: Mapping[str, Any]) -> list[str]:
    """The first files that an import's result says are not read, a line each, and how many more there are."""
    found = result.get("left_out", ())
    lines = [f"{name}: {visible(one['path'])} is not read. {visible(one['reason'])}" for one in found[: BadLines.SHOWN]]
    more = len(found) - len(lines)
    return [*lines, f"{name}: {plural(more, 'more file is', 'more files are')} not read."] if more else lines


def _why(file: Sniffed, formats: Sequence[Format]) -> str:
    if file.fault is not None:
        return _sentence(file.fault.reason)
    if file.kind in _WHAT:
        return _WHAT[file.kind]
    rows = first_items(file)
    if not rows:
        return "It holds no row."
    if all(item.fault is not None for item in rows) and (fault := first_fault(file)):
        return _sentence(f"line {fault.line}: {fault.reason}")
    titles = " or ".join(format.title.partition(" (")[0] for format in dict.fromkeys(formats))
    return f"Its rows are not read as {titles}; import it by itself."


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."
