"""Settings of a form's own: what a page asks for, and what a file or a command line may say instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.sources.readers.files import Sniffed
from app.sources.records import BadInput


@dataclass(frozen=True)
class Setting:
    """A setting that is a list of names; `noun` says in words what they are, `hint` what it does."""

    name: str
    label: str
    hint: str
    noun: str
    default: tuple[str, ...]

    def of(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The names that these settings choose: a list, or one text with commas or line ends between them.

        Raises BadInput (422) for anything else.
        """
        value = settings.get(self.name, self.default)
        names = re.split(r"[\n,;]", value) if isinstance(value, str) else value
        if not isinstance(names, list | tuple) or not all(isinstance(one, str) for one in names):
            raise BadInput(f"the setting {self.name} is a list of {self.noun}, such as {', '.join(self.default[:2])}")
        return tuple(one.strip() for one in names if one.strip())


@dataclass(frozen=True)
class Switch:
    """A setting that is on or off, and off as it comes; `needs` says whether an input has what it is about.

    `missing` is what a page says where it has not.
    """

    name: str
    label: str
    hint: str
    needs: Callable[[Sequence[Sniffed]], bool]
    missing: str
    default: bool = False

    def of(self, settings: Mapping[str, Any]) -> bool:
        """Whether these settings switch it on: forms and command lines write it as a word.

        Raises BadInput (422) for a word that is neither.
        """
        value = settings.get(self.name, self.default)
        word = "" if value is None else str(value).strip().lower()
        if word in {"true", "yes", "on", "1"}:
            return True
        if word in {"", "false", "no", "off", "0"}:
            return False
        raise BadInput(f"the setting {self.name} is true or false")
