"""What the page of one version shows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from re import Pattern
from typing import Any

from sqlalchemy.orm import Session

from app.datasets.card.account import approvers
from app.datasets.exportpage import ExportOption, export_options
from app.datasets.helped import in_words
from app.datasets.lengthpage import LengthsPanel, lengths_panel
from app.datasets.licences import of_manifest
from app.datasets.material import SPLITS, first_question
from app.datasets.models import Version, VersionRow
from app.datasets.pages import (
    CompositionLine,
    GateRow,
    VersionEntry,
    composition_lines,
    gate_row,
    version_entries,
)
from app.datasets.sourcenames import labels_of
from app.datasets.tracing.forms import RowsQuery
from app.datasets.tracing.tracing import page_of_rows
from app.examples.labels import SourceLabels, shown_title
from app.examples.sight import is_kept
from app.projects.access import ProjectAccess
from app.text.search import Piece, marked, parse, passage, pattern_of
from app.web.paging import Pager

TITLE_LENGTH = 120


@dataclass(frozen=True)
class RowEntry:
    """A row of a version; `passage` is where it says what was looked for, if its title does not."""

    position: int
    title: Sequence[Piece]
    passage: Sequence[Piece]
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
    lengths: LengthsPanel
    licences: Sequence[Mapping[str, Any]]
    gates: tuple[GateRow, ...]
    writers: tuple[str, ...]
    approvers: tuple[str, ...]
    software: str
    size: int
    rows: tuple[RowEntry, ...]
    pager: Pager
    wanted: RowsQuery
    tabs: tuple[tuple[str, str, int], ...]
    sources: tuple[tuple[str, str], ...]
    licences_held: tuple[tuple[str, str], ...]
    # How many test prompts are not among the rows, because whoever looks may not read them.
    tests_kept_out: int = 0
    # “12 of 1,000 examples have words of a model; …”, empty where models had no part.
    helped: str = ""
    exports: tuple[ExportOption, ...] = field(default_factory=export_options)


def version_page(
    session: Session, access: ProjectAccess, version: Version, wanted: RowsQuery, *, may_export: bool
) -> VersionPage:
    """One version with one page of the rows that fit."""
    manifest = version.manifest
    rows, pager = page_of_rows(session, version, wanted.as_filter, wanted.page)
    counts, composition = manifest["examples"], manifest["composition"]
    labels = labels_of(composition)
    [entry] = version_entries(session, [version])
    return VersionPage(
        access.project.slug,
        may_export,
        entry,
        tuple(composition_lines(manifest, version.row_count)),
        lengths_panel(manifest),
        of_manifest(manifest),
        tuple(gate_row(gate) for gate in manifest["gates"]),
        tuple(person["name"] for person in manifest["people"]["writers"]),
        tuple(_approvers(manifest)),
        ", ".join(f"{name} {number}" for name, number in sorted(manifest["software"].items())),
        manifest["examples_file"]["bytes"],
        tuple(_row_entry(row, labels, pattern_of(parse(wanted.words))) for row in rows),
        pager,
        wanted,
        (("All", "", version.row_count), *((name.capitalize(), name, counts[name]) for name in SPLITS)),
        sources=tuple(
            dict.fromkeys((row["source"], labels.of(row["source"]).title) for row in composition if row["count"])
        ),
        licences_held=tuple((row["licence"],) * 2 for row in of_manifest(manifest) if row["licence"]),
        tests_kept_out=counts["test"] if is_kept(session) else 0,
        helped=in_words(manifest),
    )


def _approvers(manifest: Mapping[str, Any]) -> Iterator[str]:
    for title, people in approvers(manifest):
        about = f" ({title[0].lower()}{title[1:]})" if title != "Approvers" else ""
        yield from (f"{person['name']}{about}" for person in people)


def _row_entry(row: VersionRow, labels: SourceLabels, looked_for: Pattern[str] | None) -> RowEntry:
    example = json.loads(row.line)
    title = " ".join(first_question(example["messages"]).split()) or "No question"
    title = title if len(title) <= TITLE_LENGTH else title[:TITLE_LENGTH].rstrip() + "…"
    pieces = marked(shown_title(title), looked_for)
    texts = [said["content"] for said in example["messages"]]
    label = labels.of(row.source)
    return RowEntry(
        row.position + 1,
        pieces,
        () if any(piece.hit for piece in pieces) else passage(texts, looked_for),
        row.split.value,
        label.short,
        label.number,
        row.example_id,
        row.revision_number,
        len(texts),
        sum(map(len, texts)),
        example["licence"],
        row.sha256,
    )
