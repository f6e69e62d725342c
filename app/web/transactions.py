"""One request is one transaction: it waits for its turn, begins it, and commits before its answer leaves."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import Depends, Request
from sqlalchemy.orm import Session

from app.db import Database

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def reads_only(route: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a route that is posted to for the sake of a long text and changes nothing: it stands in no writer's way."""
    route.reads_only = True  # type: ignore[attr-defined]
    return route


async def get_session(request: Request) -> AsyncIterator[Session]:
    """The request's one transaction: writing for unsafe methods, unless the route `reads_only`; reading otherwise."""
    database: Database = request.app.state.database
    reads = request.method in SAFE_METHODS or getattr(request.scope.get("endpoint"), "reads_only", False)
    writes = not reads
    opened = database.writing() if writes else database.reading()
    async with database.turns.turn(writes=writes), _ended_in_thread(opened) as session:
        yield session


@asynccontextmanager
async def _ended_in_thread(opened: AbstractContextManager[Session]) -> AsyncIterator[Session]:
    """A session that begins here, which asks the database nothing, and ends in a thread, which waits for a commit."""
    session = opened.__enter__()
    # A thread of its own: those of the pool may all wait for what this one lets go.
    thread = anyio.CapacityLimiter(1)
    try:
        yield session
    except BaseException as error:
        with anyio.CancelScope(shield=True):
            end = partial(opened.__exit__, type(error), error, error.__traceback__)
            handled = await anyio.to_thread.run_sync(end, limiter=thread)
        if not handled:
            raise
    else:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(opened.__exit__, None, None, None, limiter=thread)


# Function scope: the commit happens before the response leaves, so a failed commit can still say so.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]
