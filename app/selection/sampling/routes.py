"""A sampling plan: see what it would take, take it, put it back."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from app.projects.access import Annotator, Lead
from app.selection.sampling import taking
from app.selection.sampling.forms import SampleForm
from app.selection.sampling.pages import sample_page
from app.selection.sampling.queries import sampling_in
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep
from app.web.words import plural

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/pool/sample", name="selection:sample")
def sample(
    request: Request, session: SessionDep, access: Annotator, wanted: Annotated[SampleForm, Query()]
) -> Response:
    """What a plan would take; nothing moves."""
    return render(request, "selection/sample.html", sample_page(session, access, wanted), session=session)


@router.post("/projects/{slug}/pool/sample", name="selection:take_sample")
def take_sample(request: Request, session: SessionDep, access: Lead, form: Annotated[SampleForm, Form()]) -> Response:
    """Make drafts of what the plan takes."""
    made, _ = taking.take(session, access.user, access.project, form.as_plan(), form.seed)
    slug = access.project.slug
    if made is None:
        flash = Flash("ok", "The plan takes nothing now; nothing was changed.")
        return redirect(request, "selection:sample", flash, slug=slug)
    undo = str(request.app.url_path_for("selection:undo_sample", slug=slug, number=made.id))
    words = f"Taken as drafts: {plural(made.result['taken'], 'candidate')}."
    return redirect(request, "selection:sample", Flash("ok", words, undo_url=undo, undo_label="Put back"), slug=slug)


@router.post("/projects/{slug}/pool/sample/{number}/undoing", name="selection:undo_sample")
def undo_sample(request: Request, session: SessionDep, access: Lead, number: int) -> Response:
    """Put back what a sampling took, as far as nobody has worked on it."""
    back = taking.put_back(session, access.user, access.project, sampling_in(session, access.project.id, number))
    stayed = f"; {back.stayed} stayed, for somebody has worked on them" if back.stayed else ""
    flash = Flash("ok", f"Open in the pool again: {plural(back.put_back, 'candidate')}{stayed}.")
    return redirect(request, "selection:sample", flash, slug=access.project.slug)
