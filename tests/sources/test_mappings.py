"""Saved mappings of columns: by name, from a file, known again by a file's columns; by command and over JSON."""

import json

import pytest
from sqlalchemy import select

from app.sources import mappings
from app.sources.models import Candidate, ColumnMapping, ImportRun
from tests.sources import rooms

ROWS = "headline,story,by\n" + "".join(f"Why {n}?,Because of {n}.,Nobody\n" for n in range(3))
MAPPED = {"prompt": "headline", "response": "story"}


@pytest.fixture
def handpicked(handpicked, people):
    """Runs a command on the project; gives its document, or its error where it is refused."""

    def run(command, *words):
        ended = handpicked(*command.split(), people.project.slug, *words, "--json")
        return ended.stderr if ended.returncode else json.loads(ended.stdout)

    return run


@pytest.fixture
def table(tmp_path):
    """A table of unknown columns; `table(name)` writes it anew, with other rows."""

    def write(name, rows=ROWS):
        path = tmp_path / name
        path.write_text(rows)
        return path

    return write


def test_a_mapping_is_known_again_by_the_columns_and_asked_for_by_its_name(handpicked, table, database):
    first = table("first.csv")
    assert "their columns must be mapped" in handpicked("import", first)
    words = [word for part, column in MAPPED.items() for word in ("--map", f"{part}={column}")]
    assert handpicked("import", first, *words, "--name", "Headlines")["created"] == 3
    assert handpicked("mapping list") == {"mappings": [{"name": "Headlines", "columns": MAPPED}]}
    # The same columns in another order: nothing needs to be said.
    second = table("second.csv", "by,story,headline\nSomebody,Because it is.,Who?\n")
    assert handpicked("import", second)["created"] == 1
    # Other columns beside those: the name says it.
    third = table("third.csv", "headline,story,by,more\nHow?,So.,Somebody,x\n")
    assert "must be mapped" in handpicked("import", third)
    assert handpicked("import", third, "--columns", "Headlines", "--map", "author=by")["created"] == 1
    with database.reading() as session:
        found = {one.messages[0]["content"]: one.author for one in session.scalars(select(Candidate))}
    assert found == {**{f"Why {n}?": None for n in range(3)}, "Who?": None, "How?": "Somebody"}


def test_a_mapping_stands_in_a_file_and_comes_out_as_it_goes_in(handpicked, table, tmp_path):
    as_toml, as_json = tmp_path / "m.toml", tmp_path / "m.json"
    as_toml.write_text('prompt = ["headline", "by"]\nresponse = "story"\n')
    assert handpicked("import", table("a.csv"), "--mapping", as_toml)["created"] == 3
    shown = handpicked("mapping show", "a.csv")
    assert shown["columns"] == {"prompt": ["headline", "by"], "response": "story"}
    as_json.write_text(json.dumps(shown))
    assert handpicked("import", table("b.csv"), "--mapping", as_json)["unchanged"] == 3


@pytest.mark.parametrize(("text", "said"), [
    ("{", "is no json"), ('{"prompt": 3}', "No column"), ('{"nothing": "x"}', "cannot be 'nothing'"), ("[]", "object"),
])  # fmt: skip
def test_a_mapping_that_cannot_be_read_is_refused_in_one_sentence(handpicked, table, tmp_path, database, text, said):
    path = tmp_path / "m.json"
    path.write_text(text)
    error = handpicked("import", table("a.csv"), "--mapping", path)
    assert said in error
    assert error.count("\n") == 1
    with database.reading() as session:
        assert session.scalar(select(ImportRun)) is None


def test_a_mapping_s_name_shows_all_that_it_is(handpicked, table):
    words = [word for part, column in MAPPED.items() for word in ("--map", f"{part}={column}")]
    handpicked("import", table("first.csv"), *words, "--name", "Head\u202elines\u200b")
    (saved,) = handpicked("mapping list")["mappings"]
    assert saved["name"] == "Headlines"
    assert "U+202E (right-to-left override)" in handpicked("mapping rename", "Headlines", "a\u202eb")
    (saved,) = handpicked("mapping list")["mappings"]
    assert saved["name"] == "Headlines"


def test_a_mapping_is_renamed_and_deleted(handpicked, table, people, database):
    handpicked("import", table("a.csv"), "--map", "prompt=headline")
    handpicked("import", table("b.csv", "title,text\nOne,Two\n"), "--map", "prompt=title", "--name", "a.csv")
    assert [one["name"] for one in handpicked("mapping list")["mappings"]] == ["a.csv", "a.csv 2"]
    assert handpicked("mapping rename", "a.csv", "Heads")["name"] == "Heads"
    assert "already" in handpicked("mapping rename", "a.csv 2", "Heads")
    assert handpicked("mapping delete", "Heads")["name"] == "Heads"
    assert "there are a.csv 2" in handpicked("mapping show", "Heads")
    assert "must be mapped" in handpicked("import", table("c.csv"))


def test_over_json_a_mapping_is_named_or_known_again(api, people, database, settings, table):
    client = api(people.annotator)
    address = f"/api/v1/projects/{people.project.slug}"

    def bring(name, rows=ROWS, **fields):
        made = client.post(f"{address}/imports", files=rooms.upload(name, rows), data=fields)
        assert made.status_code == 201, made.text
        return rooms.work(database, settings, people, made.json()["id"])

    first = bring("a.csv", settings=json.dumps({"columns": MAPPED}))
    assert first.result["created"] == 3
    assert client.get(f"{address}/mappings").json() == {"mappings": [{"name": "a.csv", "columns": MAPPED}]}
    again = bring("b.csv", "story,headline,by\nB,A,C\n")
    assert (again.options["settings"], again.result["created"]) == ({"columns": MAPPED}, 1)
    named = bring("c.csv", "story,headline,by,x\nC,B,C,1\n", columns="a.csv")
    assert (named.format, named.result["created"]) == ("table", 1)
    assert client.put(f"{address}/mappings/a.csv", json={"name": "Heads"}).json()["name"] == "Heads"
    assert client.delete(f"{address}/mappings/Heads").status_code == 204
    refused = client.post(f"{address}/imports", files=rooms.upload("d.csv", ROWS), data={"columns": "Heads"})
    assert (refused.status_code, "no saved mapping Heads" in refused.text) == (404, True)


def test_nothing_is_renamed_or_removed_in_an_archived_project(people, database):
    with database.writing() as session:
        project = session.merge(people.project)
        mapping = ColumnMapping(project_id=project.id, signature="0" * 64, name="x", columns=MAPPED)
        session.add(mapping)
        session.flush()
        project.archived_at = project.created_at
        for change in (
            lambda: mappings.rename_mapping(session, people.lead, project, mapping, "y"),
            lambda: mappings.forget_mapping(session, people.lead, project, mapping),
        ):
            with pytest.raises(mappings.Refusal, match="archived"):
                change()
