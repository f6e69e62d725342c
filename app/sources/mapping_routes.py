"""Saved mappings of columns as a page: the same operations as the API and the command line."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import StringConstraints

from app.errors import Refusal
from app.projects.access import Annotator
from app.sources import mappings
from app.sources.excerpts import visible
from app.sources.mappingpage import Renaming, mappings_page
from app.web import forms
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


class ChosenMapping(forms.Form):
    """Which mapping is meant; names have slashes and dots, so they stand in no address."""

    mapping: Annotated[forms.Text, StringConstraints(min_length=1, max_length=mappings.LONGEST)]


class NewName(ChosenMapping):
    """What it is called from now on; what does not fit is said by the operation."""

    name: Annotated[forms.Text, StringConstraints(max_length=1000)] = ""


@router.get("/projects/{slug}/sources/mappings", name="sources:mappings")
def saved(request: Request, access: Annotator, session: SessionDep) -> Response:
    """How tables were mapped in this project."""
    return render(request, "sources/mappings.html", mappings_page(session, access), session=session)


@router.post("/projects/{slug}/sources/mappings/name", name="sources:rename_mapping")
def rename(request: Request, access: Annotator, session: SessionDep, wanted: Annotated[NewName, Form()]) -> Response:
    """Call a mapping otherwise; a name that does not fit comes back with the reason."""
    mapping = mappings.mapping_named(session, access.project, wanted.mapping)
    try:
        mappings.rename_mapping(session, access.user, access.project, mapping, wanted.name)
    except Refusal as refusal:
        if refusal.status not in {409, 422}:
            raise
        page = mappings_page(session, access, Renaming(wanted.mapping, wanted.name, refusal.message))
        return render(request, "sources/mappings.html", page, session=session, status=refusal.status)
    words = f"The mapping is called {visible(mapping.name)} now."
    return redirect(request, "sources:mappings", Flash("ok", words), slug=access.project.slug)


@router.post("/projects/{slug}/sources/mappings/deletion", name="sources:delete_mapping")
def delete(
    request: Request,
    access: Annotator,
    session: SessionDep,
    chosen: Annotated[ChosenMapping, Form()],
) -> Response:
    """Remove a mapping; what was imported by it stays."""
    mapping = mappings.mapping_named(session, access.project, chosen.mapping)
    mappings.forget_mapping(session, access.user, access.project, mapping)
    words = f"The mapping {visible(mapping.name)} is deleted; what was imported by it stays."
    return redirect(request, "sources:mappings", Flash("ok", words), slug=access.project.slug)
