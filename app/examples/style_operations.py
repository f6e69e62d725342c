"""What changes a project's house style: its rules, the remarks that are left, the examples shown as models."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.db import now
from app.errors import Conflict, Refusal
from app.examples import style_queries
from app.examples.models import Example, ExampleState, HouseStyle, LeftRemark, ModelExample
from app.examples.style.sheet import BY_NAME, Sheet, sheet_from
from app.projects.limits import require_open
from app.projects.models import Project

MOST_LEFT = 500


class NotApproved(Conflict):
    """Only an approved example can be a model; nothing was changed."""


def set_style(session: Session, actor: User, project: Project, rules: Mapping[str, Any]) -> Sheet:
    """Replace a project's house style by a document of rules. Raises BadRules where it does not fit."""
    require_open(project)
    sheet = sheet_from(rules)
    row = session.get(HouseStyle, project.id)
    if row is None:
        row = HouseStyle(project_id=project.id, rules={})
        session.add(row)
    if row.rules != sheet.as_dict():
        row.rules, row.changed_at = sheet.as_dict(), now()
        off = [rule.name for rule in sheet.off]
        record(session, actor, "set house style", f"project:{project.id}", project_id=project.id, off=off)
    session.flush()
    return sheet


def change_rule(session: Session, actor: User, project: Project, name: str, changes: Mapping[str, Any]) -> Sheet:
    """Switch or tune one rule of a project's house style and leave the others; raises BadRules where it does not fit.

    `changes` are `on` and the rule's parameters.
    """
    document = style_queries.sheet_of(session, project.id).as_dict()
    return set_style(session, actor, project, {**document, name: {**document.get(name, {}), **changes}})


def leave_remark(session: Session, actor: User, project: Project, example: Example, key: str) -> None:
    """Leave a remark as it is, for this example; left twice it is left once."""
    require_open(project)
    _require_known(key)
    if session.scalar(_left(example, key)) is not None:
        return
    if len(session.scalars(select(LeftRemark.id).where(LeftRemark.example_id == example.id)).all()) >= MOST_LEFT:
        raise Refusal(f"{MOST_LEFT} remarks are left for this example; switch the rule off instead.")
    session.add(LeftRemark(example_id=example.id, key=key, user_id=actor.id))
    session.flush()


def take_up_remark(session: Session, project: Project, example: Example, key: str) -> None:
    """Speak of a remark again that was left."""
    require_open(project)
    _require_known(key)
    session.execute(delete(LeftRemark).where(LeftRemark.example_id == example.id, LeftRemark.key == key))


def _left(example: Example, key: str) -> Any:
    return select(LeftRemark.id).where(LeftRemark.example_id == example.id, LeftRemark.key == key)


def _require_known(key: str) -> None:
    rule, _, digest = key.partition(":")
    if rule not in BY_NAME or len(digest) != 16 or not digest.isalnum():
        raise Refusal("There is no such remark; nothing was changed.")


def set_model(session: Session, actor: User, project: Project, example: Example, *, shown: bool) -> None:
    """Show an approved example to everybody who writes, as a model; or no longer."""
    require_open(project)
    row = session.get(ModelExample, example.id)
    if shown and example.state is not ExampleState.APPROVED:
        raise NotApproved
    if shown == (row is not None):
        return
    if row is None:
        session.add(ModelExample(example_id=example.id, user_id=actor.id))
    else:
        session.delete(row)
    session.flush()
    action = "show as model" if shown else "no longer show as model"
    record(session, actor, action, f"example:{example.id}", project_id=project.id)
