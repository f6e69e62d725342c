"""Which candidates' prompts have a vector, for search by meaning, the map and what to add next."""

import sqlalchemy as sa
from alembic import op

revision = "20261127_0030"
down_revision = "20261126_1600"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "candidate_text",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("candidate_id", BIG_ID, sa.ForeignKey("candidate.id", ondelete="CASCADE"), nullable=False),
        sa.Column("project_id", BIG_ID, sa.ForeignKey("project.id", ondelete="CASCADE"), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("prompt_hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("candidate_id", "model"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix__candidate_text__project_id_model_id", "candidate_text", ["project_id", "model", "id"])


def downgrade() -> None:
    op.drop_table("candidate_text")
