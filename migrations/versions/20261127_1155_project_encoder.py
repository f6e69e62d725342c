"""A project has a model of its own for its vectors, and another one while it changes to that."""

import sqlalchemy as sa
from alembic import op

revision = "20261127_1155"
down_revision = "20261127_1150"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("project", sa.Column("encoder", sa.String(400), nullable=False, server_default=""))
    op.add_column("project", sa.Column("next_encoder", sa.String(400), nullable=True))
    op.add_column("project", sa.Column("next_encoder_key", sa.String(200), nullable=False, server_default=""))


def downgrade() -> None:
    for name in ("next_encoder_key", "next_encoder", "encoder"):
        op.drop_column("project", name)
