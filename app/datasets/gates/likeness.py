"""What approved prompts have in common, found once for a set: nearly the same words, and one inside the other."""

from dataclasses import dataclass
from functools import lru_cache

from app.datasets.gates.inside import contained
from app.datasets.gates.leaks import Leak, Prompt
from app.datasets.gates.rewording import rewordings
from app.datasets.gates.wording import words


@dataclass(frozen=True)
class Likenesses:
    """Pairs of one that is trained on and one that is held out: in nearly the same words, or one inside the other."""

    reworded: tuple[Leak, ...]
    inside: tuple[Leak, ...]


@lru_cache(maxsize=4)
def likenesses(prompts: tuple[Prompt, ...]) -> Likenesses:
    """Both of these prompts, first ones and later ones of dialogues; the last few sets are remembered."""
    texts = [words(prompt.text) for prompt in prompts]
    return Likenesses(rewordings(prompts, texts), contained(prompts, texts))
