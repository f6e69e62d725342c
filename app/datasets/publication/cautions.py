"""What somebody should know before a version leaves for the Hub, read from its manifest."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.datasets.licences import of_manifest
from app.datasets.publication.models import Visibility
from app.web.words import plural

PERSONAL = "personal"
# Parts of a licence's name that bind whoever passes the texts on.
BINDING = {"SA": "share-alike", "NC": "not for commercial use", "ND": "not to be changed"}
MOST_NAMED = 4


@dataclass(frozen=True)
class Caution:
    """A thing to know, in a sentence; one that `asks` has to be confirmed."""

    kind: str
    words: str
    asks: bool

    def document(self) -> dict[str, Any]:
        """Give it as the API and the command line print it."""
        return {"kind": self.kind, "words": self.words, "asks": self.asks}


def cautions(manifest: Mapping[str, Any], visibility: Visibility, *, tests_hidden: bool) -> tuple[Caution, ...]:
    """What to know about sending this version there, what has to be confirmed first."""
    found = [*_gates(manifest), *(_public(manifest, tests_hidden) if visibility is Visibility.PUBLIC else ())]
    return tuple(sorted(found, key=lambda one: not one.asks))


def _gates(manifest: Mapping[str, Any]) -> Iterator[Caution]:
    for gate in manifest["gates"]:
        if gate["state"] == "overridden":
            reason = gate.get("reason") or "no reason on record"
            yield Caution(
                "gate", f"It was frozen against the gate {gate['gate']} (“{reason}”); the card says so.", False
            )


def _public(manifest: Mapping[str, Any], tests_hidden: bool) -> Iterator[Caution]:
    yield from _licences(of_manifest(manifest))
    for gate in manifest["gates"]:
        if PERSONAL in gate["gate"] and gate["state"] != "pass":
            yield Caution("personal data", f"Personal data may be in it: {gate['detail']}", True)
    tests = manifest["examples"]["test"]
    if tests and tests_hidden:
        words = (
            f"{plural(tests, 'test prompt')} that this project keeps out of sight would be there for all to train on."
        )
        yield Caution("test prompts", words, True)
    kinds = ("writers", "approvers", "let_in")
    names = {person["name"] for kind in kinds for person in manifest["people"].get(kind, ())}
    if names:
        shown = ", ".join(sorted(names)[:MOST_NAMED]) + (" and others" if len(names) > MOST_NAMED else "")
        yield Caution("names", f"The card and manifest.json name who wrote and approved: {shown}.", False)


def _licences(rows: list[dict[str, Any]]) -> Iterator[Caution]:
    unknown = sum(row["examples"] for row in rows if not row["licence"])
    if unknown:
        words = f"{plural(unknown, 'example')} without a licence: whether anybody may publish them is not known."
        yield Caution("unknown licence", words, True)
    for part, meaning in BINDING.items():
        held = [row for row in rows if part in (row["licence"] or "").upper().replace("-", " ").split()]
        if held:
            names = ", ".join(sorted({row["licence"] for row in held})[:MOST_NAMED])
            count = plural(sum(row["examples"] for row in held), "example")
            more = "; ATTRIBUTION.md names the authors that are known, as it asks" if part == "SA" else ""
            yield Caution(meaning, f"{count} under {names}: {meaning}{more}.", True)
