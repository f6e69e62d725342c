"""Imports over JSON: the same operations as the pages."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, ValidationError

from app.accounts.access import SignedIn
from app.projects.access import Annotator, Lead, ProjectAccess
from app.sources import exchanges, operations, queries, restoring, rulesets, transfers
from app.sources.archives import brought, workspace_of
from app.sources.exchanges import ExchangeKind
from app.sources.formats import rules_of
from app.sources.forms import ExchangeForm, ImportForm
from app.sources.mappings import known_columns, mapping_named
from app.sources.models import ImportRecord, ImportRun, Into
from app.sources.openedpage import Opening, behind
from app.sources.opening import read_again, require_unpacked
from app.sources.operations import ImportPlan
from app.sources.preview import COUNTED
from app.sources.receiving import Arrival, received
from app.sources.records import BadLine
from app.sources.rulefiles import ruleset_from_text
from app.sources.rulesets import Ruleset, ruleset_from
from app.web.found import found
from app.web.paging import PageNumber, page_of
from app.web.refusals import REFUSALS, Problem
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1", tags=["sources"], responses=REFUSALS)

Received = Annotated[Arrival, Depends(received, scope="function")]
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
    left_aside: list[str] = Field(description="Files that came with it and that no import reads.")
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
            left_aside=run.options.get("aside", []),
            result=run.result,
        )


class ImportList(BaseModel):
    """A page of imports, newest first."""

    total: int
    imports: list[ImportOut]


class RecordOut(BaseModel):
    """What became of one record: a line of the report, with its number among the records of the file."""

    number: int
    external_id: str
    decision: str = Field(description="kept or dropped")
    rule: str | None = Field(description="The rule that dropped it.")
    reason: str
    restored: bool = Field(description="Whether somebody made a candidate of it although it was dropped.")

    @classmethod
    def of(cls, row: ImportRecord) -> "RecordOut":
        """From its row."""
        return cls(number=row.number, restored=row.restored_at is not None, **queries.report_line(row))


class RestoredOut(BaseModel):
    """The candidate that a dropped record became."""

    candidate: int
    number: int


class RecordList(BaseModel):
    """A page of what an import did with its records, in their order."""

    total: int
    records: list[RecordOut]


class RemarkOut(BaseModel):
    """A line that was left out, or a record that was left alone because its id is in the pool with other words."""

    line: int
    reason: str
    file: str | None = Field(None, description="Its file's name, where the import has several.")
    unreadable: bool


class RemarkList(BaseModel):
    """A page of what an import left out or left alone."""

    total: int
    remarks: list[RemarkOut]


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
    words = "One file; or, the files of a Stack Exchange dump, with its Posts.xml."
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
def start_import(request: Request, arrival: Received, access: Annotator, session: SessionDep) -> ImportOut:
    """Upload and import; the work runs as a job."""
    form = _checked(arrival.fields)
    arrival.require()
    if arrival.transfer:
        transfers.finish(session, access, arrival.transfer)
    settings = _settings(request, session, access, arrival, form)
    plan = ImportPlan(
        path=arrival.path,
        name=form.name or operations.name_of(arrival.path, arrival.name),
        format=form.format or ("table" if "columns" in settings else arrival.format),
        ruleset=_rules(form.rules, arrival.format),
        site=form.site,
        source=form.source or None,
        licence=form.licence or None,
        into=form.into,
        skip_bad=form.skip_bad,
        prompt=form.prompt_choice,
        settings=settings,
        encoding=form.encoding,
        hub=arrival.hub,
    )
    run = operations.start_import(session, access.user, access.project, plan, arrival.name)
    operations.note_aside(run, arrival.aside)
    return ImportOut.of(run)


def _settings(
    request: Request, session: SessionDep, access: ProjectAccess, arrival: Arrival, form: ImportForm
) -> dict[str, Any]:
    """The format's own settings: with the mapping that was named, or that the last table with these columns had."""
    if form.columns:
        return form.settings | {"columns": mapping_named(session, access.project, form.columns).columns}
    if arrival.hub or "columns" in form.settings or (form.format or arrival.format) != "table":
        return form.settings
    workspace = workspace_of(request.app.state.settings)
    source = brought(arrival.path, workspace, encoding=form.encoding, name=arrival.name, sample_bytes=COUNTED)
    columns = known_columns(session, access.project, source, form.settings)
    return form.settings | ({"columns": columns} if columns else {})


