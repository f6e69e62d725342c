"""A project built, approved, frozen and exported by a process of its own, as on another machine.

    python -m tests.datasets.elsewhere ROWS.jsonl OUT one|many

The rows are imported in their order; `one` approves them as an imported set, `many` has two reviewers approve each one
by itself, the last first. Prints {"id", "exports": {format: {path: sha256 of a data file}}, "again": the same for every
file of two exports in a row}.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import select
from typer.testing import CliRunner

from app.accounts.models import Role
from app.cli import build
from app.config import Settings
from app.datasets.formats import Format
from app.db import Database
from app.examples.models import Example
from app.projects import operations as projects
from app.projects.models import Project
from app.reviews import operations as reviews
from tests import factories

SLUG = "everywhere"


def run(*argv: str) -> dict[str, Any]:
    """The document of a command that must succeed."""
    result = CliRunner().invoke(build(), [*argv, "--json"])
    assert result.exit_code == 0, (argv, result.output, result.stderr, result.exception)
    return dict(json.loads(result.stdout.splitlines()[-1]))


def approve_each(database: Database) -> None:
    """Two reviewers take turns."""
    with database.writing() as session:
        project = session.scalars(select(Project).where(Project.slug == SLUG)).one()
        lead = factories.user(session, Role.ADMIN)
        reviewers = [factories.user(session), factories.user(session)]
        for person in reviewers:
            projects.add_member(session, lead, project, person, Role.REVIEWER)
        for example in session.scalars(select(Example).order_by(Example.id.desc())):
            reviews.approve(session, reviewers[example.id % 2], example, example.revision_number)


def files_of(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file of an export."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def export(out: Path, form: Format) -> tuple[dict[str, str], dict[str, str]]:
    """The hashes of the data files, and of all files; exported twice, they are the same."""
    told = run("export", f"{SLUG}@v1", "--format", form.value, "--out", str(out / form.value / "one"))
    run("export", f"{SLUG}@v1", "--format", form.value, "--out", str(out / form.value / "two"))
    one, two = files_of(out / form.value / "one"), files_of(out / form.value / "two")
    assert one == two, f"{form}: two exports differ"
    return {file["path"]: file["sha256"] for file in told["files"] if file["records"] is not None}, one


def main(rows: str, out: str, approvals: str) -> None:
    """Do all of it in the database that the settings name."""
    run("project", "create", SLUG)
    run("import", SLUG, rows, "--into", "set", "--rules", "none")
    if approvals == "one":
        run("review", "approve", SLUG, "--imported", "--reason", "checked by its publisher")
    else:
        database = Database(Settings())
        approve_each(database)
        database.dispose()
    held = [gate["gate"] for gate in run("gates", SLUG)["gates"] if gate["state"] == "block"]
    reasons = [word for gate in held for word in ("--override", gate)]
    frozen = run("freeze", SLUG, "--name", "v1", *reasons, *(["--reason", "a test"] if held else []))
    exports = {form.value: export(Path(out), form) for form in Format}
    data = {form: files for form, (files, _) in exports.items()}
    print(json.dumps({"id": frozen["id"], "examples": frozen["examples"], "exports": data}))


if __name__ == "__main__":
    main(*sys.argv[1:])
