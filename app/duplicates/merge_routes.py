"""Two texts are merged: the page with both, and the merge itself."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.duplicates import queries
from app.duplicates.merge_forms import MergeForm
from app.duplicates.merge_pages import merge_page, texts_to_merge, typed_merge
from app.duplicates.merging import merge
from app.duplicates.models import DuplicatePair, Verdict
from app.duplicates.routes import PercentQuery, go_on
from app.errors import Refusal
from app.projects.access import Annotator, ProjectAccess
from app.web.forms import Posted, Typed, check
from app.web.found import found
from app.web.templating import redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/duplicates/{pair_id}/merge", name="duplicates:merging")
def merging(
    request: Request, access: Annotator, session: SessionDep, pair_id: int, at: PercentQuery = None
) -> Response:
    """Both texts part by part, to choose what the one that stays is to say; a settled pair is shown as it is."""
    pair = found(session, queries.pair_in(access.project.id, pair_id))
    if pair.verdict is not Verdict.OPEN:
        return redirect(request, "duplicates:pair", slug=access.project.slug, pair_id=pair_id)
    page = merge_page(session, access, texts_to_merge(session, access, pair, at or 0), at or 0)
    return render(request, "duplicates/merge.html", page, session=session)


@router.post("/projects/{slug}/duplicates/{pair_id}/merge", name="duplicates:merge")
def merge_pair(request: Request, access: Annotator, session: SessionDep, pair_id: int, typed: Typed) -> Response:
    """Merge the two and go on with the next; what does not fit comes back with all that was typed."""
    pair = found(session, queries.pair_in(access.project.id, pair_id))
    form = check(MergeForm, typed)
    if form.errors:
        return _typed(request, session, access, pair, form, form.errors, 422)
    texts = texts_to_merge(session, access, pair, form.value.t)
    try:
        with session.begin_nested():
            wanted = form.value.merging(texts.parts, texts.cluster if form.value.whole else None)
            leader = merge(session, access.user, access.project, pair, wanted)
    except Refusal as refusal:
        return _typed(request, session, access, pair, form, {"form": refusal.message}, refusal.status)
    gone = f"{len(wanted.cluster.members) - 1} others are" if wanted.cluster else "other is"
    words = f"Merged into example {pair.effect['merged']['example']}; the {gone} rejected."
    return go_on(request, access, session, leader, words, form.value.t)


def _typed(
    request: Request,
    session: Session,
    access: ProjectAccess,
    pair: DuplicatePair,
    form: Posted[MergeForm],
    errors: dict[str, str],
    status: int,
) -> Response:
    fresh = queries.pair_in(access.project.id, pair.id).execution_options(populate_existing=True)
    percent = form.typed.get("t", "")
    at = min(int(percent), 100) if percent.isdecimal() and len(percent) < 4 else 0
    page = merge_page(session, access, texts_to_merge(session, access, found(session, fresh), at), at)
    return render(
        request, "duplicates/merge.html", typed_merge(page, form.typed, errors), session=session, status=status
    )
