"""What the page of one version shows, and its dataset card."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session

from app.datasets import queries
from app.datasets.card import card
from app.datasets.formats import Format
from app.datasets.material import SPLITS, first_question
from app.datasets.models import Version, VersionRow
from app.datasets.pages import (
    STRAY_COLOUR,
    CompositionLine,
    GateRow,
    VersionEntry,
    composition_lines,
    gate_row,
    version_entry,
)
from app.projects.access import ProjectAccess
from app.projects.models import Split
from app.text.markdown import render_markdown
from app.web.paging import Pager, page_of

TITLE_LENGTH = 120


@dataclass(frozen=True)
class RowEntry:
    """A row of a version: its example as it was frozen."""

    position: int
    title: str
    split: str
    source: str
    colour: int
    example_id: int
    revision_number: int
    messages: int
    characters: int
    licence: str | None
    sha256: str


@dataclass(frozen=True)
class VersionPage:
    """One version: identity, counts, gates, licences, files, rows."""

    slug: str
    may_export: bool
    entry: VersionEntry
    composition: tuple[CompositionLine, ...]
    lengths: Sequence[Mapping[str, Any]]
    licences: Sequence[Mapping[str, Any]]
    gates: tuple[GateRow, ...]
    writers: tuple[str, ...]
    approvers: tuple[str, ...]
    software: str
    size: int
    rows: tuple[RowEntry, ...]
    pager: Pager
    split: str | None
    tabs: tuple[tuple[str, str | None, int], ...]
    formats: tuple[tuple[str, str, str], ...] = (
        ("lima", "LIMA", "conversations, one JSON object a line"),
        ("messages", "OpenAI messages", "role and content, one JSON object a line"),
        ("parquet", "Parquet", "a table with messages, licence and attribution"),
    )


@dataclass(frozen=True)
class CardPart:
    """A section of the card; `wide` where it holds a table or code, which may scroll."""

    title: str
    html: Markup
    wide: bool


@dataclass(frozen=True)
class CardPage:
    """The dataset card as it stands in every export."""

    slug: str
    name: str
    lead: Markup
    parts: tuple[CardPart, ...]


def version_page(
    session: Session, access: ProjectAccess, version: Version, *, split: Split | None, number: int, may_export: bool
) -> VersionPage:
    """One version with one page of its rows."""
    manifest = version.manifest
    rows, pager = page_of(session, queries.rows_of(version, split), number)
    colours = {(row["source"], row["split"]): row["colour"] for row in manifest["composition"]}
    titles = {row["source"]: row["short_title"] for row in reversed(manifest["composition"])}
    counts = manifest["examples"]
    tabs = (("All", None, version.row_count), *((name.capitalize(), name, counts[name]) for name in SPLITS))
    return VersionPage(
        access.project.slug,
        may_export,
        version_entry(version),
        tuple(composition_lines(manifest, version.row_count)),
        manifest["lengths"],
        manifest["licences"],
        tuple(gate_row(gate) for gate in manifest["gates"]),
        tuple(person["name"] for person in manifest["people"]["writers"]),
        tuple(person["name"] for person in manifest["people"]["approvers"]),
        ", ".join(f"{name} {number}" for name, number in sorted(manifest["software"].items())),
        manifest["examples_file"]["bytes"],
        tuple(_row_entry(row, colours, titles) for row in rows),
        pager,
        split.value if split else None,
        tabs,
    )


def _row_entry(row: VersionRow, colours: Mapping[tuple[str, str], int], titles: Mapping[str, str]) -> RowEntry:
    example = json.loads(row.line)
    title = " ".join(first_question(example["messages"]).split()) or "No question"
    return RowEntry(
        row.position + 1,
        title if len(title) <= TITLE_LENGTH else title[:TITLE_LENGTH].rstrip() + "…",
        row.split.value,
        titles.get(row.source, row.source),
        colours.get((row.source, row.split.value)) or STRAY_COLOUR,
        row.example_id,
        row.revision_number,
        len(example["messages"]),
        sum(len(said["content"]) for said in example["messages"]),
        example["licence"],
        row.sha256,
    )


def card_page(access: ProjectAccess, version: Version) -> CardPage:
    """The card without the head that only dataset hubs read; the page has the title already."""
    body = card(version.manifest, Format.LIMA).split("\n---\n", 1)[1]
    _, _, text = body.partition("\n\n")
    lead, *sections = text.split("\n## ")
    parts = [(title, _markdown(words)) for title, _, words in (section.partition("\n\n") for section in sections)]
    cards = tuple(CardPart(title, html, wide="<table" in html or "<pre" in html) for title, html in parts)
    return CardPage(access.project.slug, version.name, _markdown(lead), cards)


def _markdown(text: str) -> Markup:
    return Markup(render_markdown(text))  # noqa: S704 - render_markdown sanitises last
