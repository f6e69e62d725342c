"""Ready-made configurations of other trainers, with LIMA's recipe: what to read, as what, and how to train on it.

Keys are those of Axolotl's and LLaMA-Factory's documentation. Neither trainer has LIMA's residual dropout, and the
model is for whoever trains to name.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from app.datasets.formats import Format
from app.datasets.formats.base import Layout
from app.web.words import plural
from training.spec import RECIPES

AXOLOTL = "axolotl.yml"
DATASET_INFO = "llamafactory/dataset_info.json"
LLAMAFACTORY = "llamafactory/train.yaml"
LIMA = RECIPES["lima"]
MODEL = "PATH_OR_HUB_ID_OF_A_BASE_MODEL"
# What the ending of a file is called by the library with which both read it.
KINDS = {"jsonl": "json", "parquet": "parquet", "csv": "csv"}


def configurations(manifest: Mapping[str, Any], form: Format) -> dict[str, str]:
    """Give the text of each configuration by its path in the export; none where a trainer cannot read the format."""
    layout, found = form.layout, {}
    if not manifest["examples"]["train"]:
        return {}
    if layout.axolotl is not None:
        found[AXOLOTL] = _axolotl(manifest, layout)
    if layout.llamafactory is not None:
        found[DATASET_INFO] = json.dumps(_dataset_info(manifest, layout), indent=2) + "\n"
        found[LLAMAFACTORY] = _llamafactory(manifest)
    return found


def _measured(manifest: Mapping[str, Any]) -> bool:
    """Whether there is a dev split that a loss can be taken on: each of its examples has a response."""
    return not _unmeasured(manifest)


def _unmeasured(manifest: Mapping[str, Any]) -> str:
    """Why no loss can be taken on dev; empty where one can."""
    alone = manifest.get("roles", {}).get("without_response", {}).get("dev", 0)
    if alone:
        return f"it has {plural(alone, 'prompt')} without a response"
    return "" if manifest["examples"]["dev"] else "it is empty"


def _head(manifest: Mapping[str, Any], trainer: str, command: str) -> str:
    why = _unmeasured(manifest)
    dev = f"# No loss is taken on dev: {why}.\n" if why else ""
    return (
        f"# {manifest['project']['slug']}@{manifest['version']}, {manifest['id']}\n"
        f"# {trainer} with LIMA's recipe. Name your model, then, in the folder of this export:\n"
        f"#     {command}\n"
        f"# LIMA's batch is {LIMA.batch_size} examples, accumulated here on one GPU; on eight, accumulate an eighth.\n"
        f"{dev}\n"
    )


# What both trainers call alike, for both hand it on to transformers' own.
_COMMON: dict[str, Any] = {
    "gradient_accumulation_steps": LIMA.batch_size,
    "adam_beta1": LIMA.beta1,
    "adam_beta2": LIMA.beta2,
    "weight_decay": LIMA.weight_decay,
    "max_grad_norm": LIMA.clip,
    "learning_rate": LIMA.peak_lr,
    "lr_scheduler_kwargs": {"lr_end": LIMA.floor_lr, "power": 1.0},
    "warmup_steps": 0,
    "gradient_checkpointing": True,
    "save_only_model": True,
    "logging_steps": 1,
    "seed": LIMA.seed,
}


def _axolotl(manifest: Mapping[str, Any], layout: type[Layout]) -> str:
    measured = _measured(manifest)
    settings: dict[str, Any] = {
        "base_model": MODEL,
        "chat_template": "tokenizer_default_fallback_chatml",
        "datasets": [_axolotl_data(layout, "train")],
        **({"test_datasets": [_axolotl_data(layout, "dev")]} if measured else {}),
        "sequence_len": LIMA.max_tokens,
        "excess_length_strategy": "truncate",
        "sample_packing": False,
        "train_on_inputs": False,
        "num_epochs": LIMA.epochs,
        "micro_batch_size": 1,
        "optimizer": "adamw_torch",
        "lr_scheduler": "polynomial",
        **_COMMON,
        "bf16": "auto",
        "saves_per_epoch": 1,
        **({"evals_per_epoch": 1} if measured else {}),
        "output_dir": "./axolotl-out",
    }
    return _head(manifest, "Axolotl", f"axolotl train {AXOLOTL}") + _yaml(settings)


def _axolotl_data(layout: type[Layout], split: str) -> dict[str, Any]:
    about = {"path": layout.path_of(split), "ds_type": KINDS[layout.suffix], "split": "train"}
    return about | dict(layout.axolotl or {}) | {"roles_to_train": ["assistant"], "train_on_eos": "turn"}


def _names(manifest: Mapping[str, Any]) -> dict[str, str]:
    """What the splits are called to LLaMA-Factory, those that it can use."""
    name = f"{manifest['project']['slug']}-{manifest['version']}"
    return {"train": f"{name}-train"} | ({"dev": f"{name}-dev"} if _measured(manifest) else {})


def _dataset_info(manifest: Mapping[str, Any], layout: type[Layout]) -> dict[str, Any]:
    about = dict(layout.llamafactory or {})
    return {name: {"file_name": f"../{layout.path_of(split)}", **about} for split, name in _names(manifest).items()}


def _llamafactory(manifest: Mapping[str, Any]) -> str:
    names = _names(manifest)
    settings: dict[str, Any] = {
        "model_name_or_path": MODEL,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full",
        "dataset_dir": "llamafactory",
        "dataset": names["train"],
        **({"eval_dataset": names["dev"]} if "dev" in names else {}),
        "template": "default",
        "cutoff_len": LIMA.max_tokens,
        "packing": False,
        "train_on_prompt": False,
        "mask_history": False,
        "num_train_epochs": LIMA.epochs,
        "per_device_train_batch_size": 1,
        "optim": "adamw_torch",
        "lr_scheduler_type": "polynomial",
        **_COMMON,
        "bf16": True,
        "save_strategy": "epoch",
        **({"eval_strategy": "epoch", "per_device_eval_batch_size": 1} if "dev" in names else {}),
        "report_to": "none",
        "output_dir": "./llamafactory-out",
    }
    return _head(manifest, "LLaMA-Factory", f"llamafactory-cli train {LLAMAFACTORY}") + _yaml(settings)


# Said beside a setting, where somebody who reads the file would ask.
_WHY = {
    "base_model": "yours; LIMA's was LLaMA 65B",
    "model_name_or_path": "yours; LIMA's was LLaMA 65B",
    "chat_template": "the model's own; a plain one where it has none",
    "template": "for base models; a tuned one needs its own, such as llama3",
    "excess_length_strategy": "cut, as LIMA did; by default long rows are left out",
    "sequence_len": "LIMA's limit",
    "cutoff_len": "LIMA's limit",
    "lr_scheduler_kwargs": "a straight line down to there; a scheduler called linear goes to 0",
}


def _yaml(settings: Mapping[str, Any]) -> str:
    return "".join(f"{name}:{_after(value)}{_note(name)}\n" for name, value in settings.items())


def _after(value: Any) -> str:
    text = _value(value)
    return text if text.startswith("\n") else f" {text}"


def _note(name: str) -> str:
    return f"  # {_WHY[name]}" if name in _WHY else ""


def _value(value: Any) -> str:
    """A value as YAML; a list of objects goes on the lines below."""
    if isinstance(value, list) and isinstance(value[0], dict):
        items = ("\n    ".join(f"{name}: {_value(inner)}" for name, inner in one.items()) for one in value)
        return "".join(f"\n  - {item}" for item in items)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_value(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, float) and "e" in repr(value):
        return f"{value:.1e}"  # without its point YAML takes 1e-05 for a text
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)


# What YAML takes for a text without quotes; "no" and its like would be truth values.
_PLAIN = re.compile(r"(?!(?:no|yes|on|off|null|true|false|[0-9.-]+)\Z)[A-Za-z0-9_./-]+", re.IGNORECASE)
