"""Full-text search of the pool, whether a title stands alone, and sampling plans."""

revision = "20261125_2030"
down_revision = "20261125_2020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
