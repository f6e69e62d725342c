"""What prompts are, as a version says it: on each line where there is something to say, and counted in the manifest."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.datasets.credits import plain
from app.examples.roles import WORDS
from app.projects.models import Split
from app.web.words import plural

# What a line may have besides what every line has; left out where there is nothing to say, so that the line of an
# example without a group and flags is what it was before there were any.
TOLD = ("group", "flags")


def told_of(group: str | None, flags: Sequence[str]) -> dict[str, Any]:
    """Group and flags of an example as its line has them."""
    return ({"group": group} if group else {}) | ({"flags": sorted(flags)} if flags else {})


def told_in(example: Mapping[str, Any]) -> dict[str, Any]:
    """The same, read from a line."""
    return {name: example[name] for name in TOLD if example.get(name)}


def groups(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many prompts each group of authors has."""
    return dict(sorted(Counter(told["group"] for told in rows if "group" in told).items()))


def counted(rows: Sequence[tuple[str, Mapping[str, Any], bool, bool]]) -> dict[str, Any]:
    """Counts over (split, what its line says, whether it has no response, whether it is a translation); {} for none.

    `groups` and `flags` by name, `without_response` by split, `translations`.
    """
    flags = Counter(flag for _, told, _, _ in rows for flag in told.get("flags", ()))
    alone = Counter(split for split, _, without, _ in rows if without)
    translations = sum(translated for *_, translated in rows)
    found: dict[str, Any] = {
        "groups": groups(told for _, told, _, _ in rows),
        "flags": dict(sorted(flags.items())),
        "without_response": dict(sorted(alone.items())),
        "translations": translations,
    }
    return {name: value for name, value in found.items() if value}


def has_columns(manifest: Mapping[str, Any]) -> bool:
    """Whether a table of the version has columns for group and flags."""
    roles = manifest.get("roles", {})
    return bool(roles.get("groups") or roles.get("flags"))


def section(manifest: Mapping[str, Any]) -> str:
    """The card's part on what prompts are; empty where there is nothing to say."""
    lines = [f"- {words}" for words in _said(manifest.get("roles", {}))]
    return "## What the prompts are\n\n" + "\n".join(lines) + "\n" if lines else ""


def most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Names with their counts, in an order of the counts' own: PostgreSQL keeps the keys of a manifest in another."""
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _said(roles: Mapping[str, Any]) -> Iterator[str]:
    waiting = roles.get("without_response", {})
    alone = [f"{waiting[split]:,} {split.value}" for split in Split if split in waiting]
    if alone:
        yield f"Prompts without a response: {', '.join(alone)}. They are asked, not learnt from."
    yield from _grouped(roles)
    flags = [f"{WORDS.get(name, plain(name))} {count:,}" for name, count in most_first(roles.get("flags", {}))]
    if flags:
        yield f"Flagged by people: {', '.join(flags)}; `flags` on their lines."
    if count := roles.get("translations"):
        verb = "was" if count == 1 else "were"
        yield f"{plural(count, 'example')} {verb} written as the translation of another."


def _grouped(roles: Mapping[str, Any]) -> Iterator[str]:
    """Prompts by group of authors: those written here, and those of others; an earlier manifest has them together."""
    all_of, own = roles.get("groups", {}), roles.get("groups_written")
    if own is None:
        parts = [("By group of authors", all_of)]
    else:
        others = {name: count - own.get(name, 0) for name, count in all_of.items()}
        parts = [
            ("Written by the team, by group of authors", own),
            ("From elsewhere, put into a group of authors by an import or by a lead", others),
        ]
    for words, counts in parts:
        named = [f"group {plain(name)} {count:,}" for name, count in sorted(counts.items()) if count > 0]
        if named:
            yield f"{words}: {', '.join(named)}; `group` on their lines."
