"""What people said to the candidates that are suggested next."""

import sqlalchemy as sa
from alembic import op

revision = "20261127_0120"
down_revision = "20261127_0030"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
VERDICT = sa.Enum("accepted", "later", "never", name="nextverdict", native_enum=False, length=32)


def upgrade() -> None:
    op.create_table(
        "next_decision",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("project_id", BIG_ID, sa.ForeignKey("project.id", ondelete="CASCADE"), nullable=False),
        sa.Column("candidate_id", BIG_ID, sa.ForeignKey("candidate.id", ondelete="CASCADE"), nullable=False),
        sa.Column("user_id", BIG_ID, sa.ForeignKey("user.id", ondelete="SET NULL")),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("verdict", VERDICT, nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.UniqueConstraint("candidate_id"),
    )
    op.create_index("ix__next_decision__project_id_user_id_id", "next_decision", ["project_id", "user_id", "id"])


def downgrade() -> None:
    op.drop_table("next_decision")
