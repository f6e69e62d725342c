"""A project with the fixed set approved in it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.db import Database
from tests import factories
from tests.datasets.material import fixed_set
from tests.datasets.publishing_room import hub, room  # noqa: F401 - fixtures of the tests of publishing


@pytest.fixture
def kitchen(database: Database, people: factories.People) -> factories.People:
    with database.writing() as session:
        fixed_set(session, people.project, people.annotator, people.reviewer)
    return people


@pytest.fixture
def unguarded(database: Database, backend: str) -> Callable[..., None]:
    """`unguarded(statement, **values)` runs a statement as somebody would who has the database's password."""

    def run(statement: str, **values: Any) -> None:
        with database.writing() as session:
            for table in ("version", "version_row"):
                for act in ("update", "delete", "truncate" if backend == "postgresql" else "insert"):
                    on = f" ON {table}" if backend == "postgresql" else ""
                    session.execute(text(f"DROP TRIGGER IF EXISTS frozen_{table}_{act}{on}"))
            session.execute(text(statement), values)

    return run
