"""The pool: look, keep, reject, restore, turn into an example."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.examples.operations import WorkedOn
from app.projects.access import Annotator, ProjectAccess
from app.selection import operations
from app.selection.forms import JudgeForm, ManyForm, PoolQuery, RejectForm
from app.selection.pages import pool_page
from app.selection.queries import candidate_in
from app.selection.search.pages import found_page, next_in_list
from app.sources.models import CandidateStatus
from app.web.templating import Flash, redirect, render, targeted_block
from app.web.transactions import SessionDep
from app.web.words import plural

router = APIRouter(include_in_schema=False)
Wanted = Annotated[PoolQuery, Query()]
TYPED = ("found",)


@router.get("/projects/{slug}/pool", name="selection:pool")
def pool(request: Request, session: SessionDep, access: Annotator, wanted: Wanted) -> Response:
    """The list, its first candidate chosen."""
    return _shown(request, session, access, wanted)


def _shown(
    request: Request, session: Session, access: ProjectAccess, wanted: PoolQuery, candidate_id: int | None = None
) -> Response:
    """The page, or what is found alone, as it changes while somebody types."""
    if targeted_block(request) not in TYPED:
        page = pool_page(session, access, wanted, candidate_id)
        return render(request, "selection/pool.html", page, session=session)
    found = found_page(session, access, wanted, candidate_id)
    response = render(request, "selection/pool.html", found, session=session, fragments=TYPED)
    # The address is that of what the page shows by now, without the fields that say nothing.
    query = wanted.as_query()
    response.headers["HX-Replace-Url"] = f"{request.url.path}?{query}" if query else request.url.path
    return response


@router.post("/projects/{slug}/pool/undoing", name="selection:undo")
def undo(request: Request, session: SessionDep, access: Annotator, wanted: Wanted) -> Response:
    """Undo what this person did last; again, what they did before that."""
    undone = operations.undo_last(session, access.user, access.project)
    query, slug = wanted.as_query(), access.project.slug
    if not undone:
        flash = Flash("ok", "There is nothing left to undo.")
        return redirect(request, "selection:pool", flash, slug=slug, query=query)
    words = "Undone." if len(undone.candidates) == 1 and not undone.stayed else undone.in_words
    # One that stays is shown, since its panel leads to the example.
    shown = (undone.stayed or undone.candidates)[0]
    return redirect(request, "selection:candidate", Flash("ok", words), slug=slug, candidate_id=shown, query=query)


@router.post("/projects/{slug}/pool/selected", name="selection:many")
def many(
    request: Request, session: SessionDep, access: Annotator, wanted: Wanted, form: Annotated[ManyForm, Form()]
) -> Response:
    """Keep, reject or use all that are selected, as one act."""
    chosen = [candidate_in(session, access.project.id, one) for one in form.ids]
    query, slug = wanted.as_query(), access.project.slug
    done = operations.do_with_many(session, access.user, chosen, form.as_act())
    if not done.count:
        nothing = "Nothing was selected" if not chosen else "All of them were so already"
        flash = Flash("ok", f"{nothing}, so nothing was changed.")
        return redirect(request, "selection:pool", flash, slug=slug, query=query)
    back = str(request.app.url_path_for("selection:undo", slug=slug))
    words = f"{done.in_words}: {plural(done.count, 'candidate')}."
    flash = Flash("ok", words, undo_url=f"{back}?{query}" if query else back)
    return redirect(request, "selection:pool", flash, slug=slug, query=query)


@router.get("/projects/{slug}/pool/{candidate_id}", name="selection:candidate")
def candidate(request: Request, session: SessionDep, access: Annotator, candidate_id: int, wanted: Wanted) -> Response:
    """The list with this candidate chosen."""
    return _shown(request, session, access, wanted, candidate_id)


@router.post("/projects/{slug}/pool/{candidate_id}/keeping", name="selection:keep")
def keep(request: Request, session: SessionDep, access: Annotator, candidate_id: int, wanted: Wanted) -> Response:
    """Keep the candidate and show the next one."""
    chosen = candidate_in(session, access.project.id, candidate_id)
    following = next_in_list(session, access, wanted, candidate_id)
    operations.keep_candidate(session, access.user, chosen)
    query, slug = wanted.as_query(), access.project.slug
    undo = str(request.app.url_path_for("selection:undo", slug=slug))
    flash = Flash("ok", "Kept.", undo_url=f"{undo}?{query}" if query else undo)
    if following is None:
        return redirect(request, "selection:pool", flash, slug=slug, query=query)
    return redirect(request, "selection:candidate", flash, slug=slug, candidate_id=following, query=query)


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


@router.post("/projects/{slug}/pool/{candidate_id}/title", name="selection:judge_title")
def judge_title(
    request: Request,
    session: SessionDep,
    access: Annotator,
    candidate_id: int,
    wanted: Wanted,
    form: Annotated[JudgeForm, Form()],
) -> Response:
    """Note whether the title stands alone and show the next candidate."""
    chosen = candidate_in(session, access.project.id, candidate_id)
    following = next_in_list(session, access, wanted, candidate_id) or candidate_id
    operations.judge_title(session, access.user, chosen, form.value)
    said = {"yes": "The title stands alone.", "no": "The title does not stand alone.", "neither": "Not judged."}
    query, slug = wanted.as_query(), access.project.slug
    undo = str(request.app.url_path_for("selection:undo", slug=slug))
    flash = Flash("ok", said[form.alone], undo_url=f"{undo}?{query}" if query else undo)
    return redirect(request, "selection:candidate", flash, slug=slug, candidate_id=following, query=query)


@router.post("/projects/{slug}/pool/{candidate_id}/restoration", name="selection:restore")
def restore(request: Request, session: SessionDep, access: Annotator, candidate_id: int, wanted: Wanted) -> Response:
    """Undo what was done to the candidate and show it."""
    chosen = candidate_in(session, access.project.id, candidate_id)
    query = wanted.as_query()
    try:
        operations.restore_candidate(session, access.user, chosen)
        said = "Kept again, as it was." if chosen.status is CandidateStatus.KEPT else "Open again, as it was."
    except WorkedOn:
        said = operations.Undone(stayed=(candidate_id,)).in_words
    flash = Flash("ok", said)
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
