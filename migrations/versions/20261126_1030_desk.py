"""The tokenizer by which a project's texts are counted, kept as the bytes of its file."""

import sqlalchemy as sa
from alembic import op

revision = "20261126_1030"
down_revision = "20261126_1020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tokenizer_file",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk__tokenizer_file"),
    )
    # Without a foreign key: SQLite adds those by building the table anew, and the files are never deleted.
    op.add_column("project", sa.Column("tokenizer_sha256", sa.String(length=64), nullable=True))
    op.add_column("project", sa.Column("tokenizer_name", sa.String(length=120), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("project", "tokenizer_name")
    op.drop_column("project", "tokenizer_sha256")
    op.drop_table("tokenizer_file")
