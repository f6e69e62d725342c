"""What the pages of this room show: the list of imports, bringing a file in, the table of exchanges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.config import Settings
from app.projects.access import ProjectAccess
from app.projects.models import Project
from app.sources import exchanges, queries, transfers
from app.sources.excerpts import visible
from app.sources.formats import FORMATS, title_of
from app.sources.models import ImportRun, ImportState, Transfer
from app.sources.records import bad_lines_in
from app.web.paging import Pager, page_of
from app.web.words import plural

# How the signs of components/signs.html call the states of an import.
SIGNS = {ImportState.PUBLISHED: "finished", ImportState.WAITING: "queued"}
# So many characters of a refusal have room in the list.
REASON = 120


@dataclass(frozen=True)
class ImportRow:
    """One import in the list; `refused` is why, as far as a line has room. What kept nothing is a state that warns."""

    id: int
    name: str
    format: str
    site: str
    state: str
    records: int | None
    created: int | None
    at: datetime
    refused: str


@dataclass(frozen=True)
class SourcesPage:
    """All imports of a project."""

    rows: Sequence[ImportRow]
    pager: Pager
    may_import: bool


@dataclass(frozen=True)
class HalfRow:
    """An upload of this person that is on its way: how much of it has arrived, and when it was begun."""

    key: str
    name: str
    arrived: int
    size: int
    at: datetime


@dataclass(frozen=True)
class NewPage:
    """The form to bring a file in; `folders` are those of the server that this person may name."""

    formats: Sequence[str]
    folders: Sequence[str]
    largest: int
    halves: Sequence[HalfRow]
    errors: Mapping[str, str]
    typed: Mapping[str, str]


@dataclass(frozen=True)
class ExchangeRow:
    """One exchange, where it counts, and whether this project said so."""

    site: str
    group: str
    own: bool


@dataclass(frozen=True)
class ExchangesPage:
    """Every known exchange and where it counts in this project."""

    rows: Sequence[ExchangeRow]
    counts: Mapping[str, int]
    may_edit: bool
    typed: Mapping[str, str]
    errors: Mapping[str, str]


def sources_page(session: Session, project: Project, page_number: int) -> SourcesPage:
    """One page of imports."""
    runs, pager = page_of(session, queries.imports_of(project.id), page_number)
    return SourcesPage(tuple(map(_import_row, runs)), pager, may_import=project.archived_at is None)


def _import_row(run: ImportRun) -> ImportRow:
    return ImportRow(
        id=run.id,
        name=visible(run.name),
        format=title_of(run.format).removesuffix(" dump"),
        site=run.site,
        state="warn" if _kept_nothing(run) else SIGNS.get(run.state, run.state.value),
        records=run.result.get("records"),
        created=run.result.get("created"),
        at=run.created_at,
        refused=_in_a_line(run.error or "") if run.state is ImportState.FAILED else "",
    )


def _kept_nothing(run: ImportRun) -> bool:
    if run.state is not ImportState.PUBLISHED or not run.result:
        return False
    rules = run.result["funnel"]
    return not (rules[-1]["kept"] if rules else run.result["records"])


def _in_a_line(error: str) -> str:
    _, bad = bad_lines_in(error)
    words = f"{plural(bad, 'record')} cannot be read." if bad else " ".join(error.split())
    return visible(words if len(words) <= REASON else f"{words[:REASON]}…")


def new_page(
    session: Session,
    settings: Settings,
    access: ProjectAccess,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
) -> NewPage:
    """The form, with the server's folders for leads, and what this person has half sent."""
    folders = map(str, settings.import_folders) if access.role is Role.ADMIN else ()
    formats = [title for name, title in FORMATS.items() if name != "auto"]
    held = session.scalars(queries.transfers_of(access.user.id, access.project.id)).all()
    halves = tuple(_half_row(settings, one) for one in held)
    return NewPage(formats, tuple(folders), settings.max_upload_mb * 1_000_000, halves, errors, typed)


def _half_row(settings: Settings, transfer: Transfer) -> HalfRow:
    arrived = transfers.arrived_of(settings, transfer)
    return HalfRow(
        transfer.key, visible(transfers.name_of(transfer)), arrived, transfers.size_of(transfer), transfer.created_at
    )


def exchanges_page(
    session: Session, access: ProjectAccess, typed: Mapping[str, str], errors: Mapping[str, str]
) -> ExchangesPage:
    """Known exchanges by name, with the project's own decisions marked."""
    own = queries.exchange_groups(session, access.project)
    groups = {**{site: kind.value for site, kind in exchanges.DEFAULT_EXCHANGES.items()}, **own}
    return ExchangesPage(
        rows=tuple(ExchangeRow(site, group, site in own) for site, group in sorted(groups.items())),
        counts={kind.value: list(groups.values()).count(kind.value) for kind in exchanges.ExchangeKind},
        may_edit=access.role is Role.ADMIN and access.project.archived_at is None,
        typed=typed,
        errors=errors,
    )
