"""Words for what training calls by short names: recipes, settings, counts of a plan."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.web.words import filesize, number, plural
from training.spec import RunSpec

# Title, and what it means in one sentence.
RECIPES: dict[str, tuple[str, str]] = {
    "lima": ("LIMA", "all weights, 15 epochs, 32 rows a step"),
    "lima-small": ("LIMA small", "for models below a billion: less dropout, 64 rows a step"),
    "smoke": ("Smoke test", "quick and rough, for the tiny model; proves nothing"),
}

SETTINGS: dict[str, str] = {
    "epochs": "Epochs",
    "keep_epochs": "Keep epochs",
    "max_tokens": "Longest row, in tokens",
    "batch_size": "Rows a step",
    "micro_batch": "of them at a time",
    "peak_lr": "Learning rate, from",
    "floor_lr": "to, in a straight line",
    "residual_dropout": "Dropout at the top",
    "weight_decay": "Weight decay",
    "seed": "Seed",
    "loss_on": "Loss on",
    "eot_token": "End mark",
    "beta1": "AdamW, first moment",
    "beta2": "AdamW, second moment",
    "clip": "Largest gradient",
    "device": "Device",
    "precision": "Precision",
    "gradient_checkpointing": "Compute activations twice",
    "threads": "CPU threads, 0 for all",
}
FEW = tuple(SETTINGS)[:10]


def spec_facts(spec: RunSpec) -> tuple[tuple[str, str], ...]:
    """The settings that decide a run, for the side of its page."""
    values = asdict(spec)
    shown = {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in values.items()}
    return (
        ("Epochs", shown["epochs"]),
        ("Batch", f"{shown['batch_size']}, {shown['micro_batch']} at a time"),
        ("Learning rate", f"{shown['peak_lr']} to {shown['floor_lr']}"),
        ("Optimiser", f"AdamW, {shown['beta1']}, {shown['beta2']}"),
        ("Weight decay", shown["weight_decay"]),
        ("Dropout", f"0 to {shown['residual_dropout']}"),
        ("Longest row", f"{spec.max_tokens:,} tokens"),
        ("Loss on", "response, end mark" if spec.loss_on == "response" else "all tokens"),
        ("Epochs kept", shown["keep_epochs"]),
        ("Seed", shown["seed"]),
    )


def plan_facts(plan: Mapping[str, Any], spec: RunSpec) -> tuple[tuple[str, str, bool], ...]:
    """What a run will do: (how much, what of it, whether it needs a look)."""
    prompts = plan["tokens"] - plan["trained_tokens"]
    last = plan["rows_used"] % spec.batch_size
    facts = [
        (plural(plan["tokens"], "token"), "are read in each epoch. " + _trained(plan, spec, prompts), False),
        (plural(plan["steps"], "step"), _steps(plan, spec, last), plan["steps"] == 0),
        (filesize(plan["disk_bytes"]), f"for checkpoints; of the epochs, {_kept(spec)}.", False),
    ]
    if plan["rows_cut"]:
        words = f"at {spec.max_tokens:,} tokens. A longer row, or a shorter text, keeps their ends."
        facts.append((f"{plural(plan['rows_cut'], 'row')} cut", words, True))
    if plan["rows_without_eot"]:
        words = "From them the model does not learn to stop."
        facts.append((f"{plural(plan['rows_without_eot'], 'row')} without end mark", words, True))
    if plan["rows_untrained"]:
        words = "are left out: after the cut nothing is left to learn from."
        facts.append((plural(plan["rows_untrained"], "row"), words, True))
    if not plan["rows_cut"] and not plan["rows_without_eot"]:
        facts.append(("No row is cut", "each keeps its end mark, from which the model learns to stop.", False))
    return tuple(facts)


def _trained(plan: Mapping[str, Any], spec: RunSpec, prompts: int) -> str:
    if spec.loss_on == "all":
        return "All of them but the first of each row are trained."
    return (
        f"{number(plan['trained_tokens'])} of them, the responses and their end marks, are trained; "
        f"the {number(prompts)} of the prompts are only read."
    )


def _steps(plan: Mapping[str, Any], spec: RunSpec, last: int) -> str:
    if not plan["steps"]:
        return "There is nothing to learn from: raise the longest row, or give rows with an answer."
    words = f"{plan['steps_per_epoch']:,} an epoch, {plural(plan['epochs'], 'epoch')}."
    return f"{words} The last step of each has {plural(last, 'row')} instead of {spec.batch_size}." if last else words


def _kept(spec: RunSpec) -> str:
    return {"all": "all stay", "last": "the last stays"}.get(spec.keep_epochs, f"{spec.keep_epochs} stay")


def plan_sentence(plan: Mapping[str, Any]) -> tuple[str, str]:
    """A plan in a sentence, and what it costs."""
    memory = plan["memory"]
    if not plan["steps"]:
        return "There is nothing to learn from.", "No row has an answer within the longest row."
    what = f"{plural(plan['steps'], 'step')} over {plural(plan['rows_used'], 'row')}"
    room = f"{filesize(memory['total'])} of {filesize(memory['available'])}"
    if not memory["fits"]:
        return f"It does not fit: it needs about {room}.", f"{what} are planned; fewer rows at a time need less."
    return f"It fits, with about {room}.", f"{what}; nothing is trained yet."


# Part of the memory, its name, whether it grows with the rows.
MEMORY = (
    ("states", "Weights, gradients, both moments", False),
    ("weight_copies", "Weights again, in bf16", False),
    ("activations", "Activations", True),
    ("logits", "Scores over the vocabulary", True),
)


def stop_words(stopped_by: str | None) -> str | None:
    """Why an answer ends, where that is not its end mark."""
    return {
        "length": "cut off at its longest",
        "prompt_too_long": "the prompt is longer than the model can read",
    }.get(stopped_by or "")
