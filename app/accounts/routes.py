"""The door, and what people change about themselves and, as admins, about others."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.orm import Session

from app.accounts import operations, queries
from app.accounts.access import (
    Admin,
    Person,
    address_of,
    anyone,
    current_login,
    forget_session,
    keep_session,
    session_token,
)
from app.accounts.forms import NameForm, PasswordForm, RoleForm, SignInForm
from app.accounts.models import User
from app.accounts.operations import Attempt
from app.accounts.pages import SignInPage
from app.web.forms import Posted, posted
from app.web.found import found
from app.web.security import local_path
from app.web.templating import Flash, redirect, redirect_to, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/sign-in", name="accounts:sign_in", dependencies=[anyone])
def sign_in_page(request: Request, session: SessionDep, next: str = "/") -> Response:
    """The sign-in form; somebody who is signed in already goes on."""
    if current_login(request, session):
        return RedirectResponse(local_path(next), status_code=303)
    return render(request, "accounts/sign_in.html", SignInPage(local_path(next)), session=session)


@router.post("/sign-in", dependencies=[anyone])
def sign_in(
    request: Request, session: SessionDep, form: Annotated[Posted[SignInForm], Depends(posted(SignInForm))]
) -> Response:
    """Open a session, or show the form again with the reason; what was typed stays, the password does not."""
    after = local_path(form.typed.get("next"))
    if form.errors:
        return _door(request, session, form, after, "Type your e-mail address and your password.", 422)
    attempt = _attempt(request, session, form.value)
    if attempt.refusal:
        return _door(request, session, form, after, attempt.refusal.message, attempt.refusal.status)
    response = RedirectResponse(after, status_code=303)
    keep_session(response, request.app.state.settings, attempt.token)
    return response


def _attempt(request: Request, session: Session, form: SignInForm) -> Attempt:
    return operations.attempt_sign_in(
        session,
        request.app.state.settings,
        email=form.email,
        password=form.password,
        address=address_of(request),
        present_token=session_token(request),
    )


def _door(
    request: Request, session: Session, form: Posted[SignInForm], after: str, message: str, status: int
) -> Response:
    page = SignInPage(after, form.typed.get("email", ""), message)
    response = render(request, "accounts/sign_in.html", page, session=session, status=status)
    if status == 429:
        response.headers["Retry-After"] = str(int(request.app.state.settings.sign_in_minutes * 60))
    return response


@router.post("/sign-out", name="accounts:sign_out", dependencies=[anyone])
def sign_out(request: Request, session: SessionDep) -> Response:
    """End this browser's session on the server; harmless where there is none."""
    login = current_login(request, session)
    token = session_token(request)
    if login and token:
        operations.sign_out(session, login.user, token)
    response = redirect(request, "accounts:sign_in", Flash("ok", "You are signed out."))
    forget_session(response, request.app.state.settings)
    return response


@router.post("/account/password", name="accounts:password")
def change_password(
    request: Request, access: Person, session: SessionDep, form: Annotated[PasswordForm, Form()]
) -> Response:
    """Set a new password; every other browser of this person is signed out."""
    token = operations.change_password(session, access.user, old=form.old_password, new=form.new_password)
    words = "Your password is changed. Every other browser was signed out."
    response = redirect(request, "accounts:account", Flash("ok", words))
    keep_session(response, request.app.state.settings, token)
    return response


@router.post("/account/name", name="accounts:name")
def change_name(request: Request, access: Person, session: SessionDep, form: Annotated[NameForm, Form()]) -> Response:
    """Set the name that the others see."""
    operations.rename(session, access.user, name=form.name)
    return redirect(request, "accounts:account", Flash("ok", "Your name is changed."))


@router.post("/account/tokens/{token_id}/revocation", name="accounts:revoke_token")
def revoke_token(request: Request, access: Person, session: SessionDep, token_id: int) -> Response:
    """Stop one of one's own tokens at once."""
    token = found(session, queries.token_of(access.user, token_id))
    operations.revoke_api_token(session, access.user, token)
    return redirect(request, "accounts:account", Flash("ok", f"“{token.name}” does not work any more."))


@router.post("/people/{user_id}/role", name="accounts:role")
def change_role(
    request: Request, access: Admin, session: SessionDep, user_id: int, form: Annotated[RoleForm, Form()]
) -> Response:
    """Give a person another role in the installation."""
    user = found(session, queries.person(user_id))
    operations.change_role(session, access.user, user, form.role)
    words = f"{user.name} is {form.role.value} now and has to sign in again."
    return redirect(request, "accounts:people", Flash("ok", words))


@router.post("/people/{user_id}/disabling", name="accounts:disable")
def disable(request: Request, access: Admin, session: SessionDep, user_id: int) -> Response:
    """Shut a person out at once."""
    user = _set_active(session, access.user, user_id, active=False)
    undo = str(request.app.url_path_for("accounts:enable", user_id=user.id))
    return redirect(request, "accounts:people", Flash("ok", f"{user.name} is shut out; nothing is lost.", undo))


@router.post("/people/{user_id}/enabling", name="accounts:enable")
def enable(request: Request, access: Admin, session: SessionDep, user_id: int) -> Response:
    """Let a person in again."""
    user = _set_active(session, access.user, user_id, active=True)
    return redirect(request, "accounts:people", Flash("ok", f"{user.name} can sign in again."))


def _set_active(session: Session, actor: User, user_id: int, *, active: bool) -> User:
    user = found(session, queries.person(user_id))
    (operations.enable_user if active else operations.disable_user)(session, actor, user)
    return user


@router.post("/invitations/{invitation_id}/withdrawal", name="accounts:withdraw")
def withdraw(request: Request, access: Admin, session: SessionDep, invitation_id: int) -> Response:
    """Make an invitation's link useless."""
    invitation = found(session, queries.invitation(invitation_id))
    operations.withdraw_invitation(session, access.user, invitation)
    return redirect_to(request, request.app.url_path_for("accounts:people"), Flash("ok", "The link works no more."))
