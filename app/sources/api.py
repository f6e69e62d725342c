"""Imports over JSON: the same operations as the pages."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, UploadFile
from fastapi import Request as HttpRequest
from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.db import SessionDep
from app.errors import NotFound
from app.projects.access import Annotator, Lead
from app.sources import operations, queries, uploads
from app.sources.exchanges import ExchangeKind
from app.sources.formats import recognise
from app.sources.forms import ExchangeForm
from app.sources.models import ImportRun, Into
from app.sources.operations import ImportPlan
from app.sources.rulesets import LIMA, NONE, BadRules, Ruleset, ruleset_from
from app.web.paging import PageNumber, page_of

router = APIRouter(prefix="/api/v1", tags=["sources"])

REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "No valid token."},
    403: {"description": "The role or the token's scope does not allow it."},
    404: {"description": "No such project or import, or not yours to see."},
    422: {"description": "The file, the site or a rule does not fit; the message says which."},
}


class ImportOut(BaseModel):
    """An import; `result` is the document that `handpicked import --json` prints, empty until it is published."""

    id: int
    name: str
    format: str
    site: str
    source: str | None
    into: Into
    state: str
    error: str | None
    job: int | None
    result: dict[str, Any]

    @classmethod
    def of(cls, run: ImportRun) -> "ImportOut":
        """From its row."""
        return cls(
            id=run.id,
            name=run.name,
            format=run.format,
            site=run.site,
            source=run.source,
            into=run.into,
            state=run.state.value,
            error=run.error,
            job=run.job_id,
            result=run.result,
        )


class ImportList(BaseModel):
    """A page of imports, newest first."""

    total: int
    imports: list[ImportOut]


class RecordList(BaseModel):
    """A page of what an import did with its records: the lines of its report."""

    total: int
    records: list[dict[str, Any]]


@router.get("/projects/{slug}/imports", responses=REFUSALS)
def list_imports(access: Annotator, session: SessionDep, page: PageNumber = 1) -> ImportList:
    """A page of the project's imports."""
    rows, pager = page_of(session, queries.imports_of(access.project.id), page)
    return ImportList(total=pager.total, imports=[ImportOut.of(row) for row in rows])


@router.post("/projects/{slug}/imports", status_code=201, responses=REFUSALS)
def start_import(  # noqa: PLR0913
    request: HttpRequest,
    access: Annotator,
    session: SessionDep,
    files: Annotated[list[UploadFile], File(description="One file; or Posts.xml and Users.xml of a dump.")],
    site: Annotated[str, Form(max_length=120)] = "",
    source: Annotated[str | None, Form(max_length=64)] = None,
    into: Annotated[Into, Form()] = Into.POOL,
    rules: Annotated[str, Form(description="lima, none, or a JSON document of rules.", max_length=100_000)] = "",
    licence: Annotated[str | None, Form(max_length=80)] = None,
    skip_bad: Annotated[bool, Form()] = False,
) -> ImportOut:
    """Upload and import; the work runs as a job."""
    operations.require_open(access.project)
    sent = [(file.filename or "upload", file.file) for file in files]
    path = uploads.keep_upload(request.app.state.settings, sent)
    found = recognise(path)
    plan = ImportPlan(
        path=path,
        name=sent[0][0],
        format=found,
        ruleset=_rules(rules, found),
        site=site,
        source=source,
        licence=licence,
        into=into,
        skip_bad=skip_bad,
    )
    return ImportOut.of(operations.start_import(session, access.user, access.project, plan))


def _rules(rules: str, format: str) -> Ruleset:
    if not rules:
        return LIMA if format == "stackexchange" else NONE
    if not rules.startswith("{"):
        return ruleset_from(rules)
    try:
        return ruleset_from(json.loads(rules))
    except (ValueError, RecursionError) as error:
        raise BadRules("The rules are not a JSON document; nothing was imported.") from error


@router.get("/projects/{slug}/imports/{import_id}", responses=REFUSALS)
def show_import(access: Annotator, session: SessionDep, import_id: int) -> ImportOut:
    """One import with its result."""
    return ImportOut.of(_run(session, access.project.id, import_id))


@router.get("/projects/{slug}/imports/{import_id}/records", responses=REFUSALS)
def list_records(access: Annotator, session: SessionDep, import_id: int, page: PageNumber = 1) -> RecordList:
    """A page of what became of each record."""
    rows, pager = page_of(session, queries.records_of(_run(session, access.project.id, import_id)), page)
    return RecordList(total=pager.total, records=[queries.report_line(row) for row in rows])


def _run(session: Session, project_id: int, import_id: int) -> ImportRun:
    run = queries.import_in(session, project_id, import_id)
    if run is None:
        raise NotFound
    return run


@router.put("/projects/{slug}/exchanges", status_code=204, responses=REFUSALS)
def sort_exchange(access: Lead, session: SessionDep, body: ExchangeForm) -> None:
    """Decide where an exchange counts from now on."""
    operations.set_exchange_group(session, access.user, access.project, body.site, ExchangeKind(body.group))
