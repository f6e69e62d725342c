"""Records of an import are found again by their place; what they said is read from the upload."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261125_2010"
down_revision = "20261125_1601"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
KEPT = "passes every rule that is switched on"
SAME = "import_run_id, number, line, external_id, rule"


def upgrade() -> None:
    # The key changes, which no ALTER does on both databases: the rows wait in a table without names of its own.
    op.execute(f"CREATE TABLE import_record_before AS SELECT {SAME}, reason FROM import_record")
    op.drop_table("import_record")
    op.create_table(
        "import_record",
        sa.Column("import_run_id", BIG_ID, nullable=False),
        sa.Column("number", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("member", BIG_ID, nullable=False),
        sa.Column("position", BIG_ID, nullable=True),
        sa.Column("beside", BIG_ID, nullable=True),
        sa.Column("line", BIG_ID, nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("restored_by", BIG_ID, nullable=True),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_run_id"],
            ["import_run.id"],
            name=op.f("fk__import_record__import_run_id__import_run"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["restored_by"], ["user.id"], name=op.f("fk__import_record__restored_by__user"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("import_run_id", "number", name=op.f("pk__import_record")),
        sqlite_with_rowid=False,
    )
    op.execute(
        f"INSERT INTO import_record ({SAME}, member, reason) SELECT {SAME}, 0, "
        f"CASE WHEN rule IS NULL AND reason = '{KEPT}' THEN NULL ELSE reason END FROM import_record_before"
    )
    op.execute("DROP TABLE import_record_before")
    op.create_index(
        "ix__import_record__import_run_id_rule_number", "import_record", ["import_run_id", "rule", "number"]
    )
    # The unique index begins with the same column; nobody looks a candidate up by its hash. Each import pays for both.
    op.drop_index(op.f("ix__candidate_import_run_id"), "candidate")
    op.drop_index(op.f("ix__candidate_content_hash"), "candidate")


def downgrade() -> None:
    op.create_index(op.f("ix__candidate_import_run_id"), "candidate", ["import_run_id"], unique=False)
    op.create_index(op.f("ix__candidate_content_hash"), "candidate", ["content_hash"], unique=False)
    # What the records said is not there any more; the funnel, the ids and the reasons are.
    op.execute(f"CREATE TABLE import_record_after AS SELECT {SAME}, reason FROM import_record")
    op.drop_table("import_record")
    op.create_table(
        "import_record",
        sa.Column("id", BIG_ID, autoincrement=True, nullable=False),
        sa.Column("import_run_id", BIG_ID, nullable=False),
        sa.Column("number", BIG_ID, nullable=False),
        sa.Column("line", BIG_ID, nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("marks", JSON, nullable=False),
        sa.Column("score", BIG_ID, nullable=True),
        sa.Column("author", sa.String(length=200), nullable=True),
        sa.Column("licence", sa.String(length=80), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_run_id"],
            ["import_run.id"],
            name=op.f("fk__import_record__import_run_id__import_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__import_record")),
        sa.UniqueConstraint("import_run_id", "number", name=op.f("uq__import_record__import_run_id_number")),
    )
    nothing = "'[]'" if op.get_bind().dialect.name == "sqlite" else "'[]'::jsonb"
    op.execute(
        f"INSERT INTO import_record ({SAME}, reason, title, excerpt, marks) "
        f"SELECT {SAME}, COALESCE(reason, '{KEPT}'), '', '', {nothing} FROM import_record_after ORDER BY 1, 2"
    )
    op.execute("DROP TABLE import_record_after")
    op.create_index("ix__import_record__import_run_id_rule_id", "import_record", ["import_run_id", "rule", "id"])
