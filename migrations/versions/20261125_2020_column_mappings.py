"""How the columns of a table were mapped, to be used again."""

revision = "20261125_2020"
down_revision = "20261125_2010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
