"""Projects, members and targets."""

from collections.abc import Sequence

from sqlalchemy import Select, and_, bindparam, func, select
from sqlalchemy.orm import Session, joinedload

from app.accounts.models import Invitation, Role, User
from app.projects.models import CompositionRow, Membership, Project, Split


def project_by_slug(session: Session, slug: str) -> Project | None:
    """The project of that name in addresses."""
    return session.scalar(select(Project).where(Project.slug == slug))


def language_unsaid(session: Session, project_id: int) -> str:
    """The language of a text that states none: what its project says, else English."""
    return session.get_one(Project, project_id).language or "en"


_PLACE = (
    select(Project, Membership.role)
    .outerjoin(Membership, and_(Membership.project_id == Project.id, Membership.user_id == bindparam("person")))
    .where(Project.slug == bindparam("slug"))
)


def project_and_role(session: Session, slug: str, user: User) -> tuple[Project | None, Role | None]:
    """The project of that name in addresses and the person's role in it, in one question; see `role_in`."""
    project, role = session.execute(_PLACE, {"slug": slug, "person": user.id}).one_or_none() or (None, None)
    return project, Role.ADMIN if project is not None and user.role is Role.ADMIN else role


def role_in(session: Session, project: Project, user: User) -> Role | None:
    """A person's role in a project: an installation's admins are admins everywhere, strangers have none."""
    return Role.ADMIN if user.role is Role.ADMIN else membership_role(session, project, user)


def membership_role(session: Session, project: Project, user: User) -> Role | None:
    """The role that a person's membership gives, whatever they are in the installation."""
    query = select(Membership.role).where(Membership.project_id == project.id, Membership.user_id == user.id)
    return session.scalar(query)


def reads_tests(session: Session, project: Project, user: User) -> bool:
    """Whether a lead lets this member read test prompts that are hidden from the others."""
    query = select(Membership.reads_tests).where(Membership.project_id == project.id, Membership.user_id == user.id)
    return bool(session.scalar(query))


def projects_of(user: User) -> Select[Project]:
    """The projects that a person may see, by name; archived ones last."""
    query = select(Project).order_by(Project.archived_at.is_not(None), func.lower(Project.name), Project.id)
    if user.role is Role.ADMIN:
        return query
    mine = select(Membership.project_id).where(Membership.user_id == user.id)
    return query.where(Project.id.in_(mine))


def composition_of(project: Project) -> Select[CompositionRow]:
    """The target, in the project's order."""
    query = select(CompositionRow).where(CompositionRow.project_id == project.id)
    return query.order_by(CompositionRow.position, CompositionRow.id)


def members_of(project: Project) -> Select[Membership]:
    """Members with their people, by name."""
    query = select(Membership).join(User, User.id == Membership.user_id).where(Membership.project_id == project.id)
    return query.options(joinedload(Membership.user)).order_by(func.lower(User.name), User.id)


def membership(project: Project, user_id: int) -> Select[Membership]:
    """One membership with its person."""
    key = (Membership.project_id == project.id, Membership.user_id == user_id)
    return select(Membership).where(*key).options(joinedload(Membership.user))


def memberships() -> Select[Membership]:
    """Every membership with its project, by project's name."""
    query = select(Membership).join(Project, Project.id == Membership.project_id)
    return query.options(joinedload(Membership.project)).order_by(func.lower(Project.name), Project.id)


def invitations_of(project: Project) -> Select[Invitation]:
    """Invitations into the project that nobody has accepted or withdrawn, newest first."""
    waiting = (Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None))
    return select(Invitation).where(Invitation.project_id == project.id, *waiting).order_by(Invitation.id.desc())


def invitation_of(project: Project, invitation_id: int) -> Select[Invitation]:
    """One invitation, if it is into this project."""
    return select(Invitation).where(Invitation.id == invitation_id, Invitation.project_id == project.id)


def sizes(session: Session, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many members each project has, and how many train examples it wants."""
    members = select(func.count()).where(Membership.project_id == Project.id).scalar_subquery()
    wanted = select(func.coalesce(func.sum(CompositionRow.target), 0)).where(
        CompositionRow.project_id == Project.id, CompositionRow.split == Split.TRAIN
    )
    query = select(Project.id, members, wanted.scalar_subquery()).where(Project.id.in_(ids))
    return {project_id: (people, target) for project_id, people, target in session.execute(query)}


def roles_of(session: Session, user: User) -> dict[int, Role]:
    """A person's role in each project of theirs."""
    rows = session.execute(select(Membership.project_id, Membership.role).where(Membership.user_id == user.id))
    return {row[0]: row[1] for row in rows}
