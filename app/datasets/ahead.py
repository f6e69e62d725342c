"""What a freeze by page or API asks of its gates is asked before its transaction too, where nobody waits for it.

Once in a process gates load libraries, the project's tokenizer and what tells languages, and read a thousand texts, in
some seconds; they remember it all. Within the transaction everybody else who writes would wait for that.
"""

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from app.accounts.models import Role
from app.datasets import operations
from app.db import Database
from app.projects.access import Member


async def read_ahead(request: Request, slug: str) -> None:
    """Have the gates read what is approved, for whoever may freeze it; the route declares its permission as well."""
    database: Database = request.app.state.database
    async with database.turns.turn(writes=False):
        await run_in_threadpool(_read, request, database, slug)


def _read(request: Request, database: Database, slug: str) -> None:
    with database.reading() as session:
        Member(Role.ADMIN)(request, slug, session)
        operations.read_ahead(session, slug)
