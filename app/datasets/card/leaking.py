"""Where leaks were looked for, in sentences that card and Croissant metadata share."""

from collections.abc import Mapping
from typing import Any

from app.web.words import plural

Manifest = Mapping[str, Any]


def leakage(manifest: Manifest) -> str:
    """Where leaks between the splits were looked for, and where not."""
    if any(gate["gate"] == "leakage" and gate["state"] == "off" for gate in manifest["gates"]):
        return "Nobody looked for leakage between the splits: the project had switched that gate off."
    found = manifest.get("leakage")
    if not found:
        return "Leakage was looked for between first prompts of the splits: not in later turns, not against benchmarks."
    return (
        "Leakage was looked for between the prompts of the splits, the later ones of dialogues (of "
        f"{found['least_words']} words or more) among them, and for held-out prompts word for word inside longer ones: "
        f"not in responses.{_by_meaning(manifest)} {benchmarks(manifest)}"
    )


def _by_meaning(manifest: Manifest) -> str:
    """How many first prompts were compared by meaning; empty where nothing is held out, and in earlier manifests."""
    found = next((gate.get("meaning") for gate in manifest["gates"] if gate["gate"] == "leakage"), None)
    if not found:
        return ""
    compared, left = found["compared"], found["without_vector"]
    prompts = plural(compared + left, "first prompt")
    if not left:
        return f" All {prompts} were compared by meaning as well."
    return f" By meaning {compared:,} of {prompts} were compared; {left:,} had no vector at the freeze."


def benchmarks(manifest: Manifest) -> str:
    """Which benchmarks train and dev were compared with, each by its hash, and how many examples were near to it."""
    gate: Manifest = next((gate for gate in manifest["gates"] if gate["gate"] == "leakage"), {})
    lists = [_benchmark(one) for one in gate.get("lists", ())]
    if not lists:
        return "No benchmark was named to compare with."
    return f"Prompts of train and dev were compared with those of {'; '.join(lists)}."


def _benchmark(one: Mapping[str, Any]) -> str:
    kept = f", {one['kept']:,} of them kept for a reason" if one["kept"] else ""
    near = f"{plural(one['matched'], 'example')} near to one{kept}" if one["matched"] else "nothing near to one"
    named = f"{one['name']} ({plural(one['prompts'], 'prompt')}, file sha256:{one['sha256']}"
    return f"{named}): {one['compared']:,} compared, {near}"
