"""${message}

A migration is a dated letter to the future:
- import nothing from app: models change, letters do not; write types out
- schema and data apart, one migration each
- it must run on SQLite (batch) and on PostgreSQL, and be quick on 100,000 examples
- a downgrade that would lose data refuses and says so

Revision: ${up_revision}, after ${down_revision | comma,n}, ${create_date}
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
