"""Beside the set-up of an import: earlier ones of its file; what was chosen, kept until it starts or begins again."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.projects.access import Annotator, ProjectAccess
from app.sources import operations, queries, setup
from app.sources.earlier import earlier_part
from app.sources.forms import chosen_in
from app.sources.models import ImportRun
from app.web.forms import Typed
from app.web.found import found
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/imports/{import_id}/earlier", name="sources:earlier")
def earlier(request: Request, access: Annotator, session: SessionDep, import_id: int) -> Response:
    """Whether this very file was imported before: beside its set-up, for a large one takes seconds to compare."""
    part = earlier_part(session, _draft(session, access, import_id))
    return render(request, "sources/earlier.html", part, session=session, fragments=("earlier",))


@router.post("/projects/{slug}/imports/{import_id}/set-up", name="sources:keep-set-up", status_code=204)
def keep(access: Annotator, session: SessionDep, import_id: int, typed: Typed) -> Response:
    """Keep the set-up as it stands on the page."""
    operations.keep_set_up(session, _draft(session, access, import_id), chosen_in(typed))
    return Response(status_code=204)


@router.post("/projects/{slug}/imports/{import_id}/set-up/beginning", name="sources:begin-again")
def begin_again(request: Request, access: Annotator, session: SessionDep, import_id: int, typed: Typed) -> Response:
    """Set the import up from the beginning; what stood on the page can be had back."""
    run = _draft(session, access, import_id)
    operations.begin_set_up_again(session, run, chosen_in(typed))
    undo = str(request.app.url_path_for("sources:bring-set-up-back", slug=access.project.slug, import_id=run.id))
    words = Flash("ok", "Set up from the beginning; nothing is imported yet.", undo_url=undo)
    return redirect(request, "sources:import", words, slug=access.project.slug, import_id=run.id)


@router.post("/projects/{slug}/imports/{import_id}/set-up/beginning/undoing", name="sources:bring-set-up-back")
def bring_back(request: Request, access: Annotator, session: SessionDep, import_id: int) -> Response:
    """Have back what was chosen before."""
    run = _draft(session, access, import_id)
    operations.bring_set_up_back(session, run)
    words = Flash("ok", "Set up as it was before.")
    return redirect(request, "sources:import", words, slug=access.project.slug, import_id=run.id)


def _draft(session: Session, access: ProjectAccess, import_id: int) -> ImportRun:
    run = found(session, queries.import_of(access.project.id, import_id))
    setup.require_sight(session, run)
    return run
