"""One licence by all its names: CC BY-SA 4.0, CC-BY-SA-4.0 and cc-by-sa-4.0 are the same, with one id and one link.

The ids are those of SPDX. What is none of these licences keeps the name that it was given, and has neither. A text that
was made of several is under all of theirs, joined by AND.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_CC = "https://creativecommons.org"
_GNU = "https://www.gnu.org/licenses"
_OSI = "https://opensource.org/license"
_ODC = "https://opendatacommons.org/licenses"
# Id, name, address of its text, and what else people call it, in the form of `_folded`.
_KNOWN = (
    ("CC0-1.0", "CC0 1.0", f"{_CC}/publicdomain/zero/1.0/", "cc0 cc-0 cc-zero cc0-1 cc-zero-1.0"),
    ("MIT", "MIT", f"{_OSI}/mit", "expat"),
    ("Apache-2.0", "Apache 2.0", "https://www.apache.org/licenses/LICENSE-2.0", "apache-2 apache2 apache2.0"),
    ("BSD-2-Clause", "BSD 2-Clause", f"{_OSI}/bsd-2-clause", "bsd-2"),
    ("BSD-3-Clause", "BSD 3-Clause", f"{_OSI}/bsd-3-clause", "bsd-3"),
    ("ISC", "ISC", f"{_OSI}/isc-license-txt", ""),
    ("MPL-2.0", "MPL 2.0", "https://www.mozilla.org/MPL/2.0/", "mpl2.0 mpl-2"),
    ("GPL-2.0-only", "GPL 2.0", f"{_GNU}/old-licenses/gpl-2.0.html", "gpl-2.0 gpl-2 gplv2"),
    ("GPL-3.0-only", "GPL 3.0", f"{_GNU}/gpl-3.0.html", "gpl-3.0 gpl-3 gplv3"),
    ("GPL-2.0-or-later", "GPL 2.0 or later", f"{_GNU}/old-licenses/gpl-2.0.html", "gpl-2.0+ gplv2+ gpl-2+"),
    ("GPL-3.0-or-later", "GPL 3.0 or later", f"{_GNU}/gpl-3.0.html", "gpl-3.0+ gplv3+ gpl-3+"),
    ("LGPL-3.0-only", "LGPL 3.0", f"{_GNU}/lgpl-3.0.html", "lgpl-3.0 lgpl-3 lgplv3"),
    ("AGPL-3.0-only", "AGPL 3.0", f"{_GNU}/agpl-3.0.html", "agpl-3.0 agpl-3 agplv3"),
    ("GFDL-1.3-only", "GFDL 1.3", f"{_GNU}/fdl-1.3.html", "gfdl-1.3 gfdl1.3"),
    ("ODC-By-1.0", "ODC-By 1.0", f"{_ODC}/by/1-0/", "odc-by"),
    ("ODbL-1.0", "ODbL 1.0", f"{_ODC}/odbl/1-0/", "odbl"),
    ("PDDL-1.0", "PDDL 1.0", f"{_ODC}/pddl/1-0/", "pddl"),
    ("CDLA-Permissive-1.0", "CDLA Permissive 1.0", "https://cdla.dev/permissive-1-0/", ""),
    ("CDLA-Permissive-2.0", "CDLA Permissive 2.0", "https://cdla.dev/permissive-2-0/", ""),
    ("CDLA-Sharing-1.0", "CDLA Sharing 1.0", "https://cdla.dev/sharing-1-0/", ""),
    ("Unlicense", "The Unlicense", "https://unlicense.org/", "the-unlicense"),
    ("OGL-UK-3.0", "Open Government Licence 3.0",
     "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
     "open-government-3.0 uk-open-government-3.0 ogl-3.0"),
)  # fmt: skip
# Long words of names; those that say nothing are left out.
_SHORT = (
    ("creative commons", "cc"), ("creativecommons", "cc"), ("attribution", "by"), ("share alike", "sa"),
    ("sharealike", "sa"), ("non commercial", "nc"), ("noncommercial", "nc"), ("no derivatives", "nd"),
    ("noderivatives", "nd"), ("noderivs", "nd"), ("no derivs", "nd"), ("general public", "gpl"),
    ("free documentation", "gfdl"),
)  # fmt: skip
_EMPTY = frozenset(("the", "a", "an", "licence", "license", "licenses", "public", "international", "unported",
                    "generic", "universal", "version", "gnu"))  # fmt: skip
_CC_ADDRESS = re.compile(
    r"(?:https?://)?(?:www\.)?creativecommons\.org/"
    r"(?:licenses/(?P<parts>[a-z-]+)/(?P<version>\d\.\d)|publicdomain/zero/1\.0)/?(?:deed(?:\.\w+)?|legalcode(?:\.\w+)?)?"
)
_CC_ID = re.compile(r"cc-by((?:-(?:nc|sa|nd))*)(?:-(\d)(?:\.(\d))?)?")
_ORDER = ("NC", "SA", "ND")
# Licences that let others use a text if they name where it is from; public domain asks nothing.
_NAMING = re.compile(
    r"\bBY\b|\bMIT\b|\bBSD|\bAPACHE|\bGFDL|\bGPL|\bLGPL|\bAGPL|\bISC\b|\bOPEN GOVERNMENT|\bOGL", re.IGNORECASE
)
# What people write where they know of no licence, without signs and the word itself; and what keeps all rights.
_NONE = frozenset((
    "", "none", "no", "unknown", "not known", "n a", "na", "nan", "nil", "null", "undefined", "unspecified",
    "unlicensed", "unlicenced", "not specified", "not stated", "not given", "none stated", "none given",
    "no known", "tbd", "todo",
))  # fmt: skip
_THE_WORD = re.compile(r"\b(?:the|licen[cs]e|licen[cs]ing)\b")
# What texts that became one are under, as SPDX writes it: CC BY-SA 4.0 AND MIT.
_AND = re.compile(r"\s+AND\s+")
UNKNOWN = "unknown"
_RESERVED = re.compile(r"\ball rights? (?:are )?reserved\b|\bproprietary\b|^(?:copyright(?:ed)?|closed|confidential)$")


@dataclass(frozen=True)
class Licence:
    """A licence: its SPDX id where it has one, its name, and the address of its text where that is known."""

    id: str
    name: str
    url: str | None = None

    @property
    def key(self) -> str:
        """What is equal for two ways to write one licence."""
        return (self.id or self.name).casefold()

    @property
    def parts(self) -> frozenset[str]:
        """The words of its name in capitals, such as BY, SA, NC and ND."""
        return frozenset(re.split(r"[\s-]+", self.name.upper()))

    @property
    def share_alike(self) -> bool:
        """Whether it asks that copies go under the same licence."""
        return self.parts >= {"CC", "SA"}

    @property
    def non_commercial(self) -> bool:
        """Whether it forbids commercial use."""
        return self.parts >= {"CC", "NC"}

    @property
    def asks_for_a_name(self) -> bool:
        """Whether it asks that the author or a link be named."""
        return _NAMING.search(self.name) is not None


@lru_cache(maxsize=4096)
def licence_of(written: str) -> Licence:
    """The licence that somebody wrote in some way; one that is not known keeps its name, with its blanks put right."""
    name = " ".join(written.split())
    if len(each := parts_of(name)) > 1:
        found = [licence_of(part) for part in each]
        spdx = " AND ".join(one.id for one in found) if all(one.id for one in found) else ""
        return Licence(spdx, " AND ".join(one.name for one in found))
    folded = _folded(name)
    known = _BY_NAME.get(folded)
    return known or _creative_commons(folded) or Licence("", name)


def parts_of(written: str | None) -> tuple[str, ...]:
    """The licences that a text is under: all of those that AND joins, each as it is written; of none an empty one."""
    return tuple(part.strip() for part in _AND.split(written or ""))


def together(written: Iterable[str | None]) -> str | None:
    """What a text is under that was made of several: each licence once, `unknown` where one states none."""
    found: dict[str, str] = {}
    for part in (part for one in written for part in parts_of(one)):
        found.setdefault(key_of(part), part if is_stated(part) else UNKNOWN)
    stated = [part for key, part in found.items() if key]
    unstated = [UNKNOWN] if stated and "" in found else []
    return " AND ".join([*stated, *unstated]) or None


def key_of(written: str | None) -> str:
    """What is equal for two ways to write one licence, or several; empty for none."""
    return " and ".join(sorted(keys_of(written)))


def keys_of(written: str | None) -> set[str]:
    """The same for each of the licences that a text is under."""
    return {licence_of(part).key if is_stated(part) else "" for part in parts_of(written)}


@lru_cache(maxsize=4096)
def is_stated(written: str | None) -> bool:
    """Whether that states anything at all: blank, `unknown`, `None` and `n/a` do not; of several, whether all do."""
    said = (_THE_WORD.sub(" ", _spoken(part)) for part in parts_of(written))
    return all(" ".join(one.split()) not in _NONE for one in said)


@lru_cache(maxsize=4096)
def keeps_all_rights(written: str | None) -> bool:
    """Whether that, or one of several, is no licence but the opposite: all rights reserved, proprietary."""
    return any(_RESERVED.search(_spoken(part)) for part in parts_of(written))


def _spoken(written: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", written.casefold()).split())


def _folded(name: str) -> str:
    """In small letters, with one hyphen between words: cc-by-sa-4.0."""
    said = name.lower()
    if address := _CC_ADDRESS.fullmatch(said):
        return f"cc-{address['parts']}-{address['version']}" if address["parts"] else "cc0-1.0"
    if "creative" in said:
        said = re.sub(r"\(cc[^)]*\)", " ", said)  # the short name behind the long one
    said = re.sub(r"[\s_,/()\-\u2010-\u2015]+", " ", said)
    for long, short in _SHORT:
        said = said.replace(long, short)
    said = re.sub(r"\bv(?:ersion)?\.? ?(?=\d)", "", said)
    words = [word for word in said.split() if word not in _EMPTY]
    return "-".join(words)


def _creative_commons(folded: str) -> Licence | None:
    found = _CC_ID.fullmatch(folded)
    if found is None:
        return None
    bound = [part for part in _ORDER if part.lower() in found[1].split("-")]
    parts = "-".join(["BY", *bound])
    if found[2] is None:
        return Licence("", f"CC {parts}")
    version = f"{found[2]}.{found[3] or 0}"
    return Licence(f"CC-{parts}-{version}", f"CC {parts} {version}", f"{_CC}/licenses/{parts.lower()}/{version}/")


def _by_name() -> dict[str, Licence]:
    found: dict[str, Licence] = {}
    for spdx, name, url, others in _KNOWN:
        licence = Licence(spdx, name, url)
        found |= dict.fromkeys((_folded(spdx), _folded(name), *others.split()), licence)
    return found


_BY_NAME = _by_name()
