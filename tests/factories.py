"""Rows for tests, made by the product's own operations wherever there is one."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from app.accounts import operations as accounts
from app.accounts.models import Role, Scope, User
from app.db import Database
from app.projects import operations as projects
from app.projects.models import Project


@dataclass(frozen=True)
class People:
    """A project and everybody around it."""

    project: Project
    annotator: User
    colleague: User
    reviewer: User
    lead: User
    admin: User
    stranger: User


def user(session: Session, role: Role = Role.ANNOTATOR, name: str = "", password: str | None = None) -> User:
    """A person who can sign in with `password`, if one is given."""
    name = name or f"{role.value} {uuid4().hex[:6]}"
    email = f"{name.replace(' ', '.').lower()}@example.org"
    return accounts.create_user(session, None, email=email, name=name, role=role, password=password)


def project(session: Session, owner: User, slug: str = "") -> Project:
    """A project with LIMA's composition."""
    slug = slug or f"p-{uuid4().hex[:8]}"
    return projects.create_project(session, owner, slug=slug, name=slug.capitalize())


def people(session: Session) -> People:
    """One of every kind; the lead is admin of the project only, the admin of the installation."""
    admin = user(session, Role.ADMIN)
    lead = user(session)
    made = project(session, lead)
    annotator, colleague, reviewer, stranger = (user(session) for _ in range(4))
    for member, role in ((annotator, Role.ANNOTATOR), (colleague, Role.ANNOTATOR), (reviewer, Role.REVIEWER)):
        projects.add_member(session, lead, made, member, role)
    return People(made, annotator, colleague, reviewer, lead, admin, stranger)


def signed_in(database: Database, person: Any) -> str:
    """A session token for that person."""
    with database.writing() as session:
        return accounts.open_session(session, person)


def api_token(database: Database, person: Any, scope: str) -> str:
    """An API token of that person."""
    with database.writing() as session:
        return accounts.create_api_token(session, person, name="test", scope=Scope(scope), project_id=None, days=None)[
            1
        ]
