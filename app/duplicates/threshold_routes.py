"""Thresholds of duplicates: read, and judged by pairs."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response

from app.duplicates.forms import JudgementForm
from app.duplicates.judging import judge
from app.duplicates.models import Method
from app.duplicates.threshold_pages import thresholds_page
from app.projects.access import Annotator
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)

MethodQuery = Annotated[Literal[Method.EMBEDDING, Method.LEXICAL], Query()]


@router.get("/projects/{slug}/duplicates/thresholds", name="duplicates:thresholds")
def thresholds(
    request: Request,
    access: Annotator,
    session: SessionDep,
    method: MethodQuery = Method.EMBEDDING,
    at: Annotated[int | None, Query(ge=0, le=100, alias="t")] = None,
    skipped: Annotated[int, Query(ge=0, le=10_000, alias="skip")] = 0,
) -> Response:
    """How many pairs have which score, what a threshold finds of those that were judged, and a pair to judge."""
    view = thresholds_page(session, access, method, at, skipped)
    return render(request, "duplicates/thresholds.html", view, session=session, fragments=("threshold_read",))


@router.post("/projects/{slug}/duplicates/judgements", name="duplicates:judge")
def judgement(
    request: Request, access: Annotator, session: SessionDep, form: Annotated[JudgementForm, Form()]
) -> Response:
    """Say whether two texts are the same and go on with the next pair."""
    same = form.verdict == "same"
    pair = judge(session, access.user, access.project, form.left, form.right, form.on, same=same)
    slug = access.project.slug
    undo_url = str(request.app.url_path_for("duplicates:undo", slug=slug, pair_id=pair.id))
    words = "The same: the pair waits among the duplicates." if same else "Different: both stay."
    query = f"method={form.method}&t={form.t}"
    return redirect(request, "duplicates:thresholds", Flash("ok", words, undo_url=undo_url), slug=slug, query=query)
