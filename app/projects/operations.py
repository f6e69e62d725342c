"""What changes projects, targets and members."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.accounts import operations as accounts
from app.accounts import queries as people
from app.accounts.audit import record
from app.accounts.models import Invitation, Role, User
from app.config import Settings
from app.db import now
from app.errors import Conflict, Denied, NotFound, Refusal
from app.projects import queries
from app.projects.limits import require_open
from app.projects.models import CompositionRow, Membership, Project, Split


@dataclass(frozen=True)
class Target:
    """One row of a composition target."""

    source: str
    split: Split
    title: str
    short_title: str
    target: int
    colour: int


# LIMA, Table 1: 1,000 train rows of six sources, 50 dev and 300 test prompts.
LIMA = (
    Target("stackexchange_stem", Split.TRAIN, "Stack Exchange, STEM", "STEM", 200, 1),
    Target("stackexchange_other", Split.TRAIN, "Stack Exchange, other", "Other", 200, 2),
    Target("wikihow", Split.TRAIN, "wikiHow", "wikiHow", 200, 3),
    Target("writingprompts", Split.TRAIN, "r/WritingPrompts", "Stories", 150, 4),
    Target("natural_instructions", Split.TRAIN, "Super-Natural Instructions", "Tasks", 50, 5),
    Target("authors", Split.TRAIN, "Paper authors, Group A", "Authors", 200, 6),
    Target("authors", Split.DEV, "Paper authors, Group A", "Authors", 50, 6),
    Target("askreddit", Split.TEST, "r/AskReddit", "AskReddit", 70, 7),
    Target("authors_b", Split.TEST, "Paper authors, Group B", "Group B", 230, 8),
)


def create_project(session: Session, actor: User, *, slug: str, name: str, targets: Sequence[Target] = LIMA) -> Project:
    """A project with its composition target; the maker becomes its admin."""
    if queries.project_by_slug(session, slug):
        raise Conflict(f"There is a project {slug} already; nothing was changed. Choose another short name.")
    project = Project(slug=slug, name=" ".join(name.split()) or slug)
    session.add(project)
    session.flush()
    _write_composition(session, project, targets)
    session.add(Membership(project_id=project.id, user_id=actor.id, role=Role.ADMIN))
    record(session, actor, "create project", f"project:{project.id}", project_id=project.id, slug=slug)
    return project


def slug_of(name: str) -> str:
    """A short name for addresses, made from a name."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:48].rstrip("-") or "project"


def set_composition(session: Session, actor: User, project: Project, targets: Sequence[Target]) -> None:
    """Replace the target; examples keep their sources, whether or not a row is left for them."""
    require_open(project)
    keys = [(target.source, target.split) for target in targets]
    if len(set(keys)) != len(keys):
        raise Refusal("Two rows name the same source and split; nothing was changed. Join them.")
    session.execute(delete(CompositionRow).where(CompositionRow.project_id == project.id))
    _write_composition(session, project, targets)
    record(session, actor, "set composition", f"project:{project.id}", project_id=project.id, rows=len(keys))


def _write_composition(session: Session, project: Project, targets: Sequence[Target]) -> None:
    for position, row in enumerate(targets):
        session.add(CompositionRow(project_id=project.id, position=position, **vars(row)))
    session.flush()


def add_member(session: Session, actor: User | None, project: Project, user: User, role: Role) -> None:
    """Give a person a role in the project, new or changed."""
    require_open(project)
    membership = session.get(Membership, (project.id, user.id))
    if membership is None:
        session.add(Membership(project_id=project.id, user_id=user.id, role=role))
    else:
        membership.role = role
    record(session, actor or user, "set member", f"user:{user.id}", project_id=project.id, role=role)


def change_member(session: Session, actor: User, project: Project, user_id: int, role: Role) -> Membership:
    """Give a member another role."""
    membership = _membership(session, project, user_id)
    add_member(session, actor, project, membership.user, role)
    return membership


def remove_member(session: Session, actor: User, project: Project, user_id: int) -> Membership:
    """End a membership; what the person wrote stays."""
    require_open(project)
    membership = _membership(session, project, user_id)
    session.delete(membership)
    record(session, actor, "remove member", f"user:{user_id}", project_id=project.id)
    return membership


def _membership(session: Session, project: Project, user_id: int) -> Membership:
    membership = session.scalar(queries.membership(project, user_id))
    if membership is None:
        raise NotFound("That person is not a member here.")
    return membership


def invite_member(
    session: Session, settings: Settings, actor: User, project: Project, *, email: str, role: Role
) -> tuple[Invitation, str] | User:
    """Add somebody who has an account, or make an invitation for who has none: its row and the link's token."""
    known = people.user_by_email(session, email) if email else None
    if known is not None and not known.is_operator:
        add_member(session, actor, project, known, role)
        return known
    return accounts.invite(session, settings, actor, role=role, email=email or None, project_id=project.id)


def accept_invitation(session: Session, token: str, *, email: str, name: str, password: str) -> User:
    """Make the account that a link promises, with the membership that it names; or set a password anew."""
    if accounts.usable_invitation(session, token).user_id is not None:
        return accounts.reset_password(session, token, password=password)
    user, invitation = accounts.accept_invitation(session, token, email=email, name=name, password=password)
    _join(session, user, invitation)
    return user


def join_by_invitation(session: Session, actor: User, token: str) -> Project:
    """Use a link with the account that one has already; a greater role that one holds stays."""
    invitation = accounts.take_invitation(session, token)
    if invitation.email and invitation.email != actor.email:
        raise Denied(f"This invitation is for {invitation.email}; nothing was changed. Sign out and open it again.")
    project = _join(session, actor, invitation)
    if project is None:
        raise Refusal("You have an account here already; this link is for somebody who has none. It still works.")
    return project


def _join(session: Session, user: User, invitation: Invitation) -> Project | None:
    project = session.get(Project, invitation.project_id) if invitation.project_id is not None else None
    if project is not None:
        held = queries.membership_role(session, project, user)
        if held is None or not held.covers(invitation.role):
            add_member(session, user, project, user, invitation.role)
    return project


def describe_project(session: Session, actor: User, project: Project, *, name: str, guide: str) -> None:
    """Set the name and the style guide, in Markdown."""
    project.name, project.guide = " ".join(name.split()) or project.slug, guide
    record(session, actor, "describe project", f"project:{project.id}", project_id=project.id)


def archive_project(session: Session, actor: User, project: Project, at: datetime | None = None) -> None:
    """Close a project to changes; it can be read and opened again."""
    project.archived_at = project.archived_at or at or now()
    record(session, actor, "archive project", f"project:{project.id}", project_id=project.id)


def reopen_project(session: Session, actor: User, project: Project) -> None:
    """Open an archived project to changes again."""
    project.archived_at = None
    record(session, actor, "reopen project", f"project:{project.id}", project_id=project.id)


def composition_row(session: Session, project: Project, source: str, split: Split) -> CompositionRow | None:
    """The target's row for a source and split, if there is one."""
    query = select(CompositionRow).where(CompositionRow.project_id == project.id)
    return session.scalar(query.where(CompositionRow.source == source, CompositionRow.split == split))


def named_project(session: Session, actor: User, slug: str) -> Project:
    """The project of that name, if the acting person may see it."""
    project = queries.project_by_slug(session, slug)
    if project is None or queries.role_in(session, project, actor) is None:
        raise NotFound(f"There is no project {slug}; nothing was changed.")
    return project
