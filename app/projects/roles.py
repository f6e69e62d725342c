"""What prompts are for in a project: who writes in which group, who reads the tests, which project it translates."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.errors import NotFound, Refusal
from app.projects import queries
from app.projects.limits import require_open
from app.projects.models import AuthorGroup, Membership, Project
from app.web.found import found


class FollowsItself(Refusal):
    """A project cannot be the translation of itself; nothing was changed."""


class FollowsInARing(Refusal):
    """{slug} is itself the translation of this project, so this one cannot follow it; nothing was changed."""


def hide_tests(session: Session, actor: User, project: Project, *, hidden: bool) -> None:
    """Keep test prompts out of sight of those who may write training examples, or show them to everybody again."""
    require_open(project)
    if project.tests_hidden == hidden:
        return
    project.tests_hidden = hidden
    session.flush()
    record(session, actor, "hide tests", f"project:{project.id}", project_id=project.id, hidden=hidden)


def set_author(
    session: Session, actor: User, project: Project, user_id: int, *, group: AuthorGroup | None, reads_tests: bool
) -> Membership:
    """Say in which group a member writes, and whether they read hidden tests; what they wrote keeps its group."""
    require_open(project)
    membership = session.scalar(queries.membership(project, user_id))
    if membership is None:
        raise NotFound("That person is not a member here; nothing was changed.")
    if (membership.author_group, membership.reads_tests) == (group, reads_tests):
        return membership
    membership.author_group, membership.reads_tests = group, reads_tests
    session.flush()
    detail = {"group": group.value if group else None, "reads_tests": reads_tests}
    record(session, actor, "set author", f"user:{user_id}", project_id=project.id, **detail)
    return membership


def change_author(
    session: Session, actor: User, project: Project, user_id: int, wanted: Mapping[str, Any]
) -> Membership:
    """The same for `author_group` (a letter, or empty for none) and `reads_tests`; what is None stays as it is."""
    member = found(session, queries.membership(project, user_id))
    letter, reads = wanted.get("author_group"), wanted.get("reads_tests")
    group = member.author_group if letter is None else AuthorGroup(letter) if letter else None
    may = member.reads_tests if reads is None else reads
    return set_author(session, actor, project, user_id, group=group, reads_tests=may)


def group_of(session: Session, project: Project, user: User) -> AuthorGroup | None:
    """The group of authors that a person writes in here."""
    membership = session.get(Membership, (project.id, user.id))
    return membership.author_group if membership else None


def set_language(session: Session, actor: User, project: Project, language: str | None) -> None:
    """Say in which language the project's texts are that state none themselves; None: nobody says."""
    require_open(project)
    if project.language == language:
        return
    project.language = language
    session.flush()
    record(session, actor, "set language", f"project:{project.id}", project_id=project.id, language=language)


def follow_project(session: Session, actor: User, project: Project, followed: Project, language: str) -> None:
    """From now on this project is the translation of another into a language; nothing is copied by that."""
    require_open(project)
    if followed.id == project.id:
        raise FollowsItself
    if followed.follows_id == project.id:
        raise FollowsInARing(slug=followed.slug)
    if (project.follows_id, project.follows_language) == (followed.id, language):
        return
    project.follows_id, project.follows_language = followed.id, language
    session.flush()
    record(
        session, actor, "follow project", f"project:{project.id}",
        project_id=project.id, follows=followed.slug, language=language,
    )  # fmt: skip


def stop_following(session: Session, actor: User, project: Project) -> None:
    """This project follows no other any more; its translations stay translations."""
    require_open(project)
    if project.follows_id is None:
        return
    project.follows_id = project.follows_language = None
    session.flush()
    record(session, actor, "stop following", f"project:{project.id}", project_id=project.id)


def followed_project(session: Session, project: Project) -> Project | None:
    """The project that this one follows; who may read it is another question."""
    return session.get(Project, project.follows_id) if project.follows_id is not None else None
