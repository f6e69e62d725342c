"""Candidates that somebody keeps: who did; the state itself is a word in a column that is there."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_2359"
down_revision = "20261125_2358"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "candidate", sa.Column("kept_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )


def downgrade() -> None:
    op.execute("UPDATE candidate SET status = 'open' WHERE status = 'kept'")
    # Not by a batch, which would copy the table and lose the triggers of its words.
    op.execute("ALTER TABLE candidate DROP COLUMN kept_by")
