"""Versions are published on the Hugging Face Hub: what was sent where, and sealed tokens of projects."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261126_1550"
down_revision = "20261126_1540"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "publication",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("version_id", BIG_ID, nullable=False),
        sa.Column("job_id", BIG_ID, nullable=True),
        sa.Column("endpoint", sa.String(200), nullable=False),
        sa.Column("repository", sa.String(200), nullable=False),
        sa.Column(
            "visibility", sa.Enum("private", "public", name="visibility", native_enum=False, length=32), nullable=False
        ),
        sa.Column("way", sa.Enum("commit", "pull_request", name="way", native_enum=False, length=32), nullable=False),
        sa.Column("format", sa.String(32), nullable=False),
        sa.Column("mark", sa.String(32), nullable=False),
        sa.Column("shown", sa.String(64), nullable=True),
        sa.Column("files", JSON, nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "published",
                "failed",
                "cancelled",
                name="publicationstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("revision", sa.String(64), nullable=True),
        sa.Column("pull_request", BIG_ID, nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_by", BIG_ID, nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.Column("check_job_id", BIG_ID, nullable=True),
        sa.Column("checked_at", MOMENT, nullable=True),
        sa.Column("holds", sa.Boolean(), nullable=True),
        sa.Column("found", sa.Text(), nullable=True),
        sa.Column("problems", JSON, nullable=True),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name="fk__publication__version_id__version"),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name="fk__publication__job_id__job", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["check_job_id"], ["job.id"], name="fk__publication__check_job_id__job", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name="fk__publication__created_by__user", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk__publication"),
        sa.UniqueConstraint("mark", name="uq__publication__mark"),
    )
    op.create_index("ix__publication_version_id", "publication", ["version_id"])
    op.create_table(
        "hub_token",
        sa.Column("project_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("endpoint", sa.String(200), nullable=False),
        sa.Column("added_by", BIG_ID, nullable=True),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk__hub_token__project_id__project", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["added_by"], ["user.id"], name="fk__hub_token__added_by__user", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("project_id", name="pk__hub_token"),
    )


def downgrade() -> None:
    op.drop_table("hub_token")
    op.drop_table("publication")
