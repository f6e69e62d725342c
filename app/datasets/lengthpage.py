"""What the page of a version shows of its lengths, and of how it was made."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.datasets.card.card import LIMA_MEANS
from app.datasets.material import responses_in, without_response
from app.datasets.sourcenames import label_of_row, labels_of

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Sizes:
    """How long texts are: mean, median and the longest."""

    mean: float
    median: float
    max: int


@dataclass(frozen=True)
class LengthRow:
    """A source in a split: its share of all there is in percent, and its lengths; no response, no sizes of any."""

    title: str
    colour: int
    split: str
    share: float
    prompt: Sizes
    response: Sizes | None
    lima: str


@dataclass(frozen=True)
class LengthTable:
    """Lengths in one unit; `lima` says whether any row has LIMA's means beside it."""

    unit: str
    rows: tuple[LengthRow, ...]
    lima: bool = False


@dataclass(frozen=True)
class LengthsPanel:
    """Lengths in tokens where the manifest has them, and in characters; how it was made as (word, words) pairs."""

    counted_by: str
    tables: tuple[LengthTable, ...]
    made: tuple[tuple[str, str], ...]


def lengths_panel(manifest: Manifest) -> LengthsPanel:
    """Read it from a manifest, an earlier one as well."""
    tables = [_table(manifest, "characters", _characters)]
    counted = manifest.get("tokens")
    if counted:
        tables.insert(0, _table(manifest, "tokens", _tokens))
    by = f"tokens by {counted['name'] or 'a tokenizer'}" if counted and counted["exact"] else "tokens are estimated"
    told = "; ".join(filter(None, [by if counted else "in characters", without_response(manifest)]))
    return LengthsPanel(told, tuple(tables), tuple(_made(manifest)))


def _characters(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], float]:
    total = row["examples"] * row["prompt"]["mean"] + responses_in(row) * row["response"]["mean"]
    return row, total


def _tokens(row: Mapping[str, Any]) -> tuple[Mapping[str, Any], float]:
    return row["tokens"], row["tokens"]["total"]


def _table(manifest: Manifest, unit: str, read: Any) -> LengthTable:
    labels = labels_of(manifest["composition"])
    known = {
        (row["source"], row["split"]): (place, label_of_row(labels, row))
        for place, row in enumerate(manifest["composition"])
    }
    found = [(row, *read(row)) for row in manifest["lengths"]]
    whole = sum(total for _, _, total in found) or 1
    rows = []
    for row, sizes, total in found:
        place, label = known.get((row["source"], row["split"]), (len(known), labels.of(row["source"])))
        means = LIMA_MEANS.get(row["source"]) if unit == "tokens" and row["split"] == "train" else None
        response = Sizes(**sizes["response"]) if sizes["response"]["max"] else None
        lima = f"{means[0]:,} / {means[1]:,}" if means else ""
        built = LengthRow(
            label.title, label.number, row["split"], 100 * total / whole, Sizes(**sizes["prompt"]), response, lima
        )
        rows.append((place, built))
    ordered = tuple(built for _, built in sorted(rows, key=lambda pair: pair[0]))
    return LengthTable(unit, ordered, any(row.lima for row in ordered))


def _made(manifest: Manifest) -> Iterator[tuple[str, str]]:
    if found := manifest.get("credited"):
        said = {"as_imported": "as imported", "edited": "edited since", "own": "without anybody to credit"}
        yield "Words", ", ".join(f"{found[kind]:,} {how}" for kind, how in said.items() if found[kind])
    if written := manifest.get("written"):
        first, last = written["first"], written["last"]
        yield "Written", first if first == last else f"{first} to {last}"
    used = [f"{one['name']}: {one['examples']:,} ({one['sha256'][:12]}…)" for one in manifest.get("rules", ())]
    if used:
        yield "Examples by rules", "; ".join(used)
    for one in manifest.get("samplings", ()):
        yield "Plan", f"{one['plan']}, {one['examples']:,}, seed {one['seed']}"
    if agreed := manifest.get("agreement"):
        kappa = "" if agreed["kappa"] is None else f", kappa {agreed['kappa']:.2f}"
        yield "Agreement", f"{agreed['agreed']:,} of {agreed['texts']:,} read twice{kappa}"
