"""What prompts are for: hidden tests, groups of authors, the project that this one translates."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from app.errors import Refusal
from app.projects import operations, roles
from app.projects.access import Lead, ProjectAccess
from app.projects.forms import AuthorForm, FollowForm, LanguageForm, TestsForm
from app.projects.pages import settings_page
from app.text.languages import name_of
from app.web.forms import Posted, posted
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.post("/projects/{slug}/tests", name="projects:tests")
def tests(request: Request, access: Lead, session: SessionDep, form: Annotated[TestsForm, Form()]) -> Response:
    """Keep test prompts out of sight, or show them again."""
    roles.hide_tests(session, access.user, access.project, hidden=form.hidden)
    words = "Test prompts are kept out of sight." if form.hidden else "Everybody here reads the test prompts."
    return _back(request, access, words)


@router.post("/projects/{slug}/members/{user_id}/author", name="projects:author")
def author(
    request: Request, access: Lead, session: SessionDep, user_id: int, form: Annotated[AuthorForm, Form()]
) -> Response:
    """Set a member's group, and whether they read hidden tests."""
    member = roles.set_author(
        session, access.user, access.project, user_id, group=form.as_group, reads_tests=form.reads_tests
    )
    name = member.user.name
    words = f"{name} writes in group {form.group}." if form.group else f"{name} writes in no group."
    return _back(request, access, words)


@router.post("/projects/{slug}/language", name="projects:language")
def language(
    request: Request,
    access: Lead,
    session: SessionDep,
    form: Annotated[Posted[LanguageForm], Depends(posted(LanguageForm))],
) -> Response:
    """Say in which language the texts are that state none."""
    if form.errors:
        page = settings_page(session, access, texts=form.typed | {"problem": " ".join(form.errors.values())})
        return render(request, "projects/settings.html", page, session=session, status=422)
    said = form.value.language or None
    roles.set_language(session, access.user, access.project, said)
    words = (
        f"Texts that state no language are in {name_of(said)}." if said else "Nobody says what language they are in."
    )
    return _back(request, access, words)


@router.post("/projects/{slug}/following", name="projects:follow")
def follow(
    request: Request,
    access: Lead,
    session: SessionDep,
    form: Annotated[Posted[FollowForm], Depends(posted(FollowForm))],
) -> Response:
    """Follow another project as its translation, or no longer; what does not fit comes back with what was typed."""
    if form.errors:
        return _refused(request, access, session, form, " ".join(form.errors.values()), 422)
    if not form.value.project:
        roles.stop_following(session, access.user, access.project)
        return _back(request, access, "This project follows no other.")
    try:
        followed = operations.named_project(session, access.user, form.value.project)
        roles.follow_project(session, access.user, access.project, followed, form.value.language)
    except Refusal as refusal:
        return _refused(request, access, session, form, refusal.message, refusal.status)
    return _back(request, access, f"This project is now the translation of {followed.name}.")


def _refused(
    request: Request, access: ProjectAccess, session: SessionDep, form: Posted[FollowForm], words: str, status: int
) -> Response:
    page = settings_page(session, access, following=form.typed, problem=words)
    return render(request, "projects/settings.html", page, session=session, status=status)


def _back(request: Request, access: ProjectAccess, words: str) -> Response:
    return redirect(request, "projects:settings", Flash("ok", words), slug=access.project.slug)
