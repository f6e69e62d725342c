"""The licences of a version: as the head of a card names them, and LICENSE.md, to which it points."""

import json
from collections.abc import Mapping
from typing import Any

from app.datasets.credits import link
from app.sources.licences import licence_url

LICENSE = "LICENSE.md"
# What the Hugging Face Hub knows by these ids (its documentation lists them); anything else is `other` with a name.
HUB_IDS = frozenset(
    (
        "apache-2.0", "mit", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
        "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0",
        "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cdla-sharing-1.0",
        "cdla-permissive-1.0", "cdla-permissive-2.0", "c-uda", "gfdl", "odc-by", "odbl", "pddl", "openmdw-1.0",
        "bsd-2-clause", "bsd-3-clause", "mpl-2.0", "gpl-2.0", "gpl-3.0", "lgpl-3.0", "agpl-3.0", "unlicense",
    )
)  # fmt: skip


def stated(manifest: Mapping[str, Any]) -> list[str]:
    """The licences that examples have, the most frequent first."""
    return [row["licence"] for row in manifest["licences"] if row["licence"]]


def without_one(manifest: Mapping[str, Any]) -> int:
    """How many examples state none."""
    return sum(row["examples"] for row in manifest["licences"] if not row["licence"])


def share_alike(manifest: Mapping[str, Any]) -> bool:
    """Whether any asks that copies go under the same licence."""
    return any("-SA" in licence.upper() for licence in stated(manifest))


def non_commercial(manifest: Mapping[str, Any]) -> bool:
    """Whether any forbids commercial use."""
    return any("-NC" in licence.upper() for licence in stated(manifest))


def head_lines(manifest: Mapping[str, Any]) -> list[str]:
    """The lines of a card's head: an id of the Hub's, or `other` with a name and the file that says more."""
    names = stated(manifest)
    if not names:
        return ["license: unknown"]
    if len(names) == 1 and not without_one(manifest):
        known = _slug(names[0])
        if known in HUB_IDS:
            return [f"license: {known}"]
    slugs = [_slug(name) for name in names] + (["none-stated"] if without_one(manifest) else [])
    named = "-and-".join(slugs) if len(slugs) <= 3 else f"{len(slugs)}-licences"
    return ["license: other", f"license_name: {json.dumps(named)}", f"license_link: {LICENSE}"]


def _slug(licence: str) -> str:
    return "-".join("".join(sign if sign.isalnum() or sign == "." else " " for sign in licence.lower()).split())


def licence_text(manifest: Mapping[str, Any]) -> str:
    """LICENSE.md: each example's own licence, how many are under which, and what they ask."""
    rows = [f"- {named(row['licence'])}: {row['examples']:,}" for row in manifest["licences"]]
    return (
        "# Licences\n\n"
        "Each example of this data set is under its own licence, which its line of `examples.jsonl` states as "
        "`licence`. There are, with the number of examples:\n\n" + "\n".join(rows) + "\n\n" + duties(manifest)
    )


def named(licence: str | None) -> str:
    """A licence as Markdown, with its text where that is known."""
    return link(licence, licence_url(licence)) if licence else "none stated"


def duties(manifest: Mapping[str, Any]) -> str:
    """What the licences ask of whoever passes the texts on, in Markdown."""
    words = []
    if any(licence.upper().startswith("CC BY") for licence in stated(manifest)):
        words.append(
            "Whoever passes texts on names their authors, links to them and to the licence, and says what was changed: "
            "`ATTRIBUTION.md` has all of it, text by text. The authors endorse neither this set nor what is made of "
            "it, and the licences disclaim warranties: texts come as they are."
        )
    if share_alike(manifest):
        words.append(
            "Some texts are share-alike: whoever passes them on, changed or not, does so under the same licence."
        )
    if non_commercial(manifest):
        words.append("Some texts may not be used commercially.")
    if any(not licence.upper().startswith("CC") for licence in stated(manifest)):
        words.append("What licences other than Creative Commons ask stands in their own texts.")
    if count := without_one(manifest):
        verb = "states" if count == 1 else "state"
        words.append(
            f"{count:,} of the examples {verb} no licence: without their writers' leave nobody but they may pass "
            "these on."
        )
    words.append("No licence is stated for the selection as such.")
    return "\n\n".join(words) + "\n"


def limit(manifest: Mapping[str, Any]) -> str:
    """That a version was limited to licences, in Markdown; empty where it was not."""
    limited = ", ".join(named(licence) for licence in manifest.get("limited_to_licences", ()))
    words = f"This version is limited to texts under {limited}; approved texts under others were left out.\n\n"
    return words if limited else ""


def limited_to(manifest: Mapping[str, Any]) -> str:
    """The licences that a version was limited to, in plain words; empty where it was not."""
    return ", ".join(manifest.get("limited_to_licences", ()))
