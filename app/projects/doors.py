"""The pages of invitations and tokens: what is shown once, and what stands behind a link."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.accounts.models import Invitation, Role


@dataclass(frozen=True)
class InvitationPage:
    """The form behind a link: the first admin's, a newcomer's, or a known person's who joins a project."""

    token: str
    setup: bool
    reset: bool
    email: str | None
    role_title: str
    project_name: str | None
    expires_at: datetime
    signed_in_as: str | None
    least_password: int
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True)
class LinkPage:
    """An invitation's link, shown once; `reset` where it sets the password of an account anew."""

    url: str
    reset: bool
    email: str | None
    role_title: str
    project_name: str | None
    expires_at: datetime
    back_url: str


def role_title(role: Role, in_project: bool) -> str:
    """The role in words, with its place."""
    words = {Role.ANNOTATOR: "an annotator", Role.REVIEWER: "a reviewer", Role.ADMIN: "an admin"}[role]
    return words if in_project or role is not Role.ADMIN else "an admin of this installation"


def invitation_page(
    token: str,
    invitation: Invitation,
    project_name: str | None,
    signed_in_as: str | None,
    least_password: int,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    message: str = "",
) -> InvitationPage:
    """The page behind a usable link."""
    return InvitationPage(
        token=token,
        setup=invitation.is_setup,
        reset=invitation.user_id is not None,
        email=invitation.email,
        role_title=role_title(invitation.role, invitation.project_id is not None),
        project_name=project_name,
        expires_at=invitation.expires_at,
        signed_in_as=signed_in_as,
        least_password=least_password,
        typed={key: value for key, value in (typed or {}).items() if key != "password"},
        errors=errors or {},
        message=message,
    )


@dataclass(frozen=True)
class TokenPage:
    """A token, shown once."""

    name: str
    token: str
    scope: str
    project_name: str | None
    expires_at: datetime | None
