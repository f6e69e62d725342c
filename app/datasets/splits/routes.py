"""Splits by page: a GET shows what would move, a POST moves it, another takes it back."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from app.datasets.splits import operations as splits
from app.datasets.splits.forms import ApplyForm, SplitForm, address_of
from app.datasets.splits.pages import refused_page, splits_page
from app.datasets.splits.splitting import Asked
from app.projects.access import Lead
from app.web.forms import check
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep
from app.web.words import plural

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/splits", name="datasets:splits")
def show(request: Request, session: SessionDep, access: Lead) -> Response:
    """What the rule would move; nothing moves. What cannot be asked is refused beside its field."""
    wanted = check(SplitForm, dict(request.query_params))
    page = refused_page(session, access, wanted) if wanted.errors else splits_page(session, access, wanted.value)
    return render(request, "datasets/splits.html", page, session=session, status=422 if wanted.errors else 200)


@router.post("/projects/{slug}/splits")
def apply(request: Request, session: SessionDep, access: Lead, form: Annotated[ApplyForm, Form()]) -> Response:
    """Move what was shown."""
    asked = form.asked(splits.usual(session, access.project))
    plan, _ = splits.apply(session, access.user, access.project, asked, form.fingerprint)
    slug = access.project.slug
    undo = str(request.app.url_path_for("datasets:undo_splits", slug=slug))
    words = f"Moved: {plural(len(plan.moves), 'example')}. No approval has fallen."
    return redirect(request, "datasets:splits", Flash("ok", words, undo_url=undo), slug=slug, query=address_of(asked))


@router.post("/projects/{slug}/splits/undoing", name="datasets:undo_splits")
def undo(request: Request, session: SessionDep, access: Lead) -> Response:
    """Take the newest draw back."""
    plan, back = splits.undo(session, access.user, access.project)
    stayed = len(plan.moves) - back
    words = f"Moved back: {plural(back, 'example')}" + (
        f"; {stayed} stayed where somebody put them." if stayed else "."
    )
    query = address_of(Asked(**plan.asked))
    return redirect(request, "datasets:splits", Flash("ok", words), slug=access.project.slug, query=query)
