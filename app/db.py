"""The one place that opens, commits and closes transactions, on SQLite and on PostgreSQL.

Application code never commits: a request, a CLI command or one step of a job is one transaction, opened by
`Database.reading` or `Database.writing` and committed when the block ends without an exception.
"""

import enum
from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar
from weakref import WeakKeyDictionary

import anyio
from alembic import command as alembic_command
from alembic.config import Config as AlembicConfig
from fastapi import Depends, Request
from fastapi.concurrency import contextmanager_in_threadpool
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Integer, MetaData, String, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from app.config import ROOT, Settings
from app.errors import Refusal

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# WAL in 3.7.0 to 3.51.2 can corrupt a database when a reset meets a checkpoint; see docs/decisions.
FIRST_SAFE_WAL = (3, 51, 3)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time on both databases; SQLite alone would give naive ones back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse naive times: nobody knows what they mean."""
        if value is not None and value.tzinfo is None:
            raise ValueError("naive datetime")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give UTC back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


Json = JSON().with_variant(JSONB(), "postgresql")
BigId = BigInteger().with_variant(Integer, "sqlite")
PrimaryKey = Annotated[int, mapped_column(BigId, primary_key=True)]
CreatedAt = Annotated[datetime, mapped_column(UtcDateTime, default=now)]


def choice(kind: type[enum.Enum]) -> Enum:
    """A column type for a StrEnum: its values as text, no native type to migrate."""
    return Enum(kind, native_enum=False, length=32, values_callable=lambda members: [m.value for m in members])


class Base(DeclarativeBase):
    """Every mapped class; constraint and index names follow one convention."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix__%(column_0_N_label)s",
            "uq": "uq__%(table_name)s__%(column_0_N_name)s",
            "ck": "ck__%(table_name)s__%(constraint_name)s",
            "fk": "fk__%(table_name)s__%(column_0_N_name)s__%(referred_table_name)s",
            "pk": "pk__%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        datetime: UtcDateTime,
        dict[str, Any]: Json,
        list[Any]: Json,
        int: BigId,
        str: String,
    }


class Turns:
    """Who may go on: as many requests as there are threads, and on SQLite one that writes at a time, in their order.

    A request runs in several threads one after the other, so one that waited for a lock in a thread could hold up the
    very request that has the lock. Here it waits outside, holding nothing.
    """

    def __init__(self, threads: int, *, one_writer: bool) -> None:
        """Nothing is built yet: locks belong to an event loop, and tests have many."""
        self._threads = threads
        self._one_writer = one_writer
        self._lines: WeakKeyDictionary[AbstractEventLoop, tuple[anyio.Lock, anyio.Semaphore]] = WeakKeyDictionary()

    @asynccontextmanager
    async def turn(self, *, writes: bool) -> AsyncIterator[None]:
        """Wait in line, then run the block."""
        loop = get_running_loop()
        writers, everybody = self._lines.setdefault(loop, (anyio.Lock(), anyio.Semaphore(self._threads)))
        async with writers if writes and self._one_writer else nullcontext(), everybody:
            yield


class Database:
    """An engine and the two ways to use it."""

    def __init__(self, settings: Settings) -> None:
        """Build the engine; nothing is opened yet."""
        self.url = settings.url
        self.engine = build_engine(settings.url)
        self.turns = Turns(settings.web_threads, one_writer=self.engine.dialect.name == "sqlite")
        # SQLite refuses a read-then-write transaction at once when somebody else wrote in between,
        # whatever busy_timeout says; BEGIN IMMEDIATE waits in line instead.
        self._writing = self.engine.execution_options(begin="IMMEDIATE")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session whose changes, if any, are thrown away."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session in one write transaction: committed at the end of the block, rolled back by an exception."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            try:
                yield session
            except BaseException:
                # A rollback expires what was loaded, and the page of the refusal still names the person.
                session.expunge_all()
                raise

    def migrate(self) -> None:
        """Bring the schema to the newest revision; harmless when it is there already, safe to run twice at once."""
        config = AlembicConfig(ROOT / "alembic.ini")
        config.set_main_option("sqlalchemy.url", self.url.replace("%", "%%"))
        alembic_command.upgrade(config, "head")

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def build_engine(url: str) -> Engine:
    """An engine for a SQLite or PostgreSQL URL, with the guards that each needs. Raises Refusal for any other."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return _sqlite_engine(url)
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise Refusal(f"Handpicked keeps its data in SQLite or PostgreSQL, not in {parsed.get_backend_name()}.")
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed, pool_pre_ping=True)


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, module=sqlite_module(), connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def sqlite_module() -> Any:
    """The newest SQLite at hand: the pysqlite3 wheel where it exists, else the standard library's."""
    try:
        from pysqlite3 import dbapi2
    except ImportError:
        import sqlite3 as dbapi2
    return dbapi2


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    safe_wal = sqlite_module().sqlite_version_info >= FIRST_SAFE_WAL
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute(f"PRAGMA journal_mode = {'WAL' if safe_wal else 'DELETE'}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('begin', 'DEFERRED')}")


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
    async with database.turns.turn(writes=writes), contextmanager_in_threadpool(opened) as session:
        yield session


# Function scope: the commit happens before the response leaves, so a failed commit can still say so.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]

__all__ = [
    "Base", "BigId", "CreatedAt", "Database", "Json", "Mapped", "PrimaryKey", "SessionDep", "UtcDateTime",
    "build_engine", "choice", "get_session", "mapped_column", "now", "reads_only", "sqlite_module",
]  # fmt: skip
