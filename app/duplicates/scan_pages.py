"""The looks for duplicates, and the form of a new one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.duplicates import queries
from app.duplicates.models import SCANNED, DuplicateScan, Method, On
from app.duplicates.operations import THRESHOLD, WORDING
from app.duplicates.sheet import METHOD_WORDS, ON_WORDS
from app.projects.access import ProjectAccess
from app.web.paging import Pager, page_of


@dataclass(frozen=True)
class ScanRow:
    """A scan and what it found; `state` is that of its work."""

    id: int
    job_id: int | None
    state: str
    over: bool
    methods: str
    on: str
    threshold: str
    wording: str
    created_at: datetime
    texts: int | None
    pairs: int | None
    leaks: int | None
    seconds: float | None
    error: str | None


@dataclass(frozen=True)
class ScanFields:
    """The form of a scan, as typed."""

    typed: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ScansPage:
    """All scans, newest first, and the form of a new one."""

    rows: Sequence[ScanRow]
    pager: Pager
    form: ScanFields


def scan_fields(scan: DuplicateScan | None = None) -> ScanFields:
    """The form with the settings of the last scan, or the usual ones."""
    if scan is None:
        usual = dict.fromkeys(SCANNED, "true") | {"threshold": f"{THRESHOLD:.2f}", "wording": f"{WORDING:.2f}"}
        return ScanFields(usual | {"on": On.PROMPT})
    typed = dict.fromkeys(scan.methods, "true")
    wording = scan.result.get("lexical_threshold", WORDING)
    return ScanFields(typed | {"on": scan.on.value, "threshold": f"{scan.threshold:g}", "wording": f"{wording:g}"})


def scan_rows(session: Session, scans: Sequence[DuplicateScan]) -> tuple[ScanRow, ...]:
    """Scans with the state of their work; two queries."""
    jobs = queries.jobs_of_scans(session, scans)
    return tuple(_scan_row(scan, jobs.get(scan.job_id or 0)) for scan in scans)


def _scan_row(scan: DuplicateScan, job: Any) -> ScanRow:
    result = scan.result
    state = job.state if job else None
    return ScanRow(
        id=scan.id,
        job_id=scan.job_id,
        state=state.value if state else "finished",
        over=state.over if state else True,
        methods=_listing([METHOD_WORDS[Method(method)] for method in scan.methods]),
        on=ON_WORDS[scan.on],
        threshold=f"{scan.threshold:.2f}".removeprefix("0") if Method.EMBEDDING in scan.methods else "",
        wording=_wording_of(scan),
        created_at=scan.created_at,
        texts=result.get("texts"),
        pairs=sum(result["pairs"].values()) if "pairs" in result else None,
        leaks=result.get("leaks"),
        seconds=sum(result["seconds"].values()) if "seconds" in result else None,
        error=job.error if job else None,
    )


def _listing(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _wording_of(scan: DuplicateScan) -> str:
    share = scan.result.get("lexical_threshold") if Method.LEXICAL in scan.methods else None
    return f"{share:.2f}".removeprefix("0") if share else ""


def scans_page(session: Session, access: ProjectAccess, number: int, form: ScanFields | None = None) -> ScansPage:
    """The scans of a project, with the form as typed where it did not fit."""
    scans, pager = page_of(session, queries.scans_of(access.project.id), number)
    rows = scan_rows(session, scans)
    return ScansPage(rows, pager, form or scan_fields(scans[0] if scans else None))