def _checked(fields: dict[str, str]) -> ImportForm:
    try:
        return ImportForm.model_validate(fields)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def _rules(rules: str, format: str) -> Ruleset:
    if not rules:
        return ruleset_from(rules_of(format))
    return ruleset_from_text(rules, "rules")


class RuleParameterOut(BaseModel):
    """A parameter of a rule: int, choice (one of `choices`) or list (of phrases)."""

    name: str
    label: str
    kind: str
    default: int | str | list[str]
    choices: list[str]


class RuleOut(BaseModel):
    """A rule that a rules file may name; one that marks drops nothing and sets flags."""

    rule: str
    title: str
    sentence: str
    applies: str = Field(description="What the rule looks at; other records pass it.")
    marks: bool
    parameters: list[RuleParameterOut]


class RuleList(BaseModel):
    """Every rule in its usual order, and the presets as documents of the form that `rules` takes."""

    rules: list[RuleOut]
    presets: dict[str, dict[str, Any]]


@router.get("/rules", dependencies=[Depends(SignedIn())])
def list_rules() -> RuleList:
    """The rules with their parameters, so that a rules file can be written."""
    return RuleList.model_validate(rulesets.described())


@router.get("/projects/{slug}/imports/{import_id}")
def show_import(access: Annotator, session: SessionDep, import_id: int) -> ImportOut:
    """One import with its result."""
    return ImportOut.of(found(session, queries.import_of(access.project.id, import_id)))


@router.get("/projects/{slug}/imports/{import_id}/records")
def list_records(
    access: Annotator, session: SessionDep, import_id: int, number: Opening, page: ListPage = 1
) -> RecordList:
    """A page of what became of each record, once the import is published; of all, or of those behind one number.

    `rule` are those that it dropped (with `restored` those that were restored since), `after` those that it left,
    `marked` those that were marked. 404 for a rule that the import did not have.
    """
    run = found(session, queries.published_import_of(access.project.id, import_id))
    wanted = behind(run, number)[0] if number.chosen else queries.records_of(run.noted_under)
    rows, pager = page_of(session, wanted, page)
    return RecordList(total=pager.total, records=[RecordOut.of(row) for row in rows])


@router.get("/projects/{slug}/imports/{import_id}/remarks")
def list_remarks(access: Annotator, session: SessionDep, import_id: int, page: ListPage = 1) -> RemarkList:
    """A page of what was left out or left alone, each with its line and reason, once the import is published."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    rows, pager = page_of(session, queries.remarks_of(run.noted_under), page)
    remarks = [
        RemarkOut(**BadLine.from_stored(row.line, row.reason).document(), unreadable=row.unreadable) for row in rows
    ]
    return RemarkList(total=pager.total, remarks=remarks)


@router.post("/projects/{slug}/imports/{import_id}/records/{number}/restoration")
def restore_record(
    request: Request, access: Annotator, session: SessionDep, import_id: int, number: int
) -> RestoredOut:
    """Make a candidate of a record that a rule dropped; repeated, it is the same one. DELETE undoes it."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    row = found(session, queries.record_of(run, number))
    require_unpacked(run, request.app.state.settings)
    record = read_again(run, request.app.state.settings, [row]).get(number)
    candidate = restoring.restore_dropped(session, access.user, run, row, record)
    return RestoredOut(candidate=candidate.id, number=number)


@router.delete("/projects/{slug}/imports/{import_id}/records/{number}/restoration", status_code=204)
def drop_record_again(request: Request, access: Annotator, session: SessionDep, import_id: int, number: int) -> None:
    """Undo a restoration: the candidate goes; 409 where somebody has worked on it, or nothing was restored."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    row = found(session, queries.record_of(run, number))
    require_unpacked(run, request.app.state.settings)
    record = read_again(run, request.app.state.settings, [row]).get(number)
    restoring.drop_again(session, access.user, run, row, record)


@router.get("/projects/{slug}/imports/{import_id}/report.jsonl", response_class=StreamingResponse)
def download_report(request: Request, access: Annotator, session: SessionDep, import_id: int) -> StreamingResponse:
    """The whole report, a line each: what `handpicked import --report` writes."""
    run = found(session, queries.published_import_of(access.project.id, import_id))
    return StreamingResponse(_lines(request, run.noted_under), media_type="application/jsonl")


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
