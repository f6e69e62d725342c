"""Settings of a form's own: what a page asks for, and what a file or a command line may say instead."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
