"""`handpicked imports`: the imports of a project, and what became of their records, number by number."""

import json

import pytest

from app import sample
from app.sources.models import ImportRun


@pytest.fixture
def imported(handpicked, people, database):
    """The project's short name, and the number of its import of the bundled sample by LIMA's rules."""
    slug = people.project.slug
    ended = handpicked("import", slug, sample.dump_folder(), "--site", "x.test", "--rules", "lima", "--json")
    assert ended.returncode == 0, ended.stderr
    with database.reading() as session:
        return slug, session.query(ImportRun).one().id, json.loads(ended.stdout)


def test_each_number_of_the_funnel_lists_its_records(handpicked, imported):
    slug, number, document = imported
    listed = json.loads(handpicked("imports", "list", slug, "--json").stdout)
    assert (listed["total"], listed["imports"][0]["id"]) == (1, number)
    assert listed["imports"][0]["result"]["funnel"] == document["funnel"]
    for row in document["funnel"]:
        for option, key in (("--rule", "dropped"), ("--after", "kept")):
            words = ("imports", "records", slug, number, option, row["rule"], "--limit", 1000, "--json")
            found = json.loads(handpicked(*words).stdout)
            assert (found["total"], len(found["records"])) == (row[key], row[key])
            assert option == "--after" or {one["rule"] for one in found["records"]} <= {row["rule"]}
    few = handpicked("imports", "records", slug, number, "--limit", 2)
    assert few.stdout.count("\n") == 3
    assert f"{document['records'] - 2} more; --limit N prints more of them." in few.stdout


def test_unread_lines_are_listed_with_their_reason(handpicked, people, database, tmp_path):
    slug, file = people.project.slug, tmp_path / "rows.jsonl"
    file.write_text('{"prompt": "Why?", "response": "So."}\n{"prompt": broken\n', encoding="utf-8")
    assert handpicked("import", slug, file, "--skip-bad").returncode == 0
    with database.reading() as session:
        number = session.query(ImportRun).one().id
    found = json.loads(handpicked("imports", "remarks", slug, number, "--json").stdout)
    assert (found["total"], found["remarks"][0]["line"], found["remarks"][0]["unreadable"]) == (1, 2, True)
    assert "line 2: " in handpicked("imports", "remarks", slug, number).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rule", "nonsense"), "The import had no rule nonsense; its rules: "),
        (("--rule", "score", "--marked"), "take one of --rule, --after and --marked"),
        (("--restored",), "--restored goes with --rule"),
    ],
)
def test_a_number_that_is_not_there_is_refused_with_what_there_is(handpicked, imported, words, said):
    slug, number, _ = imported
    ended = handpicked("imports", "records", slug, number, *words)
    assert ended.returncode in (1, 2)
    assert said in ended.stderr


def test_an_import_of_another_project_is_unknown(handpicked, imported):
    _, number, _ = imported
    handpicked("project", "create", "other")
    ended = handpicked("imports", "records", "other", number)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"There is no published import {number} in this project" in ended.stderr
