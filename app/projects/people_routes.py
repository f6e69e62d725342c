"""Invitations and tokens: both may name a project, so they are made and used here and not in accounts."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from app.accounts import operations as accounts
from app.accounts import queries as people
from app.accounts.access import Admin, Person, anyone, current_login, keep_session
from app.accounts.checks import SHORTEST_PASSWORD
from app.accounts.models import Invitation, User
from app.errors import Refusal
from app.projects import operations
from app.projects.doors import TokenPage, invitation_page
from app.projects.forms import AccountForm, InvitationForm, TokenForm
from app.projects.models import Project
from app.projects.routes import link_page
from app.web.forms import Posted, posted
from app.web.found import found
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.post("/invitations", name="accounts:invite")
def invite(request: Request, access: Admin, session: SessionDep, form: Annotated[InvitationForm, Form()]) -> Response:
    """Make an invitation into the installation, or into a project, and show its link once."""
    project = operations.named_project(session, access.user, form.project) if form.project else None
    back = str(request.app.url_path_for("accounts:people"))
    made = _invite(request, session, access.user, form, project)
    if isinstance(made, Response):
        return made
    page = link_page(request, *made, project.name if project else None, back)
    return render(request, "accounts/link.html", page, session=session)


def _invite(
    request: Request, session: Session, actor: User, form: InvitationForm, project: Project | None
) -> tuple[Invitation, str] | Response:
    settings = request.app.state.settings
    if project is None:
        return accounts.invite(session, settings, actor, role=form.role, email=form.email or None, project_id=None)
    made = operations.invite_member(session, settings, actor, project, email=form.email, role=form.role)
    if isinstance(made, tuple):
        return made
    words = f"{made.name} has an account already and is {form.role.value} in {project.name} now."
    return redirect(request, "accounts:people", Flash("ok", words))


@router.post("/people/{user_id}/password-link", name="accounts:password_link")
def password_link(request: Request, access: Admin, session: SessionDep, user_id: int) -> Response:
    """Make a link with which somebody who forgot it sets a new password, and show it once."""
    user = found(session, people.person(user_id))
    made = accounts.invite_to_reset(session, request.app.state.settings, access.user, user)
    page = link_page(request, *made, None, str(request.app.url_path_for("accounts:people")))
    return render(request, "accounts/link.html", page, session=session)


@router.get("/invitations/{token}", name="accounts:invitation", dependencies=[anyone])
def invitation(request: Request, session: SessionDep, token: str) -> Response:
    """The form behind a link, or the reason why the link does not work."""
    return _show(request, session, token)


@router.post("/invitations/{token}", dependencies=[anyone])
def accept(
    request: Request,
    session: SessionDep,
    token: str,
    form: Annotated[Posted[AccountForm], Depends(posted(AccountForm))],
) -> Response:
    """Make the account and go in; of two at once one gets it, the other 409."""
    if form.errors:
        return _show(request, session, token, form, status=422)
    try:
        with session.begin_nested():
            user = _accept(session, token, form.value)
    except Refusal as refusal:  # the form again, with what was typed; unless the link itself is what is wrong
        return _show(request, session, token, form, refusal.message, refusal.status)
    response = RedirectResponse(request.app.url_path_for("home:start"), status_code=303)
    keep_session(response, request.app.state.settings, accounts.open_session(session, user))
    return response


def _accept(session: Session, token: str, form: AccountForm) -> User:
    return operations.accept_invitation(session, token, email=form.email, name=form.name, password=form.password)


def _show(
    request: Request,
    session: Session,
    token: str,
    form: Posted[AccountForm] | None = None,
    message: str = "",
    status: int = 200,
) -> Response:
    invited = accounts.usable_invitation(session, token)
    project = session.get(Project, invited.project_id) if invited.project_id is not None else None
    login = current_login(request, session)
    page = invitation_page(
        token,
        invited,
        project.name if project else None,
        login.user.name if login else None,
        SHORTEST_PASSWORD,
        form.typed if form else None,
        form.errors if form else None,
        message,
    )
    return render(request, "accounts/invitation.html", page, session=session, status=status)


@router.post("/invitations/{token}/joining", name="accounts:join")
def join(request: Request, access: Person, session: SessionDep, token: str) -> Response:
    """Use a link into a project with the account that one has."""
    project = operations.join_by_invitation(session, access.user, token)
    return redirect(request, "home:project", Flash("ok", f"Welcome to {project.name}."), slug=project.slug)


@router.post("/account/tokens", name="accounts:create_token")
def create_token(request: Request, access: Person, session: SessionDep, form: Annotated[TokenForm, Form()]) -> Response:
    """Make a token of one's own and show it once."""
    project = operations.named_project(session, access.user, form.project) if form.project else None
    row, token = accounts.create_api_token(
        session,
        access.user,
        name=form.name,
        scope=form.scope,
        project_id=project.id if project else None,
        days=form.days,
    )
    page = TokenPage(row.name, token, row.scope.value, project.name if project else None, row.expires_at)
    return render(request, "accounts/token.html", page, session=session)
