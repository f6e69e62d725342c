"""Full-text search of the pool, whether a title stands alone, and sampling plans."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261125_2030"
down_revision = "20261125_2020"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
WORDS = "(SELECT group_concat(json_extract(value, '$.content'), char(10)) FROM json_each({row}.messages))"
TRIGGERS = (
    # An import is indexed after it is published; what is restored into it later is indexed here.
    f"""CREATE TRIGGER candidate_words_insert AFTER INSERT ON candidate WHEN NEW.published BEGIN
        INSERT INTO candidate_words (rowid, title, words) VALUES (NEW.id, NEW.title, {WORDS.format(row="NEW")}); END""",
    # The index holds no text, so it has to be told what it forgets.
    f"""CREATE TRIGGER candidate_words_delete BEFORE DELETE ON candidate
        WHEN EXISTS (SELECT 1 FROM candidate_words_docsize WHERE id = OLD.id) BEGIN
        INSERT INTO candidate_words (candidate_words, rowid, title, words)
        VALUES ('delete', OLD.id, OLD.title, {WORDS.format(row="OLD")}); END""",
)
# A tsvector holds 1 MB at most; what stands behind the first 200,000 characters is not searched.
VECTOR = """CREATE FUNCTION candidate_words(title text, messages jsonb) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
    SELECT to_tsvector('simple'::regconfig, left(title || E'\\n' || coalesce(
        (SELECT string_agg(said->>'content', E'\\n') FROM jsonb_array_elements(messages) AS said), ''), 200000)) $$"""


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("candidate", sa.Column("length", BIG_ID, nullable=False, server_default="0"))
    op.add_column("candidate", sa.Column("has_code", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("candidate", sa.Column("title_alone", sa.Boolean(), nullable=True))
    op.add_column("candidate", sa.Column("title_judged_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("candidate", sa.Column("title_judged_by", BIG_ID, nullable=True))
    last = "json_extract(messages, '$[#-1].content')" if sqlite else "messages->-1->>'content'"
    op.execute(
        f"UPDATE candidate SET length = coalesce(length({last}), 0), "
        f"has_code = coalesce({last} LIKE '%```%', {'0' if sqlite else 'false'})"
    )
    facets = ["project_id", "status", "source", "site", "licence", "split", "language", "import_run_id"]
    op.create_index("ix__candidate__facets", "candidate", facets)
    # The order of the list; SQLite sorts NULL last by itself and does not want to be told. What else the list is
    # filtered by stands in the index as well, so that no row with its texts is opened for it.
    ordered = f"project_id, status, score DESC{'' if sqlite else ' NULLS LAST'}, id, import_run_id"
    op.execute(f"CREATE INDEX ix__candidate__pool ON candidate ({ordered}, length, has_code, title_alone)")
    op.execute(f"CREATE INDEX ix__candidate__pool_flags ON candidate ({ordered}, flags) WHERE flags <> '[]'")
    by_title = "substr(lower(title), 1, 60)"  # PostgreSQL refuses a row of an index above 2.7 kB
    titles = f"project_id, status, ({by_title}), id, import_run_id"
    op.execute(f"CREATE INDEX ix__candidate__pool_titles ON candidate ({titles})")
    op.execute(
        "CREATE INDEX ix__candidate__pool_judged ON candidate (project_id, status, import_run_id) "
        "WHERE title_alone IS NOT NULL"
    )
    op.create_table(
        "searchable_import",
        sa.Column("import_run_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("through_id", BIG_ID, nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_run_id"], ["import_run.id"], name="fk__searchable_import__import_run_id__import_run",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("import_run_id", name="pk__searchable_import"),
    )  # fmt: skip
    _create_sampling()
    if sqlite:
        op.execute("CREATE VIRTUAL TABLE candidate_words USING fts5(title, words, content='')")
        for trigger in TRIGGERS:
            op.execute(trigger)
    else:
        op.execute(VECTOR)
        op.execute("CREATE INDEX ix__candidate__words ON candidate USING gin (candidate_words(title, messages))")


def _create_sampling() -> None:
    op.create_table(
        "sampling",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("created_by", BIG_ID, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("plan", JSON, nullable=False),
        sa.Column("plan_sha256", sa.String(length=64), nullable=False),
        sa.Column("seed", BIG_ID, nullable=False),
        sa.Column("result", JSON, nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk__sampling__project_id__project", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name="fk__sampling__created_by__user", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk__sampling"),
    )
    op.create_index("ix__sampling_project_id", "sampling", ["project_id"])
    op.create_table(
        "sampling_pick",
        sa.Column("sampling_id", BIG_ID, nullable=False),
        sa.Column("candidate_id", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["sampling_id"], ["sampling.id"], name="fk__sampling_pick__sampling_id__sampling", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidate.id"], name="fk__sampling_pick__candidate_id__candidate", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sampling_id", "candidate_id", name="pk__sampling_pick"),
    )
    op.create_index("ix__sampling_pick_candidate_id", "sampling_pick", ["candidate_id"])
    op.create_table(
        "pool_step",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("candidate_id", BIG_ID, nullable=False),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("before", JSON, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name="fk__pool_step__user_id__user", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name="fk__pool_step__project_id__project", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidate.id"], name="fk__pool_step__candidate_id__candidate", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk__pool_step"),
    )
    op.create_index("ix__pool_step_project_id_user_id_id", "pool_step", ["project_id", "user_id", "id"])
    op.create_index("ix__pool_step_candidate_id", "pool_step", ["candidate_id"])
    op.create_index("ix__pool_step_user_id", "pool_step", ["user_id"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER candidate_words_insert")
        op.execute("DROP TRIGGER candidate_words_delete")
        op.execute("DROP TABLE candidate_words")
    else:
        op.execute("DROP INDEX ix__candidate__words")
        op.execute("DROP FUNCTION candidate_words(text, jsonb)")
    op.execute("DROP INDEX ix__candidate__pool_flags")
    op.execute("DROP INDEX ix__candidate__pool_judged")
    op.execute("DROP INDEX ix__candidate__pool_titles")
    op.drop_table("pool_step")
    op.drop_table("sampling_pick")
    op.drop_table("sampling")
    op.drop_table("searchable_import")
    op.execute("DROP INDEX ix__candidate__pool")
    op.drop_index("ix__candidate__facets", "candidate")
    with op.batch_alter_table("candidate") as candidate:
        for column in ("title_judged_by", "title_judged_at", "title_alone", "has_code", "length"):
            candidate.drop_column(column)
