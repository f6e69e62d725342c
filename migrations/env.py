"""Runs migrations in one transaction under one lock, so that two processes may start on an empty database."""

from alembic import context
from sqlalchemy import text

from app import orm
from app.config import Settings
from app.db import build_engine

MIGRATION_LOCK = 0x68616E64


def run() -> None:
    """Upgrade or downgrade; the second process waits here and then finds nothing left to do."""
    url = context.config.get_main_option("sqlalchemy.url") or Settings().url
    engine = build_engine(url).execution_options(begin="IMMEDIATE")
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL lock_timeout = 0"))  # another process may take its time with a long one
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        context.configure(
            connection=connection,
            target_metadata=orm.metadata,
            render_as_batch=True,
            compare_type=True,
            transaction_per_migration=False,
            user_module_prefix="",
        )
        context.run_migrations()
    engine.dispose()


run()
