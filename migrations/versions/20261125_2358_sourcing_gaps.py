"""What sourcing still lacked: names of remembered mappings, the category as a column, the thread of an example."""

import sqlalchemy as sa
from alembic import op

revision = "20261125_2358"
down_revision = "20261125_2340"
branch_labels = None
depends_on = None

UNIQUE = "uq__column_mapping__project_id_name"


def upgrade() -> None:
    with op.batch_alter_table("column_mapping") as table:
        table.add_column(sa.Column("name", sa.String(length=120), nullable=True))
    # Those that are there already are called by the beginning of their signature, until somebody renames them.
    op.execute("UPDATE column_mapping SET name = 'columns-' || substr(signature, 1, 12)")
    with op.batch_alter_table("column_mapping") as table:
        table.alter_column("name", existing_type=sa.String(length=120), nullable=False)
        table.create_unique_constraint(UNIQUE, ["project_id", "name"])

    _add_category()
    # Answers of one question are no duplicates by prompt, in the set as in the pool.
    op.add_column("example", sa.Column("thread_id", sa.String(length=120), nullable=True))


def _add_category() -> None:
    op.add_column("candidate", sa.Column("category", sa.String(length=120), nullable=True))
    sqlite = op.get_bind().dialect.name == "sqlite"
    found = "json_extract(extra, '$.category')" if sqlite else "extra->>'category'"
    op.execute(f"UPDATE candidate SET category = substr({found}, 1, 120) WHERE {found} IS NOT NULL")
    # Only those that have one, so that a dump pays nothing for it.
    op.execute(
        "CREATE INDEX ix__candidate__category ON candidate (project_id, status, category, import_run_id) "
        "WHERE category IS NOT NULL"
    )


def downgrade() -> None:
    # Not by a batch, which would copy the table and lose the triggers of its words.
    op.execute("ALTER TABLE example DROP COLUMN thread_id")
    op.execute("DROP INDEX ix__candidate__category")
    op.execute("ALTER TABLE candidate DROP COLUMN category")
    with op.batch_alter_table("column_mapping") as table:
        table.drop_constraint(UNIQUE, type_="unique")
        table.drop_column("name")
