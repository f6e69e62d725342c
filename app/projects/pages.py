"""The list of projects, and a project's settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.models import Role, User
from app.db import now
from app.projects import queries, roles
from app.projects.access import ProjectAccess
from app.projects.models import CompositionRow, Project, Split

BLANK_ROWS = 3


@dataclass(frozen=True)
class ProjectRow:
    """A project in the list; `target` counts train examples."""

    name: str
    slug: str
    role: str
    members: int
    target: int
    created_at: datetime
    archived: bool


@dataclass(frozen=True)
class ProjectsPage:
    """The projects that a person may see, and the form of a new one for those who may make one."""

    rows: Sequence[ProjectRow]
    may_create: bool
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TargetView:
    """A row of the composition table as its fields show it."""

    source: str = ""
    split: str = "train"
    title: str = ""
    short_title: str = ""
    target: str = ""
    colour: int = 1


@dataclass(frozen=True)
class MemberRow:
    """A member; `email` only for those who may change members."""

    user_id: int
    name: str
    email: str
    role: str
    active: bool
    since: datetime
    you: bool
    group: str = ""
    reads_tests: bool = False


@dataclass(frozen=True)
class InvitationRow:
    """An invitation that nobody has accepted yet."""

    id: int
    email: str
    role: str
    created_at: datetime
    expires_at: datetime
    expired: bool


@dataclass(frozen=True)
class SettingsPage:
    """Everything about a project that its admins may change and its members may read."""

    name: str
    slug: str
    guide: str
    archived_at: datetime | None
    may_change: bool
    targets: Sequence[TargetView]
    totals: Mapping[str, int]
    members: Sequence[MemberRow]
    invitations: Sequence[InvitationRow]
    problems: Sequence[str] = ()
    tests_hidden: bool = False
    # The project that this one translates, as its address and as its name, and the language; as typed if it was.
    follows: str = ""
    follows_name: str = ""
    language: str = ""
    problem: str = ""
    # That of its texts which state none, and why what was typed does not fit.
    texts_language: str = ""
    texts_problem: str = ""

    @property
    def editable(self) -> bool:
        """Whether this person may change it now: an archived project has to be opened first."""
        return self.may_change and self.archived_at is None


def projects_page(
    session: Session, user: User, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> ProjectsPage:
    """The list: a constant number of queries."""
    found = session.scalars(queries.projects_of(user)).all()
    sizes = queries.sizes(session, [project.id for project in found])
    roles = queries.roles_of(session, user)
    rows = tuple(_project_row(project, sizes, roles, user) for project in found)
    return ProjectsPage(rows, user.role is Role.ADMIN, typed or {}, errors or {})


def _project_row(
    project: Project, sizes: Mapping[int, tuple[int, int]], roles: Mapping[int, Role], user: User
) -> ProjectRow:
    members, target = sizes[project.id]
    role = Role.ADMIN if user.role is Role.ADMIN else roles[project.id]
    return ProjectRow(
        project.name, project.slug, role.value, members, target, project.created_at, project.archived_at is not None
    )


def settings_page(
    session: Session,
    access: ProjectAccess,
    typed_rows: Sequence[Mapping[str, str]] | None = None,
    problems: Sequence[str] = (),
    following: Mapping[str, str] | None = None,
    problem: str = "",
    texts: Mapping[str, str] | None = None,
) -> SettingsPage:
    """The settings, with the table, what to follow, or a language, as typed where it could not be taken."""
    followed = _followed(session, access, following)
    project, lead = access.project, access.role is Role.ADMIN
    rows = session.scalars(queries.composition_of(project)).all()
    shown = _targets(rows, editable=lead and project.archived_at is None)
    return SettingsPage(
        name=project.name,
        slug=project.slug,
        guide=project.guide,
        archived_at=project.archived_at,
        may_change=lead,
        targets=shown if typed_rows is None else _typed_targets(typed_rows),
        totals={split.value: sum(row.target for row in rows if row.split is split) for split in Split},
        members=_members(session, access, lead=lead),
        invitations=_invitations(session, project) if lead else (),
        problems=problems,
        tests_hidden=project.tests_hidden,
        follows=followed[0],
        follows_name=followed[1],
        language=followed[2],
        problem=problem,
        texts_language=project.language or "" if texts is None else texts.get("language", ""),
        texts_problem="" if texts is None else texts["problem"],
    )


def _followed(session: Session, access: ProjectAccess, typed: Mapping[str, str] | None) -> tuple[str, str, str]:
    """Address, name and language; a project that this person may not see is not named."""
    if typed is not None:
        return typed.get("project", ""), "", typed.get("language", "")
    followed = roles.followed_project(session, access.project)
    language = access.project.follows_language or ""
    if followed is None or queries.role_in(session, followed, access.user) is None:
        return "", "another project" if followed else "", language
    return followed.slug, followed.name, language


def _targets(rows: Sequence[CompositionRow], *, editable: bool) -> tuple[TargetView, ...]:
    shown = tuple(
        TargetView(row.source, row.split.value, row.title, row.short_title, str(row.target), row.colour) for row in rows
    )
    return shown + _blanks(len(rows)) if editable else shown


def _blanks(count: int) -> tuple[TargetView, ...]:
    return tuple(TargetView(colour=(count + at) % 8 + 1) for at in range(BLANK_ROWS))


def _typed_targets(rows: Sequence[Mapping[str, str]]) -> tuple[TargetView, ...]:
    typed = tuple(
        TargetView(
            row["source"],
            row["split"],
            row["title"],
            row["short_title"],
            row["target"],
            int(row["colour"]) if row["colour"].isdecimal() else 1,
        )
        for row in rows
    )
    return typed + _blanks(len(rows))


def _members(session: Session, access: ProjectAccess, *, lead: bool) -> tuple[MemberRow, ...]:
    return tuple(
        MemberRow(
            row.user_id,
            row.user.name,
            row.user.email if lead else "",
            row.role.value,
            row.user.active,
            row.created_at,
            row.user_id == access.user.id,
            row.author_group.value if row.author_group else "",
            row.reads_tests,
        )
        for row in session.scalars(queries.members_of(access.project))
    )


def _invitations(session: Session, project: Project) -> tuple[InvitationRow, ...]:
    at = now()
    return tuple(
        InvitationRow(
            row.id, row.email or "", row.role.value, row.created_at, row.expires_at, expired=row.expires_at <= at
        )
        for row in session.scalars(queries.invitations_of(project))
    )
