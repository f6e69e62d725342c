"""House style: remarks on what is written, a project's rules, its guide and models, and how its people write."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.errors import Refusal
from app.examples import queries, style_operations
from app.examples.models import Example
from app.examples.style_forms import LeaveForm, ModelForm, StyleForm, rules_typed
from app.examples.style_pages import guide_page, style_page, voices_page
from app.examples.style_remarks import RemarksPage, saved_remarks, typed_remarks
from app.projects.access import Annotator, Lead, ProjectAccess, Reading
from app.web.forms import Typed, check
from app.web.templating import Flash, redirect, render, targeted_block
from app.web.transactions import SessionDep, reads_only

router = APIRouter(include_in_schema=False)


@router.post("/projects/{slug}/remarks", name="examples:remarks_new")
@reads_only
def remarks_new(request: Request, session: SessionDep, access: Reading, typed: Typed) -> Response:
    """The remarks on what is typed into an example that is not made yet; nothing is saved."""
    return _remarks(request, session, typed_remarks(session, access, None, typed))


@router.post("/projects/{slug}/examples/{example_id}/remarks", name="examples:remarks")
@reads_only
def remarks(request: Request, session: SessionDep, access: Reading, example_id: int, typed: Typed) -> Response:
    """The remarks on what is typed into an example; nothing is saved."""
    return _remarks(request, session, typed_remarks(session, access, _example(session, access, example_id), typed))


@router.get("/projects/{slug}/examples/{example_id}/remarks", name="examples:saved_remarks")
def saved(request: Request, session: SessionDep, access: Annotator, example_id: int) -> Response:
    """The remarks on the newest revision, a page of their own."""
    return _remarks(request, session, saved_remarks(session, access, _example(session, access, example_id)))


@router.post("/projects/{slug}/examples/{example_id}/remarks/leaving", name="examples:leave_remark")
def leave(request: Request, session: SessionDep, access: Annotator, example_id: int, typed: Typed) -> Response:
    """Leave a remark as it is for this example, or speak of it again; the desk stays as it was typed."""
    example = _example(session, access, example_id)
    posted = check(LeaveForm, {name: typed[name] for name in ("remark", "leave") if name in typed})
    if posted.errors:
        raise Refusal("There is no such remark; nothing was changed.")
    if posted.value.leave == "yes":
        style_operations.leave_remark(session, access.user, access.project, example, posted.value.remark)
    else:
        style_operations.take_up_remark(session, access.project, example, posted.value.remark)
    if targeted_block(request) == "remarks":
        return _remarks(request, session, typed_remarks(session, access, example, typed))
    said = "Left as it is." if posted.value.leave == "yes" else "It is remarked upon again."
    return redirect(
        request, "examples:saved_remarks", Flash("ok", said), slug=access.project.slug, example_id=example_id
    )


@router.get("/projects/{slug}/style", name="examples:style")
def style(request: Request, session: SessionDep, access: Annotator) -> Response:
    """The rules of the project's house style, each with its reason: to read for all, to set for its leads."""
    return render(request, "examples/style.html", style_page(session, access), session=session)


@router.post("/projects/{slug}/style", name="examples:set_style")
def set_style(request: Request, session: SessionDep, access: Lead, typed: Typed) -> Response:
    """Save the rules as posted, or count what they would say; what does not fit is named beside the form."""
    form = check(StyleForm, {"act": typed.get("act", "save")})
    try:
        with session.begin_nested():
            if form.errors or form.value.act == "count":
                return _style(request, session, access, typed)
            style_operations.set_style(session, access.user, access.project, rules_typed(typed))
    except Refusal as refusal:
        return _style(request, session, access, typed, refusal)
    return redirect(request, "examples:style", Flash("ok", "The house style is saved."), slug=access.project.slug)


def _style(
    request: Request, session: Session, access: ProjectAccess, typed: Mapping[str, str], refusal: Refusal | None = None
) -> Response:
    page = style_page(session, access, typed, refusal.message if refusal else "")
    status = refusal.status if refusal else 200
    return render(request, "examples/style.html", page, session=session, fragments=("counted",), status=status)


@router.get("/projects/{slug}/style/guide", name="examples:guide")
def guide(request: Request, session: SessionDep, access: Annotator) -> Response:
    """The style guide and the model examples: a page, and a panel of the desk."""
    page = guide_page(session, access)
    return render(request, "examples/style_guide.html", page, session=session, fragments=("guide",))


@router.get("/projects/{slug}/style/voices", name="examples:voices")
def voices(request: Request, session: SessionDep, access: Annotator) -> Response:
    """How each of the project's people writes, by name."""
    return render(request, "examples/style_voices.html", voices_page(session, access), session=session)


@router.post("/projects/{slug}/style/models", name="examples:model")
def model(request: Request, session: SessionDep, access: Lead, typed: Typed) -> Response:
    """Show an approved example as a model, or no longer."""
    form = check(ModelForm, typed)
    if form.errors:
        return _guide(request, session, access, typed, "The number of an example here is needed.", 422)
    number, shown = form.value.example, form.value.shown == "yes"
    try:
        with session.begin_nested():
            example = _example(session, access, number)
            style_operations.set_model(session, access.user, access.project, example, shown=shown)
    except Refusal as refusal:
        return _guide(request, session, access, typed, refusal.message, refusal.status)
    said = f"Example {number} is shown as a model." if shown else f"Example {number} is no longer a model."
    if form.value.back == "guide":
        return redirect(request, "examples:guide", Flash("ok", said), slug=access.project.slug)
    back = "examples:edit" if form.value.back == "desk" else "examples:history"
    return redirect(request, back, Flash("ok", said), slug=access.project.slug, example_id=number)


def _guide(
    request: Request, session: Session, access: ProjectAccess, typed: Mapping[str, str], problem: str, status: int
) -> Response:
    page = guide_page(session, access, typed.get("example", ""), problem)
    return render(request, "examples/style_guide.html", page, session=session, status=status)


def _example(session: Session, access: ProjectAccess, example_id: int) -> Example:
    return queries.example_in(session, access.project.id, example_id)


def _remarks(request: Request, session: Session, page: RemarksPage) -> Response:
    return render(request, "examples/style_remarks.html", page, session=session, fragments=("remarks",))
