"""Uploads that survive a lost connection."""

revision = "20261125_2040"
down_revision = "20261125_2030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
