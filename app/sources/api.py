"""Imports over JSON: the same operations as the pages."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, ValidationError

from app.config import Settings
from app.db import SessionDep
from app.projects.access import Annotator, Lead
from app.sources import exchanges, operations, queries, uploads
from app.sources.exchanges import ExchangeKind
from app.sources.formats import recognise, rules_of
from app.sources.forms import ExchangeForm, ImportForm
from app.sources.models import ImportRun, Into
from app.sources.operations import ImportPlan
from app.sources.rulesets import BadRules, Ruleset, ruleset_from
from app.sources.uploads import Upload
from app.web.found import found
from app.web.paging import PageNumber, page_of
from app.web.refusals import REFUSALS, Problem

router = APIRouter(prefix="/api/v1", tags=["sources"], responses=REFUSALS)

Received = Annotated[Upload, Depends(uploads.received, scope="function")]
ListPage = PageNumber


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


class RecordOut(BaseModel):
    """What became of one record: a line of the report."""

    external_id: str
    decision: str = Field(description="kept or dropped")
    rule: str | None = Field(description="The rule that dropped it.")
    reason: str


class RecordList(BaseModel):
    """A page of what an import did with its records, in their order."""

    total: int
    records: list[RecordOut]


class ExchangeList(BaseModel):
    """Each known exchange with its group: stem, other or discarded."""

    exchanges: dict[str, ExchangeKind]


def _multipart() -> dict[str, Any]:
    # The body is read as a stream before the transaction opens, so FastAPI cannot describe it by itself.
    schema = ImportForm.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    for name, field in schema["properties"].items():
        if "$ref" in field:
            schema["properties"][name] = {**definitions[field["$ref"].rsplit("/", 1)[-1]], **field}
            schema["properties"][name].pop("$ref")
    words = "One file; or, of a Stack Exchange dump, Posts.xml and Users.xml."
    files = {"type": "array", "items": {"type": "string", "format": "binary"}, "description": words}
    schema["properties"] = {"files": files, **schema["properties"]}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


@router.get("/projects/{slug}/imports")
def list_imports(access: Annotator, session: SessionDep, page: ListPage = 1) -> ImportList:
    """A page of the project's imports."""
    rows, pager = page_of(session, queries.imports_of(access.project.id), page)
    return ImportList(total=pager.total, imports=[ImportOut.of(row) for row in rows])


@router.post(
    "/projects/{slug}/imports",
    status_code=201,
    openapi_extra=_multipart(),
    responses={413: {"model": Problem, "description": "The upload is larger than the server takes."}},
)
def start_import(request: Request, upload: Received, access: Annotator, session: SessionDep) -> ImportOut:
    """Upload and import; the work runs as a job."""
    form = _checked(upload.fields)
    settings: Settings = request.app.state.settings
    path, name = uploads.chosen_source(settings, access, upload, form.path.strip())
    format = recognise(path)
    plan = ImportPlan(
        path=path,
        name=form.name or name,
        format=form.format or format,
        ruleset=_rules(form.rules, format),
        site=form.site,
        source=form.source or None,
        licence=form.licence or None,
        into=form.into,
        skip_bad=form.skip_bad,
        prompt=form.prompt_choice,
    )
    return ImportOut.of(operations.start_import(session, access.user, access.project, plan, name))


def _checked(fields: dict[str, str]) -> ImportForm:
    try:
        return ImportForm.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def _rules(rules: str, format: str) -> Ruleset:
    if not rules:
        return ruleset_from(rules_of(format))
    if not rules.lstrip().startswith("{"):
        return ruleset_from(rules)
    try:
        return ruleset_from(json.loads(rules))
    except (ValueError, RecursionError) as error:
        raise BadRules("The rules are not a JSON document; nothing was imported.") from error


@router.get("/projects/{slug}/imports/{import_id}")
def show_import(access: Annotator, session: SessionDep, import_id: int) -> ImportOut:
    """One import with its result."""
    return ImportOut.of(found(session, queries.import_of(access.project.id, import_id)))


@router.get("/projects/{slug}/imports/{import_id}/records")
def list_records(access: Annotator, session: SessionDep, import_id: int, page: ListPage = 1) -> RecordList:
    """A page of what became of each record, once the import is published."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    rows, pager = page_of(session, queries.records_of(run.id), page)
    return RecordList(total=pager.total, records=[RecordOut(**queries.report_line(row)) for row in rows])


@router.get("/projects/{slug}/imports/{import_id}/report.jsonl", response_class=StreamingResponse)
def download_report(request: Request, access: Annotator, session: SessionDep, import_id: int) -> StreamingResponse:
    """The whole report, a line each: what `handpicked import --report` writes."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    return StreamingResponse(_lines(request, run.id), media_type="application/jsonl")


def _lines(request: Request, import_id: int) -> Iterator[str]:
    with request.app.state.database.reading() as session:
        for line in queries.report_lines(session, import_id):
            yield json.dumps(line, ensure_ascii=False) + "\n"


@router.get("/projects/{slug}/exchanges")
def list_exchanges(access: Annotator, session: SessionDep) -> ExchangeList:
    """Where each exchange counts in this project."""
    own = queries.exchange_groups(session, access.project)
    known = sorted({*exchanges.DEFAULT_EXCHANGES, *own})
    return ExchangeList(exchanges={site: exchanges.kind_of(site, own) for site in known})


@router.put("/projects/{slug}/exchanges", status_code=204)
def sort_exchange(access: Lead, session: SessionDep, body: ExchangeForm) -> None:
    """Decide where an exchange counts from now on."""
    operations.set_exchange_group(session, access.user, access.project, body.site, ExchangeKind(body.group))
