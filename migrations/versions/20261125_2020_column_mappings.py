"""How the columns of a table were mapped, to be used again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261125_2020"
down_revision = "20261125_2010"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "column_mapping",
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("signature", sa.String(length=64), nullable=False),
        sa.Column("columns", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk__column_mapping__project_id__project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "signature", name=op.f("pk__column_mapping")),
    )


def downgrade() -> None:
    op.drop_table("column_mapping")
