"""How much memory a run will want, by formula: an estimate, not a measurement."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from training.errors import ModelRefused

STATE_BYTES = 16  # float32 weight, gradient and Adam's two moments
MARGIN = 1.10


@dataclass(frozen=True)
class Shape:
    """Sizes of a model that decide its memory, read from config.json alone."""

    parameters: int
    layers: int
    hidden: int
    intermediate: int
    vocabulary: int


@dataclass(frozen=True)
class Memory:
    """Bytes by purpose; `total` has ten per cent on top."""

    states: int
    weight_copies: int
    activations: int
    logits: int
    total: int

    def as_dict(self) -> dict[str, int]:
        """Bytes by name."""
        return asdict(self)


def shape_of(path: Path) -> Shape:
    """Sizes of the model in a folder; its weights are not read."""
    try:
        config = AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        with torch.device("meta"):
            model: Any = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
                config, trust_remote_code=False
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        first = (str(error).splitlines() or ["no reason given"])[0]
        raise ModelRefused(f"The model in {path.name} cannot be used: {first[:300]}") from error
    return Shape(
        parameters=sum(weight.numel() for weight in model.parameters()),
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        intermediate=config.intermediate_size,
        vocabulary=config.vocab_size,
    )


def estimate(shape: Shape, rows: int, tokens: int, *, bf16: bool, checkpointing: bool) -> Memory:
    """Bytes for one full fine-tuning step on a micro-batch of `rows` x `tokens`.

    A layer keeps about eight hidden and four intermediate values a token for the backward pass; with
    checkpointing only its float32 input, and one layer at a time the rest.
    """
    width = 2 if bf16 else 4
    positions = rows * tokens
    layer = positions * (8 * shape.hidden + 4 * shape.intermediate) * width
    inputs = positions * shape.hidden * 4 * shape.layers
    activations = inputs + layer if checkpointing else layer * shape.layers
    logits = positions * shape.vocabulary * (width + 8)
    states = shape.parameters * STATE_BYTES
    copies = shape.parameters * 2 if bf16 else 0
    total = int((states + copies + activations + logits) * MARGIN)
    return Memory(states, copies, activations, logits, total)
