"""Giving a licence to examples that have none, and a name to those that name nobody."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.db import now
from app.errors import Refusal
from app.examples.credit import with_licence
from app.examples.models import Example, ExampleState
from app.examples.queries import arrived
from app.projects.limits import require_open
from app.projects.models import Project
from app.text.licences import is_stated, keeps_all_rights, parts_of, together
from app.text.wellformed import require_wellformed

LONGEST_LICENCE, LONGEST_AUTHOR = 80, 200


class NothingGiven(Refusal):
    """Give a licence, an author to name, or both; nothing was changed."""


class NoLicence(Refusal):
    """{licence} is no licence, so nobody could use what stands under it; nothing was changed."""


class TooLong(Refusal):
    """A licence has at most {licence} characters and an author at most {author}; nothing was changed."""


@dataclass(frozen=True)
class Given:
    """How many examples got a licence, and how many somebody to name."""

    licensed: int
    credited: int


def give_licence(session: Session, actor: User, project: Project, *, licence: str, author: str) -> Given:
    """Put examples that have no licence under this one, and name this author where neither author nor link is known.

    What is there already stays, words and approvals too; either may be empty; what states no licence, such as
    `unknown`, has none. Raises NothingGiven, NoLicence, TooLong.
    """
    require_open(project)
    licence, author = (" ".join(require_wellformed(words).split()) for words in (licence, author))
    if not licence and not author:
        raise NothingGiven
    if len(licence) > LONGEST_LICENCE or len(author) > LONGEST_AUTHOR:
        raise TooLong(licence=LONGEST_LICENCE, author=LONGEST_AUTHOR)
    if licence and (not is_stated(licence) or keeps_all_rights(licence)):
        raise NoLicence(licence=licence)
    standing = (Example.project_id == project.id, Example.state != ExampleState.REJECTED, arrived())
    licensed = credited = 0
    for example in session.scalars(select(Example).where(*standing).order_by(Example.id).with_for_update()):
        if licence and not is_stated(example.licence):
            example.licence, example.changed_at = _given(example.licence, licence), now()
            example.attribution = with_licence(example.attribution, licence)
            licensed += 1
        known = any(example.attribution.get(key) for key in ("author", "url", "question_author", "question_url"))
        if author and is_stated(example.licence) and not known:
            example.attribution, example.changed_at = {**example.attribution, "author": author}, now()
            credited += 1
    session.flush()
    if licensed or credited:
        detail = {"licence": licence, "author": author, "licensed": licensed, "credited": credited}
        record(session, actor, "give licence", f"project:{project.id}", project_id=project.id, **detail)
    return Given(licensed, credited)


def _given(written: str | None, licence: str) -> str:
    """What an example is under then: a text that was merged of several keeps the licences that it has."""
    named = together(part if is_stated(part) else licence for part in parts_of(written)) or licence
    if len(named) > LONGEST_LICENCE:
        raise TooLong(licence=LONGEST_LICENCE, author=LONGEST_AUTHOR)
    return named
