"""/api/v1: projects, their targets and members, invitations, tokens."""

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from app.accounts import operations as accounts
from app.accounts import queries as people
from app.accounts.access import Admin, Person
from app.accounts.models import Role, Scope
from app.db import now
from app.errors import Denied, NotFound
from app.projects import operations, queries, roles
from app.projects.access import Annotator, Lead, LeadReading
from app.projects.forms import (
    CompositionIn,
    FollowForm,
    InvitationForm,
    LanguageForm,
    MemberIn,
    ProjectForm,
    TargetRow,
    TestsForm,
    TokenForm,
)
from app.projects.models import Membership, Project
from app.projects.operations import LIMA
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["projects"], responses=REFUSALS)


class ProjectOut(BaseModel):
    """A project."""

    slug: str
    name: str
    guide: str
    created_at: datetime
    archived_at: datetime | None
    tests_hidden: bool = False
    language: str | None = Field(None, description="Of its texts that state none; null where nobody said.")


class FollowedOut(BaseModel):
    """Which project this one translates, into which language; null for none, or for one that is not yours to see."""

    project: str | None
    language: str | None


class MemberOut(BaseModel):
    """A member and their role in the project."""

    id: int
    email: str
    name: str
    role: Role
    author_group: str | None = None
    reads_tests: bool = False

    @classmethod
    def of(cls, membership: Membership) -> "MemberOut":
        """A membership whose person is loaded."""
        user = membership.user
        group = membership.author_group
        return cls(
            id=user.id, email=user.email, name=user.name, role=membership.role,
            author_group=group.value if group else None, reads_tests=membership.reads_tests,
        )  # fmt: skip


class InvitationOut(BaseModel):
    """An invitation; `url` is there only in the answer that makes it."""

    id: int
    email: str | None
    role: Role
    project: str | None
    expires_at: datetime
    url: str | None = None


class NewTokenOut(BaseModel):
    """A token, with its secret this once."""

    id: int
    name: str
    scope: Scope
    project: str | None
    expires_at: datetime | None
    token: str


def _out(project: Project) -> ProjectOut:
    return ProjectOut.model_validate(project, from_attributes=True)


@router.get("/projects", name="api:projects")
def projects(access: Person, session: SessionDep) -> list[ProjectOut]:
    """The projects that one may see."""
    return [_out(project) for project in session.scalars(queries.projects_of(access.user))]


@router.post("/projects", name="api:create_project", status_code=201)
def create_project(access: Admin, session: SessionDep, wanted: ProjectForm) -> ProjectOut:
    """Make a project, with LIMA's composition target or an empty one."""
    targets = LIMA if wanted.composition == "lima" else ()
    slug = wanted.slug or operations.slug_of(wanted.name)
    return _out(operations.create_project(session, access.user, slug=slug, name=wanted.name, targets=targets))


@router.get("/projects/{slug}", name="api:project")
def project(access: Annotator) -> ProjectOut:
    """One project."""
    return _out(access.project)


@router.get("/projects/{slug}/composition", name="api:composition")
def composition(access: Annotator, session: SessionDep) -> list[TargetRow]:
    """The composition target, in its order."""
    rows = session.scalars(queries.composition_of(access.project))
    return [TargetRow.model_validate({name: getattr(row, name) for name in TargetRow.model_fields}) for row in rows]


@router.put("/projects/{slug}/composition", name="api:set_composition")
def set_composition(access: Lead, session: SessionDep, wanted: CompositionIn) -> list[TargetRow]:
    """Replace the composition target; examples keep their sources."""
    operations.set_composition(session, access.user, access.project, [row.as_target() for row in wanted.rows])
    return wanted.rows


@router.get("/projects/{slug}/members", name="api:members")
def members(access: Lead, session: SessionDep) -> list[MemberOut]:
    """The members, by name."""
    return [MemberOut.of(row) for row in session.scalars(queries.members_of(access.project))]


@router.put("/projects/{slug}/members", name="api:set_member")
def set_member(access: Lead, session: SessionDep, wanted: MemberIn) -> MemberOut:
    """Add somebody who has an account, or change their role; invite who has none by POST /invitations."""
    user = people.user_by_email(session, wanted.email)
    if user is None or user.is_operator:
        raise NotFound("There is nobody with that address here; nothing was changed. Invite them first.")
    operations.add_member(session, access.user, access.project, user, wanted.role)
    return MemberOut.of(roles.change_author(session, access.user, access.project, user.id, wanted.model_dump()))


