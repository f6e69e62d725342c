"""The forms in which a version leaves; each is a module of this package and a line of Format."""

from enum import StrEnum
from functools import cached_property
from importlib import import_module

from app.datasets.formats.base import Layout


class Format(StrEnum):
    """What an export can be; its layout is the LAYOUT of the module that is called like the member."""

    LIMA = "lima"
    MESSAGES = "messages"
    SHAREGPT = "sharegpt"
    ALPACA = "alpaca"
    COMPLETION = "completion"
    CSV = "csv"
    CSV_SAFE = "csv-safe"
    PARQUET = "parquet"
    HF = "hf"

    @cached_property
    def layout(self) -> type[Layout]:
        """How the format's files are laid out."""
        found: type[Layout] = import_module(f"{__name__}.{self.name.lower()}").LAYOUT
        return found

    @property
    def suffix(self) -> str:
        """The ending of the format's files."""
        return self.layout.suffix

    def path_of(self, split: str) -> str:
        """Where in an export the file of a split stands."""
        return self.layout.path_of(split)
