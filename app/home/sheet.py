"""The composition as a sheet to download."""

import csv
import io

from sqlalchemy.orm import Session

from app.home import composition, queries
from app.projects import queries as projects
from app.projects.models import Project

COLUMNS = ("split", "source", "title", "approved", "review", "returned", "draft", "not_begun", "target")


def composition_csv(session: Session, project: Project) -> str:
    """One row a source and split; titles that a spreadsheet would take for a formula are quoted for it."""
    rows = composition.source_rows(session.scalars(projects.composition_of(project)), queries.counts(session, project))
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_safe(getattr(row, column)) for column in COLUMNS] for row in rows)
    return sheet.getvalue()


def _safe(value: str | int) -> str | int:
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r＝") else value
