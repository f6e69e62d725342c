"""Claims: who writes an example, and until when; skips, hand-overs, second answers, the daily letter."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_2330"
down_revision = "20261125_2320"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Without foreign keys: SQLite adds those by dropping the table, and its revisions with it. Nobody is ever deleted.
KEYS = ("claimed_by", "handed_to", "handed_by", "beside_id")
QUEUE = ["project_id", "state", "source", "split", "revision_number", "id", "import_run_id"]


def upgrade() -> None:
    for column in KEYS:
        op.add_column("example", sa.Column(column, BIG_ID, nullable=True))
    op.add_column("example", sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("example", sa.Column("handed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("example", sa.Column("handed_words", sa.Text(), nullable=False, server_default=""))
    op.add_column("example", sa.Column("answers", BIG_ID, nullable=False, server_default="1"))
    # What was begun before there were claims stays with who wrote it.
    writer = "SELECT author_id FROM revision WHERE example_id = example.id AND number = example.revision_number"
    op.execute(f"UPDATE example SET claimed_by = ({writer}) WHERE state = 'draft' AND revision_number > 1")
    for column in ("claimed_by", "handed_to", "beside_id"):
        op.create_index(f"ix__example_{column}", "example", [column])
    op.create_index("ix__example__queue", "example", QUEUE)
    op.create_index("ix__example__recent", "example", ["project_id", "changed_at", "id"])
    op.create_index("ix__example__recent_state", "example", ["project_id", "state", "changed_at", "id"])
    op.create_index("ix__example__held", "example", ["project_id", "claimed_until"])
    op.create_index("ix__example__handed", "example", ["project_id", "handed_at"])
    op.drop_index("ix__example_created_by", "example")
    op.create_index("ix__example__whose", "example", ["created_by", "project_id", "state"])
    op.add_column("project", sa.Column("overlap", BIG_ID, nullable=False, server_default="1"))
    op.add_column("user", sa.Column("daily_letter", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("user", sa.Column("letter_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "example_skip",
        sa.Column("example_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["example_id"], ["example.id"], name="fk__example_skip__example_id__example", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk__example_skip__user_id__user", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("example_id", "user_id", name="pk__example_skip"),
    )
    op.create_index("ix__example_skip_user_id", "example_skip", ["user_id"])


def downgrade() -> None:
    op.drop_table("example_skip")
    op.drop_column("user", "letter_at")
    op.drop_column("user", "daily_letter")
    op.drop_column("project", "overlap")
    op.create_index("ix__example_created_by", "example", ["created_by"])
    for name in (
        "_whose",
        "_handed",
        "_held",
        "_recent_state",
        "_recent",
        "_queue",
        "claimed_by",
        "handed_to",
        "beside_id",
    ):
        op.drop_index(f"ix__example_{name}", "example")
    for column in ("answers", "handed_words", "handed_at", "claimed_until", *KEYS):
        op.drop_column("example", column)
