"""/api/v1: model servers. The same operations as the page; a key goes in and never comes out."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from app.accounts.access import Admin, SignedIn
from app.config import Settings
from app.endpoints import operations, queries
from app.endpoints.forms import ChangeForm, EndpointForm, KeyForm
from app.endpoints.models import Endpoint
from app.endpoints.operations import endpoint_document
from app.web.found import found
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["endpoints"], responses=REFUSALS)


class EndpointOut(BaseModel):
    """A model server; `seconds` and `error` are of its last test."""

    id: int
    name: str
    url: str
    host: str
    model: str
    inside: bool
    with_key: bool
    timeout_seconds: int
    state: str = Field(description="untested, testing, answers or fails")
    seconds: float | None
    error: str | None
    tested_at: str | None


def _out(endpoint: Endpoint) -> EndpointOut:
    return EndpointOut.model_validate(endpoint_document(endpoint))


def _settings(request: Request) -> Settings:
    settings: Any = request.app.state.settings
    assert isinstance(settings, Settings)
    return settings


@router.get("/endpoints", name="api:endpoints", dependencies=[Depends(SignedIn())])
def list_endpoints(session: SessionDep) -> list[EndpointOut]:
    """The registered model servers, by name."""
    return [_out(endpoint) for endpoint in session.scalars(queries.endpoints())]


@router.post("/endpoints", name="api:add_endpoint", status_code=201)
def add_endpoint(request: Request, access: Admin, session: SessionDep, body: EndpointForm) -> EndpointOut:
    """Register one."""
    return _out(operations.add_endpoint(session, _settings(request), access.user, body.as_wanted()))


@router.post("/endpoints/{endpoint_id}/test", name="api:test_endpoint", status_code=202)
def test_endpoint(access: Admin, session: SessionDep, endpoint_id: int) -> EndpointOut:
    """Ask it one word, by a job; look again in the list."""
    endpoint = found(session, queries.endpoint_of(endpoint_id))
    operations.test_endpoint(session, access.user, endpoint)
    return _out(endpoint)


@router.patch("/endpoints/{endpoint_id}", name="api:edit_endpoint")
def edit_endpoint(access: Admin, session: SessionDep, endpoint_id: int, body: ChangeForm) -> EndpointOut:
    """Ask another model there, or wait another time; its key stays, and it is untested again."""
    endpoint = found(session, queries.endpoint_of(endpoint_id))
    operations.edit_endpoint(session, access.user, endpoint, **body.model_dump())
    return _out(endpoint)


@router.put("/endpoints/{endpoint_id}/key", name="api:set_endpoint_key")
def set_key(request: Request, access: Admin, session: SessionDep, endpoint_id: int, body: KeyForm) -> EndpointOut:
    """Put another key in place of the one that is there; empty takes it away."""
    endpoint = found(session, queries.endpoint_of(endpoint_id))
    operations.set_key(session, _settings(request), access.user, endpoint, body.api_key)
    return _out(endpoint)


@router.delete("/endpoints/{endpoint_id}", name="api:remove_endpoint", status_code=204)
def remove_endpoint(access: Admin, session: SessionDep, endpoint_id: int) -> None:
    """Forget one with its key."""
    operations.remove_endpoint(session, access.user, found(session, queries.endpoint_of(endpoint_id)))
