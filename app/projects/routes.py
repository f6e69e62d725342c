"""Projects: the list, a new one, and the settings of each."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from pydantic import ValidationError

from app.accounts import operations as accounts
from app.accounts.access import Admin, Person
from app.accounts.models import Invitation
from app.projects import operations, queries
from app.projects.access import Annotator, Lead, LeadReading, ProjectAccess
from app.projects.doors import LinkPage, role_title
from app.projects.forms import CompositionForm, DescriptionForm, MemberForm, MemberRoleForm, ProjectForm, TargetRow
from app.projects.operations import LIMA
from app.projects.pages import projects_page, settings_page
from app.web.forms import Posted, field_of, posted, sentence
from app.web.found import found
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/projects", name="projects:index")
def index(request: Request, access: Person, session: SessionDep) -> Response:
    """The projects that one may see."""
    return render(request, "projects/index.html", projects_page(session, access.user), session=session)


@router.post("/projects", name="projects:create")
def create(
    request: Request,
    access: Admin,
    session: SessionDep,
    form: Annotated[Posted[ProjectForm], Depends(posted(ProjectForm))],
) -> Response:
    """Make a project and go there, or show the form again."""
    if form.errors:
        page = projects_page(session, access.user, form.typed, form.errors)
        return render(request, "projects/index.html", page, session=session, status=422)
    wanted = form.value
    slug = wanted.slug or operations.slug_of(wanted.name)
    targets = LIMA if wanted.composition == "lima" else ()
    project = operations.create_project(session, access.user, slug=slug, name=wanted.name, targets=targets)
    return redirect(request, "home:project", Flash("ok", f"{project.name} stands."), slug=slug)


@router.get("/projects/{slug}/settings", name="projects:settings")
def settings(request: Request, access: Annotator, session: SessionDep) -> Response:
    """Name, style guide, target and members: to read for all, to change for the project's admins."""
    return render(request, "projects/settings.html", settings_page(session, access), session=session)


@router.post("/projects/{slug}/settings", name="projects:describe")
def describe(request: Request, access: Lead, session: SessionDep, form: Annotated[DescriptionForm, Form()]) -> Response:
    """Set the name and the style guide."""
    operations.describe_project(session, access.user, access.project, name=form.name, guide=form.guide)
    return _back(request, access, "Name and style guide are saved.")


@router.post("/projects/{slug}/composition", name="projects:composition")
def set_composition(
    request: Request, access: Lead, session: SessionDep, form: Annotated[CompositionForm, Form()]
) -> Response:
    """Replace the target by the table as posted, or show it again with what does not fit."""
    rows, problems = _checked(form)
    if problems:
        page = settings_page(session, access, form.rows(), problems)
        return render(request, "projects/settings.html", page, session=session, status=422)
    operations.set_composition(session, access.user, access.project, [row.as_target() for row in rows])
    return _back(request, access, "The target is saved.")


def _checked(form: CompositionForm) -> tuple[list[TargetRow], list[str]]:
    rows, problems = [], []
    for number, typed in enumerate(form.rows(), start=1):
        try:
            rows.append(TargetRow.model_validate(typed))
        except ValidationError as error:
            problems += [
                f"Row {number}, {field_of(item).replace('_', ' ')}: {sentence(item)}" for item in error.errors()
            ]
    return rows, problems


@router.post("/projects/{slug}/members", name="projects:members")
def add_member(request: Request, access: Lead, session: SessionDep, form: Annotated[MemberForm, Form()]) -> Response:
    """Add somebody who has an account, or show the one-time link for somebody who has none."""
    settings = request.app.state.settings
    made = operations.invite_member(session, settings, access.user, access.project, email=form.email, role=form.role)
    if not isinstance(made, tuple):
        return _back(request, access, f"{made.name} is {form.role.value} here now.")
    invitation, token = made
    page = link_page(request, invitation, token, access.project.name, _settings_url(request, access))
    return render(request, "accounts/link.html", page, session=session)


def link_page(
    request: Request, invitation: Invitation, token: str, project_name: str | None, back_url: str
) -> LinkPage:
    """The page that shows a link once."""
    base = request.app.state.settings.base_url or str(request.base_url)
    path = request.app.url_path_for("accounts:invitation", token=token)
    title = role_title(invitation.role, invitation.project_id is not None)
    return LinkPage(
        url=base.rstrip("/") + path,
        reset=invitation.user_id is not None,
        email=invitation.email,
        role_title=title,
        project_name=project_name,
        expires_at=invitation.expires_at,
        back_url=back_url,
    )


@router.post("/projects/{slug}/members/{user_id}/role", name="projects:member_role")
def change_member(
    request: Request, access: Lead, session: SessionDep, user_id: int, form: Annotated[MemberRoleForm, Form()]
) -> Response:
    """Give a member another role."""
    member = operations.change_member(session, access.user, access.project, user_id, form.role)
    return _back(request, access, f"{member.user.name} is {form.role.value} here now.")


@router.post("/projects/{slug}/members/{user_id}/removal", name="projects:remove_member")
def remove_member(request: Request, access: Lead, session: SessionDep, user_id: int) -> Response:
    """End a membership; what the person wrote stays."""
    member = operations.remove_member(session, access.user, access.project, user_id)
    return _back(request, access, f"{member.user.name} is no member any more. What they wrote stays.")


@router.post("/projects/{slug}/invitations/{invitation_id}/withdrawal", name="projects:withdraw")
def withdraw(request: Request, access: Lead, session: SessionDep, invitation_id: int) -> Response:
    """Make a link into this project useless."""
    invitation = found(session, queries.invitation_of(access.project, invitation_id))
    accounts.withdraw_invitation(session, access.user, invitation)
    return _back(request, access, "The link works no more.")


@router.post("/projects/{slug}/archiving", name="projects:archive")
def archive(request: Request, access: Lead, session: SessionDep) -> Response:
    """Close the project to changes."""
    operations.archive_project(session, access.user, access.project)
    undo = request.app.url_path_for("projects:reopen", slug=access.project.slug)
    return _back(request, access, "The project is archived: to be read, not to be changed.", str(undo))


@router.post("/projects/{slug}/reopening", name="projects:reopen")
def reopen(request: Request, access: LeadReading, session: SessionDep) -> Response:
    """Open an archived project to changes again."""
    operations.reopen_project(session, access.user, access.project)
    return _back(request, access, "The project is open again.")


def _back(request: Request, access: ProjectAccess, words: str, undo: str | None = None) -> Response:
    return redirect(request, "projects:settings", Flash("ok", words, undo), slug=access.project.slug)


def _settings_url(request: Request, access: ProjectAccess) -> str:
    return str(request.app.url_path_for("projects:settings", slug=access.project.slug))
