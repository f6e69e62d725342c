"""Who may do what in a project: a route below /projects/{slug} declares the least role of its members."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from app.accounts.access import Access, Requirement, identify, require_scope
from app.accounts.models import Role
from app.errors import Denied, NotFound
from app.projects import queries
from app.projects.limits import keep_from_tests, require_open
from app.projects.models import Project
from app.web.transactions import SAFE_METHODS, SessionDep


@dataclass(frozen=True)
class ProjectAccess(Access):
    """The acting person in one project, with their role in it."""

    project: Project = None  # type: ignore[assignment]
    role: Role = Role.ANNOTATOR

    def may_stop(self, started_by: int | None) -> bool:
        """Whether this person may stop work that somebody started: one's own, or as an admin anybody's."""
        return self.role is Role.ADMIN or started_by == self.user.id


class Member(Requirement):
    """A member of the project named in the path, of at least a role; strangers get 404, as if it did not exist."""

    def __init__(self, role: Role, *, even_archived: bool = False) -> None:
        """Name the least role, and whether the route changes archived projects too."""
        self.role = role
        self.even_archived = even_archived
        self.name = f"project {role}"

    def __call__(self, request: Request, slug: str, session: SessionDep) -> ProjectAccess:
        """The acting member, or 401, 403, 404."""
        access = identify(request, session)
        project, role = queries.project_and_role(session, slug, access.user)
        fits = access.token is None or access.token.project_id in {None, project.id if project else None}
        if project is None or role is None or not fits:
            raise NotFound
        request.state.project, request.state.role = project, role
        if not role.covers(self.role):
            raise Denied
        require_scope(access, self.role, request.method)
        if request.method not in SAFE_METHODS and not self.even_archived:
            require_open(project)
        keep_from_tests(session, project, access.user, role)
        return ProjectAccess(access.user, access.token, project, role)


def may_read(session: Session, access: Access, project: Project) -> bool:
    """Whether this person, by this token if it is one, may read another project than the one in the path."""
    reaches = access.token is None or access.token.project_id in {None, project.id}
    return reaches and queries.role_in(session, project, access.user) is not None


Annotator = Annotated[ProjectAccess, Depends(Member(Role.ANNOTATOR))]
Reviewer = Annotated[ProjectAccess, Depends(Member(Role.REVIEWER))]
Lead = Annotated[ProjectAccess, Depends(Member(Role.ADMIN))]
# For posts that change nothing in a project, and for opening one again: an archived project takes them too.
Reading = Annotated[ProjectAccess, Depends(Member(Role.ANNOTATOR, even_archived=True))]
LeadReading = Annotated[ProjectAccess, Depends(Member(Role.ADMIN, even_archived=True))]
