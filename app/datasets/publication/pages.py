"""The page on which a version is published: where it is already, what would be sent, and by which token."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.datasets.canonical import version_id
from app.datasets.formats import Format
from app.datasets.models import Version
from app.datasets.publication import operations as publishing
from app.datasets.publication.client import Offline, endpoint_here, require_online
from app.datasets.publication.forms import PublishQuery
from app.datasets.publication.models import Publication, PublicationState, Visibility, Way
from app.datasets.publication.preview import Preview
from app.jobs.models import Job
from app.jobs.pages import JobPanel, job_panel
from app.jobs.queries import LIVE
from app.projects.access import ProjectAccess
from app.text.markdown import render_markdown
from app.web.paging import Pager, page_of

ROWS = 20
SHORT = 8
# A publication in the words and shapes of states.
SIGNS = {"waiting": "running", "published": "approved", "failed": "failed", "cancelled": "cancelled"}
WORDS = {"waiting": "On its way", "published": "Published", "failed": "Not published", "cancelled": "Stopped"}


@dataclass(frozen=True)
class FileRow:
    """A file that would be sent."""

    path: str
    sha256: str
    short: str
    bytes: int


@dataclass(frozen=True)
class CautionRow:
    """A thing to know; one that `asks` has to be confirmed."""

    title: str
    words: str
    asks: bool


@dataclass(frozen=True)
class CardPart:
    """A section of the card; `wide` where it holds a table or code, which may scroll."""

    title: str
    html: Markup
    wide: bool


@dataclass(frozen=True)
class PreviewPart:
    """What would be sent."""

    repository: str
    url: str
    visibility: str
    way: str
    format: str
    format_title: str
    files: tuple[FileRow, ...]
    bytes: int
    shown: str
    cautions: tuple[CautionRow, ...]
    asks: bool
    front: str
    lead: Markup
    card: tuple[CardPart, ...]


@dataclass(frozen=True)
class ProblemRow:
    """A file that the Hub does not hold as it was sent."""

    path: str
    problem: str


@dataclass(frozen=True)
class PublicationRow:
    """A publication."""

    id: int
    repository: str
    url: str | None
    sign: str
    word: str
    facts: tuple[str, ...]
    by: str
    at: datetime
    error: str | None
    note: str | None
    found: str | None
    holds: bool | None
    checked_at: datetime | None
    problems: tuple[ProblemRow, ...]
    is_there: bool
    may_check: bool
    again: str


@dataclass(frozen=True)
class TokenPart:
    """By which token would be published: the project's own, or that of the server; never the token."""

    own: bool
    added_at: datetime | None
    added_by: str | None
    of_environment: bool


@dataclass(frozen=True)
class PublishPage:
    """Publishing one version."""

    slug: str
    name: str
    id: str
    total: int
    hub: str
    offline: str | None
    typed: Mapping[str, str]
    errors: Mapping[str, str]
    formats: tuple[tuple[str, str], ...]
    preview: PreviewPart | None
    confirmed: bool
    rows: tuple[PublicationRow, ...]
    pager: Pager
    job: JobPanel | None
    token: TokenPart
    command: str
    visibilities: tuple[tuple[str, str, str], ...] = (
        ("private", "Private", "Only the owner, and members of the owning organisation."),
        ("public", "Public", "Anybody, at once; copies stay when it is taken back."),
    )
    ways: tuple[tuple[str, str, str], ...] = (
        ("commit", "A commit on main", "It is there as soon as it is sent."),
        ("pull_request", "A pull request", "Somebody merges it at the Hub; the token need not be let write to main."),
    )

    @property
    def there(self) -> PublicationRow | None:
        """The last one that came to the Hub."""
        return next((row for row in self.rows if row.is_there), None)


@dataclass(frozen=True)
class Shown:
    """What the page is asked to show beside what there is: a preview, what was typed, and what was wrong with it."""

    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    preview: Preview | None = None
    number: int = 1


def publish_page(session: Session, access: ProjectAccess, version: Version, shown: Shown) -> PublishPage:
    """The page; a constant number of queries."""
    rows, pager = page_of(session, publishing.publications_of(version), shown.number, ROWS)
    live = _live_job(session, rows)
    names = _names(session, rows)
    slug = access.project.slug
    typed = PublishQuery().model_dump(mode="json") | _last_typed(rows) | dict(shown.typed)
    return PublishPage(
        slug=slug,
        name=version.name,
        id=version_id(version.sha256),
        total=version.row_count,
        hub=urlsplit(endpoint_here()).netloc,
        offline=_offline(),
        typed=typed,
        errors=shown.errors,
        formats=tuple((one.value, one.layout.title) for one in Format),
        preview=_preview(shown.preview) if shown.preview else None,
        confirmed=shown.typed.get("confirmed") == "true",
        rows=tuple(_row(row, names, checking=live is not None) for row in rows),
        pager=pager,
        job=job_panel(live, access) if live else None,
        token=_token(session, access),
        command=_command(f"{slug}@{version.name}", shown.preview),
    )


