"""What a model folder holds, found out without running any of it: no torch, no pickles, no code from the folder."""

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import Refusal

LONGEST_HEADER = 100_000_000


class UnusableModel(Refusal):
    """The folder cannot be used as a base model."""


@dataclass(frozen=True)
class ModelFacts:
    """Architecture, size and the hash over all weight files in the order of their names."""

    architecture: str
    parameters: int
    layers: int
    sha256: str


def inspect_model(folder: Path) -> ModelFacts:
    """Read config and safetensors headers; UnusableModel says what is missing or not allowed."""
    if not folder.is_dir():
        raise UnusableModel(f"There is no folder {folder.name}.")
    _refuse_links_out(folder)
    config = _read_config(folder, "config.json")
    if (folder / "tokenizer_config.json").exists():
        _read_config(folder, "tokenizer_config.json")
    if not (folder / "tokenizer.json").is_file():
        raise UnusableModel(f"{folder.name} has no tokenizer.json.")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise UnusableModel(
            f"{folder.name} has no .safetensors files; other weight files can run code and are not taken."
        )
    digest = hashlib.sha256()
    for file in weights:
        digest.update(_file_sha256(file))
    return ModelFacts(_architecture(config), sum(map(_parameters, weights)), _layers(config), digest.hexdigest())


def _refuse_links_out(folder: Path) -> None:
    home = folder.resolve()
    for file in sorted(folder.iterdir()):
        if home not in file.resolve().parents:
            raise UnusableModel(
                f"{file.name} is a link that leads out of the model's folder; copy the files themselves into it."
            )


def _read_config(folder: Path, name: str) -> dict[str, Any]:
    try:
        config = json.loads((folder / name).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableModel(f"{folder.name} is no model folder: its {name} cannot be read.") from error
    if not isinstance(config, dict):
        raise UnusableModel(f"{folder.name} is no model folder: its {name} holds no JSON object.")
    if "auto_map" in config:
        raise UnusableModel(f"{folder.name} asks for code of its own (auto_map in {name}), which is never run.")
    return config


def _architecture(config: dict[str, Any]) -> str:
    named = config.get("architectures")
    return str(named[0])[:80] if isinstance(named, list) and named else "unknown"


def _layers(config: dict[str, Any]) -> int:
    layers = config.get("num_hidden_layers") or config.get("n_layer")
    return layers if isinstance(layers, int) else 0


def _parameters(file: Path) -> int:
    """Count the numbers in one safetensors file by its header: 8 bytes of length, then JSON."""
    with file.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        if not 2 <= size <= LONGEST_HEADER:
            raise UnusableModel(f"{file.name} is not a safetensors file.")
        try:
            header = json.loads(stream.read(size))
            shapes = [entry["shape"] for name, entry in header.items() if name != "__metadata__"]
            return sum(math.prod(map(int, shape)) for shape in shapes)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UnusableModel(f"{file.name} is not a safetensors file.") from error


def _file_sha256(file: Path) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
