"""PostgreSQL databases that tests have one after the other: to empty one costs the server a tenth of a fresh copy."""

import time
from collections.abc import Iterator
from uuid import uuid4

import psycopg
from sqlalchemy.engine import make_url

OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
# Everything that a test may have changed which emptying tables does not take back.
SCHEMA = """
WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname NOT LIKE 'pg_%' AND nspname <> 'information_schema')
SELECT md5(string_agg(what, ' ' ORDER BY what)) FROM (
  SELECT 'revision ' || version_num FROM alembic_version
  UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE oid IN (SELECT oid FROM ours)
  UNION ALL SELECT concat_ws(' ', oid, relname, relkind, reloptions) FROM pg_class
    WHERE relnamespace IN (SELECT oid FROM ours)
  UNION ALL SELECT concat_ws(' ', attrelid, attnum, attname, atttypid, attnotnull, atthasdef) FROM pg_attribute
    WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace IN (SELECT oid FROM ours))
  UNION ALL SELECT concat_ws(' ', oid, conname, convalidated) FROM pg_constraint
  UNION ALL SELECT concat_ws(' ', oid, tgname, tgenabled) FROM pg_trigger
  UNION ALL SELECT concat_ws(' ', oid, proname, md5(prosrc)) FROM pg_proc WHERE pronamespace IN (SELECT oid FROM ours)
) AS found (what)
"""
# As a replica, so that neither triggers nor foreign keys ask in which order.
EMPTY = """
DO $$
DECLARE one name;
BEGIN
  PERFORM set_config('session_replication_role', 'replica', true);
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('DELETE FROM %I', one);
  END LOOP;
  FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
    PERFORM setval(quote_ident(one)::regclass, 1, false);
  END LOOP;
END $$
"""


class Emptied:
    """Lends databases that are as the migrations left them."""

    def __init__(self, template: str) -> None:
        """Copy nothing yet; `template` is the URL of a migrated, empty database."""
        self._template = make_url(template)
        self._free: list[str] = []
        # Kept: to begin a connection takes the server longer than to rename a database.
        self._administrator = psycopg.connect(self._url("postgres"), autocommit=True)
        with psycopg.connect(template, autocommit=True) as connection:
            self._schema = connection.execute(SCHEMA).fetchone()

    def lend(self) -> Iterator[str]:
        """The URL of a database that nobody else has; afterwards it is emptied, or dropped where that does not do."""
        name = f"test_{uuid4().hex[:12]}"
        # By a name of its own: what a process remembers of a database it remembers by its URL.
        if self._free:
            self._administer(f'ALTER DATABASE "{self._free.pop()}" RENAME TO "{name}"')
        else:
            # Copied as files, which without waiting for the disk takes a quarter of what it takes through the log.
            template = self._template.database
            self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        yield self._url(name)
        if self._empty(name):
            self._free.append(name)
        else:
            self._administer(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _url(self, name: str) -> str:
        return self._template.set(database=name).render_as_string(hide_password=False)

    def _administer(self, statement: str) -> None:
        self._administrator.execute(statement)

    def close(self) -> None:
        """Nothing more is lent."""
        self._administrator.close()

    def _empty(self, name: str) -> bool:
        """Whether it is empty now: not where a test changed more than rows, or where its connections do not end."""
        with psycopg.connect(self._url(name), autocommit=True) as connection:
            if not self._alone(connection) or connection.execute(SCHEMA).fetchone() != self._schema:
                return False
            try:
                connection.execute(EMPTY)
            except psycopg.errors.InsufficientPrivilege:  # a server whose user may not act as a replica
                return False
        return True

    def _alone(self, connection: psycopg.Connection) -> bool:
        until = time.monotonic() + 5
        while connection.execute(OTHERS).fetchall():
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True
