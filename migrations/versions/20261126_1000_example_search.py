"""The index of the words of examples, each at its newest revision; what their lists are sorted and filtered by."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# What an index holds has to agree with what asks it, so both say it by the same words; whoever changes those
# writes a migration that fills the index anew.
from app.text.search import entry_of, fts5_entry, tsvector_entry

revision = "20261126_1000"
down_revision = "20261125_2359"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
AT_ONCE = 1000
HEADS = sa.text(
    "SELECT example.id, revision.messages FROM example JOIN revision "
    "ON revision.example_id = example.id AND revision.number = example.revision_number "
    "WHERE example.id > :after ORDER BY example.id LIMIT :at_once"
)
WHOSE = ["created_by", "project_id", "state"]
SHARE = [*WHOSE, "import_run_id", "candidate_id", "revision_number", "changed_at"]
# A tally of what lists are filtered by: 0 for no import, nothing for no licence, so that a row has one key.
KEY = "project_id, import_run_id, source, split, state, language, licence"
OF = (
    "{0}project_id, coalesce({0}import_run_id, 0), {0}source, {0}split, {0}state, {0}language, coalesce({0}licence, '')"
)
ADD = f"INSERT INTO example_tally ({KEY}, examples)"
IS_OLD = f"({KEY}) = ({OF.format('OLD.')})"
PLUS = f"{ADD} VALUES ({OF.format('NEW.')}, 1) ON CONFLICT ({KEY}) DO UPDATE SET examples = examples + 1;"
MINUS = f"UPDATE example_tally SET examples = examples - 1 WHERE {IS_OLD};"
SQLITE_TALLY = (
    f"CREATE TRIGGER example_tally_insert AFTER INSERT ON example BEGIN {PLUS} END",
    f"CREATE TRIGGER example_tally_delete AFTER DELETE ON example BEGIN {MINUS} END",
    f"""CREATE TRIGGER example_tally_update AFTER UPDATE OF {KEY} ON example
        WHEN ({OF.format("OLD.")}) IS NOT ({OF.format("NEW.")}) BEGIN {MINUS} {PLUS} END""",
)
# One row a statement and kind of example, never an update: two people's transactions do not wait for each other.
POSTGRESQL_TALLY = (
    f"""CREATE FUNCTION tally_examples() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF TG_OP = 'INSERT' THEN {ADD} SELECT {OF.format("")}, count(*) FROM fresh GROUP BY 1, 2, 3, 4, 5, 6, 7;
        ELSIF TG_OP = 'DELETE' THEN {ADD} SELECT {OF.format("")}, -count(*) FROM gone GROUP BY 1, 2, 3, 4, 5, 6, 7;
        ELSE {ADD} SELECT {KEY}, sum(step) FROM (
            SELECT {OF.format("")}, -1 FROM gone UNION ALL SELECT {OF.format("")}, 1 FROM fresh
            ) AS both_ways ({KEY}, step) GROUP BY {KEY} HAVING sum(step) <> 0;
        END IF; RETURN NULL; END $$""",
    """CREATE TRIGGER example_tally_insert AFTER INSERT ON example REFERENCING NEW TABLE AS fresh
        FOR EACH STATEMENT EXECUTE FUNCTION tally_examples()""",
    """CREATE TRIGGER example_tally_delete AFTER DELETE ON example REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION tally_examples()""",
    """CREATE TRIGGER example_tally_update AFTER UPDATE ON example REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
        FOR EACH STATEMENT EXECUTE FUNCTION tally_examples()""",
)


def upgrade() -> None:
    # The one that counts a person's share holds what the other held.
    op.create_index("ix__example__share", "example", SHARE)
    op.drop_index("ix__example__whose", "example")
    op.create_index("ix__revision__author", "revision", ["author_id", "example_id"])
    if op.get_bind().dialect.name == "sqlite":
        _create_fts5()
    else:
        op.create_table(
            "example_words",
            sa.Column("example_id", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("words", postgresql.TSVECTOR(), nullable=False),
            sa.ForeignKeyConstraint(
                ["example_id"], ["example.id"], name="fk__example_words__example_id__example", ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint("example_id", name="pk__example_words"),
        )
    _fill()
    _create_tally()
    if op.get_bind().dialect.name != "sqlite":
        op.execute("CREATE INDEX ix__example_words__words ON example_words USING gin (words)")


def _create_fts5() -> None:
    # From 3.43 on it need not keep the texts to be able to forget them.
    version = op.get_bind().scalar(sa.text("SELECT sqlite_version()"))
    known = tuple(int(part) for part in version.split(".")) >= (3, 43)
    contentless = ", content='', contentless_delete=1" if known else ""
    op.execute(f"CREATE VIRTUAL TABLE example_words USING fts5(words, tokenize='ascii'{contentless})")
    op.execute(
        "CREATE TRIGGER example_words_delete AFTER DELETE ON example "
        "BEGIN DELETE FROM example_words WHERE rowid = OLD.id; END"
    )


def _create_tally() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    texts = [("source", 64), ("split", 32), ("state", 32), ("language", 16), ("licence", 80)]
    op.create_table(
        "example_tally",
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("import_run_id", BIG_ID, nullable=False),
        *(sa.Column(name, sa.String(length=length), nullable=False) for name, length in texts),
        sa.Column("examples", BIG_ID, nullable=False),
    )
    op.create_index("ix__example_tally__key", "example_tally", KEY.split(", "), unique=sqlite)
    op.execute(f"{ADD} SELECT {OF.format('')}, count(*) FROM example GROUP BY 1, 2, 3, 4, 5, 6, 7")
    for trigger in SQLITE_TALLY if sqlite else POSTGRESQL_TALLY:
        op.execute(trigger)


def _fill() -> None:
    connection, after = op.get_bind(), 0
    sqlite = connection.dialect.name == "sqlite"
    key, words = ("rowid", ":words") if sqlite else ("example_id", "CAST(:words AS tsvector)")
    keep = sa.text(f"INSERT INTO example_words ({key}, words) VALUES (:id, {words})")
    while heads := connection.execute(HEADS, {"after": after, "at_once": AT_ONCE}).all():
        rows = []
        for number, messages in heads:
            said = json.loads(messages) if isinstance(messages, str) else messages
            entry = entry_of([str(one["content"]) for one in said])
            rows.append({"id": number, "words": fts5_entry(entry) if sqlite else tsvector_entry(entry)})
        connection.execute(keep, rows)
        after = heads[-1][0]


def downgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    if sqlite:
        op.execute("DROP TRIGGER example_words_delete")
    for happening in ("insert", "delete", "update"):
        op.execute(f"DROP TRIGGER example_tally_{happening}" + ("" if sqlite else " ON example"))
    if not sqlite:
        op.execute("DROP FUNCTION tally_examples()")
    op.drop_table("example_tally")
    op.execute("DROP TABLE example_words")
    op.drop_index("ix__revision__author", "revision")
    op.create_index("ix__example__whose", "example", WHOSE)
    op.drop_index("ix__example__share", "example")
