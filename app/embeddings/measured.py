"""What a trial of engines has found, beside the model's key: which one encodes, and how near it is to the plain one."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from app.config import Settings
from app.embeddings.encoder import Encoder
from app.embeddings.engines import LEAST_COSINE, Choice


def note(settings: Settings, encoder: Encoder) -> None:
    """Keep what the encoder has chosen, if it has; the last one to choose stands."""
    if encoder.choice is None or chosen(settings, encoder.key) == encoder.choice:
        return
    file = _file(settings, encoder.key)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({"model": encoder.key} | asdict(encoder.choice)), "utf-8")
    fresh.replace(file)


def chosen(settings: Settings, model: str) -> Choice | None:
    """What was chosen last for the model of that key; None where nothing was, or the file is not to be read."""
    try:
        said = json.loads(_file(settings, model).read_text("utf-8"))
        known = Choice(
            str(said["engine"]), float(said["least_cosine"]), int(said["texts"]), float(said["times"]),
            float(said["mean_cosine"]),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return known if said.get("model") == model else None


def in_words(choice: Choice) -> str:
    """The choice as people read it."""
    if choice.least_cosine < LEAST_COSINE:
        return (
            f"{choice.engine}: {choice.times:g} times as fast as the exact model, mean cosine to it "
            f"{choice.mean_cosine:.4f}, least {choice.least_cosine:.4f}, over {choice.texts} texts"
        )
    if choice.times == 1.0:
        return f"{choice.engine}; nothing faster on this machine gives the same vectors"
    return (
        f"{choice.engine}: {choice.times:g} times as fast as the plain model, least cosine to it "
        f"{choice.least_cosine:.5f} over {choice.texts} texts"
    )


def _file(settings: Settings, model: str) -> Path:
    return settings.data_dir / "vectors" / f"engine-{hashlib.sha256(model.encode()).hexdigest()[:16]}.json"
