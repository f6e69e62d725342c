"""Model servers."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.endpoints.models import Endpoint
from app.errors import NotFound


def endpoints() -> Select[Endpoint]:
    """All of them, by name."""
    return select(Endpoint).order_by(Endpoint.name)


def endpoint_of(endpoint_id: int) -> Select[Endpoint]:
    """One of them."""
    return select(Endpoint).where(Endpoint.id == endpoint_id)


def endpoint_by_name(session: Session, name: str) -> Endpoint | None:
    """The one of that name."""
    return session.scalar(select(Endpoint).where(Endpoint.name == name))


def named_endpoint(session: Session, name: str) -> Endpoint:
    """The one of that name, or NotFound."""
    endpoint = endpoint_by_name(session, name)
    if endpoint is None:
        raise NotFound(f"There is no model server called {name[:64]}; `handpicked endpoint list` names them.")
    return endpoint
