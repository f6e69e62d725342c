"""The licences of a version: as the head of a card names them, and LICENSE.md, to which it points."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.datasets.credits import link
from app.datasets.licences import of_manifest
from app.text.licences import Licence, licence_of
from app.web.words import plural

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


def stated(manifest: Mapping[str, Any]) -> list[Licence]:
    """The licences that examples have, each once, the most frequent first."""
    return [licence_of(row["licence"]) for row in of_manifest(manifest) if row["licence"]]


def without_one(manifest: Mapping[str, Any]) -> int:
    """How many examples state none."""
    return sum(row["examples"] for row in manifest["licences"] if not row["licence"])


def share_alike(manifest: Mapping[str, Any]) -> bool:
    """Whether any asks that copies go under the same licence."""
    return any(licence.share_alike for licence in stated(manifest))


def non_commercial(manifest: Mapping[str, Any]) -> bool:
    """Whether any forbids commercial use."""
    return any(licence.non_commercial for licence in stated(manifest))


def head_lines(manifest: Mapping[str, Any]) -> list[str]:
    """The lines of a card's head: an id of the Hub's, or `other` with a name and the file that says more."""
    found = stated(manifest)
    if not found:
        return ["license: unknown"]
    if len(found) == 1 and not without_one(manifest) and (known := _hub_id(found[0])):
        return [f"license: {known}"]
    named = named_together([_slug(licence) for licence in found], manifest)
    return ["license: other", f"license_name: {json.dumps(named)}", f"license_link: {LICENSE}"]


def named_together(slugs: Iterable[str], manifest: Mapping[str, Any]) -> str:
    """What several licences are called in a head, and that some examples state none."""
    every = [*slugs, *(["none-stated"] if without_one(manifest) else [])]
    return "-and-".join(every) if len(every) <= 3 else f"{len(every)}-licences"


def _hub_id(licence: Licence) -> str | None:
    """What the Hub calls it: by its SPDX id, for some without `-only` or without the version."""
    slug = _slug(licence)
    names = (slug, slug.removesuffix("-only"), re.sub(r"-[\d.]+(-only)?$", "", slug))
    return next((name for name in names if name in HUB_IDS), None)


def _slug(licence: Licence) -> str:
    return slug_of(licence.id or licence.name)


def slug_of(written: str) -> str:
    """Words as a name in a head: small letters, digits and dots, with dashes between."""
    return "-".join("".join(sign if sign.isalnum() or sign == "." else " " for sign in written.lower()).split())


def licence_text(manifest: Mapping[str, Any]) -> str:
    """LICENSE.md: each example's own licence, how many are under which, and what they ask."""
    rows = [f"- {named(row['licence'])}{_spdx(row['licence'])}: {row['examples']:,}" for row in of_manifest(manifest)]
    return (
        "# Licences\n\n"
        "Each example of this data set is under its own licence, which its line of `examples.jsonl` states as "
        "`licence`, in the words in which it came. There are, with the number of examples:\n\n"
        + "\n".join(rows)
        + "\n\n"
        + duties(manifest)
    )


def _spdx(written: str | None) -> str:
    licence = licence_of(written) if written else None
    return f" (`{licence.id}`)" if licence and licence.id else ""


def named(written: str | None) -> str:
    """A licence by its name, however it is written, as Markdown with its text where that is known."""
    if not written:
        return "none stated"
    licence = licence_of(written)
    return link(licence.name, licence.url)


def duties(manifest: Mapping[str, Any]) -> str:
    """What the licences ask of whoever passes the texts on, in Markdown."""
    words = []
    if any(licence.parts >= {"CC", "BY"} for licence in stated(manifest)):
        words.append(
            "Whoever passes texts on names their authors, links to them and to the licence, and says what was changed: "
            "`ATTRIBUTION.md` has that text by text, as far as it is known. The authors endorse neither this set nor "
            "what is made of it, and the licences disclaim warranties: texts come as they are."
        )
        words += [said] if (said := unknown_authors(manifest)) else []
    if share_alike(manifest):
        words.append(
            "Some texts are share-alike: whoever passes them on, changed or not, does so under the same licence."
        )
    if non_commercial(manifest):
        words.append("Some texts may not be used commercially.")
    if any("CC" not in licence.parts and "CC0" not in licence.parts for licence in stated(manifest)):
        words.append("What licences other than Creative Commons ask stands in their own texts.")
    if sum(row["examples"] for row in of_manifest(manifest)) > sum(manifest["examples"].values()):
        words.append("An example that was merged of texts under several licences is under all, and counted under each.")
    if count := without_one(manifest):
        verb = "states" if count == 1 else "state"
        words.append(
            f"{count:,} of the examples {verb} no licence: without their writers' leave nobody but they may pass "
            "these on."
        )
    words.append("No licence is stated for the selection as such.")
    return "\n\n".join(words) + "\n"


def credit(manifest: Mapping[str, Any]) -> str:
    """How many texts ATTRIBUTION.md lists, in a sentence; an earlier manifest counts those that name a source alone."""
    found = manifest.get("credited")
    if not found:
        return "`ATTRIBUTION.md` lists the texts that name where they are from."
    listed = found.get("listed", found["as_imported"] + found["edited"])
    if not listed:
        return "`ATTRIBUTION.md` lists no text: none names where it is from."
    with_name = listed - found.get("unknown", 0)
    whom = f", {with_name:,} with author or link" if "unknown" in found else ""
    return f"`ATTRIBUTION.md` lists {plural(listed, 'text')}{whom}, each with its licence."


def unknown_authors(manifest: Mapping[str, Any]) -> str:
    """That of some texts neither author nor link is known, in a sentence; empty where all are."""
    count = manifest.get("credited", {}).get("unknown", 0)
    if not count:
        return ""
    return (
        f"Of {plural(count, 'text')} in it neither author nor link is known, whatever the licence asks: "
        f"`ATTRIBUTION.md` lists {'it' if count == 1 else 'them'} as such."
    )


def limit(manifest: Mapping[str, Any]) -> str:
    """That a version was limited to licences, in Markdown; empty where it was not."""
    limited = ", ".join(named(licence) for licence in manifest.get("limited_to_licences", ()))
    words = f"This version is limited to texts under {limited}; approved texts under others were left out.\n\n"
    return words if limited else ""


def limited_to(manifest: Mapping[str, Any]) -> str:
    """The licences that a version was limited to, in plain words; empty where it was not."""
    return ", ".join(licence_of(one).name for one in manifest.get("limited_to_licences", ()))
