"""What a project lets happen in it, whoever asks and by whatever way: nothing once archived, hidden tests to few."""

from sqlalchemy.orm import Session

from app.accounts.models import Role, User
from app.errors import Gone
from app.projects import queries
from app.projects.models import Project

# In a session's `info`: the person for whom it leaves hidden test prompts out; see app.examples.sight.
KEPT_FROM_TESTS = "kept from tests"


class Archived(Gone):
    """This project is archived: it can be read, not changed; nothing was changed. An admin of it can open it again."""

    title = "Archived"


def keep_from_tests(session: Session, project: Project, user: User, role: Role) -> None:
    """From here on this session shows the person no test prompts that they may not read in that project."""
    if project.tests_hidden and role is not Role.ADMIN and not queries.reads_tests(session, project, user):
        session.info[KEPT_FROM_TESTS] = user.id


def kept_from_tests(session: Session) -> int | None:
    """The number of the person whom this session keeps from the tests; None if it shows everything."""
    person: int | None = session.info.get(KEPT_FROM_TESTS)
    return person


def require_open(project: Project) -> None:
    """Refuse changes of an archived project."""
    if project.archived_at is not None:
        raise Archived
