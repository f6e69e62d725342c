"""/api/v1: remarks of the house style on a text or an example, the rules of a project, its models."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.examples import queries, style_operations, style_queries
from app.examples.models import Example
from app.examples.style.counting import remark_document
from app.examples.style_forms import LeaveForm, ModelForm, RemarksIn, StyleIn
from app.examples.style_remarks import Described, remarks_on
from app.projects.access import Annotator, Lead, ProjectAccess, Reading
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep, reads_only

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["house style"], responses=REFUSALS)


class FixOut(BaseModel):
    """What to put in place of the characters from start to end."""

    start: int
    end: int
    replacement: str


class RemarkOut(BaseModel):
    """One remark; lines count from 1, messages and characters from 0."""

    message: int
    rule: str
    line: int
    start: int
    end: int
    passage: str
    words: str
    fix: FixOut | None
    key: str = Field(description="By which it is left, and known again.")
    left: bool


class RemarksOut(BaseModel):
    """All remarks on one text."""

    remarks: list[RemarkOut]


class StyleOut(BaseModel):
    """The house style: {rule: {"on", parameter: value, …}}."""

    rules: dict[str, Any]


class ModelsOut(BaseModel):
    """The examples that are shown as models, the latest first."""

    models: list[int]


@router.post("/remarks")
@reads_only
def remark_text(session: SessionDep, access: Reading, body: RemarksIn) -> RemarksOut:
    """What the house style says of a text; nothing is saved."""
    messages = [message.model_dump() for message in body.messages]
    return _remarks(session, access, None, Described(messages, body.source, body.language))


@router.get("/examples/{example_id}/remarks")
def remark_example(session: SessionDep, access: Annotator, example_id: int) -> RemarksOut:
    """What the house style says of the newest revision of an example."""
    example = queries.example_in(session, access.project.id, example_id)
    head = queries.head_revision(session, example)
    return _remarks(session, access, example, Described(head.messages, example.source, example.language))


@router.post("/examples/{example_id}/remarks/leaving")
def leave_remark(session: SessionDep, access: Annotator, example_id: int, body: LeaveForm) -> RemarksOut:
    """Leave a remark as it is for this example, or speak of it again."""
    example = queries.example_in(session, access.project.id, example_id)
    if body.leave == "yes":
        style_operations.leave_remark(session, access.user, access.project, example, body.remark)
    else:
        style_operations.take_up_remark(session, access.project, example, body.remark)
    return remark_example(session, access, example_id)


def _remarks(session: Session, access: ProjectAccess, example: Example | None, words: Described) -> RemarksOut:
    left = style_queries.left_of(session, example.id if example else None)
    found = []
    for remark in remarks_on(session, access.project, example, words):
        key = remark.key(str(words.messages[remark.message]["content"]))
        document = remark_document(remark, words.messages)
        found.append(RemarkOut.model_validate({**document, "key": key, "left": key in left}))
    return RemarksOut(remarks=found)


@router.get("/style")
def show_style(session: SessionDep, access: Annotator) -> StyleOut:
    """The project's house style."""
    return StyleOut(rules=style_queries.sheet_of(session, access.project.id).as_dict())


@router.put("/style")
def set_style(session: SessionDep, access: Lead, body: StyleIn) -> StyleOut:
    """Replace the project's house style."""
    sheet = style_operations.set_style(session, access.user, access.project, body.rules)
    return StyleOut(rules=sheet.as_dict())


@router.get("/style/models")
def list_models(session: SessionDep, access: Annotator) -> ModelsOut:
    """The examples that are shown as models."""
    rows = session.execute(style_queries.models_of(access.project.id))
    return ModelsOut(models=[example.id for example, _ in rows])


@router.post("/style/models")
def set_model(session: SessionDep, access: Lead, body: ModelForm) -> ModelsOut:
    """Show an approved example as a model, or no longer."""
    example = queries.example_in(session, access.project.id, body.example)
    style_operations.set_model(session, access.user, access.project, example, shown=body.shown == "yes")
    return list_models(session, access)
