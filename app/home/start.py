"""Where the start page leads: to the only project, or the one seen last, or the list."""

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.projects import queries as projects

LAST_PROJECT = "handpicked_project"


def project_to_open(request: Request, session: Session, user: User) -> tuple[str | None, int]:
    """The short name of the project to open, if one is clear, and how many there are."""
    slugs = [project.slug for project in session.scalars(projects.projects_of(user))]
    last = request.cookies.get(LAST_PROJECT)
    if last in slugs:
        return last, len(slugs)
    return (slugs[0] if len(slugs) == 1 else None), len(slugs)


def remember_project(response: Response, slug: str) -> None:
    """Come back to this project next time."""
    response.set_cookie(LAST_PROJECT, slug, max_age=31_536_000, httponly=True, samesite="lax")
