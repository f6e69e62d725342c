"""The bundled sample: a small Stack-Exchange-shaped dump and thirty prompt/response pairs, written for this project."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

SITE = "workshop.example.org"


def dump_folder() -> Path:
    """The folder that holds Posts.xml and Users.xml of the invented exchange `SITE`."""
    return _packaged("stackexchange")


def pairs_file() -> Path:
    """The JSON Lines file of thirty pairs in LIMA's form: 22 train, 4 dev and 4 test prompts."""
    return _packaged("pairs.jsonl")


def expected_file() -> Path:
    """The JSON file of facts about the sample that tests and the demo check against."""
    return _packaged("EXPECTED.json")


def _packaged(name: str) -> Path:
    return Path(str(files(__package__) / name))
