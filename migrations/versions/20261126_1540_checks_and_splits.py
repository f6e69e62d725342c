"""Versions are looked at again by themselves, and splits are drawn by a rule that can be undone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261126_1540"
down_revision = "20261126_1110"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "version_check",
        sa.Column("version_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("row_count", BIG_ID, nullable=False),
        sa.Column("manifest_sha256", sa.String(64), nullable=False),
        sa.Column("row_digests", sa.LargeBinary(), nullable=False),
        sa.Column("checked_at", MOMENT, nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("broken_since", MOMENT, nullable=True),
        sa.Column("position", BIG_ID, nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name="fk__version_check__project_id__project"),
        sa.PrimaryKeyConstraint("version_id", name="pk__version_check"),
    )
    op.create_index("ix__version_check_project_id", "version_check", ["project_id"])
    op.create_table(
        "split_plan",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("asked", JSON, nullable=False),
        sa.Column("moves", JSON, nullable=False),
        sa.Column("created_by", BIG_ID, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("undone_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk__split_plan__project_id__project", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name="fk__split_plan__created_by__user", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk__split_plan"),
    )
    op.create_index("ix__split_plan_project_id", "split_plan", ["project_id"])


def downgrade() -> None:
    op.drop_table("split_plan")
    op.drop_table("version_check")
