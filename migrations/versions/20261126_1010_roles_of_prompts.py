"""Roles of prompts: hidden tests, author groups, flags, translations, and projects that follow another."""

import sqlalchemy as sa
from alembic import op

revision = "20261126_1010"
down_revision = "20261126_1000"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAGS = ("sensitive", "format_constraint", "acknowledges_first")


def upgrade() -> None:
    op.add_column("project", sa.Column("tests_hidden", sa.Boolean(), nullable=False, server_default=sa.false()))
    # Without foreign keys, as on `example`: SQLite adds those by dropping the table, and what hangs on it.
    op.add_column("project", sa.Column("follows_id", BIG_ID, nullable=True))
    op.add_column("project", sa.Column("follows_language", sa.String(16), nullable=True))
    op.add_column("membership", sa.Column("author_group", sa.String(32), nullable=True))
    op.add_column("membership", sa.Column("reads_tests", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("example", sa.Column("author_group", sa.String(32), nullable=True))
    for flag in FLAGS:
        op.add_column("example", sa.Column(flag, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("example", sa.Column("translation_of_id", BIG_ID, nullable=True))
    op.add_column("example", sa.Column("translation_seen", BIG_ID, nullable=True))
    # Few examples are tests, flagged or of a group, so an index of each holds those alone and costs the others nothing.
    _index("tests", "split = 'test'")
    for flag in FLAGS:
        _index(flag, flag, sqlite=f"{flag} = 1")
    _index("author_group", "author_group IS NOT NULL", "author_group")
    op.create_index("ix__example_translation_of_id", "example", ["translation_of_id"])


def _index(name: str, where: str, *columns: str, sqlite: str = "") -> None:
    # SQLite has no truth of its own: a condition there reads `= 1`, and an index has to say the same.
    here, there = sa.text(sqlite or where), sa.text(where)
    op.create_index(
        f"ix__example__{name}", "example", ["project_id", *columns, "id"], sqlite_where=here, postgresql_where=there
    )


def downgrade() -> None:
    for name in ("__tests", *(f"__{flag}" for flag in FLAGS), "__author_group", "_translation_of_id"):
        op.drop_index(f"ix__example{name}", "example")
    for column in ("translation_seen", "translation_of_id", *FLAGS, "author_group"):
        op.drop_column("example", column)
    for column in ("reads_tests", "author_group"):
        op.drop_column("membership", column)
    for column in ("follows_language", "follows_id", "tests_hidden"):
        op.drop_column("project", column)
