"""Comments pinned to passages, and how many reviews an approval takes."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_2340"
down_revision = "20261125_2330"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OUTCOME = sa.Enum("approved", "returned", "rejected", "imported", "withdrawn", native_enum=False, length=32)


def upgrade() -> None:
    op.add_column("project", sa.Column("reviews_needed", BIG_ID, nullable=False, server_default="1"))
    op.add_column("review", sa.Column("outcome", OUTCOME, nullable=True))
    # Without a foreign key: SQLite adds those by building the table anew. Verdicts are never deleted alone.
    op.add_column("review", sa.Column("second_to", BIG_ID, nullable=True))
    op.create_index("ix__review_second_to", "review", ["second_to"])
    op.execute("UPDATE review SET outcome = verdict WHERE verdict <> 'withdrawn'")
    _create_comments()


def _create_comments() -> None:
    op.create_table(
        "comment",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("example_id", BIG_ID, nullable=False),
        sa.Column("revision_number", BIG_ID, nullable=False),
        sa.Column("message", BIG_ID, nullable=False),
        sa.Column("start", BIG_ID, nullable=False),
        sa.Column("end", BIG_ID, nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("author_id", BIG_ID, nullable=True),
        sa.Column("answer_to", BIG_ID, nullable=True),
        sa.Column("settled_by", BIG_ID, nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["example_id"], ["example.id"], name="fk__comment__example_id__example", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["answer_to"], ["comment.id"], name="fk__comment__answer_to__comment", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["author_id"], ["user.id"], name="fk__comment__author_id__user", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["settled_by"], ["user.id"], name="fk__comment__settled_by__user", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk__comment"),
        sa.UniqueConstraint("example_id", "key", name="uq__comment__example_id_key"),
    )
    op.create_index("ix__comment_answer_to", "comment", ["answer_to"])
    op.create_table(
        "comment_mention",
        sa.Column("comment_id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name="fk__comment_mention__comment_id__comment", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk__comment_mention__user_id__user", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("comment_id", "user_id", name="pk__comment_mention"),
    )
    op.create_index("ix__comment_mention_user_id", "comment_mention", ["user_id"])


def downgrade() -> None:
    op.drop_table("comment_mention")
    op.drop_table("comment")
    op.drop_index("ix__review_second_to", "review")
    op.drop_column("review", "second_to")
    op.drop_column("review", "outcome")
    op.drop_column("project", "reviews_needed")