def _offline() -> str | None:
    try:
        require_online()
    except Offline as offline:
        return offline.message
    return None


def _last_typed(rows: Sequence[Publication]) -> dict[str, str]:
    """Where it went last is where it mostly goes again."""
    if not rows:
        return {}
    last = rows[0]
    return {
        "repository": last.repository, "visibility": last.visibility.value, "way": last.way.value,
        "format": last.format,
    }  # fmt: skip


def _live_job(session: Session, rows: Sequence[Publication]) -> Job | None:
    numbers = [number for row in rows for number in (row.job_id, row.check_job_id) if number is not None]
    query = select(Job).where(Job.id.in_(numbers), Job.state.in_(LIVE)).order_by(Job.id.desc()).limit(1)
    return session.scalar(query)


def _names(session: Session, rows: Sequence[Publication]) -> dict[int, str]:
    people = {row.created_by for row in rows if row.created_by is not None}
    return {person.id: person.name for person in session.scalars(select(User).where(User.id.in_(people)))}


def _row(row: Publication, names: Mapping[int, str], *, checking: bool) -> PublicationRow:
    published = row.state is PublicationState.PUBLISHED
    asked = {"repository": row.repository, "visibility": row.visibility, "way": row.way, "format": row.format}
    return PublicationRow(
        id=row.id,
        repository=row.repository,
        url=row.url,
        sign=SIGNS[row.state],
        word=_word(row),
        facts=_facts(row),
        by=names.get(row.created_by or 0, "somebody who is gone"),
        at=row.published_at or row.created_at,
        error=row.error,
        note=publishing.note_of(row),
        found=row.found,
        holds=row.holds,
        checked_at=row.checked_at,
        problems=tuple(ProblemRow(one["path"], one["problem"]) for one in row.problems or ()),
        is_there=published,
        may_check=published and not checking,
        again=urlencode(asked),
    )


def _word(row: Publication) -> str:
    if row.was_on_main:
        return "On main already"
    return "Proposed" if row.state is PublicationState.PUBLISHED and row.pull_request else WORDS[row.state]


def _facts(row: Publication) -> tuple[str, ...]:
    if row.revision:
        place = f"pull request {row.pull_request}" if row.pull_request else "on main"
    else:
        place = "as a pull request" if row.is_pull_request else "as a commit on main"
    form = Format(row.format).layout.title if row.format in list(Format) else row.format
    facts = (place, f"commit {row.revision[:SHORT]}" if row.revision else "", row.visibility.value, form)
    return tuple(fact for fact in facts if fact)


def _token(session: Session, access: ProjectAccess) -> TokenPart:
    kept = publishing.token_kept(session, access.project)
    by = session.get(User, kept.added_by) if kept and kept.added_by else None
    return TokenPart(
        kept is not None,
        kept.added_at if kept else None,
        by.name if by else None,
        bool(publishing.token_of_environment()),
    )


def _preview(found: Preview) -> PreviewPart:
    front, _, body = found.card.removeprefix("---\n").partition("\n---\n")
    lead, *sections = body.split("\n## ")
    parts = [(title, _markdown(words)) for title, _, words in (section.partition("\n\n") for section in sections)]
    wanted = found.wanted
    return PreviewPart(
        found.repository,
        found.url,
        wanted.visibility.value,
        wanted.way.value,
        wanted.format.value,
        wanted.format.layout.title,
        tuple(FileRow(one.path, one.sha256, one.sha256[:12], one.bytes) for one in found.files),
        found.bytes,
        found.shown,
        tuple(CautionRow(one.kind.capitalize(), one.words, one.asks) for one in found.cautions),
        any(one.asks for one in found.cautions),
        front,
        _markdown(lead),
        tuple(CardPart(title, html, wide="<table" in html or "<pre" in html) for title, html in parts),
    )


def _markdown(text: str) -> Markup:
    return Markup(render_markdown(text))  # noqa: S704 - render_markdown sanitises last


def _command(reference: str, found: Preview | None) -> str:
    words = ["handpicked", "publish", reference, found.repository if found else "owner/name"]
    if found and found.wanted.visibility is Visibility.PUBLIC:
        words.append("--public")
    if found and found.wanted.way is Way.PULL_REQUEST:
        words.append("--pull-request")
    if found and found.wanted.format is not publishing.DEFAULT:
        words += ["--format", found.wanted.format.value]
    if found and any(one.asks for one in found.cautions):
        words.append("--yes")
    return shlex.join(words)
