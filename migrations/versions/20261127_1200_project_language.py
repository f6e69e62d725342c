"""The language of a project's texts, for those that state none."""

import sqlalchemy as sa
from alembic import op

revision = "20261127_1200"
down_revision = "20261127_1155"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("project", sa.Column("language", sa.String(16), nullable=True))


def downgrade() -> None:
    op.drop_column("project", "language")
