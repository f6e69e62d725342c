"""How much of a set models helped with, counted from what its revisions carry (`app.examples.marking`)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.examples.marking import has_words, was_critiqued, was_outlined
from app.web.words import plural

Marks = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Helped:
    """Examples with words of a model, those that one criticised or outlined, and how many each model was asked about.

    `lines` are the hashes of the lines that have words of a model, in the order of examples.jsonl.
    """

    with_words: int
    critiqued: int
    outlined: int
    models: tuple[tuple[str, int], ...]
    lines: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return {
            "with_words": self.with_words,
            "critiqued": self.critiqued,
            "outlined": self.outlined,
            "models": [{"model": model, "examples": count} for model, count in self.models],
            "lines": list(self.lines),
        }


def helped_from(marked: Sequence[tuple[str, Marks]]) -> Helped | None:
    """Count (line's hash, marks) of the examples that models had a part in; None where they had none in any."""
    if not marked:
        return None
    models = Counter(model for _, marks in marked for model in {str(mark["model"]) for mark in marks})
    taken = sorted(sha256 for sha256, marks in marked if has_words(marks))
    return Helped(
        with_words=len(taken),
        critiqued=sum(was_critiqued(marks) for _, marks in marked),
        outlined=sum(was_outlined(marks) for _, marks in marked),
        models=tuple(sorted(models.items(), key=lambda pair: (-pair[1], pair[0]))),
        lines=tuple(taken),
    )


def in_words(manifest: Mapping[str, Any]) -> str:
    """The count as a sentence, “12 of 1,000 examples have words of a model; 30 were critiqued by one”; else empty."""
    found = manifest.get("help")
    if not found:
        return ""
    total, taken = sum(manifest["examples"].values()), found["with_words"]
    words = f"{taken:,} of {plural(total, 'example')} {'has' if taken == 1 else 'have'} words of a model"
    done = [
        f"{found[key]:,} {'was' if found[key] == 1 else 'were'} {verb} by one"
        for key, verb in (("critiqued", "critiqued"), ("outlined", "outlined"))
        if found[key]
    ]
    return "; ".join((words, *done))
