"""Names that people give to regions of the map, and what they ask for more of."""

import sqlalchemy as sa
from alembic import op

revision = "20261127_1150"
down_revision = "20261127_1130"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "region_name",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("project_id", BIG_ID, sa.ForeignKey("project.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("named_by", BIG_ID, sa.ForeignKey("user.id", ondelete="SET NULL")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix__region_name_project_id", "region_name", ["project_id"])
    op.create_table(
        "region_middle",
        sa.Column("name_id", BIG_ID, sa.ForeignKey("region_name.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("candidate_id", BIG_ID, sa.ForeignKey("candidate.id", ondelete="CASCADE"), primary_key=True),
    )
    op.create_index("ix__region_middle_candidate_id", "region_middle", ["candidate_id"])
    op.create_table(
        "coverage_request",
        sa.Column("id", BIG_ID, primary_key=True),
        sa.Column("project_id", BIG_ID, sa.ForeignKey("project.id", ondelete="CASCADE"), nullable=False),
        sa.Column("words", sa.String(300), nullable=False),
        sa.Column("asked_by", BIG_ID, sa.ForeignKey("user.id", ondelete="SET NULL")),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix__coverage_request_project_id", "coverage_request", ["project_id"])


def downgrade() -> None:
    op.drop_table("coverage_request")
    op.drop_table("region_middle")
    op.drop_table("region_name")
