"""Help from a model: servers that an admin registered, what a project allows, what was suggested, what was taken."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261126_1020"
down_revision = "20261126_1010"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)
KIND = sa.Enum("critique", "outline", native_enum=False, length=32)


def _to(table: str, column: str, other: str, gone: str = "SET NULL") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk__{table}__{column}__{other}", ondelete=gone)


def upgrade() -> None:
    _create_endpoint()
    _create_model_help()
    _create_suggestion()
    # None for what was saved before, and wherever no model was asked.
    op.add_column("revision", sa.Column("help", JSON, nullable=True))


def _create_endpoint() -> None:
    op.create_table(
        "endpoint",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("base_url", sa.Text(), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=True),
        sa.Column("inside", sa.Boolean(), nullable=False),
        sa.Column("timeout_seconds", BIG_ID, nullable=False),
        sa.Column("job_id", BIG_ID, nullable=True),
        sa.Column("tested_at", TIME, nullable=True),
        sa.Column("test_seconds", sa.Float(), nullable=True),
        sa.Column("test_error", sa.Text(), nullable=True),
        sa.Column("added_by", BIG_ID, nullable=True),
        sa.Column("added_at", TIME, nullable=False),
        _to("endpoint", "job_id", "job"),
        _to("endpoint", "added_by", "user"),
        sa.PrimaryKeyConstraint("id", name="pk__endpoint"),
        sa.UniqueConstraint("name", name="uq__endpoint__name"),
    )


def _create_model_help() -> None:
    op.create_table(
        "model_help",
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("endpoint_id", BIG_ID, nullable=True),
        sa.Column("run_id", BIG_ID, nullable=True),
        sa.Column("critique", sa.Text(), nullable=False),
        sa.Column("outline", sa.Text(), nullable=False),
        sa.Column("changed_by", BIG_ID, nullable=True),
        sa.Column("changed_at", TIME, nullable=False),
        _to("model_help", "project_id", "project", "CASCADE"),
        _to("model_help", "endpoint_id", "endpoint"),
        _to("model_help", "run_id", "training_run"),
        _to("model_help", "changed_by", "user"),
        sa.PrimaryKeyConstraint("project_id", name="pk__model_help"),
    )


def _create_suggestion() -> None:
    op.create_table(
        "suggestion",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("example_id", BIG_ID, nullable=True),
        sa.Column("creation_key", sa.String(length=64), nullable=True),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("asked_by", BIG_ID, nullable=True),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("endpoint_id", BIG_ID, nullable=True),
        sa.Column("checkpoint_id", BIG_ID, nullable=True),
        sa.Column("job_id", BIG_ID, nullable=True),
        sa.Column("sent", JSON, nullable=False),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("cut", sa.Boolean(), nullable=False),
        sa.Column("tokens", BIG_ID, nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("copied_at", TIME, nullable=True),
        sa.Column("copied_by", BIG_ID, nullable=True),
        _to("suggestion", "project_id", "project", "CASCADE"),
        _to("suggestion", "example_id", "example", "CASCADE"),
        _to("suggestion", "asked_by", "user"),
        _to("suggestion", "endpoint_id", "endpoint"),
        _to("suggestion", "checkpoint_id", "checkpoint"),
        _to("suggestion", "job_id", "job"),
        _to("suggestion", "copied_by", "user"),
        sa.PrimaryKeyConstraint("id", name="pk__suggestion"),
    )
    op.create_index("ix__suggestion_example_id", "suggestion", ["example_id"])
    op.create_index("ix__suggestion__unmade", "suggestion", ["project_id", "creation_key"])


def downgrade() -> None:
    """Refuses where people have taken words of a model: which words those are would be forgotten."""
    taken = op.get_bind().scalar(sa.text("SELECT count(*) FROM suggestion WHERE words IS NOT NULL"))
    if taken:
        raise RuntimeError(
            f"{taken} suggestions of models are kept here; going back would forget whose words are whose"
        )
    op.drop_column("revision", "help")
    op.drop_table("suggestion")
    op.drop_table("model_help")
    op.drop_table("endpoint")
