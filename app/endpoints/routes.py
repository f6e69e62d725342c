"""Model servers: registered, tested, changed, given another key, removed; by admins of the installation."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.accounts.access import Admin, SignedIn
from app.accounts.models import Role
from app.config import Settings
from app.endpoints import operations, queries
from app.endpoints.addresses import BadAddress
from app.endpoints.forms import ChangeForm, EndpointForm, KeyForm
from app.endpoints.pages import endpoints_page
from app.errors import Refusal
from app.web.forms import Posted, posted
from app.web.found import found
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@router.get("/endpoints", name="endpoints:index", dependencies=[Depends(SignedIn(Role.ADMIN))])
def index(request: Request, session: SessionDep) -> Response:
    """The registered model servers."""
    return _page(request, session, {}, {}, 200)


def _page(
    request: Request, session: Session, typed: Mapping[str, str], errors: Mapping[str, str], status: int
) -> Response:
    page = endpoints_page(session, typed, errors)
    return render(request, "endpoints/index.html", page, session=session, fragments=("endpoint_rows",), status=status)


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


@router.post("/endpoints", name="endpoints:create")
def create(
    request: Request,
    access: Admin,
    session: SessionDep,
    form: Annotated[Posted[EndpointForm], Depends(posted(EndpointForm))],
) -> Response:
    """Register one and test it at once."""
    if form.errors:
        return _page(request, session, form.typed, form.errors, 422)
    try:
        endpoint = operations.add_endpoint(session, _settings(request), access.user, form.value.as_wanted())
    except Refusal as refusal:
        place = "url" if isinstance(refusal, BadAddress) else "form"
        return _page(request, session, form.typed, {place: refusal.message}, refusal.status)
    operations.test_endpoint(session, access.user, endpoint)
    return redirect(request, "endpoints:index", Flash("ok", f"{endpoint.name} is registered and being tested."))


@router.post("/endpoints/{endpoint_id}/test", name="endpoints:test")
def test(request: Request, access: Admin, session: SessionDep, endpoint_id: int) -> Response:
    """Ask it one word, by a job."""
    operations.test_endpoint(session, access.user, found(session, queries.endpoint_of(endpoint_id)))
    return redirect(request, "endpoints:index")


@router.post("/endpoints/{endpoint_id}/change", name="endpoints:edit")
def edit(
    request: Request,
    access: Admin,
    session: SessionDep,
    endpoint_id: int,
    form: Annotated[Posted[ChangeForm], Depends(posted(ChangeForm))],
) -> Response:
    """Ask another model there, or wait another time, and test it at once."""
    endpoint = found(session, queries.endpoint_of(endpoint_id))
    if form.errors:
        words = " ".join(f"{name.replace('_', ' ').capitalize()}: {said}" for name, said in form.errors.items())
        return _page(request, session, {}, {"form": f"Nothing of {endpoint.name} was changed. {words}"}, 422)
    if not operations.edit_endpoint(session, access.user, endpoint, **form.value.model_dump()):
        return redirect(request, "endpoints:index", Flash("info", f"{endpoint.name} is as it was."))
    operations.test_endpoint(session, access.user, endpoint)
    return redirect(request, "endpoints:index", Flash("ok", f"{endpoint.name} is changed and being tested."))


@router.post("/endpoints/{endpoint_id}/key", name="endpoints:key")
def key(
    request: Request,
    access: Admin,
    session: SessionDep,
    endpoint_id: int,
    form: Annotated[Posted[KeyForm], Depends(posted(KeyForm))],
) -> Response:
    """Put another key in place of the one that is there."""
    endpoint = found(session, queries.endpoint_of(endpoint_id))
    if form.errors:
        return _page(request, session, {}, {"form": "That is no API key; the one that was there stays."}, 422)
    operations.set_key(session, _settings(request), access.user, endpoint, form.value.api_key)
    words = f"{endpoint.name} {'has another key' if form.value.api_key else 'is asked without a key'}; test it."
    return redirect(request, "endpoints:index", Flash("ok", words))


@router.post("/endpoints/{endpoint_id}/removal", name="endpoints:remove")
def remove(request: Request, access: Admin, session: SessionDep, endpoint_id: int) -> Response:
    """Forget one with its key."""
    endpoint = found(session, queries.endpoint_of(endpoint_id))
    name = endpoint.name
    operations.remove_endpoint(session, access.user, endpoint)
    return redirect(request, "endpoints:index", Flash("ok", f"{name} and its key are gone; what it suggested stays."))
