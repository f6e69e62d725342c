"""Working copies: what a person types, kept before it is a revision."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261125_2310"
down_revision = "20261125_2040"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "working_copy",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("example_id", BIG_ID, nullable=True),
        sa.Column("creation_key", sa.String(length=64), nullable=True),
        sa.Column("messages", JSON, nullable=False),
        sa.Column("description", JSON, nullable=False),
        sa.Column("based_on", BIG_ID, nullable=False),
        sa.Column("counter", BIG_ID, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk__working_copy__project_id__project", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk__working_copy__user_id__user", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["example_id"], ["example.id"], name="fk__working_copy__example_id__example", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk__working_copy"),
        sa.UniqueConstraint("user_id", "example_id", name="uq__working_copy__user_id_example_id"),
        sa.UniqueConstraint(
            "user_id", "project_id", "creation_key", name="uq__working_copy__user_id_project_id_creation_key"
        ),
    )
    op.create_index("ix__working_copy_example_id", "working_copy", ["example_id"])
    op.create_index("ix__working_copy_project_id", "working_copy", ["project_id"])


def downgrade() -> None:
    op.drop_table("working_copy")
