"""The page of model servers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.endpoints import queries
from app.endpoints.addresses import host_of
from app.endpoints.models import Endpoint
from app.web.words import duration


@dataclass(frozen=True)
class EndpointRow:
    """A model server; `said` is what its last test came to, in words."""

    id: int
    name: str
    model: str
    host: str
    url: str
    inside: bool
    with_key: bool
    timeout_seconds: int
    state: str
    said: str
    tested_at: datetime | None
    added_at: datetime


@dataclass(frozen=True)
class EndpointsPage:
    """All of them, and the form of a new one with what was typed; never with a key."""

    rows: Sequence[EndpointRow]
    typed: Mapping[str, str]
    errors: Mapping[str, str]

    @property
    def testing(self) -> bool:
        """Whether an answer is waited for."""
        return any(row.state == "testing" for row in self.rows)


def endpoints_page(session: Session, typed: Mapping[str, str], errors: Mapping[str, str]) -> EndpointsPage:
    """Model servers by name: a constant number of queries."""
    rows = [_row(endpoint) for endpoint in session.scalars(queries.endpoints())]
    return EndpointsPage(rows, {name: text for name, text in typed.items() if name != "api_key"}, errors)


def _row(endpoint: Endpoint) -> EndpointRow:
    return EndpointRow(
        id=endpoint.id,
        name=endpoint.name,
        model=endpoint.model,
        host=host_of(endpoint.base_url),
        url=endpoint.base_url,
        inside=endpoint.inside,
        with_key=endpoint.sealed_key is not None,
        timeout_seconds=endpoint.timeout_seconds,
        state=endpoint.state,
        said=said_of(endpoint),
        tested_at=endpoint.tested_at,
        added_at=endpoint.added_at,
    )


def said_of(endpoint: Endpoint) -> str:
    """What the last test came to: “answered in 0.8 s”, or the reason."""
    if endpoint.state == "answers":
        seconds = endpoint.test_seconds or 0.0
        return f"answered in {f'{seconds:.1f} s' if seconds < 60 else duration(seconds)}"
    return {"untested": "not tested yet", "testing": "being asked"}.get(endpoint.state, endpoint.test_error or "")
