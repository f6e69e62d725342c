"""The page of gates: what each found, what settles it, what the project makes of it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from app.datasets import gate_operations
from app.datasets.gate_forms import LicenceForm, PairForm, PolicyForm
from app.datasets.gate_pages import gates_page
from app.errors import Refusal
from app.examples import licensing
from app.projects.access import Annotator, Lead
from app.web.forms import Posted, Typed, posted
from app.web.paging import PageNumber
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep
from app.web.words import plural

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/gates", name="datasets:gates")
def gates(
    request: Request, session: SessionDep, access: Annotator, gate: str | None = None, page: PageNumber = 1
) -> Response:
    """Every gate with the first of what it found, or one gate with all of it."""
    return render(request, "datasets/gates.html", gates_page(session, access, gate, page), session=session)


@router.post("/projects/{slug}/gates", name="datasets:set_gate")
def set_gate(request: Request, session: SessionDep, access: Lead, form: Annotated[PolicyForm, Form()]) -> Response:
    """Set what the findings of one gate mean."""
    gate_operations.set_gates(session, access.user, access.project, {form.gate: form.policy})
    return redirect(request, "datasets:gates", slug=access.project.slug)


@router.post("/projects/{slug}/gates/style", name="datasets:set_gate_rules")
def set_rules(request: Request, session: SessionDep, access: Lead, typed: Typed) -> Response:
    """Choose the rules of house style whose remarks count."""
    gate_operations.set_gates(session, access.user, access.project, {}, list(typed))
    return redirect(request, "datasets:gates", slug=access.project.slug)


@router.post("/projects/{slug}/gates/leakage", name="datasets:settle_leak")
def settle(request: Request, session: SessionDep, access: Annotator, form: Annotated[PairForm, Form()]) -> Response:
    """Put two prompts that stand between splits among the duplicates, and go there to settle them."""
    pairs = gate_operations.put_up_leaks(session, access.project, frozenset((form.left, form.right)))
    return redirect(request, "duplicates:pair", slug=access.project.slug, pair_id=pairs[0].id)


@router.post("/projects/{slug}/gates/licences", name="datasets:give_licence")
def give_licence(
    request: Request,
    session: SessionDep,
    access: Lead,
    form: Annotated[Posted[LicenceForm], Depends(posted(LicenceForm))],
) -> Response:
    """Put what has no licence under one, and name an author where nobody is named."""
    problem = "" if not form.errors else next(iter(form.errors.values()))
    if not problem:
        try:
            given = licensing.give_licence(
                session, access.user, access.project, licence=form.value.licence, author=form.value.author
            )
        except Refusal as refusal:
            problem = refusal.message
        else:
            said = f"{plural(given.licensed, 'example')} got a licence, {plural(given.credited, 'example')} a name."
            return redirect(request, "datasets:gates", Flash("ok", said), slug=access.project.slug)
    page = gates_page(session, access, typed=form.typed, problem=problem)
    return render(request, "datasets/gates.html", page, session=session, status=422)
