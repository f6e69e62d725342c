"""The tokenizer by which a project's texts are counted: chosen from the base models, as they live in this room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from app.accounts.models import AuditEntry, Role, User
from app.config import Settings
from app.errors import Refusal
from app.projects.access import Annotator, Lead, ProjectAccess
from app.projects.tokenizers import last_set, set_tokenizer
from app.runs import queries, tokenizing
from app.runs.forms import TokenizerForm
from app.runs.tokenizerfile import LARGEST_POST, Brought, brought_tokenizer
from app.runs.tokenizing import KEPT
from app.web.forms import Posted, posted
from app.web.templating import Flash, redirect, render
from app.web.transactions import SessionDep

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class TokenizerPage:
    """By what the project counts now and who said so, and what else there is; `folders` for those who may name one."""

    slug: str
    name: str
    sha256: str
    set_by: str
    set_at: datetime | None
    models: Sequence[str]
    folders: Sequence[Path]
    may_change: bool
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @property
    def chosen(self) -> str:
        """The base model whose tokenizer it is, if it is one's; `kept` where the project keeps another."""
        model = self.name.removeprefix("of ")
        return model if model in self.models or not self.name else KEPT

    @property
    def choices(self) -> list[tuple[str, str]]:
        """No tokenizer, that of each base model, and the one that is kept where no base model has it any more."""
        kept = [(KEPT, f"The one {self.name}, as it is")] if self.chosen == KEPT else []
        return [("", "None: estimate"), *kept, *((name, name) for name in self.models)]


def tokenizer_page(
    session: Session,
    access: ProjectAccess,
    settings: Settings,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> TokenizerPage:
    """The page for a project."""
    project = access.project
    last = last_set(session, project)
    return TokenizerPage(
        slug=project.slug,
        name=project.tokenizer_name,
        sha256=project.tokenizer_sha256 or "",
        set_by=_name_of(session, last),
        set_at=last.at if last else None,
        models=[model.name for model in session.scalars(queries.ready_models())],
        folders=settings.model_folders if access.user.role is Role.ADMIN else (),
        may_change=access.role is Role.ADMIN and project.archived_at is None,
        typed=typed or {},
        errors=errors or {},
    )


def _name_of(session: Session, entry: AuditEntry | None) -> str:
    person = session.get(User, entry.actor_id) if entry and entry.actor_id else None
    return person.name if person else "somebody who is gone"


@router.get("/projects/{slug}/tokenizer", name="runs:tokenizer")
def tokenizer(request: Request, access: Annotator, session: SessionDep) -> Response:
    """By what tokens are counted: to read for all, to change for the project's leads."""
    page = tokenizer_page(session, access, request.app.state.settings)
    return render(request, "runs/tokenizer.html", page, session=session)


@router.post("/projects/{slug}/tokenizer", name="runs:set_tokenizer")
def choose(
    request: Request,
    access: Lead,
    session: SessionDep,
    form: Annotated[Posted[TokenizerForm], Depends(posted(TokenizerForm))],
) -> Response:
    """Count by another tokenizer, or estimate; what does not fit is said, and nothing is changed."""
    settings: Settings = request.app.state.settings
    errors = form.errors
    if not errors:
        try:
            wanted = form.value
            tokenizing.choose(session, access.user, access.project, settings, model=wanted.model, folder=wanted.folder)
        except Refusal as refusal:
            named = form.value.folder and access.user.role is Role.ADMIN and settings.model_folders
            errors = {"folder" if named else "model": refusal.message}
    if errors:
        page = tokenizer_page(session, access, settings, form.typed, errors)
        return render(request, "runs/tokenizer.html", page, session=session, status=422)
    return _set(request, access)


@router.post("/projects/{slug}/tokenizer/file", name="runs:upload_tokenizer", max_body_size=LARGEST_POST)
def upload(
    request: Request, brought: Annotated[Brought, Depends(brought_tokenizer)], access: Lead, session: SessionDep
) -> Response:
    """Count by a tokenizer.json from this person's computer; one that is none is refused with the reason."""
    if brought.refusal:
        errors = {"file": brought.refusal.message}
        page = tokenizer_page(session, access, request.app.state.settings, errors=errors)
        return render(request, "runs/tokenizer.html", page, session=session, status=brought.refusal.status)
    set_tokenizer(session, access.user, access.project, brought.name, brought.require())
    return _set(request, access)


def _set(request: Request, access: ProjectAccess) -> Response:
    name = access.project.tokenizer_name
    said = f"Tokens are counted by the tokenizer {name}." if name else "Tokens are estimated."
    return redirect(request, "runs:tokenizer", Flash("ok", said), slug=access.project.slug)