@router.put("/projects/{slug}/tests", name="api:hide_tests")
def hide_tests(access: Lead, session: SessionDep, wanted: TestsForm) -> ProjectOut:
    """Keep test prompts out of sight of those who may write training examples, or show them again."""
    roles.hide_tests(session, access.user, access.project, hidden=wanted.hidden)
    return _out(access.project)


@router.put("/projects/{slug}/language", name="api:set_language")
def set_language(access: Lead, session: SessionDep, wanted: LanguageForm) -> ProjectOut:
    """Say in which language the texts are that state none; with an empty one nobody says."""
    roles.set_language(session, access.user, access.project, wanted.language or None)
    return _out(access.project)


@router.get("/projects/{slug}/following", name="api:following")
def following(access: Annotator, session: SessionDep) -> FollowedOut:
    """The project that this one translates."""
    followed = roles.followed_project(session, access.project)
    seen = followed is not None and queries.role_in(session, followed, access.user) is not None
    return FollowedOut(project=followed.slug if followed and seen else None, language=access.project.follows_language)


@router.put("/projects/{slug}/following", name="api:follow")
def follow(access: Lead, session: SessionDep, wanted: FollowForm) -> FollowedOut:
    """Follow another project as its translation; with an empty name, none."""
    if wanted.project:
        followed = operations.named_project(session, access.user, wanted.project)
        roles.follow_project(session, access.user, access.project, followed, wanted.language)
    else:
        roles.stop_following(session, access.user, access.project)
    return following(access, session)


@router.delete("/projects/{slug}/members/{user_id}", name="api:remove_member", status_code=204)
def remove_member(access: Lead, session: SessionDep, user_id: int) -> None:
    """End a membership; what the person wrote stays."""
    operations.remove_member(session, access.user, access.project, user_id)


@router.get("/invitations", name="api:invitations")
def invitations(access: Admin, session: SessionDep) -> list[InvitationOut]:
    """Invitations that still work, newest first; their links are not told again."""
    slugs = {row.id: row.slug for row in session.scalars(queries.projects_of(access.user))}
    return [
        InvitationOut(
            id=row.id,
            email=row.email,
            role=row.role,
            project=slugs.get(row.project_id) if row.project_id is not None else None,
            expires_at=row.expires_at,
        )
        for row in session.scalars(people.open_invitations(now()))
    ]


@router.post("/invitations", name="api:invite", status_code=201)
def invite(request: Request, access: Admin, session: SessionDep, wanted: InvitationForm) -> InvitationOut:
    """Make an invitation, into a project if one is named, and give its link."""
    into = operations.named_project(session, access.user, wanted.project) if wanted.project else None
    settings = request.app.state.settings
    row, token = accounts.invite(
        session,
        settings,
        access.user,
        role=wanted.role,
        email=wanted.email or None,
        project_id=into.id if into else None,
    )
    base = (settings.base_url or str(request.base_url)).rstrip("/")
    url = base + request.app.url_path_for("accounts:invitation", token=token)
    slug = into.slug if into else None
    return InvitationOut(id=row.id, email=row.email, role=row.role, project=slug, expires_at=row.expires_at, url=url)


@router.post("/projects/{slug}/archiving", name="api:archive_project", status_code=204)
def archive(access: Lead, session: SessionDep) -> None:
    """Close a project to changes; it can be read, verified and exported."""
    operations.archive_project(session, access.user, access.project)


@router.post("/projects/{slug}/reopening", name="api:reopen_project", status_code=204)
def reopen(access: LeadReading, session: SessionDep) -> None:
    """Open an archived project to changes again."""
    operations.reopen_project(session, access.user, access.project)


@router.post("/tokens", name="api:create_token", status_code=201)
def create_token(access: Person, session: SessionDep, wanted: TokenForm) -> NewTokenOut:
    """Make a token of one's own, shown once; it never reaches further than the one that makes it."""
    if access.token and list(Scope).index(wanted.scope) > list(Scope).index(access.token.scope):
        raise Denied(f"A token of the scope {access.token.scope} cannot make one that reaches further.")
    into = operations.named_project(session, access.user, wanted.project) if wanted.project else None
    row, token = accounts.create_api_token(
        session,
        access.user,
        name=wanted.name,
        scope=wanted.scope,
        project_id=into.id if into else None,
        days=wanted.days,
    )
    return NewTokenOut(
        id=row.id,
        name=row.name,
        scope=row.scope,
        project=into.slug if into else None,
        expires_at=row.expires_at,
        token=token,
    )
