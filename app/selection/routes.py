"""The pool: look, reject, restore, turn into an example."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from app.db import SessionDep
from app.projects.access import Annotator
from app.selection import operations
from app.selection.forms import PoolQuery, RejectForm
from app.selection.pages import next_in_list, pool_page
from app.selection.queries import candidate_in
from app.web.templating import Flash, redirect, render

router = APIRouter(include_in_schema=False)
Wanted = Annotated[PoolQuery, Query()]


@router.get("/projects/{slug}/pool", name="selection:pool")
def pool(request: Request, session: SessionDep, access: Annotator, wanted: Wanted) -> Response:
    """The list, its first candidate chosen."""
    return render(request, "selection/pool.html", pool_page(session, access, wanted), session=session)


@router.get("/projects/{slug}/pool/{candidate_id}", name="selection:candidate")
def candidate(request: Request, session: SessionDep, access: Annotator, candidate_id: int, wanted: Wanted) -> Response:
    """The list with this candidate chosen."""
    page = pool_page(session, access, wanted, candidate_id)
    return render(request, "selection/pool.html", page, session=session)


@router.post("/projects/{slug}/pool/{candidate_id}/rejection", name="selection:reject")
def reject(
    request: Request,
    session: SessionDep,
    access: Annotator,
    candidate_id: int,
    wanted: Wanted,
    form: Annotated[RejectForm, Form()],
) -> Response:
    """Set the candidate aside and show the next one."""
    chosen = candidate_in(session, access.project.id, candidate_id)
    following = next_in_list(session, access, wanted, candidate_id)
    operations.reject_candidate(session, access.user, chosen, form.reason)
    words = f"Rejected, {chosen.status_reason}." if chosen.status_reason else "Rejected."
    query = wanted.as_query()
    undo = str(request.app.url_path_for("selection:restore", slug=access.project.slug, candidate_id=candidate_id))
    flash = Flash("ok", words, undo_url=f"{undo}?{query}" if query else undo)
    if following is None:
        return redirect(request, "selection:pool", flash, slug=access.project.slug, query=query)
    return redirect(
        request, "selection:candidate", flash, slug=access.project.slug, candidate_id=following, query=query
    )


@router.post("/projects/{slug}/pool/{candidate_id}/restoration", name="selection:restore")
def restore(request: Request, session: SessionDep, access: Annotator, candidate_id: int, wanted: Wanted) -> Response:
    """Undo what was done to the candidate and show it."""
    chosen = candidate_in(session, access.project.id, candidate_id)
    operations.restore_candidate(session, access.user, chosen)
    query = wanted.as_query()
    flash = Flash("ok", "Open again, as it was.")
    return redirect(
        request, "selection:candidate", flash, slug=access.project.slug, candidate_id=candidate_id, query=query
    )


@router.post("/projects/{slug}/pool/{candidate_id}/example", name="selection:use")
def use(request: Request, session: SessionDep, access: Annotator, candidate_id: int, wanted: Wanted) -> Response:
    """Turn the candidate into an example and go to its desk."""
    chosen = candidate_in(session, access.project.id, candidate_id)
    example = operations.use_candidate(session, access.user, chosen)
    slug = access.project.slug
    undo = str(request.app.url_path_for("selection:restore", slug=slug, candidate_id=candidate_id))
    query = wanted.as_query()
    undo += f"?{query}" if query else ""
    flash = Flash("ok", "From the pool, as your draft.", undo_url=undo, undo_label="Put back")
    return redirect(request, "examples:edit", flash, slug=slug, example_id=example.id)
