"""Settings of one training run, and the contract of its folder; standard library only, so that app may import it."""

import dataclasses
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from training.folder import (
    Checkpoint,
    Progress,
    RunFolder,
    checkpoint_problem,
    clear_stop,
    read_progress,
    read_result,
    request_stop,
    trainer_process,
    whole_checkpoints,
)

__all__ = [
    "RECIPES",
    "Checkpoint",
    "Progress",
    "RunFolder",
    "RunSpec",
    "Setting",
    "checkpoint_problem",
    "clear_stop",
    "keeps_epoch",
    "read_progress",
    "read_result",
    "request_stop",
    "settings",
    "spec_from",
    "steps_per_epoch",
    "trainer_process",
    "whole_checkpoints",
]

FALSE = ("false", "no", "off", "0")
TRUE = ("true", "yes", "on", "1")


def _number(default: float, low: float, high: float) -> Any:
    return field(default=default, metadata={"low": low, "high": high})


def _choice(default: str, *others: str) -> Any:
    return field(default=default, metadata={"choices": (default, *others)})


def _pattern(default: str, pattern: str, words: str) -> Any:
    return field(default=default, metadata={"pattern": pattern, "words": words})


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """Everything that decides what a run does; the defaults are LIMA's. Raises ValueError on nonsense."""

    recipe: str = "lima"
    """Name of the recipe that these settings started from."""
    base_model: str = ""
    """Folder of the base model: safetensors weights, config and tokenizer."""
    eot_token: str = _pattern("<EOT>", r"[!-~]{1,40}", "1 to 40 visible ASCII characters")
    """End-of-turn token, put after every utterance; new to the tokenizer."""
    peak_lr: float = _number(1e-5, 1e-9, 1.0)
    """Learning rate of the first step; there is no warm-up."""
    floor_lr: float = _number(1e-6, 0.0, 1.0)
    """Learning rate that the line reaches after the last step."""
    beta1: float = _number(0.9, 0.0, 0.9999)
    """AdamW's first moment."""
    beta2: float = _number(0.95, 0.0, 0.99999)
    """AdamW's second moment."""
    weight_decay: float = _number(0.1, 0.0, 1.0)
    """AdamW's decay of matrices; norms and biases have none."""
    clip: float = _number(1.0, 1e-6, 1e6)
    """Largest norm of the gradient."""
    batch_size: int = _number(32, 1, 4096)
    """Rows a step; the last batch of an epoch may be shorter."""
    micro_batch: int = _number(4, 1, 4096)
    """Rows computed at once; changes memory and speed, not the mathematics."""
    epochs: int = _number(15, 1, 1000)
    """Passes over the rows."""
    max_tokens: int = _number(2048, 8, 131072)
    """Rows are cut after so many tokens."""
    residual_dropout: float = _number(0.3, 0.0, 0.9)
    """Dropout of the top layer's residual branches; 0 at the bottom, a line between."""
    loss_on: str = _choice("response", "all")
    """Learn from the assistant's tokens and their EOT, or from all."""
    seed: int = _number(0, 0, 2**31 - 1)
    """Seed of row order and dropout."""
    device: str = _choice("auto", "cpu", "cuda")
    """Where to compute; auto takes CUDA if it is there."""
    precision: str = _choice("auto", "fp32", "bf16")
    """Auto is fp32 on the CPU, bf16 with fp32 master weights on CUDA."""
    gradient_checkpointing: bool = False
    """Compute activations twice to save memory."""
    keep_epochs: str = _pattern("all", r"all|last|[1-9]\d{0,3}-[1-9]\d{0,3}", "all, last, or a range such as 5-10")
    """Epochs whose weights stay; the last one always does."""
    threads: int = _number(0, 0, 1024)
    """CPU threads; 0 takes all cores. A resumed run keeps the number it began with."""

    def __post_init__(self) -> None:
        """Refuse values outside their bounds."""
        for setting in dataclasses.fields(self):
            object.__setattr__(self, setting.name, _checked(setting, getattr(self, setting.name)))
        if self.floor_lr > self.peak_lr:
            raise ValueError(f"floor_lr must be at most peak_lr ({self.peak_lr:g}), not {self.floor_lr:g}.")

    def to_json(self) -> str:
        """The text of spec.json."""
        return json.dumps(dataclasses.asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "RunSpec":
        """Read spec.json; raises ValueError with one sentence for anything else."""
        values = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("spec.json must hold one JSON object.")  # noqa: TRY004 - callers catch one kind
        for key in values:
            _field_of(key)
        return cls(**values)


@dataclass(frozen=True)
class Setting:
    """One setting for a form: its kind, default and bounds in words."""

    name: str
    kind: str
    default: str
    bounds: str


FIXED = ("recipe", "base_model")
FIELDS = {setting.name: setting for setting in dataclasses.fields(RunSpec)}


def spec_from(recipe: str, overrides: Mapping[str, str], *, base_model: str = "") -> RunSpec:
    """A recipe with settings replaced by words that a person typed.

    Raises ValueError with a sentence that names the key and what it may be. The base model is an argument
    because people choose it by its registered name, never by a path.
    """
    if recipe not in RECIPES:
        raise ValueError(f"recipe must be one of {', '.join(RECIPES)}, not {_quoted(recipe)}.")
    values = {key: _parsed(_field_of(key, typed=True), text) for key, text in overrides.items()}
    return dataclasses.replace(RECIPES[recipe], base_model=base_model, **values)


def settings(recipe: str) -> list[Setting]:
    """What `spec_from` accepts, with this recipe's values as defaults, in the order of the dataclass."""
    spec = RECIPES[recipe]
    open_fields = (one for name, one in FIELDS.items() if name not in FIXED)
    return [Setting(one.name, _kind(one), _shown(getattr(spec, one.name)), _bounds(one)) for one in open_fields]


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Steps of one pass, the last short batch kept."""
    return math.ceil(rows / batch_size)


def keeps_epoch(spec: RunSpec, epoch: int) -> bool:
    """Whether the weights of an epoch (1, 2, …) stay once a later one is whole."""
    if spec.keep_epochs in ("all", "last"):
        return spec.keep_epochs == "all"
    first, last = map(int, spec.keep_epochs.split("-"))
    return first <= epoch <= last


def _field_of(key: str, *, typed: bool = False) -> "dataclasses.Field[Any]":
    if key not in FIELDS:
        raise ValueError(f"There is no setting {_quoted(key)}; settings are {', '.join(FIELDS)}.")
    if typed and key in FIXED:
        raise ValueError(f"{key} cannot be set this way; choose a registered model and a recipe instead.")
    return FIELDS[key]


def _kind(setting: "dataclasses.Field[Any]") -> str:
    return "choice" if "choices" in setting.metadata else getattr(setting.type, "__name__", str(setting.type))


def _parsed(setting: "dataclasses.Field[Any]", text: str) -> Any:
    """Typed words as the field's type; `_checked` then looks at bounds."""
    words = text.strip()
    try:
        if setting.type is bool:
            return {**dict.fromkeys(TRUE, True), **dict.fromkeys(FALSE, False)}[words.lower()]
        if setting.type is int:
            return int(words) if re.fullmatch(r"[+-]?\d{1,20}", words) else float(words)
        return float(words) if setting.type is float else text
    except (ValueError, KeyError):
        raise ValueError(_refusal(setting, text)) from None


def _checked(setting: "dataclasses.Field[Any]", value: Any) -> Any:
    """The value in its own type and within bounds, else ValueError."""
    if setting.type is float and type(value) is int:
        value = float(value)
    allowed = setting.metadata
    good = type(value) is setting.type
    if good and "low" in allowed:
        good = math.isfinite(value) and allowed["low"] <= value <= allowed["high"]
    if good and "choices" in allowed:
        good = value in allowed["choices"]
    if good and "pattern" in allowed:
        good = re.fullmatch(allowed["pattern"], value) is not None
    if not good:
        raise ValueError(_refusal(setting, value))
    return value


def _refusal(setting: "dataclasses.Field[Any]", value: object) -> str:
    return f"{setting.name} must be {_bounds(setting)}, not {_quoted(value)}."


def _bounds(setting: "dataclasses.Field[Any]") -> str:
    allowed = setting.metadata
    if "choices" in allowed:
        return " or ".join(allowed["choices"])
    if "words" in allowed:
        return str(allowed["words"])
    if "low" in allowed:
        kind = "a whole number" if setting.type is int else "a number"
        return f"{kind} from {_shown(allowed['low'])} to {_shown(allowed['high'])}"
    return "true or false" if setting.type is bool else "text"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if value in (True, False) else str(value)


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return repr(text if len(text) <= 40 else text[:40] + "…")


RECIPES: dict[str, RunSpec] = {
    "lima": RunSpec(),
    "lima-small": RunSpec(recipe="lima-small", residual_dropout=0.2, batch_size=64),
    # For the tiny model: its rates would ruin a trained one within a few steps.
    "smoke": RunSpec(
        recipe="smoke",
        peak_lr=3e-3,
        floor_lr=3e-4,
        batch_size=4,
        micro_batch=4,
        epochs=12,
        max_tokens=512,
        residual_dropout=0.1,
    ),
}
