"""The licences of a set, each counted once however its texts write it; lines keep what was frozen."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from app.examples.credit import credits_in
from app.text.licences import key_of, licence_of, parts_of

# What tells whom a text is by, or leads there.
NAMING = ("author", "author_url", "url", "question_author", "question_author_url", "question_url")


def tallied(counts: Iterable[tuple[str | None, int]]) -> list[dict[str, Any]]:
    """Give `{"licence", "examples"}` by licence, the most frequent first; `unknown` counts as None.

    An example under several counts under each.
    """
    found: Counter[str] = Counter()
    spelt: dict[str, Counter[str]] = defaultdict(Counter)
    for part, count in ((part, count) for written, count in counts for part in parts_of(written)):
        key = key_of(part)
        found[key] += count
        spelt[key][part] += count
    rows = [(_name(spelt[key]) if key else None, count) for key, count in found.items()]
    return [
        {"licence": name, "examples": count} for name, count in sorted(rows, key=lambda row: (-row[1], row[0] or "~"))
    ]


def _name(spelt: Mapping[str, int]) -> str | None:
    """The licence's own name; of one that is not known the way that most texts write it."""
    written = min(spelt, key=lambda one: (-spelt[one], one))
    return licence_of(written).name if written else None


def of_manifest(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same from a manifest; earlier ones count each way to write a licence apart."""
    return tallied((row["licence"], row["examples"]) for row in manifest["licences"])


def unnamed(licence: str | None, attribution: Mapping[str, Any]) -> bool:
    """Whether a text's licence asks for a name, and neither its author nor a link to it is known."""
    return _asks(licence) and not is_named(attribution)


def is_named(attribution: Mapping[str, Any]) -> bool:
    """Whether an author or a link is known, of the answer or of the question.

    Of a text that was made of several, whether that is so of each whose own licence asks for it.
    """
    first, *others = credits_in(attribution)
    if not others:
        return _names(first)
    return all(_names(one) or not _asks(one.get("licence")) for one in (first, *others))


def _asks(licence: str | None) -> bool:
    return bool(licence) and licence_of(licence or "").asks_for_a_name


def _names(credit: Mapping[str, Any]) -> bool:
    return any(credit.get(key) for key in NAMING)
