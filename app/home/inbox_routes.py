"""The inbox by page, and whether one gets it by e-mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from app.accounts.access import Person
from app.accounts.models import Role
from app.accounts.operations import set_daily_letter
from app.datasets.checking import Standing, broken
from app.home.inbox import Inbox, inbox_of
from app.projects.access import Annotator
from app.web.forms import Form as Posted
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class InboxPage:
    """One's own inbox in a project."""

    slug: str
    inbox: Inbox
    open: bool
    # For who leads: versions that are not what was frozen.
    broken: Sequence[Standing]


class LetterForm(Posted):
    """Whether to send a letter a day."""

    letter: bool = False


@router.get("/projects/{slug}/inbox", name="home:inbox")
def inbox(request: Request, access: Annotator, session: SessionDep) -> Response:
    """What came back, where one is named, what was handed over, what one holds."""
    project = access.project
    wrong = broken(session, project.id) if access.role is Role.ADMIN else ()
    page = InboxPage(project.slug, inbox_of(session, access.user, project), not project.archived_at, wrong)
    return render(request, "home/inbox.html", page, session=session)


@router.post("/account/letter", name="accounts:letter")
def letter(request: Request, access: Person, session: SessionDep, form: Annotated[LetterForm, Form()]) -> Response:
    """Switch the daily letter on or off."""
    set_daily_letter(session, access.user, wanted=form.letter)
    words = "You get at most one letter a day." if form.letter else "No more letters."
    return redirect(request, "accounts:account", Flash("ok", words))
