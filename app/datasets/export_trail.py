"""What the trail says of exports: who takes a copy of what, and what could not be made."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.datasets.archive import Packing
from app.datasets.canonical import version_id
from app.datasets.formats import Format
from app.datasets.models import Version
from app.db import Database
from app.errors import Refusal


def note_export(session: Session, actor: User, version: Version, form: Format, packing: Packing | None = None) -> None:
    """Write into the trail who takes a copy of what; before it is made, so that none goes out unnoted."""
    _note(session, actor, "export version", version, form, packing)


@contextmanager
def noting_failure(
    database: Database, actor: User, version: Version, form: Format, packing: Packing | None = None
) -> Iterator[None]:
    """A block that makes the copy; where it fails the trail says that and why, in a transaction of its own."""
    try:
        yield
    except (Refusal, OSError) as error:
        why = error.message if isinstance(error, Refusal) else str(error)
        with database.writing() as session:
            _note(session, actor, "export failed", version, form, packing, why=why)
        raise


def _note(
    session: Session, actor: User, action: str, version: Version, form: Format, packing: Packing | None, **more: str
) -> None:
    record(
        session, actor, action, f"version:{version.name}", project_id=version.project_id,
        id=version_id(version.sha256), format=form.value, **({"packing": packing.value} if packing else {}), **more,
    )  # fmt: skip
