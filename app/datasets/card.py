"""README.md: the dataset card, written from the manifest for a stranger who knows nothing of the project."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.datasets.credits import link, plain
from app.datasets.formats import Format
from app.sources.licences import licence_url
from app.web.words import plural

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))


def card(manifest: Mapping[str, Any], form: Format) -> str:
    """Give the card of a version in one format."""
    sections = (
        front_matter(manifest, form), _head(manifest), _composition(manifest), _lengths(manifest),
        _licences(manifest), _process(manifest), _gates(manifest), _layout(form), LIMITS, _verify(manifest),
    )  # fmt: skip
    return "\n".join(sections)


def front_matter(manifest: Mapping[str, Any], form: Format) -> str:
    """Give the YAML head that dataset hubs read; each value is JSON, which YAML contains."""
    examples = manifest["examples"]
    total = sum(examples.values())
    size = next((name for limit, name in SIZES if total < limit), "100K<n<1M")
    files = [f"  - split: {split}\n    path: {split}.{form.suffix}" for split, count in examples.items() if count]
    names = {row["licence"] for row in manifest["licences"]}
    licence = _hub_licence(next(iter(names))) if len(names) == 1 else "other"
    return "\n".join(
        (
            "---",
            f"pretty_name: {json.dumps(_title(manifest), ensure_ascii=False)}",
            f"license: {licence}",
            f"language: {json.dumps(sorted(manifest['languages']))}",
            f"size_categories: [{json.dumps(size)}]",
            'task_categories: ["text-generation"]',
            "configs:",
            "- config_name: default",
            "  data_files:",
            *files,
            "---",
            "",
        )
    )


def _hub_licence(licence: str | None) -> str:
    known = licence_url(licence)
    return licence.lower().replace(" ", "-") if known and licence else "other"


def _title(manifest: Mapping[str, Any]) -> str:
    return f"{manifest['project']['name']}, {manifest['version']}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]], *, words: int = 1) -> str:
    """Give a Markdown table; the first `words` columns are text, the rest numbers."""
    rule = ["---"] * words + ["---:"] * (len(head) - words)
    lines = [head, rule, *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}".removesuffix(".0")
    return f"{value:,}" if isinstance(value, int) else str(value)


def _head(manifest: Mapping[str, Any]) -> str:
    examples, frozen = manifest["examples"], manifest["frozen"]
    return (
        f"# {plain(_title(manifest))}\n\n"
        f"{sum(examples.values()):,} hand-picked examples for aligning a language model: "
        f"{examples['train']:,} train, {examples['dev']:,} dev, {examples['test']:,} test. "
        f"Frozen as `{manifest['project']['slug']}@{manifest['version']}` on {frozen['at'][:10]} "
        f"by {plain(frozen['by']['name'])} with Handpicked.\n\n"
        f"Identity: `{manifest['id']}`, the SHA-256 of `examples.jsonl`.\n"
    )


def _composition(manifest: Mapping[str, Any]) -> str:
    rows = [
        (plain(row["title"]), f"`{row['source']}`", row["split"], row["count"], row["target"] or "–")
        for row in manifest["composition"]
    ]
    return "## Composition\n\n" + table(("Source", "Key", "Split", "Examples", "Target"), rows, words=3)


def _lengths(manifest: Mapping[str, Any]) -> str:
    rows = [
        (f"`{row['source']}`", row["split"], row["examples"],
         *(row[part][size] or "–" for part in ("prompt", "response") for size in ("mean", "median", "max")))
        for row in manifest["lengths"]
    ]  # fmt: skip
    head = ("Source", "Split", "Examples", "Prompt mean", "median", "max", "Response mean", "median", "max")
    return "## Lengths in characters\n\n" + table(head, rows, words=2)


def _licences(manifest: Mapping[str, Any]) -> str:
    rows = [
        (link(row["licence"], licence_url(row["licence"])) if row["licence"] else "not stated", row["examples"])
        for row in manifest["licences"]
    ]
    sites = ", ".join(f"{plain(site)} ({count:,})" for site, count in manifest["sites"].items() if site)
    found = f"\nSites: {sites}.\n" if sites else ""
    share_alike = any(row["licence"] and "-SA" in row["licence"].upper() for row in manifest["licences"])
    duty = (
        "\nSome texts are share-alike: whoever passes them on, changed or not, names the authors, links to them, "
        "says what was changed, and uses the same licence.\n"
        if share_alike
        else ""
    )
    return (
        "## Sources and licences\n\n"
        + _limit(manifest)
        + table(("Licence", "Examples"), rows)
        + found
        + duty
        + "\n`ATTRIBUTION.md` names author, link and licence of every text from elsewhere; "
        "`examples.jsonl` carries them on each line.\n"
    )


def _limit(manifest: Mapping[str, Any]) -> str:
    limited = manifest.get("limited_to_licences", ())
    named = ", ".join(link(licence, licence_url(licence)) for licence in limited)
    words = f"This version is limited to texts under {named}; approved texts under others were left out.\n\n"
    return words if limited else ""


def _process(manifest: Mapping[str, Any]) -> str:
    found, people = manifest["approvals"], manifest["people"]
    second = found["second_person"]
    verb = "was" if second == 1 else "were"
    words = [f"{plural(second, 'example')} {verb} approved by a second person, never by their own writer."]
    if found["imported"]:
        said = "; ".join(plain(reason) for reason in found["reasons"]) or "no reason given"
        words.append(f"{found['imported']:,} came approved from elsewhere and were taken as they are ({said}).")
    if found["unrecorded"]:
        words.append(f"{found['unrecorded']:,} have no approval on record.")
    words += [
        f"{plural(one['examples'], 'example')} of the set {'was' if one['examples'] == 1 else 'were'} drawn from the "
        f"pool by the plan {plain(one['plan'])}, `sha256:{one['plan_sha256']}`, with seed {one['seed']}."
        for one in manifest.get("samplings", ())
    ]
    return (
        "## How it was made\n\n"
        "People chose candidates, settled duplicates, wrote or edited prompt and response, and submitted them; "
        "a reviewer read each with its changes and approved it or sent it back. " + " ".join(words) + "\n\n"
        f"Writers: {_names(people['writers'])}. Approvers: {_names(people['approvers'])}.\n"
    )


def _names(people: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(plain(str(person["name"])) for person in people) or "none on record"


def _gates(manifest: Mapping[str, Any]) -> str:
    rows = [
        (gate["gate"], gate["state"], plain(gate["detail"]), plain(gate.get("reason", "")))
        for gate in manifest["gates"]
    ]
    overridden = [row[0] for row in rows if row[1] == "overridden"]
    note = (
        f"\n**Frozen against a gate: {', '.join(overridden)}.** An admin went past it for the reason in the table.\n"
        if overridden
        else ""
    )
    return (
        "## Gates\n\nWhat was checked before the freeze.\n\n"
        + table(("Gate", "State", "What was found", "Reason of the override"), rows, words=4)
        + note
    )


def _layout(form: Format) -> str:
    forms = {
        Format.LIMA: "`conversations` lists user and assistant in turn, `source` names the source, `system` is "
        "the system message where there is one",
        Format.MESSAGES: "`messages` lists `role` and `content`",
        Format.PARQUET: "columns `id`, `source`, `messages`, `licence`, `author`, `url`, and `attribution` as JSON",
    }
    return (
        "## Files\n\n"
        f"- `train`, `dev`, `test` as `.{form.suffix}`, as far as they hold examples: {forms[form]}. "
        "A dev or test prompt may come without a response.\n"
        "- `examples.jsonl`: every example with split, source, messages, licence and attribution, "
        "in canonical JSON (keys sorted, no blanks, UTF-8), the lines sorted by their SHA-256.\n"
        "- `ATTRIBUTION.md`, `manifest.json` (counts, people, gates, software, the hash of each file), `SHA256SUMS`.\n"
    )


LIMITS = """## Known limits

- The examples were chosen for quality and diversity, not to represent how often people ask what.
- Facts in the answers were right in the eyes of their reviewers when they were approved; nobody checks them again.
- Nobody searched the texts for personal data beyond what reviewers saw; authors' names are kept as licences ask.
- Leakage was looked for between the splits of this set, not against benchmarks or a model's pre-training data.
"""


def _verify(manifest: Mapping[str, Any]) -> str:
    return (
        "## How to verify this copy\n\n"
        "```\n"
        f"handpicked verify . --id {manifest['id']}\n"
        "sha256sum --check SHA256SUMS\n"
        "```\n\n"
        "The first needs no database: it recomputes the hash of every file, the identity from `examples.jsonl` and the "
        "seal of the manifest, and compares the data files with `examples.jsonl`, example by example.\n"
    )
