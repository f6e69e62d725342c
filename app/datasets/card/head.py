"""The head of the card, which dataset hubs read, and how to cite the set: what machines take from README.md."""

import json
import re
from collections.abc import Mapping
from typing import Any

from app.datasets.card.account import is_by_hand, is_taken_over
from app.datasets.card.licensing import head_lines
from app.datasets.formats import Format
from app.datasets.formats.hub import hub_lines

SIZES = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
)  # fmt: skip
TAGS = ("alignment", "instruction-tuning", "supervised-fine-tuning")


def front_matter(manifest: Mapping[str, Any], form: Format) -> str:
    """Give the YAML head; each value is JSON, which YAML contains."""
    total = sum(manifest["examples"].values())
    size = next((name for limit, name in SIZES if total < limit), "1M<n<10M")
    languages = sorted(manifest["languages"])
    facts = {
        "pretty_name": title(manifest),
        "language": languages,
        "multilinguality": _multilinguality(manifest),
        "size_categories": [size],
        "task_categories": ["text-generation"],
        "annotations_creators": ["expert-generated"] if is_by_hand(manifest) else [],
        "language_creators": _language_creators(manifest),
        "source_datasets": ["original"],
        "tags": [*TAGS, *(["human-reviewed"] if manifest["approvals"]["second_person"] else [])],
    }
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in facts.items() if value]
    return "\n".join(("---", *head_lines(manifest), *lines, *hub_lines(manifest, form), "---", ""))


def _multilinguality(manifest: Mapping[str, Any]) -> list[str]:
    """How many languages it has; one alone only where each example states it."""
    count = len(manifest["languages"])
    if count > 1:
        return ["multilingual"]
    return ["monolingual"] if count and not manifest.get("languages_not_stated") else []


def _language_creators(manifest: Mapping[str, Any]) -> list[str]:
    """Found elsewhere, written here, made by models: as far as the manifest says."""
    found = manifest.get("credited", {})
    here = manifest.get("handled") or found
    kinds = {
        "found": found.get("as_imported", 0) + found.get("edited", 0),
        "expert-generated": here.get("written", here.get("own", 0)) + here.get("edited", 0),
        "machine-generated": (manifest.get("help") or {}).get("with_words", 0),
    }
    return [kind for kind, count in kinds.items() if count]


def title(manifest: Mapping[str, Any]) -> str:
    """The set's name in words."""
    return f"{manifest['project']['name']}, {manifest['version']}"


def bibtex(manifest: Mapping[str, Any]) -> str:
    """Give an entry for BibTeX with the people who wrote, the year of the freeze, and the identity.

    Of a set that was mostly approved elsewhere they are its editors.
    """
    project = "{" + _tex(manifest["project"]["name"]) + "}"
    taken_over = is_taken_over(manifest)
    writers = " and ".join(f"{{{_tex(person['name'])}}}" for person in manifest["people"]["writers"])
    slug, version = manifest["project"]["slug"], manifest["version"]
    return "\n".join(
        (
            f"@misc{{{re.sub(r'[^A-Za-z0-9-]', '-', f'{slug}-{version}')},",
            f"  title  = {{{{{_tex(title(manifest))}}}}},",
            f"  author = {{{project if taken_over or not writers else writers}}},",
            *([f"  editor = {{{writers}}},"] if taken_over and writers else []),
            f"  year   = {{{manifest['frozen']['at'][:4]}}},",
            f"  note   = {{Data set {slug}@{version}, {manifest['id']}}},",
            "}",
        )
    )


def _tex(words: str) -> str:
    """Words in which TeX finds no command, and Markdown no end of a code block."""
    harmless = re.sub(r"[\\{}`^~]", " ", " ".join(words.split()))
    return re.sub(r"([&%$#_])", r"\\\1", harmless)
