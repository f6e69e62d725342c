"""What an import left out or left alone is a row each, however much it is; until now the first of it were listed."""

import json

import sqlalchemy as sa
from alembic import op

revision = "20261126_1110"
down_revision = "20261126_1050"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    remarks = op.create_table(
        "import_remark",
        sa.Column("import_run_id", BIG_ID, nullable=False),
        sa.Column("number", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("line", BIG_ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("unreadable", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_run_id"],
            ["import_run.id"],
            name="fk__import_remark__import_run_id__import_run",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_run_id", "number", name="pk__import_remark"),
        sqlite_with_rowid=False,
    )
    # Which of them could not be read was told by their words alone.
    for run_id, result in op.get_bind().execute(sa.text("SELECT id, result FROM import_run WHERE state = 'published'")):
        told = (json.loads(result) if isinstance(result, str) else result).get("errors", [])
        rows = [
            {
                "import_run_id": run_id,
                "number": number,
                "line": one["line"],
                "reason": one["reason"],
                "unreadable": "with other words, which stay" not in one["reason"],
            }
            for number, one in enumerate(told, start=1)
        ]
        if rows:
            op.bulk_insert(remarks, rows)


def downgrade() -> None:
    op.drop_table("import_remark")
