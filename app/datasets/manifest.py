"""The manifest: everything about a version that is not its words; sealed when it is exported."""

import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from app.datasets.canonical import version_id
from app.datasets.gates import LEAST_ALONE, Gate, GateState
from app.datasets.licences import tallied
from app.datasets.making import Counting
from app.datasets.material import Item, Material, Person, credited, lengths, shapes, split_counts
from app.datasets.tokens import RowTokens, cut_at, row_tokens
from app.datasets.told import counted, groups
from app.text.canonical import content_hash

FORMAT = "handpicked-version/1"
EXAMPLES, MANIFEST, SUMS, CARD, CREDITS = (
    "examples.jsonl", "manifest.json", "SHA256SUMS", "README.md", "ATTRIBUTION.md",
)  # fmt: skip


def build_manifest(
    material: Material,
    gates: Sequence[Gate],
    *,
    name: str,
    project: Mapping[str, Any],
    sha256: str,
    size: int,
    frozen_by: Person,
    frozen_at: datetime,
) -> dict[str, Any]:
    """Give the manifest as it is stored with the version at its freeze; `size` is that of examples.jsonl in bytes.

    Whoever reads one takes `tokens`, `shapes`, `credited` and what `material.making` gives as optional: earlier
    manifests lack them.
    """
    items, making = material.items, material.making
    tokens = row_tokens([item.messages for item in items], making.counting.tokens)
    return {
        "format": FORMAT,
        "version": name,
        "id": version_id(sha256),
        "project": dict(project),
        "frozen": {"at": frozen_at.astimezone(UTC).isoformat(timespec="seconds"), "by": asdict(frozen_by)},
        "people": {
            "writers": [asdict(person) for person in material.writers],
            "approvers": [asdict(person) for person in material.approvers],
            "let_in": [{"id": number, "name": name} for number, name in making.let_in],
        },
        "approvals": asdict(material.approvals) | {"reasons": list(material.reasons)},
        "examples": split_counts(items),
        "composition": [asdict(row) for row in material.fillings],
        "lengths": lengths(items, tokens),
        "tokens": counted_in(items, tokens, making.counting),
        "shapes": shapes(items),
        "credited": credited(items),
        **_languages(items, making.without_language, making.language),
        "licences": tallied(Counter(item.licence for item in items).items()),
        **({"roles": roles} if (roles := _roles(items, making.own)) else {}),
        # Left out where there is no limit, so that earlier manifests read the same.
        **({"limited_to_licences": list(material.limited_to)} if material.limited_to else {}),
        **({"samplings": [asdict(draw) for draw in material.draws]} if material.draws else {}),
        **({"help": material.helped.document()} if material.helped else {}),
        "sites": dict(sorted(Counter(str(item.attribution.get("site") or "") for item in items).items())),
        **making.document(),
        "gates": [gate.document() for gate in gates],
        **_compared(gates),
        "software": software(exact=making.counting.sha256 is not None),
        "examples_file": {"path": EXAMPLES, "sha256": sha256, "bytes": size, "records": len(items)},
    }


def _roles(items: Sequence[Item], own: AbstractSet[int] | None) -> dict[str, Any]:
    found = counted([(item.split, item.told, item.without_response, item.translated) for item in items])
    if own is None or "groups" not in found:
        return found
    return found | {"groups_written": groups(item.told for item in items if item.example_id in own)}


def _compared(gates: Sequence[Gate]) -> dict[str, Any]:
    """What the gate of leakage compared; earlier manifests lack it, when it was first prompts as a whole alone."""
    looked = any(gate.gate == "leakage" and gate.state is not GateState.OFF for gate in gates)
    return {"leakage": {"later_prompts": True, "inside": True, "least_words": LEAST_ALONE}} if looked else {}


def _languages(items: Sequence[Item], without: AbstractSet[int], of_project: str | None) -> dict[str, Any]:
    """How many examples are in which language, as far as somebody stated it, and of how many nobody did.

    Of those that state none themselves the project may.
    """
    stated = Counter(item.language for item in items if item.example_id not in without)
    left = len(items) - stated.total()
    if left and of_project:
        counts = stated + Counter({of_project: left})
        return {"languages": dict(sorted(counts.items())), "languages_of_project": {of_project: left}}
    return {"languages": dict(sorted(stated.items()))} | ({"languages_not_stated": left} if left else {})


def counted_in(items: Sequence[Item], tokens: Sequence[RowTokens], counting: Counting) -> dict[str, Any]:
    """All tokens, and the rows by split that training would not read to their end."""
    cut = Counter(items[place].split for place in cut_at(tokens, counting.limit))
    total = sum(row.total for row in tokens)
    return counting.document() | {"total": total, "cut": dict(sorted(cut.items()))}


def software(*, exact: bool = False) -> dict[str, str]:
    """Give the versions of what made the freeze; of the library that counted tokens, where one did."""
    found = {"handpicked": _version("handpicked"), "python": platform.python_version()}
    return found | ({"tokenizers": _version("tokenizers")} if exact else {})


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def sealed(manifest: Mapping[str, Any]) -> bytes:
    """Give the exported manifest's bytes; its `seal` is the SHA-256 of the canonical JSON of all the rest."""
    rest = {key: value for key, value in manifest.items() if key != "seal"}
    text = json.dumps(rest | {"seal": content_hash(rest)}, sort_keys=True, indent=2, ensure_ascii=False)
    return text.encode() + b"\n"


def sums(files: Sequence[Mapping[str, Any]], manifest_sha256: str) -> bytes:
    """Give SHA256SUMS, which `sha256sum --check` reads: every listed file, and the manifest."""
    rows = [(str(file["path"]), str(file["sha256"])) for file in files] + [(MANIFEST, manifest_sha256)]
    return "".join(f"{sha256}  {path}\n" for path, sha256 in sorted(rows)).encode()
