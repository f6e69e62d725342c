"""Colleagues' work: what of an example is compared while somebody writes; pairs that are settled before any scan."""

import sqlalchemy as sa
from alembic import op

revision = "20261126_1050"
down_revision = "20261126_1030"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "example_text",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("example_id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("revision_number", BIG_ID, nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("prompt_hash", sa.String(length=64), nullable=False),
        sa.Column("response_hash", sa.String(length=64), nullable=False),
        sa.Column("prompt_form", sa.String(length=64), nullable=False),
        sa.Column("prompt_signature", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["example_id"], ["example.id"], name="fk__example_text__example_id__example", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk__example_text__project_id__project", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk__example_text"),
        sa.UniqueConstraint("example_id", name="uq__example_text__example_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix__example_text__project_id_model_id", "example_text", ["project_id", "model", "id"])
    op.create_index("ix__example_text__project_id_prompt_form", "example_text", ["project_id", "prompt_form"])
    with op.batch_alter_table("duplicate_pair") as pairs:
        pairs.alter_column("scan_id", existing_type=BIG_ID, nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM duplicate_pair WHERE scan_id IS NULL")
    with op.batch_alter_table("duplicate_pair") as pairs:
        pairs.alter_column("scan_id", existing_type=BIG_ID, nullable=False)
    op.drop_table("example_text")
