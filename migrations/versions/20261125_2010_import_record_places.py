"""Records of an import are found again by their place; what they said is read from the upload."""

revision = "20261125_2010"
down_revision = "20261125_1601"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
