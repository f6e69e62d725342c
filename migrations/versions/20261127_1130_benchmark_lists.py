"""Lists of benchmark prompts, the examples that are near to them, and what was compared."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127_1130"
down_revision = "20261127_0130"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
METHODS = ("exact", "lexical", "embedding", "translation")
VERDICTS = ("open", "stays", "rejected")


def upgrade() -> None:
    op.create_table(
        "benchmark_list",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("licence", sa.String(200), nullable=False),
        sa.Column("url", sa.String(1000), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("records", BIG_ID, nullable=False),
        sa.Column("prompts", BIG_ID, nullable=False),
        sa.Column("created_by", BIG_ID, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk__benchmark_list"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk__benchmark_list__project_id__project", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name="fk__benchmark_list__created_by__user", ondelete="SET NULL"
        ),
        sa.UniqueConstraint("project_id", "name", name="uq__benchmark_list__project_id_name"),
        sa.UniqueConstraint("project_id", "sha256", name="uq__benchmark_list__project_id_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "benchmark_prompt",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("list_id", BIG_ID, nullable=False),
        sa.Column("line", BIG_ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk__benchmark_prompt"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk__benchmark_prompt__project_id__project", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["benchmark_list.id"], name="fk__benchmark_prompt__list_id__benchmark_list", ondelete="CASCADE"
        ),
    )
    op.create_index("ix__benchmark_prompt_project_id", "benchmark_prompt", ["project_id"])
    op.create_index("ix__benchmark_prompt_list_id", "benchmark_prompt", ["list_id"])
    op.create_table(
        "benchmark_match",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("list_id", BIG_ID, nullable=False),
        sa.Column("prompt_id", BIG_ID, nullable=False),
        sa.Column("example_id", BIG_ID, nullable=False),
        sa.Column("turn", BIG_ID, nullable=False),
        sa.Column("method", sa.Enum(*METHODS, name="method", native_enum=False, length=32), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("text_hash", sa.String(64), nullable=False),
        sa.Column("verdict", sa.Enum(*VERDICTS, name="matchverdict", native_enum=False, length=32), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("effect", JSON, nullable=False),
        sa.Column("decided_by", BIG_ID, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk__benchmark_match"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk__benchmark_match__project_id__project", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["list_id"], ["benchmark_list.id"], name="fk__benchmark_match__list_id__benchmark_list", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["prompt_id"], ["benchmark_prompt.id"], name="fk__benchmark_match__prompt_id__benchmark_prompt",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["example_id"], ["example.id"], name="fk__benchmark_match__example_id__example", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["user.id"], name="fk__benchmark_match__decided_by__user", ondelete="SET NULL"
        ),
        sa.UniqueConstraint("prompt_id", "example_id", name="uq__benchmark_match__prompt_id_example_id"),
    )  # fmt: skip
    op.create_index("ix__benchmark_match_project_id", "benchmark_match", ["project_id"])
    op.create_index("ix__benchmark_match_example_id", "benchmark_match", ["example_id"])
    op.create_index("ix__benchmark_match__list_id_verdict", "benchmark_match", ["list_id", "verdict"])
    op.create_table(
        "benchmark_check",
        sa.Column("example_id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("revision_number", BIG_ID, nullable=False),
        sa.Column("thresholds", sa.String(40), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("example_id", name="pk__benchmark_check"),
        sa.ForeignKeyConstraint(
            ["example_id"], ["example.id"], name="fk__benchmark_check__example_id__example", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk__benchmark_check__project_id__project", ondelete="CASCADE"
        ),
    )
    op.create_index("ix__benchmark_check_project_id", "benchmark_check", ["project_id"])


def downgrade() -> None:
    for table in ("benchmark_check", "benchmark_match", "benchmark_prompt", "benchmark_list"):
        op.drop_table(table)
