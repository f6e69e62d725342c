"""Pages that look over all rooms at people: who is here, one's own account, the trail."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.accounts.access import Admin, Person
from app.home.account import account_page
from app.home.people import people_page
from app.home.trail import TrailFilter, trail_page
from app.projects.access import Lead
from app.web.paging import PageNumber
from app.web.templating import render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)

Word = Annotated[str, Query(max_length=64)]
PersonId = Annotated[str, Query(pattern="^[0-9]{0,18}$")]


@router.get("/people", name="accounts:people")
def people(request: Request, access: Admin, session: SessionDep) -> Response:
    """Everybody with an account here, and who is invited."""
    page = people_page(session, access.user, request.app.state.settings.invitation_days)
    return render(request, "accounts/people.html", page, session=session)


@router.get("/account", name="accounts:account")
def account(request: Request, access: Person, session: SessionDep) -> Response:
    """What one may change about oneself."""
    return render(request, "accounts/account.html", account_page(session, access.user), session=session)


@router.get("/trail", name="accounts:trail")
def trail(
    request: Request,
    access: Admin,
    session: SessionDep,
    project: Word = "",
    person: PersonId = "",
    action: Word = "",
    page: PageNumber = 1,
) -> Response:
    """Who did what, everywhere."""
    chosen = TrailFilter(project, int(person) if person else None, action)
    shown = trail_page(session, access.user, chosen, page, None)
    return render(request, "accounts/trail.html", shown, session=session)


@router.get("/projects/{slug}/trail", name="projects:trail")
def project_trail(
    request: Request,
    access: Lead,
    session: SessionDep,
    person: PersonId = "",
    action: Word = "",
    page: PageNumber = 1,
) -> Response:
    """Who did what in one project."""
    chosen = TrailFilter("", int(person) if person else None, action)
    shown = trail_page(session, access.user, chosen, page, access.project)
    return render(request, "accounts/trail.html", shown, session=session)
