"""The pool as a page: a table to scan, the chosen candidate beside it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy.orm import Session

from app.embeddings.operations import live_encoding
from app.examples.labels import SourceLabels, shown_title
from app.projects.access import ProjectAccess
from app.projects.models import Project
from app.projects.queries import composition_of
from app.selection import queries
from app.selection.forms import PoolQuery
from app.selection.search.meaning import standing_of
from app.selection.search.pages import FoundPage, found_page
from app.sources.models import CandidateStatus
from app.text.languages import name_with_code

STATUS_WORDS = {"open": "Not judged", "kept": "Kept", "rejected": "Rejected", "used": "Used"}
SCORES = (1, 5, 10, 25, 50, 100)


@dataclass(frozen=True)
class Encoded:
    """How much of a pool can be found by meaning, where that is not all of it."""

    encoded: int
    total: int
    under_way: bool


@dataclass(frozen=True)
class PoolPage(FoundPage):
    """The whole page of the pool: what is found, and what there is to find by."""

    alone: ClassVar[bool] = False
    open: int
    kept: int
    total: int
    states: Sequence[tuple[str, str]]
    scores: Sequence[tuple[str, str]]
    imports: Sequence[tuple[str, str]]
    sources: Sequence[tuple[str, str]]
    sites: Sequence[tuple[str, str]]
    licences: Sequence[tuple[str, str]]
    languages: Sequence[tuple[str, str]]
    flags: Sequence[tuple[str, str]]
    categories: Sequence[tuple[str, str]]
    unseen: int
    encoded: Encoded | None


def pool_page(session: Session, access: ProjectAccess, wanted: PoolQuery, candidate_id: int | None = None) -> PoolPage:
    """The pool with one candidate chosen: the one of that number, else the first of the list."""
    project = access.project
    facets = queries.facets(session, project.id, wanted.as_filter().status)
    labels = SourceLabels(session.scalars(composition_of(project)))
    return PoolPage(
        **vars(found_page(session, access, wanted, candidate_id, labels)),
        open=facets.status[CandidateStatus.OPEN.value],
        kept=facets.status[CandidateStatus.KEPT.value],
        total=facets.status.total(),
        states=[(one, _state(one, facets.status, wanted)) for one in STATUS_WORDS],
        scores=[(str(one), f"Score from {one:,}") for one in sorted({*SCORES, wanted.score or SCORES[0]})],
        imports=_imports(session, facets.import_run, wanted),
        sources=_counted(facets.source, lambda key: "No source" if key == queries.NO_SOURCE else labels.of(key).title),
        sites=_counted(facets.site),
        licences=_counted(facets.licence),
        languages=_counted(facets.language, name_with_code),
        flags=_counted(queries.flags_of(session, project.id, wanted.as_filter().status)),
        categories=_categories(session, project.id, wanted),
        unseen=facets.status[CandidateStatus.OPEN.value] - queries.judged_titles(session, project.id),
        encoded=_encoded(session, project, facets.status.total()),
    )


def _encoded(session: Session, project: Project, visible: int) -> Encoded | None:
    """What there is to say of how much is encoded; nothing before the model is there, which it is in a moment."""
    standing = standing_of(session, project.id, visible)
    if standing is None or standing[0] >= standing[1]:
        return None
    return Encoded(*standing, under_way=live_encoding(session, project) is not None)


def _counted(counts: Counter[str], named: Callable[[str], str] = str) -> list[tuple[str, str]]:
    return [(key, f"{named(key)} ({counts[key]:,})") for key in sorted(counts)]


def _state(one: str, counts: Counter[str], wanted: PoolQuery) -> str:
    """A state with its count; that of the one which is shown stands over the list, so it is not cut off here."""
    return STATUS_WORDS[one] if one == wanted.status else f"{STATUS_WORDS[one]} ({counts[one]:,})"


def _imports(session: Session, counts: Counter[str], wanted: PoolQuery) -> list[tuple[str, str]]:
    """The imports to choose from, the newest first; the one that is chosen is among them."""
    ids = sorted({*map(int, counts), *([wanted.import_id] if wanted.import_id else [])}, reverse=True)
    names = queries.import_names(session, ids)
    return [(str(one), f"{names.get(one, 'import')}, import {one} ({counts[str(one)]:,})") for one in ids]


def _categories(session: Session, project_id: int, wanted: PoolQuery) -> list[tuple[str, str]]:
    """The categories to choose from; the one that is chosen is among them, however few have it."""
    found = queries.categories_of(session, project_id, wanted.as_filter().status)
    options = _counted(found, shown_title)
    return options if not wanted.category or wanted.category in found else [*options, (wanted.category,) * 2]
