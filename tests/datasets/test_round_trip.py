"""Each export of a set of LIMA's size comes back by `handpicked import` as it was, and freezes to the same id."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.config import Settings
from app.datasets.archive import packing_of, write_archive
from app.datasets.canonical import FrozenLine
from app.datasets.exports import write_folder
from app.datasets.formats import Format
from app.datasets.operations import freeze_version
from app.datasets.verify import verify_folder
from app.db import Database
from app.examples.models import Example, Revision
from app.examples.roles import FLAGS, roles_of
from app.jobs.running import run_now
from app.projects.models import Project
from app.reviews.operations import approve_imported
from app.sources.archives import brought, workspace_of
from app.sources.formats import recognise
from app.sources.models import ImportRun, ImportState, Into
from app.sources.operations import ImportPlan, start_import
from app.sources.readers.exported import COPY
from app.sources.readers.rows import split_in
from app.sources.rulesets import NONE
from app.worker import worker_name
from tests import factories
from tests.commands import Shell
from tests.datasets.large import DIALOGUES, ROWS, expected, frozen, items, rows, words_of
from tests.datasets.material import reasons_for
from tests.datasets.test_cli import document

Frozen = tuple[dict[str, Any], list[FrozenLine]]
SPLITS = ("train", "dev", "test")


@pytest.fixture(scope="module")
def version() -> Frozen:
    """Its manifest and lines."""
    return frozen(items())


def exported(version: Frozen, form: Format, out: Path) -> Path:
    packing = packing_of(out)
    write_archive(*version, form, out, packing) if packing else write_folder(*version, form, out)
    return out


def imported(database: Database, settings: Settings, people: factories.People, path: Path) -> tuple[Project, ImportRun]:
    """The path imported into the set of a project of its own, as the command line does it."""
    found = recognise(brought(path, workspace_of(settings)))
    with database.writing() as session:
        project = factories.project(session, people.lead)
        plan = ImportPlan(path=path, name=path.name, format=found, ruleset=NONE, into=Into.SET)
        run = start_import(session, people.lead, project, plan)
    run_now(database, settings, run.job_id, worker_name())
    with database.reading() as session:
        run = session.get_one(ImportRun, run.id)
    assert run.state is ImportState.PUBLISHED, run.error
    return project, run


def held(database: Database, project: Project) -> list[dict[str, Any]]:
    query = select(Example, Revision).join(Revision, Revision.example_id == Example.id)
    with database.reading() as session:
        return [
            {
                "words": (example.split.value, revision.content_hash), "source": example.source,
                "licence": example.licence, "author": example.attribution.get("author"),
                "url": example.attribution.get("url"), "group": roles_of(example).author_group,
                "flags": tuple(roles_of(example).flags),
            }
            for example, revision in session.execute(query.where(Example.project_id == project.id))
        ]  # fmt: skip


def test_the_set_is_what_the_tests_say_of_it() -> None:
    found = list(rows())
    assert (len(found), expected().total(), len(expected())) == (ROWS, ROWS, ROWS)
    assert sum(sum(said["role"] == "user" for said in row["messages"]) > 1 for row in found) == DIALOGUES
    assert sum(row["messages"][0]["role"] == "system" for row in found) > 15
    assert sum(row["messages"][-1]["role"] == "user" for row in found) == 50


@pytest.mark.parametrize("form", list(Format))
def test_the_data_files_of_a_format_come_back(
    database: Database, settings: Settings, people: factories.People, version: Frozen, tmp_path: Path, form: Format
) -> None:
    """Alone, in a folder, without examples.jsonl: split, messages, and as much of the rest as the format keeps."""
    out, alone = exported(version, form, tmp_path / "out"), tmp_path / "alone"
    for split in SPLITS:
        (alone / form.path_of(split)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(out / form.path_of(split), alone / form.path_of(split))
    project, run = imported(database, settings, people, alone)
    found = held(database, project)
    assert Counter(one["words"] for one in found) == expected()
    assert (run.result["records"], run.result["created"], run.result["errors"]) == (ROWS, ROWS, [])
    names = ("source", "licence", "author", "url", "group", "flags")
    said = {name: Counter((one["words"], one[name]) for one in found) for name in names}
    lines = [json.loads(line) for line in (out / "examples.jsonl").read_text("utf-8").split("\n")[:-1]]
    for name in said.keys() & (form.layout.keeps | ({"url"} if "author" in form.layout.keeps else set())):
        wanted = Counter((words_of(line), _stated(line, name)) for line in lines)
        assert said[name] == wanted, name
    told = Counter(one["group"] or one["flags"] for one in found)
    assert {*told} == (ALL_TOLD if "group" in form.layout.keeps else {()}), told


ALL_TOLD = {(), "B", *((flag,) for flag in FLAGS)}


def _stated(line: dict[str, Any], name: str) -> Any:
    found = (line | line["attribution"]).get(name)
    return tuple(found or ()) if name == "flags" else found


@pytest.mark.parametrize(("form", "ending"), [(Format.LIMA, ""), (Format.HF, ".zip"), (Format.CSV_SAFE, "")])
def test_a_whole_export_freezes_to_the_same_id_in_another_project(
    database: Database, settings: Settings, people: factories.People, version: Frozen, tmp_path: Path, form: Format,
    ending: str,
) -> None:  # fmt: skip
    out = exported(version, form, tmp_path / f"out{ending}")
    project, run = imported(database, settings, people, out)
    assert (run.format, run.result["records"], run.result["created"]) == ("handpicked", ROWS, ROWS)
    data = {form.path_of(split) for split in SPLITS}
    copies = [one["path"] for one in run.result["left_out"] if one["reason"] == COPY]
    assert len([path for path in copies if path.endswith(tuple(data))]) == len(SPLITS)
    with database.writing() as session:
        approve_imported(session, people.lead, project, "approved where it was exported")
        again = freeze_version(session, people.lead, project, name="v1", overrides=reasons_for(session, project))
    assert f"sha256:{again.sha256}" == version[0]["id"]
    assert imported_again(database, settings, people, project, out) == (0, ROWS)


def imported_again(
    database: Database, settings: Settings, people: factories.People, project: Project, path: Path
) -> tuple[int, int]:
    with database.writing() as session:
        plan = ImportPlan(path=path, name="another name", format="handpicked", ruleset=NONE, into=Into.SET)
        run = start_import(session, people.lead, project, plan)
    run_now(database, settings, run.job_id, worker_name())
    with database.reading() as session:
        result = session.get_one(ImportRun, run.id).result
    return result["created"], result["unchanged"]


def test_the_command_line_takes_it_there_and_back(
    database: Database, handpicked: Shell, people: factories.People, version: Frozen, tmp_path: Path
) -> None:
    slug, wanted = people.project.slug, version[0]["id"]
    out = exported(version, Format.PARQUET, tmp_path / "out")
    back = document(handpicked("import", slug, out, "--into", "set", "--json"))
    assert (back["format"], back["created"]) == ("handpicked", ROWS)
    approved = handpicked("review", "approve", slug, "--imported", "--reason", "there and back")
    assert approved.returncode == 0, approved.stderr
    with database.reading() as session:
        held = reasons_for(session, people.project)
    overrides = [word for gate in held for word in ("--override", gate)]
    done = handpicked("freeze", slug, "--name", "v1", *overrides, "--reason", "test", "--json")
    assert document(done)["id"] == wanted
    again = tmp_path / "again.zip"
    made = document(handpicked("export", f"{slug}@v1", "--format", "csv-safe", "--out", again, "--json"))
    assert (made["id"], made["path"]) == (wanted, str(again))
    shutil.unpack_archive(again, tmp_path / "unpacked")
    assert verify_folder(tmp_path / "unpacked" / f"{slug}-v1-csv-safe", wanted)["ok"]


def test_one_file_of_an_export_has_the_split_that_it_is_called_after(
    database: Database, settings: Settings, people: factories.People, version: Frozen, tmp_path: Path
) -> None:
    out = exported(version, Format.ALPACA, tmp_path / "out")
    project, _ = imported(database, settings, people, out / "test.jsonl")
    assert {one["words"][0] for one in held(database, project)} == {"test"}
    assert split_in("test.jsonl") is None


def test_a_changed_data_file_is_not_passed_over(
    database: Database, settings: Settings, people: factories.People, version: Frozen, tmp_path: Path
) -> None:
    out = exported(version, Format.ALPACA, tmp_path / "out")
    (out / "README.md").write_text("A card of my own.")  # no data: of no matter
    imported(database, settings, people, out)
    with (out / "dev.jsonl").open("a") as file:
        file.write(json.dumps({"instruction": "Mine?", "output": "Mine."}) + "\n")
    with pytest.raises(AssertionError, match=r"dev\.jsonl was changed since it was exported"):
        imported(database, settings, people, out)
    (out / "examples.jsonl").unlink()
    project, _ = imported(database, settings, people, out)
    assert len(held(database, project)) == ROWS + 1


def test_two_examples_that_say_the_same_come_back_as_two(
    database: Database, settings: Settings, people: factories.People, tmp_path: Path
) -> None:
    one, other = items()[:2]
    out = exported(frozen((one, one, one, other)), Format.LIMA, tmp_path / "out")
    project, run = imported(database, settings, people, out)
    assert (run.result["created"], run.result["unchanged"]) == (4, 0)
    assert imported_again(database, settings, people, project, out) == (0, 4)


def test_a_refusal_names_the_file_and_the_line_in_one_form(
    database: Database, settings: Settings, people: factories.People, tmp_path: Path
) -> None:
    """Whether the reader finds the fault or the set will not have the record."""
    for name in ("dev", "train"):
        row = {"conversations": [f"Why {name}?", "So."], "source": "authors"}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
    with (tmp_path / "train.jsonl").open("a") as file:
        file.write(json.dumps({"conversations": ["Unanswered?"], "source": "authors"}) + "\n")
    with pytest.raises(AssertionError, match=r"train\.jsonl, line 2: .+\. Nothing was imported\."):
        imported(database, settings, people, tmp_path)
    with (tmp_path / "dev.jsonl").open("a") as file:
        file.write(json.dumps({"conversations": ["Why?", 4], "source": "authors"}) + "\n")
    with pytest.raises(AssertionError, match=r"1 line cannot be read: dev\.jsonl, line 2: turn 2 is missing or not a"):
        imported(database, settings, people, tmp_path)
