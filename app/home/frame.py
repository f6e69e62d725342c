"""What stands around every page: the places with what waits in them, the person, the projects."""

from functools import cache
from typing import Any

from fastapi import Request
from sqlalchemy import ColumnElement, Exists, Integer, ScalarSelect, Select, bindparam, func, select
from sqlalchemy.orm import Session

from app.accounts.access import Access
from app.accounts.models import Role, User
from app.datasets.models import Version, VersionCheck
from app.db import Database
from app.duplicates.models import DuplicatePair, Verdict
from app.examples.models import Example, ExampleState
from app.examples.queries import arrived
from app.home.inbox import waiting_in_inbox
from app.projects import queries as projects
from app.projects.models import Project
from app.reviews.queries import Number
from app.runs.models import RunState, TrainingRun
from app.sources.models import Candidate, ImportRun
from app.web.cookies import flash_of, theme_of
from app.web.templating import Frame, PersonBadge, Place, ProjectLink

MOST_COUNTED = 1000
"""What waits in a place is counted up to here."""


def build_frame(request: Request, session: Session | None) -> Frame:
    """The frame for this request; opens a session of its own where an error page has none."""
    if session is not None:
        return _frame(request, session)
    database: Database = request.app.state.database
    with database.reading() as own:
        return _frame(request, own)


def _frame(request: Request, session: Session) -> Frame:
    access: Access | None = getattr(request.state, "access", None)
    project: Project | None = getattr(request.state, "project", None)
    user = access.user if access else None
    return Frame(
        person=_badge(user, getattr(request.state, "role", None)) if user else None,
        project=_link(request, project) if project and user else None,
        projects=tuple(_link(request, p) for p in session.scalars(projects.projects_of(user))) if user else (),
        places=_places(request, session, project, user) if project and user else (),
        theme=theme_of(request),
        flash=flash_of(request),
        path=request.url.path,
    )


def _badge(user: User, here: Role | None) -> PersonBadge:
    # In a project its role counts; who leads only that is no admin of the installation and must not look like one.
    title = "Admin" if user.role is Role.ADMIN else "Lead" if here is Role.ADMIN else (here or user.role).capitalize()
    return PersonBadge(user.name, user.email, user.name[:1].upper(), title, user.id)


def _link(request: Request, project: Project) -> ProjectLink:
    url = request.app.url_path_for("home:project", slug=project.slug)
    return ProjectLink(project.name, project.slug, url, archived=project.archived_at is not None)


def waiting_counts(session: Session, project: Project, user: User) -> dict[str, int]:
    """What waits in each place for this person, and (keys that begin with "has ") what holds anything: one query."""
    names, asked = _asked()
    row = session.execute(asked, {"project": project.id, "user": user.id}).one()
    return dict(zip(names, row, strict=True))


@cache
def _asked() -> tuple[tuple[str, ...], Select[*tuple[Any, ...]]]:
    # Every page asks this: made anew for each, it took as long as all else that a page is made of.
    project, user = bindparam("project", type_=Integer), bindparam("user", type_=Integer)
    mine = (Example.created_by == user, Example.state.in_((ExampleState.DRAFT, ExampleState.RETURNED)))
    open_pair = DuplicatePair.verdict == Verdict.OPEN
    counts: dict[str, ColumnElement[Any]] = {
        "inbox": waiting_in_inbox(project, user),
        "duplicates": _count(DuplicatePair, project, open_pair),
        "leaks": _count(DuplicatePair, project, open_pair, DuplicatePair.leak.is_(True)),
        "write": _count(Example, project, *mine),
        "review": _count(Example, project, Example.state == ExampleState.REVIEW, arrived()),
        "versions": _count(Version, project),
        "broken": _broken(project),
        "runs": _count(TrainingRun, project, TrainingRun.state.in_((RunState.QUEUED, RunState.RUNNING))),
        "has sources": _any(ImportRun, project),
        "has pool": _any(Candidate, project),
        "has write": _any(Example, project),
        "has runs": _any(TrainingRun, project),
    }
    return tuple(counts), select(*counts.values())


def _count(model: Any, project: Number, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    # No further than a rail can show: every page waits for these.
    found = select(model.id).where(model.project_id == project, *conditions).limit(MOST_COUNTED).subquery()
    return select(func.count()).select_from(found).scalar_subquery()


def _alarm(place: str, waiting: dict[str, int]) -> str:
    count, words = ALARMS.get(place, ("", ""))
    return words if waiting.get(count) else ""


def _broken(project: Number) -> ScalarSelect[int]:
    wrong = (VersionCheck.project_id == project, VersionCheck.problem != "")
    return select(func.count(VersionCheck.version_id)).where(*wrong).scalar_subquery()


def _any(model: Any, project: Number) -> Exists:
    return select(model.id).where(model.project_id == project).exists()


# Title, route, what waits there, what fills it, and where it stands: under another place, in the phone's bar.
PLACES: tuple[tuple[str, str, str, str, dict[str, bool]], ...] = (
    ("Home", "home:project", "inbox", "", {"five": True}),
    ("Sources", "sources:index", "", "has sources", {}),
    ("Pool", "selection:pool", "", "has pool", {"five": True}),
    ("Duplicates", "duplicates:inbox", "duplicates", "", {"under": True}),
    ("Add next", "selection:next", "", "", {"under": True}),
    ("Write", "examples:index", "write", "has write", {"five": True}),
    ("Review", "reviews:queue", "review", "has write", {"five": True}),
    ("Versions", "datasets:index", "versions", "versions", {}),
    ("Runs", "runs:index", "runs", "has runs", {}),
)

# Pages of the next version, which stand under Versions.
OF_VERSIONS = ("gates", "splits", "comparison", "version-table")
# What turns a place's number red, and the words for those who hear it.
ALARMS = {
    "duplicates": ("leaks", ", leaks among them"),
    "versions": ("broken", ", one of them not what was frozen"),
}
# What a number beside a place counts, for those who hear it; elsewhere it is what waits.
COUNTED = {"inbox": "in your inbox", "versions": "frozen", "runs": "under way"}


def _places(request: Request, session: Session, project: Project, user: User) -> tuple[Place, ...]:
    waiting = waiting_counts(session, project, user)
    urls = {name: str(request.app.url_path_for(name, slug=project.slug)) for _, name, _, _, _ in PLACES}
    # An import's own page stands under Sources, whose list leads to it.
    here = request.url.path.replace(f"{urls['home:project']}/imports/", f"{urls['sources:index']}/", 1)
    if here in {f"{urls['home:project']}/{page}" for page in OF_VERSIONS}:
        here = urls["datasets:index"]
    at = max((url for url in urls.values() if f"{here}/".startswith(f"{url}/")), key=len, default="")
    # Every page of a project lies below its home; one that belongs to no place stands under none.
    at = "" if at == urls["home:project"] != here else at
    return tuple(
        Place(
            title,
            urls[name],
            current=urls[name] == at,
            count=waiting.get(count) or None,
            count_word=COUNTED.get(count, "waiting") + (alarm := _alarm(count, waiting)),
            alarm=bool(alarm),
            full=not full or bool(waiting[full]),
            **more,
        )
        for title, name, count, full, more in PLACES
    )
