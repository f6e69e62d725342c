"""A PostgreSQL database that tests have one after the other is each time as the migrations left it."""

from collections.abc import Callable
from contextlib import contextmanager

import psycopg
import pytest

from app.config import Settings
from app.db import Database
from tests import factories

pytestmark = pytest.mark.usefixtures("database_url")


@pytest.fixture
def lent(backend, request) -> Callable:
    """`with lent() as url` has a database and gives it back."""
    if backend != "postgresql":
        pytest.skip("on SQLite each test has a copy of the template's file")
    return contextmanager(request.getfixturevalue("emptied").lend)


def number_of(url: str) -> int:
    """By which the server knows the database, whatever it is called."""
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()[0]


def test_the_next_finds_no_row_and_counts_from_one(lent):
    seen = []
    for _ in range(2):
        with lent() as url:
            database = Database(Settings(database_url=url))
            with database.writing() as session:
                seen.append((number_of(url), factories.people(session).project.id))
        # Still connected until now, as by a test that forgets.
        database.dispose()
    assert seen[0] == seen[1]
    assert seen[0][1] == 1
    with lent() as url, psycopg.connect(url) as connection:
        assert connection.execute('SELECT count(*) FROM "user"').fetchone() == (0,)


@pytest.mark.parametrize(
    "change",
    [
        'ALTER TABLE "user" ADD COLUMN more text',
        'DROP INDEX "ix__login_session_user_id"',
        "DELETE FROM alembic_version",
        "CREATE SCHEMA more",
    ],
)
def test_where_more_than_rows_was_changed_nobody_has_it_again(lent, change):
    with lent() as url, psycopg.connect(url) as connection:
        connection.execute(change)
        first = number_of(url)
    with lent() as url:
        assert number_of(url) != first
