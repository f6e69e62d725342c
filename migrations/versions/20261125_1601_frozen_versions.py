"""Frozen versions refuse every change, whoever asks: triggers on both databases."""

from alembic import op

revision = "20261125_1601"
down_revision = "20261125_1600"
branch_labels = None
depends_on = None

TABLES = ("version", "version_row")
WORDS = "a frozen version cannot be changed"
# A version is full with its freeze: position 0 to row_count - 1, each once.
OUTSIDE = "NEW.position < 0 OR NEW.position >= (SELECT row_count FROM version WHERE id = NEW.version_id)"
# SQLite's REPLACE deletes the row in its way without firing a DELETE trigger, so an insert must look itself.
REPLACES = {
    "version": (
        "EXISTS (SELECT 1 FROM version AS old WHERE old.id = NEW.id) OR EXISTS "
        "(SELECT 1 FROM version AS old WHERE old.project_id = NEW.project_id AND old.name = NEW.name)"
    ),
    "version_row": (
        f"{OUTSIDE} OR EXISTS (SELECT 1 FROM version_row AS old WHERE old.id = NEW.id) OR EXISTS "
        "(SELECT 1 FROM version_row AS old "
        "WHERE old.version_id = NEW.version_id AND old.position = NEW.position)"
    ),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_postgresql() -> None:
    refuse = f"RAISE EXCEPTION '{WORDS}' USING ERRCODE = 'integrity_constraint_violation';"
    op.execute(f"CREATE FUNCTION refuse_frozen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refuse} END $$")
    op.execute(
        "CREATE FUNCTION refuse_late_row() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {OUTSIDE} THEN {refuse} END IF; RETURN NEW; END $$"
    )
    for table in TABLES:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER frozen_{table}_{act.lower()} BEFORE {act} ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION refuse_frozen()"
            )
        op.execute(
            f"CREATE TRIGGER frozen_{table}_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_frozen()"
        )
    op.execute(
        "CREATE TRIGGER frozen_version_row_insert BEFORE INSERT ON version_row "
        "FOR EACH ROW EXECUTE FUNCTION refuse_late_row()"
    )


def _guard_sqlite() -> None:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END"
    for table in TABLES:
        for act in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER frozen_{table}_{act.lower()} BEFORE {act} ON {table} {refuse}")
        op.execute(f"CREATE TRIGGER frozen_{table}_insert BEFORE INSERT ON {table} WHEN {REPLACES[table]} {refuse}")


def downgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    for table in TABLES:
        on = f" ON {table}" if postgresql else ""
        for act in ("update", "delete", "truncate" if postgresql else "insert"):
            op.execute(f"DROP TRIGGER frozen_{table}_{act}{on}")
    if postgresql:
        op.execute("DROP TRIGGER frozen_version_row_insert ON version_row")
        op.execute("DROP FUNCTION refuse_frozen()")
        op.execute("DROP FUNCTION refuse_late_row()")
