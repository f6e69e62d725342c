"""Which Stack Exchange sites count as STEM and which as other: a table that an admin can edit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

from app.sources.records import BadInput


class ExchangeKind(StrEnum):
    """The two groups that LIMA draws from, and the sites it left out as too niche."""

    STEM = "stem"
    OTHER = "other"
    DISCARDED = "discarded"


SOURCE_OF = {ExchangeKind.STEM: "stackexchange_stem", ExchangeKind.OTHER: "stackexchange_other"}
"""The row of a project's composition that each group fills."""

_OWN_DOMAIN = {
    "stackoverflow": "stackoverflow.com",
    "serverfault": "serverfault.com",
    "superuser": "superuser.com",
    "askubuntu": "askubuntu.com",
    "mathoverflow": "mathoverflow.net",
    "stackapps": "stackapps.com",
    "pt.stackoverflow": "pt.stackoverflow.com",
    "es.stackoverflow": "es.stackoverflow.com",
    "ja.stackoverflow": "ja.stackoverflow.com",
    "ru.stackoverflow": "ru.stackoverflow.com",
}

_STEM = """
    stackoverflow serverfault superuser askubuntu mathoverflow pt.stackoverflow es.stackoverflow
    ja.stackoverflow ru.stackoverflow
    math physics chemistry biology stats cs cstheory datascience ai astronomy earthscience electronics
    engineering robotics quantumcomputing mattermodeling scicomp hsm matheducators cseducators
    bioinformatics bioacoustics medicalsciences health psychology cogsci space aviation dsp mathematica
    codereview codegolf softwareengineering programmers sqa dba unix apple android raspberrypi arduino iot
    tex emacs vi security reverseengineering crypto networkengineering devops webmasters webapps wordpress
    drupal magento joomla craftcms expressionengine sharepoint salesforce sitecore civicrm gis gamedev
    blender computergraphics ux retrocomputing ham sound 3dprinting or proofassistants langdev genai
    opendata opensource openscience softwarerecs hardwarerecs bitcoin ethereum cardano monero tezos stellar
    iota substrate solana quant tor
"""
_OTHER = """
    english ell japanese german french spanish italian russian rus chinese portuguese latin korean ukrainian
    esperanto linguistics languagelearning conlang literature writing writers
    history philosophy politics economics law academia workplace money travel expatriates pets parenting
    gardening diy cooking coffee beer alcohol homebrew vegetarianism fitness bicycles outdoors martialarts
    sports chess boardgames rpg gaming puzzling poker music musicfans movies anime scifi worldbuilding photo
    video avp graphicdesign crafts woodworking mechanics lifehacks bricks ebooks
    genealogy skeptics interpersonal pm sustainability freelancing startups patents communitybuilding
    moderators christianity judaism islam buddhism hinduism hermeneutics mythology
"""
# LIMA left five out and did not say which: these are about one product or about Stack Exchange itself.
_DISCARDED = "stackapps tridion windowsphone elementaryos eosio"


def _host(name: str) -> str:
    return _OWN_DOMAIN.get(name, f"{name}.stackexchange.com")


def _default_table() -> dict[str, ExchangeKind]:
    groups = ((ExchangeKind.STEM, _STEM), (ExchangeKind.OTHER, _OTHER), (ExchangeKind.DISCARDED, _DISCARDED))
    return {_host(name): kind for kind, names in groups for name in names.split()}


DEFAULT_EXCHANGES = _default_table()
"""Host name -> group, some 170 sites, former names included."""

_HOST = re.compile(r"(?=.{4,120}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")


def site_host(site: str) -> str:
    """Give the host name of a site as typed: lower case, without `https://` and path.

    Raises BadInput (422) for what is no host name.
    """
    host = re.sub(r"^https?://", "", site.strip().lower()).split("/")[0].removeprefix("www.")
    if _HOST.fullmatch(host) is None:
        raise BadInput(f"{site!r} is no site; write its host name, such as coffee.stackexchange.com")
    return host


def kind_of(site: str, table: Mapping[str, str] | None = None) -> ExchangeKind:
    """Give a site's group by the project's table, else by the default one; unknown sites are other."""
    chosen = (table or {}).get(site) or DEFAULT_EXCHANGES.get(site) or ExchangeKind.OTHER
    return ExchangeKind(chosen)


def source_of(site: str, table: Mapping[str, str] | None = None) -> str | None:
    """Give the composition row that a site's answers fill, None for a discarded site."""
    return SOURCE_OF.get(kind_of(site, table))
