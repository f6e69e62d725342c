"""House style: which remarks a project makes, which are left for an example, which examples are models."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261125_2320"
down_revision = "20261125_2310"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "house_style",
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("rules", JSON, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk__house_style__project_id__project", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", name="pk__house_style"),
    )
    op.create_table(
        "left_remark",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("example_id", BIG_ID, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("user_id", BIG_ID, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["example_id"], ["example.id"], name="fk__left_remark__example_id__example", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk__left_remark__user_id__user", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk__left_remark"),
        sa.UniqueConstraint("example_id", "key", name="uq__left_remark__example_id_key"),
    )
    op.create_index("ix__left_remark_user_id", "left_remark", ["user_id"])
    op.create_table(
        "model_example",
        sa.Column("example_id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["example_id"], ["example.id"], name="fk__model_example__example_id__example", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk__model_example__user_id__user", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("example_id", name="pk__model_example"),
    )
    op.create_index("ix__model_example_user_id", "model_example", ["user_id"])


def downgrade() -> None:
    op.drop_table("model_example")
    op.drop_table("left_remark")
    op.drop_table("house_style")
