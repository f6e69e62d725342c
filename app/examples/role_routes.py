"""Group and flags of an example: a part of the desk, and a page of its own without scripts."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from app.examples import queries, roles
from app.examples.role_forms import RolesForm
from app.examples.role_pages import roles_panel
from app.projects.access import Annotator
from app.web.templating import Flash, redirect, render, targeted_block
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/projects/{slug}/examples/{example_id}/roles", name="examples:roles")
def show(request: Request, session: SessionDep, access: Annotator, example_id: int, unfolded: bool = True) -> Response:
    """Group and flags, with what the words suggest."""
    example = queries.example_in(session, access.project.id, example_id)
    panel = roles_panel(session, access, example, unfolded=unfolded)
    return render(request, "examples/roles.html", panel, session=session, fragments=("roles",))


@router.post("/projects/{slug}/examples/{example_id}/roles", name="examples:set_roles")
def set_roles(
    request: Request, session: SessionDep, access: Annotator, example_id: int, form: Annotated[RolesForm, Form()]
) -> Response:
    """Set them."""
    example = queries.example_in(session, access.project.id, example_id)
    wanted = roles.changed(roles.roles_of(example), form.model_dump())
    roles.set_roles(session, access.user, example, wanted)
    here = targeted_block(request) == "roles"
    said = None if here else Flash("ok", "What this prompt is, is saved.")
    place = "examples:roles" if here else "examples:edit"
    return redirect(request, place, said, slug=access.project.slug, example_id=example_id)
