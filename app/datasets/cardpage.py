"""What the page of a version's dataset card shows."""

from dataclasses import dataclass

from markupsafe import Markup
from sqlalchemy.orm import Session

from app.datasets.card.card import PICTURE_LINE, card_parts
from app.datasets.formats import Format
from app.datasets.models import Version
from app.datasets.showing import example_shown
from app.projects.access import ProjectAccess
from app.text.markdown import render_markdown

# The form in which a version is published, unless somebody asks for another.
FORM = Format.HF


@dataclass(frozen=True)
class CardSection:
    """A section of the card; `wide` where it holds a table or code, which may scroll."""

    id: str
    title: str
    html: Markup
    wide: bool


@dataclass(frozen=True)
class CardPage:
    """The dataset card as it stands in an export: a lead, the picture, facts at a glance, then the sections."""

    slug: str
    name: str
    form: str
    lead: Markup
    facts: Markup
    sections: tuple[CardSection, ...]


def card_page(session: Session, access: ProjectAccess, version: Version) -> CardPage:
    """The card without the head that only dataset hubs read; the page has the title already."""
    first, *parts = card_parts(version.manifest, FORM, example_shown(session, version))
    lead, _, facts = first.text.partition(PICTURE_LINE)
    sections = tuple(
        CardSection(f"part-{number}", part.title, html, wide="<table" in html or "<pre" in html)
        for number, (part, html) in enumerate(((part, _markdown(part.text)) for part in parts), 1)
    )
    return CardPage(access.project.slug, version.name, FORM.layout.title, _markdown(lead), _markdown(facts), sections)


def _markdown(text: str) -> Markup:
    return Markup(render_markdown(text, heading_offset=0))  # noqa: S704 - render_markdown sanitises last
