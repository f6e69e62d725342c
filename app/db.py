"""The one place that opens, commits and closes transactions, on SQLite and on PostgreSQL.

Application code never commits: a request, a CLI command or one step of a job is one transaction, opened by
`Database.reading` or `Database.writing` and committed when the block ends without an exception.
"""

import enum
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, ClassVar

import psycopg
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Integer, MetaData, String, create_engine, event, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import InvalidatePoolError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeDecorator

from app.config import ROOT, Settings
from app.errors import Refusal
from app.turns import Line, Turns, wait_for

# WAL in 3.7.0 to 3.51.2 can corrupt a database when a reset meets a checkpoint; see docs/decisions.
FIRST_SAFE_WAL = (3, 51, 3)
# So long a writer waits for another one, on either database; then it is told so.
PATIENCE = 30.0
# Dated letters, named by their revisions: the last by name is the newest.
MIGRATIONS = ROOT / "migrations" / "versions"
# In a session's `info`: the Database that opened it.
DATABASE = "database"


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
# Nothing is NULL here, not the JSON word null, so that a query can ask for it.
MaybeJson = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
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


class Database:
    """An engine and the two ways to use it."""

    def __init__(self, settings: Settings) -> None:
        """Build the engine; nothing is opened yet."""
        self.settings = settings
        self.url = settings.url
        self.engine = build_engine(settings.url)
        self.turns = Turns(settings.web_threads, one_writer=self.engine.dialect.name == "sqlite")
        self._line = line_before(settings.url)
        # SQLite refuses a read-then-write transaction at once when somebody else wrote in between,
        # whatever busy_timeout says; BEGIN IMMEDIATE waits in line instead.
        self._writing = self.engine.execution_options(begin="IMMEDIATE")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session whose changes, if any, are thrown away."""
        with Session(self.engine, expire_on_commit=False, info={DATABASE: self}) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session in one write transaction: committed at the end of the block, rolled back by an exception."""
        opened = Session(self._writing, expire_on_commit=False, info={DATABASE: self})
        with opened as session, session.begin():
            try:
                yield session
            except BaseException:
                # A rollback expires what was loaded, and the page of the refusal still names the person.
                session.expunge_all()
                raise

    def wanted(self) -> bool:
        """Whether somebody waits to write who has to wait for whoever writes now; a question of microseconds."""
        return self._line is not None and self._line.wanted()

    def migrate(self) -> None:
        """Bring the schema to the newest revision; harmless when it is there already, safe to run twice at once."""
        if self._is_newest():
            return
        # Half a second to load, which hardly any command needs.
        from alembic import command
        from alembic.config import Config

        config = Config(ROOT / "alembic.ini")
        config.set_main_option("sqlalchemy.url", self.url.replace("%", "%%"))
        command.upgrade(config, "head")

    def _is_newest(self) -> bool:
        """Whether nothing is left to migrate: asked by reading alone, so that nobody waits for a writer's turn."""
        newest = max(path.name for path in MIGRATIONS.glob("*.py"))
        with self.engine.connect() as connection:
            if not connection.dialect.has_table(connection, "alembic_version"):
                return False
            held = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
        return held == ["_".join(newest.split("_")[:2])]

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
    return _postgresql_engine(parsed)


def _postgresql_engine(url: URL) -> Engine:
    # What the URL says itself is left as it is.
    keepalives = {name: value for name, value in KEEPALIVES.items() if name not in url.query}
    engine = create_engine(url, pool_size=MOST_RESTING, connect_args=keepalives)
    event.listen(engine, "connect", _prepare_postgresql)
    event.listen(engine, "checkin", _note_rest)
    event.listen(engine, "checkout", partial(_ask_the_rested, engine))
    event.listen(engine, "begin", _begin_postgresql)
    return engine


# As many connections are kept as requests are usually under way: to open one takes longer than most requests.
MOST_RESTING = 8
# Whether a connection still stands is asked of those that have rested longer; before each request it would be one
# question in eight.
RESTED = 1.0


# A peer whose machine is gone is noticed within a minute and not within hours: until then its locks are held.
KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
_AT_THE_SERVER = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60s",
    # A server goes on with a statement whose client was killed, and keeps what it has locked, unless it looks.
    "client_connection_check_interval": "2s",
    # Helpers take longer to start than a page may take: only what would run for a good tenth of a second gets any.
    "parallel_setup_cost": "20000",
}


