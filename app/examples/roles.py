"""What a prompt is besides its split: who wrote it in which group, what is sensitive, what fixes the answer's form."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import Role, User
from app.db import now
from app.errors import Denied
from app.examples import queries, saving
from app.examples.models import Example
from app.projects.limits import require_open
from app.projects.models import PROMPT_FLAGS, AuthorGroup, Project
from app.projects.queries import role_in

FLAGS = PROMPT_FLAGS
WORDS = {
    "sensitive": "sensitive",
    "format_constraint": "fixes the answer's form",
    "acknowledges_first": "takes up the question first",
}


class GroupIsForLeads(Denied):
    """The group was set when this was written, and only a lead of the project changes it; nothing was changed."""


@dataclass(frozen=True)
class Roles:
    """The group of the prompt's author, and the flags that a person has set."""

    author_group: AuthorGroup | None = None
    sensitive: bool = False
    format_constraint: bool = False
    acknowledges_first: bool = False

    @property
    def flags(self) -> list[str]:
        """The flags that are set, by name."""
        return [name for name in FLAGS if getattr(self, name)]

    def document(self) -> dict[str, Any]:
        """The same as API and command line print it."""
        return asdict(self) | {"author_group": self.author_group.value if self.author_group else None}


def roles_of(example: Example) -> Roles:
    """What an example is besides its split."""
    return Roles(example.author_group, *(getattr(example, flag) for flag in FLAGS))


def changed(standing: Roles, wanted: Mapping[str, Any]) -> Roles:
    """The roles with some of them changed: a flag is True or False, a group its letter or empty; None leaves it."""
    said = {name: value for name, value in wanted.items() if value is not None}
    if "author_group" in said:
        said["author_group"] = AuthorGroup(said["author_group"]) if said["author_group"] else None
    return replace(standing, **said)


def set_roles(session: Session, actor: User, example: Example, wanted: Roles) -> bool:
    """Set group and flags; whether anything changed. It reopens nothing: a freeze takes what stands then.

    Raises GroupIsForLeads where somebody else would change the group.
    """
    project = session.get_one(Project, example.project_id)
    require_open(project)
    before = roles_of(example)
    if before == wanted:
        return False
    if before.author_group != wanted.author_group and role_in(session, project, actor) is not Role.ADMIN:
        raise GroupIsForLeads
    for name, value in vars(wanted).items():
        setattr(example, name, value)
    example.changed_at = now()
    session.flush()
    if wanted.author_group is AuthorGroup.B is not before.author_group:
        saving.look_at(session, actor, example, queries.head_revision(session, example).messages)
    detail = {name: value for name, value in wanted.document().items() if value != before.document()[name]}
    record(session, actor, "set roles", f"example:{example.id}", project_id=example.project_id, **detail)
    return True
