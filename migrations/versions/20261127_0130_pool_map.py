"""The pool's map: layouts, and where each candidate lies in one."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261127_0130"
down_revision = "20261127_0120"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pool_map",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("project_id", BIG_ID, sa.ForeignKey("project.id", ondelete="CASCADE"), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("method", sa.Enum("pca", "umap", name="method", native_enum=False, length=32), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("through", sa.Integer(), nullable=False),
        sa.Column("frame", JSON, nullable=False),
        sa.Column("regions", JSON, nullable=False),
        sa.Column("centres", sa.LargeBinary(), nullable=False),
        sa.Column("own", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix__pool_map__project_id_shown_id", "pool_map", ["project_id", "shown", "id"])
    op.create_table(
        "map_point",
        sa.Column("map_id", BIG_ID, sa.ForeignKey("pool_map.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("candidate_id", BIG_ID, sa.ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("x", sa.Integer(), nullable=False),
        sa.Column("y", sa.Integer(), nullable=False),
        sa.Column("region", sa.Integer(), nullable=False),
        sa.Column("near", sa.Integer(), nullable=False),
    )
    op.create_index("ix__map_point_candidate_id", "map_point", ["candidate_id"])
    op.create_index("ix__map_point__map_id_region", "map_point", ["map_id", "region"])


def downgrade() -> None:
    op.drop_table("map_point")
    op.drop_table("pool_map")
