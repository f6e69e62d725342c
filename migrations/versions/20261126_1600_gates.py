"""What a project makes of its gates: for each whether it blocks, warns or is off, and which remarks count."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261126_1600"
down_revision = "20261126_1550"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "gate_settings",
        sa.Column("project_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("policies", JSON, nullable=False),
        sa.Column("style_rules", JSON, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk__gate_settings__project_id__project", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", name="pk__gate_settings"),
    )


def downgrade() -> None:
    op.drop_table("gate_settings")
