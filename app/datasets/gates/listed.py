"""Prompts that would be trained on, or chosen by, and are near to those of a benchmark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.datasets.gates.base import BENCHMARK, Finding, Side, excerpt, some
from app.duplicates.models import Method

WORDS = {
    Method.EXACT: "are the same prompt",
    Method.LEXICAL: "are alike in wording",
    Method.EMBEDDING: "are alike in meaning",
}
# What a score of a way is a number of.
MEASURES = {Method.LEXICAL: "share of words", Method.EMBEDDING: "cosine"}


@dataclass(frozen=True)
class NearListed:
    """An example's prompt and one of a benchmark, by its line there; `because` is why it may stay."""

    side: Side
    benchmark: str
    line: int
    listed: str
    method: Method
    score: float
    because: str = ""

    @property
    def finding(self) -> Finding:
        """The two as a gate finds them; no pair of duplicates, so it is settled on the page of leakage."""
        told = WORDS[self.method] + (f" ({MEASURES[self.method]} {self.score:.2f})" if self.score < 1 else "")
        other = Side(
            f"{BENCHMARK}{self.benchmark}/{self.line}", words=excerpt(self.listed),
            called=f"{self.benchmark}, line {self.line:,}",
        )  # fmt: skip
        return Finding(f"{told} ({self.because})" if self.because else told, (self.side, other), bool(self.because))


@dataclass(frozen=True)
class AgainstLists:
    """What was found near to benchmarks, and each of them with its hash and counts."""

    near: Sequence[NearListed] = ()
    lists: Sequence[Mapping[str, Any]] = ()

    @property
    def clean(self) -> str:
        """That nothing was found, in a part of a sentence; empty where there is no benchmark."""
        if not self.lists:
            return ""
        return f"nothing is near to {some([str(one['name']) for one in self.lists])}"
