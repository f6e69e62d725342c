"""Every table of the path in one piece."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261125_1600"
down_revision = None
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "embedding",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("text_hash", sa.String(length=64), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__embedding")),
        sa.UniqueConstraint("model", "text_hash", name=op.f("uq__embedding__model_text_hash")),
    )
    op.create_table(
        "project",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("guide", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("archived_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__project")),
        sa.UniqueConstraint("slug", name=op.f("uq__project__slug")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("name_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__sign_in_failure")),
    )
    with op.batch_alter_table("sign_in_failure", schema=None) as batch_op:
        batch_op.create_index("ix__sign_in_failure__at", ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix__sign_in_failure_address"), ["address"], unique=False)
        batch_op.create_index(batch_op.f("ix__sign_in_failure_name_hash"), ["name_hash"], unique=False)

    op.create_table(
        "user",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "role",
            sa.Enum("annotator", "reviewer", "admin", name="role", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("is_operator", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("theme", sa.String(length=8), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__user")),
        sa.UniqueConstraint("email", name=op.f("uq__user__email")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "scope",
            sa.Enum("read", "write", "admin", name="scope", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("project_id", BIG_ID, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("revoked_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk__api_token__project_id__project"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk__api_token__user_id__user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq__api_token__token_hash")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix__api_token_user_id"), ["user_id"], unique=False)

    op.create_table(
        "audit_entry",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor_id", BIG_ID, nullable=True),
        sa.Column("actor_name", sa.String(length=254), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("project_id", BIG_ID, nullable=True),
        sa.Column("detail", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["user.id"], name=op.f("fk__audit_entry__actor_id__user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk__audit_entry__project_id__project"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix__audit_entry__project_id_id", ["project_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix__audit_entry_action"), ["action"], unique=False)

    op.create_table(
        "composition_row",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column(
            "split",
            sa.Enum("train", "dev", "test", name="split", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("short_title", sa.String(length=16), nullable=False),
        sa.Column("target", BIG_ID, nullable=False),
        sa.Column("position", BIG_ID, nullable=False),
        sa.Column("colour", BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk__composition_row__project_id__project"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__composition_row")),
        sa.UniqueConstraint("project_id", "source", "split", name=op.f("uq__composition_row__project_id_source_split")),
    )
    op.create_table(
        "exchange_group",
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("group", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk__exchange_group__project_id__project"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "site", name=op.f("pk__exchange_group")),
    )
    op.create_table(
        "invitation",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column(
            "role",
            sa.Enum("annotator", "reviewer", "admin", name="role", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("project_id", BIG_ID, nullable=True),
        sa.Column("user_id", BIG_ID, nullable=True),
        sa.Column("invited_by", BIG_ID, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("accepted_at", TIME, nullable=True),
        sa.Column("withdrawn_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["user.id"], name=op.f("fk__invitation__invited_by__user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk__invitation__project_id__project"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk__invitation__user_id__user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq__invitation__token_hash")),
    )
    op.create_table(
        "job",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("lane", sa.Enum("quick", "training", name="lane", native_enum=False, length=32), nullable=False),
        sa.Column("args", JSON, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("project_id", BIG_ID, nullable=True),
        sa.Column("created_by", BIG_ID, nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "running",
                "succeeded",
                "failed",
                "cancelled",
                name="jobstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("done", BIG_ID, nullable=False),
        sa.Column("total", BIG_ID, nullable=False),
        sa.Column("unit", sa.String(length=16), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("attempts", BIG_ID, nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=True),
        sa.Column("fence", sa.String(length=32), nullable=True),
        sa.Column("lease_until", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk__job__created_by__user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk__job__project_id__project"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__job")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix__job__state_lane_id", ["state", "lane", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix__job_project_id"), ["project_id"], unique=False)

    op.create_table(
        "login_session",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk__login_session__user_id__user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq__login_session__token_hash")),
    )
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix__login_session_user_id"), ["user_id"], unique=False)

    op.create_table(
        "membership",
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column(
            "role",
            sa.Enum("annotator", "reviewer", "admin", name="role", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk__membership__project_id__project"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk__membership__user_id__user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "user_id", name=op.f("pk__membership")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix__membership_user_id"), ["user_id"], unique=False)

    op.create_table(
        "version",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("row_count", BIG_ID, nullable=False),
        sa.Column("manifest", JSON, nullable=False),
        sa.Column("frozen_by", BIG_ID, nullable=True),
        sa.Column("frozen_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk__version__project_id__project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__version")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq__version__project_id_name")),
    )
    with op.batch_alter_table("version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix__version_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix__version_sha256"), ["sha256"], unique=False)

    op.create_table(
        "base_model",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("tiny", "smollm2", "folder", name="modelkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("architecture", sa.String(length=80), nullable=False),
        sa.Column("parameters", BIG_ID, nullable=False),
        sa.Column("layers", BIG_ID, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("job_id", BIG_ID, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("ready_at", TIME, nullable=True),
        sa.Column("added_by", BIG_ID, nullable=True),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("retired_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["added_by"], ["user.id"], name=op.f("fk__base_model__added_by__user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk__base_model__job_id__job"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__base_model")),
        sa.UniqueConstraint("name", name=op.f("uq__base_model__name")),
    )
    op.create_table(
        "duplicate_scan",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("job_id", BIG_ID, nullable=True),
        sa.Column("created_by", BIG_ID, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("methods", JSON, nullable=False),
        sa.Column(
            "on",
            sa.Enum("prompt", "response", "pair", name="on", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("result", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["user.id"],
            name=op.f("fk__duplicate_scan__created_by__user"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name=op.f("fk__duplicate_scan__job_id__job"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk__duplicate_scan__project_id__project"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__duplicate_scan")),
    )
    with op.batch_alter_table("duplicate_scan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix__duplicate_scan_project_id"), ["project_id"], unique=False)

    op.create_table(
        "import_run",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("job_id", BIG_ID, nullable=True),
        sa.Column("created_by", BIG_ID, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=32), nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("licence", sa.String(length=80), nullable=True),
        sa.Column("into", sa.Enum("pool", "set", name="into", native_enum=False, length=32), nullable=False),
        sa.Column("ruleset", JSON, nullable=False),
        sa.Column("ruleset_hash", sa.String(length=64), nullable=False),
        sa.Column("skip_bad", sa.Boolean(), nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "waiting",
                "running",
                "published",
                "failed",
                "cancelled",
                name="importstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("result", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk__import_run__created_by__user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk__import_run__job_id__job"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk__import_run__project_id__project"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__import_run")),
    )
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix__import_run_project_id"), ["project_id"], unique=False)

    op.create_table(
        "version_row",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("version_id", BIG_ID, nullable=False),
        sa.Column("position", BIG_ID, nullable=False),
        sa.Column("example_id", BIG_ID, nullable=False),
        sa.Column("revision_number", BIG_ID, nullable=False),
        sa.Column(
            "split",
            sa.Enum("train", "dev", "test", name="split", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name=op.f("fk__version_row__version_id__version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__version_row")),
        sa.UniqueConstraint("version_id", "position", name=op.f("uq__version_row__version_id_position")),
    )
    with op.batch_alter_table("version_row", schema=None) as batch_op:
        batch_op.create_index("ix__version_row__example_id", ["example_id"], unique=False)

    op.create_table(
        "candidate",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("import_run_id", BIG_ID, nullable=False),
        sa.Column("site", sa.String(length=120), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=False),
        sa.Column("thread_id", sa.String(length=120), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column(
            "split",
            sa.Enum("train", "dev", "test", name="split", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("messages", JSON, nullable=False),
        sa.Column("score", BIG_ID, nullable=True),
        sa.Column("author", sa.String(length=200), nullable=True),
        sa.Column("author_url", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("licence", sa.String(length=80), nullable=True),
        sa.Column("posted_at", TIME, nullable=True),
        sa.Column("extra", JSON, nullable=False),
        sa.Column("flags", JSON, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("open", "rejected", "used", name="candidatestatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("status_reason", sa.String(length=300), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_run_id"],
            ["import_run.id"],
            name=op.f("fk__candidate__import_run_id__import_run"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk__candidate__project_id__project"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__candidate")),
        sa.UniqueConstraint(
            "import_run_id", "site", "external_id", name=op.f("uq__candidate__import_run_id_site_external_id")
        ),
    )
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.create_index("ix__candidate__project_id_status_id", ["project_id", "status", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix__candidate_content_hash"), ["content_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix__candidate_import_run_id"), ["import_run_id"], unique=False)
        batch_op.create_index(
            "uq__candidate__published",
            ["project_id", "site", "external_id"],
            unique=True,
            sqlite_where=sa.text("published = 1"),
            postgresql_where=sa.text("published"),
        )

    op.create_table(
        "duplicate_pair",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("scan_id", BIG_ID, nullable=False),
        sa.Column("left_key", sa.String(length=260), nullable=False),
        sa.Column("right_key", sa.String(length=260), nullable=False),
        sa.Column(
            "on",
            sa.Enum("prompt", "response", "pair", name="on", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "method",
            sa.Enum("exact", "embedding", name="method", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("leak", sa.Boolean(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum("open", "keep_left", "keep_right", "keep_both", name="verdict", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("decided_by", BIG_ID, nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("effect", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["decided_by"],
            ["user.id"],
            name=op.f("fk__duplicate_pair__decided_by__user"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk__duplicate_pair__project_id__project"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["scan_id"],
            ["duplicate_scan.id"],
            name=op.f("fk__duplicate_pair__scan_id__duplicate_scan"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__duplicate_pair")),
        sa.UniqueConstraint(
            "project_id",
            "left_key",
            "right_key",
            "on",
            name=op.f("uq__duplicate_pair__project_id_left_key_right_key_on"),
        ),
    )
    with op.batch_alter_table("duplicate_pair", schema=None) as batch_op:
        batch_op.create_index("ix__duplicate_pair__project_id_right_key", ["project_id", "right_key"], unique=False)
        batch_op.create_index(
            "ix__duplicate_pair__project_id_verdict_score", ["project_id", "verdict", "score"], unique=False
        )
        batch_op.create_index(batch_op.f("ix__duplicate_pair_scan_id"), ["scan_id"], unique=False)

    op.create_table(
        "import_record",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("import_run_id", BIG_ID, nullable=False),
        sa.Column("number", BIG_ID, nullable=False),
        sa.Column("line", BIG_ID, nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("marks", JSON, nullable=False),
        sa.Column("score", BIG_ID, nullable=True),
        sa.Column("author", sa.String(length=200), nullable=True),
        sa.Column("licence", sa.String(length=80), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_run_id"],
            ["import_run.id"],
            name=op.f("fk__import_record__import_run_id__import_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__import_record")),
        sa.UniqueConstraint("import_run_id", "number", name=op.f("uq__import_record__import_run_id_number")),
    )
    with op.batch_alter_table("import_record", schema=None) as batch_op:
        batch_op.create_index("ix__import_record__import_run_id_rule_id", ["import_run_id", "rule", "id"], unique=False)

    op.create_table(
        "training_run",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column("version_id", BIG_ID, nullable=False),
        sa.Column("base_model_id", BIG_ID, nullable=False),
        sa.Column("job_id", BIG_ID, nullable=True),
        sa.Column("recipe", sa.String(length=32), nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "queued",
                "running",
                "stopping",
                "stopped",
                "succeeded",
                "failed",
                name="runstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("step", BIG_ID, nullable=False),
        sa.Column("steps", BIG_ID, nullable=False),
        sa.Column("epoch", BIG_ID, nullable=False),
        sa.Column("loss", sa.Double(), nullable=True),
        sa.Column("tokens_per_second", sa.Double(), nullable=True),
        sa.Column("seconds_left", sa.Double(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("result", JSON, nullable=False),
        sa.Column("created_by", BIG_ID, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME, nullable=True),
        sa.Column("finished_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["base_model_id"], ["base_model.id"], name=op.f("fk__training_run__base_model_id__base_model")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk__training_run__created_by__user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name=op.f("fk__training_run__job_id__job"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["project.id"],
            name=op.f("fk__training_run__project_id__project"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["version_id"], ["version.id"], name=op.f("fk__training_run__version_id__version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__training_run")),
        sa.UniqueConstraint("token", name=op.f("uq__training_run__token")),
    )
    with op.batch_alter_table("training_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix__training_run_project_id"), ["project_id"], unique=False)
        batch_op.create_index(batch_op.f("ix__training_run_version_id"), ["version_id"], unique=False)

    op.create_table(
        "checkpoint",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("run_id", BIG_ID, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("epoch", BIG_ID, nullable=False),
        sa.Column("step", BIG_ID, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("removed_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["training_run.id"],
            name=op.f("fk__checkpoint__run_id__training_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__checkpoint")),
        sa.UniqueConstraint("run_id", "name", name=op.f("uq__checkpoint__run_id_name")),
    )
    op.create_table(
        "example",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("project_id", BIG_ID, nullable=False),
        sa.Column(
            "split",
            sa.Enum("train", "dev", "test", name="split", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("flags", JSON, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "review",
                "returned",
                "approved",
                "rejected",
                name="examplestate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("candidate_id", BIG_ID, nullable=True),
        sa.Column("import_run_id", BIG_ID, nullable=True),
        sa.Column("site", sa.String(length=120), nullable=True),
        sa.Column("external_id", sa.String(length=120), nullable=True),
        sa.Column("licence", sa.String(length=80), nullable=True),
        sa.Column("attribution", JSON, nullable=False),
        sa.Column("revision_number", BIG_ID, nullable=False),
        sa.Column("approved_number", BIG_ID, nullable=True),
        sa.Column("verdict_words", sa.Text(), nullable=False),
        sa.Column("verdict_by", BIG_ID, nullable=True),
        sa.Column("verdict_at", TIME, nullable=True),
        sa.Column("created_by", BIG_ID, nullable=True),
        sa.Column("creation_key", sa.String(length=64), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["candidate.id"],
            name=op.f("fk__example__candidate_id__candidate"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk__example__created_by__user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["import_run_id"],
            ["import_run.id"],
            name=op.f("fk__example__import_run_id__import_run"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk__example__project_id__project"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["verdict_by"], ["user.id"], name=op.f("fk__example__verdict_by__user"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__example")),
        sa.UniqueConstraint("candidate_id", name=op.f("uq__example__candidate_id")),
        sa.UniqueConstraint("project_id", "creation_key", name=op.f("uq__example__project_id_creation_key")),
        sa.UniqueConstraint("project_id", "site", "external_id", name=op.f("uq__example__project_id_site_external_id")),
    )
    with op.batch_alter_table("example", schema=None) as batch_op:
        batch_op.create_index("ix__example__project_id_state_id", ["project_id", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix__example_created_by"), ["created_by"], unique=False)
        batch_op.create_index(batch_op.f("ix__example_import_run_id"), ["import_run_id"], unique=False)

    op.create_table(
        "answer",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("checkpoint_id", BIG_ID, nullable=False),
        sa.Column("job_id", BIG_ID, nullable=True),
        sa.Column("asked_by", BIG_ID, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("messages", JSON, nullable=False),
        sa.Column("settings", JSON, nullable=False),
        sa.Column("response", sa.Text(), nullable=True),
        sa.Column("stopped_by", sa.String(length=16), nullable=True),
        sa.Column("tokens", BIG_ID, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["user.id"], name=op.f("fk__answer__asked_by__user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["checkpoint_id"],
            ["checkpoint.id"],
            name=op.f("fk__answer__checkpoint_id__checkpoint"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk__answer__job_id__job"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__answer")),
    )
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix__answer_checkpoint_id"), ["checkpoint_id"], unique=False)

    op.create_table(
        "review",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("example_id", BIG_ID, nullable=False),
        sa.Column("revision_number", BIG_ID, nullable=False),
        sa.Column("reviewer_id", BIG_ID, nullable=True),
        sa.Column(
            "verdict",
            sa.Enum(
                "approved",
                "returned",
                "rejected",
                "imported",
                "withdrawn",
                name="reviewverdict",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["example_id"], ["example.id"], name=op.f("fk__review__example_id__example"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"], ["user.id"], name=op.f("fk__review__reviewer_id__user"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__review")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix__review_example_id"), ["example_id"], unique=False)

    op.create_table(
        "revision",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("example_id", BIG_ID, nullable=False),
        sa.Column("number", BIG_ID, nullable=False),
        sa.Column("messages", JSON, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("author_id", BIG_ID, nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("idempotency_key", sa.String(length=64), nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"], ["user.id"], name=op.f("fk__revision__author_id__user"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["example_id"], ["example.id"], name=op.f("fk__revision__example_id__example"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk__revision")),
        sa.UniqueConstraint("example_id", "idempotency_key", name=op.f("uq__revision__example_id_idempotency_key")),
        sa.UniqueConstraint("example_id", "number", name=op.f("uq__revision__example_id_number")),
    )
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix__revision_content_hash"), ["content_hash"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__revision_content_hash"))

    op.drop_table("revision")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__review_example_id"))

    op.drop_table("review")
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__answer_checkpoint_id"))

    op.drop_table("answer")
    with op.batch_alter_table("example", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__example_import_run_id"))
        batch_op.drop_index(batch_op.f("ix__example_created_by"))
        batch_op.drop_index("ix__example__project_id_state_id")

    op.drop_table("example")
    op.drop_table("checkpoint")
    with op.batch_alter_table("training_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__training_run_version_id"))
        batch_op.drop_index(batch_op.f("ix__training_run_project_id"))

    op.drop_table("training_run")
    with op.batch_alter_table("import_record", schema=None) as batch_op:
        batch_op.drop_index("ix__import_record__import_run_id_rule_id")

    op.drop_table("import_record")
    with op.batch_alter_table("duplicate_pair", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__duplicate_pair_scan_id"))
        batch_op.drop_index("ix__duplicate_pair__project_id_verdict_score")
        batch_op.drop_index("ix__duplicate_pair__project_id_right_key")

    op.drop_table("duplicate_pair")
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.drop_index(
            "uq__candidate__published",
            sqlite_where=sa.text("published = 1"),
            postgresql_where=sa.text("published"),
        )
        batch_op.drop_index(batch_op.f("ix__candidate_import_run_id"))
        batch_op.drop_index(batch_op.f("ix__candidate_content_hash"))
        batch_op.drop_index("ix__candidate__project_id_status_id")

    op.drop_table("candidate")
    with op.batch_alter_table("version_row", schema=None) as batch_op:
        batch_op.drop_index("ix__version_row__example_id")

    op.drop_table("version_row")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__import_run_project_id"))

    op.drop_table("import_run")
    with op.batch_alter_table("duplicate_scan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__duplicate_scan_project_id"))

    op.drop_table("duplicate_scan")
    op.drop_table("base_model")
    with op.batch_alter_table("version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__version_sha256"))
        batch_op.drop_index(batch_op.f("ix__version_project_id"))

    op.drop_table("version")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__membership_user_id"))

    op.drop_table("membership")
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__login_session_user_id"))

    op.drop_table("login_session")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__job_project_id"))
        batch_op.drop_index("ix__job__state_lane_id")

    op.drop_table("job")
    op.drop_table("invitation")
    op.drop_table("exchange_group")
    op.drop_table("composition_row")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__audit_entry_action"))
        batch_op.drop_index("ix__audit_entry__project_id_id")

    op.drop_table("audit_entry")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__api_token_user_id"))

    op.drop_table("api_token")
    op.drop_table("user")
    with op.batch_alter_table("sign_in_failure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix__sign_in_failure_name_hash"))
        batch_op.drop_index(batch_op.f("ix__sign_in_failure_address"))
        batch_op.drop_index("ix__sign_in_failure__at")

    op.drop_table("sign_in_failure")
    op.drop_table("project")
    op.drop_table("embedding")