def _prepare_postgresql(connection: Any, record: Any) -> None:
    _note_rest(connection, record)
    connection.autocommit = True  # we say BEGIN ourselves, see _begin_postgresql
    for name, value in _AT_THE_SERVER.items():
        with suppress(psycopg.Error):  # a server that is older, or of a system that has no such thing
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))


def _note_rest(_connection: Any, record: Any) -> None:
    record.info["rests since"] = monotonic()


def _ask_the_rested(engine: Engine, connection: Any, record: Any, _proxy: Any) -> None:
    """Have the pool begin anew, with all its connections, where one that has rested does not stand any more."""
    if monotonic() - record.info.get("rests since", 0.0) < RESTED:
        return
    try:
        engine.dialect.do_ping(connection)
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _begin_postgresql(connection: Connection) -> None:
    begin = "BEGIN"
    if connection.get_execution_options().get("begin") == "IMMEDIATE":
        # In one message: the driver would wait for the answer to each. A worker that stands still within a transaction
        # would keep its job from all others.
        begin += f"; SET LOCAL lock_timeout = '{1000 * PATIENCE:.0f}ms'"
        begin += "; SET LOCAL idle_in_transaction_session_timeout = '5min'"
    _driver(connection).execute(begin, prepare=False)


def _driver(connection: Connection) -> Any:
    """The driver's own connection, for what is no statement of ours."""
    return connection.connection.driver_connection


def line_before(url: str) -> Line | None:
    """The line of those who write to a SQLite file; None where the database keeps writers in order itself."""
    parsed = make_url(url)
    file = parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}
    return Line(Path(str(parsed.database))) if file else None


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, module=sqlite_module(), connect_args={"check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", partial(_begin_sqlite, line_before(url)))
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
    connection.execute(f"PRAGMA busy_timeout = {1000 * PATIENCE:.0f}")
    connection.execute(f"PRAGMA journal_mode = {'WAL' if safe_wal else 'DELETE'}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(line: Line | None, connection: Connection) -> None:
    kind = connection.get_execution_options().get("begin", "DEFERRED")
    if kind == "IMMEDIATE" and line is not None:
        with line.next(PATIENCE):
            _begin_writing(connection)
    else:
        connection.exec_driver_sql(f"BEGIN {kind}")


def _begin_writing(connection: Connection) -> None:
    """BEGIN IMMEDIATE, tried each millisecond; raises OperationalError when its time has come."""
    driver = _driver(connection)

    def begun() -> bool:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite_module().OperationalError as error:
            if "locked" not in str(error):
                raise
            return False
        return True

    # SQLite itself would look again after up to a tenth of a second.
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        if not wait_for(begun, monotonic() + PATIENCE):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout = {1000 * PATIENCE:.0f}")


@contextmanager
def within(session: Session, seconds: float, otherwise: Refusal) -> Iterator[None]:
    """End what the block asks the database once it has taken so long, and raise `otherwise`."""
    limit = _sqlite_limit if session.get_bind().dialect.name == "sqlite" else _postgresql_limit
    try:
        with limit(session, seconds):
            yield
    except OperationalError as error:
        if any(said in str(error.orig) for said in ("interrupted", "statement timeout")):
            raise otherwise from error
        raise


@contextmanager
def _sqlite_limit(session: Session, seconds: float) -> Iterator[None]:
    connection: Any = session.connection().connection.driver_connection
    until = monotonic() + seconds
    # Every ten thousand steps of SQLite's machine, about a millisecond, it asks whether to stop.
    connection.set_progress_handler(lambda: monotonic() > until, 10_000)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


@contextmanager
def _postgresql_limit(session: Session, seconds: float) -> Iterator[None]:
    session.execute(text("SELECT set_config('statement_timeout', :limit, true)"), {"limit": f"{1000 * seconds:.0f}"})
    yield  # not put back after an error: the transaction is void, and so is what was set in it
    session.execute(text("SET LOCAL statement_timeout TO DEFAULT"))


__all__ = [
    "Base", "BigId", "CreatedAt", "Database", "Json", "Mapped", "MaybeJson", "PrimaryKey", "UtcDateTime",
    "build_engine", "choice", "mapped_column", "now", "sqlite_module", "within",
]  # fmt: skip
