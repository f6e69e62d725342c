"""Leakage: what stands between the splits, what is near to a benchmark, and the lists of benchmark prompts."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from app.duplicates.benchmarks import operations, queries
from app.duplicates.benchmarks.forms import ListForm, MatchForm
from app.duplicates.benchmarks.models import MatchVerdict
from app.duplicates.benchmarks.operations import StaysForAReason
from app.duplicates.benchmarks.pages import candidate_near_page, leakage_page
from app.duplicates.benchmarks.receiving import Sent, sent_list
from app.duplicates.means import Asking
from app.errors import Refusal
from app.projects.access import Annotator, Lead
from app.web.forms import check
from app.web.found import found
from app.web.paging import PageNumber
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep
from app.web.words import plural

router = APIRouter(include_in_schema=False)
# Before the permission and its transaction on purpose: a list may take seconds to come and to be read.
Brought = Annotated[Sent, Depends(sent_list, scope="function")]
ListQuery = Annotated[int, Query(ge=0, le=10**15, alias="list")]


@router.get("/projects/{slug}/duplicates/leakage", name="duplicates:leakage")
def leakage(
    request: Request,
    access: Annotator,
    session: SessionDep,
    show: Literal["open", "settled"] = "open",
    only: ListQuery = 0,
    page: PageNumber = 1,
) -> Response:
    """All leaks: between the splits, and of train and dev beside each benchmark."""
    view = leakage_page(session, access, show=show, only=only, number=page)
    return render(request, "duplicates/leakage.html", view, session=session)


@router.post("/projects/{slug}/benchmarks", name="duplicates:add_benchmark")
def add(request: Request, sent: Brought, access: Lead, session: SessionDep) -> Response:
    """Name a file's prompts as a benchmark, or show the form again with what is the matter."""
    posted = check(ListForm, dict(sent.fields))
    errors = posted.errors
    if not errors:
        try:
            added, _ = operations.add_list(
                session, access.user, access.project, sent.require(), **posted.value.model_dump()
            )
        except Refusal as refusal:
            errors = {_field(refusal): refusal.message}
        else:
            words = f"{added.name} is named, {plural(added.prompts, 'prompt')}. Every example is compared with it now."
            return redirect(request, "duplicates:leakage", Flash("ok", words), slug=access.project.slug)
    view = leakage_page(session, access, typed=dict(sent.fields), errors=errors)
    return render(request, "duplicates/leakage.html", view, session=session, status=422)


def _field(refusal: Refusal) -> str:
    """The field that a refusal is about."""
    about = {operations.BadListName: "name", operations.ListNameTaken: "name", operations.BadListUrl: "url"}
    return about.get(type(refusal), "licence" if isinstance(refusal, operations.BadListLicence) else "file")


@router.post("/projects/{slug}/benchmarks/{list_id}/removal", name="duplicates:remove_benchmark")
def remove(request: Request, access: Lead, session: SessionDep, list_id: int) -> Response:
    """Take a list away with all that was found near to it."""
    benchmark = found(session, queries.list_in(access.project.id, list_id))
    name = benchmark.name
    operations.remove_list(session, access.user, access.project, benchmark)
    flash = Flash("ok", f"{name} is removed; nothing is compared with it any more.")
    return redirect(request, "duplicates:leakage", flash, slug=access.project.slug)


@router.post("/projects/{slug}/benchmarks/matches/{match_id}/decision", name="duplicates:settle_benchmark")
def settle(
    request: Request, access: Lead, session: SessionDep, match_id: int, form: Annotated[MatchForm, Form()]
) -> Response:
    """Reject an example that is near to a benchmark, or keep it for a reason."""
    chosen = found(session, queries.match_in(access.project.id, match_id))
    try:
        done = operations.settle(session, access.user, access.project, chosen, form.verdict, form.reason)
    except StaysForAReason as refusal:
        view = leakage_page(
            session, access, only=form.benchmark, number=form.page, errors={"reason": refusal.message}, asked=match_id
        )
        return render(request, "duplicates/leakage.html", view, session=session, status=422)
    slug = access.project.slug
    undo_url = str(request.app.url_path_for("duplicates:undo_benchmark", slug=slug, match_id=match_id))
    stays = done.verdict is MatchVerdict.STAYS
    words = f"Example {done.example_id} may stay." if stays else f"Example {done.example_id} is rejected."
    query = f"list={form.benchmark}&page={form.page}"
    return redirect(request, "duplicates:leakage", Flash("ok", words, undo_url=undo_url), slug=slug, query=query)


@router.post("/projects/{slug}/benchmarks/matches/{match_id}/reversal", name="duplicates:undo_benchmark")
def undo(request: Request, access: Lead, session: SessionDep, match_id: int) -> Response:
    """Open a match again, with everything as it was before the decision."""
    chosen = found(session, queries.match_in(access.project.id, match_id))
    operations.undo(session, access.user, access.project, chosen)
    flash = Flash("ok", "Undone: this is open again.")
    return redirect(request, "duplicates:leakage", flash, slug=access.project.slug)


@router.get("/projects/{slug}/candidates/{candidate_id}/benchmarks", name="duplicates:candidate_benchmarks")
def candidate(request: Request, access: Annotator, session: SessionDep, candidate_id: int) -> Response:
    """The benchmarks that a candidate is near to: a line beside it, or a page."""
    asking = Asking(request.app.state.database, request.app.state.settings)
    view = candidate_near_page(
        session, access, asking, found(session, queries.candidate_in(access.project.id, candidate_id))
    )  # fmt: skip
    return render(
        request, "duplicates/candidate_benchmarks.html", view, session=session, fragments=("candidate_benchmarks",)
    )
