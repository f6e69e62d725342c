"""Languages by name: texts keep their code (BCP 47), people read "German".

`languages.csv` beside this has the codes of ISO 639-1 with the English names of Unicode's CLDR.
"""

import csv
import re
from functools import cache
from pathlib import Path

_CODE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_WITH_CODE = re.compile(rf"([^()]+?)\s*\(\s*({_CODE.pattern})\s*\)")


@cache
def names() -> dict[str, str]:
    """All names by their codes, in the order of the names."""
    with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as file:
        return dict(sorted(csv.reader(file), key=lambda row: row[1]))


def name_of(code: str) -> str:
    """German for de, Portuguese (BR) for pt-BR; a code without a name here stays as it is."""
    primary, _, rest = code.partition("-")
    name = names().get(primary, "")
    return code if not name else f"{name} ({rest})" if rest else name


def name_with_code(code: str) -> str:
    """German (de), where one is to be chosen or typed."""
    name = names().get(code.partition("-")[0], "")
    return f"{name} ({code})" if name else code


def code_of(typed: str) -> str:
    """The code of German, German (de), DE or Portuguese (BR); whatever else is typed stays as it is."""
    words = typed.strip()
    if words.casefold() in _codes():
        return _codes()[words.casefold()]
    if with_code := _WITH_CODE.fullmatch(words):
        primary = _codes().get(with_code[1].casefold())
        whole = primary is None or with_code[2].partition("-")[0].casefold() == primary
        words = with_code[2] if whole else f"{primary}-{with_code[2]}"
    return _as_written(words) if _CODE.fullmatch(words) else words


def _as_written(code: str) -> str:
    """A code in the letters of BCP 47: pt-BR, zh-Hant."""
    first, *further = code.lower().split("-")
    written = {2: str.upper, 4: str.title}
    return "-".join([first, *(written.get(len(part), str.lower)(part) for part in further)])


def is_known(code: str) -> bool:
    """Whether there is such a language, as far as can be known here: codes of three letters are not listed."""
    primary = code.partition("-")[0]
    return len(primary) > 2 or primary in names()


@cache
def _codes() -> dict[str, str]:
    return {name.casefold(): code for code, name in names().items()}
