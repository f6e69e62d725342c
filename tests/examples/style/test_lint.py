"""`handpicked lint`: a project and a file, one document, exit 0 whatever it finds."""

import json

import pytest
from typer.testing import CliRunner

from app.cli import build
from app.errors import Refusal
from app.examples.style import RULES
from tests.examples import rows

KEYS = {"message", "rule", "line", "start", "end", "passage", "words", "fix"}


@pytest.fixture
def handpicked(closing, settings, monkeypatch):
    """`handpicked(…)` runs a command and gives its document, or the sentence of its refusal where `code` is 1."""
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))

    def run(*args, code=0):
        done = CliRunner().invoke(build(), [*map(str, args), "--json"])
        if isinstance(done.exception, Refusal):
            assert code == 1, done.exception.message
            return done.exception.message
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    return run


def test_a_project_is_linted_by_its_own_rules(handpicked, database, people):
    with database.writing() as session:
        first = rows.example(session, people.annotator, people.project, messages=rows.pair("Why?", "Well.\n\nI bake."))
        rows.example(session, people.annotator, people.project, "Fine?")
    found = handpicked("lint", people.project.slug, "--as", people.annotator.email)
    assert (found["texts"], found["remarks"]["first_person"]) == (2, 1)
    assert list(found["remarks"]) == [kind.name for kind in RULES]
    (item,) = found["items"]
    assert KEYS | {"example"} == set(item)
    assert (item["example"], item["message"], item["line"], item["passage"]) == (first.id, 1, 3, "I")


def test_a_file_is_linted_before_anybody_imports_it(handpicked, tmp_path):
    texts = ["I see.", "Plain.", "See <i>this</i>."]
    file = tmp_path / "rows.json"
    file.write_text(
        json.dumps([{"instruction": f"Question {at}?", "input": "", "output": text} for at, text in enumerate(texts)])
    )
    found = handpicked("lint", file)
    assert (found["texts"], sum(found["remarks"].values())) == (3, 2)
    assert {item["record"] for item in found["items"]} < {1, 2, 3, 4, 5}
    drawn = handpicked("lint", file, "--sample", "1", "--seed", "7")
    assert (drawn["remarks"], len(drawn["items"])) == (found["remarks"], 1)
    assert drawn == handpicked("lint", file, "--sample", "1", "--seed", "7")
    kept = tmp_path / "short.toml"
    kept.write_text('[[rule]]\nrule = "first_person"\n')
    assert handpicked("lint", file, "--rules", kept)["texts"] == 2


def test_what_is_neither_a_file_nor_a_project_is_refused_in_a_sentence(handpicked):
    assert "There is no project nowhere" in handpicked("lint", "nowhere", code=1)
    assert "There is no file missing.json" in handpicked("lint", "missing.json", code=1)


@pytest.mark.parametrize("words", ["{", '{"prompt": "What?"}\n{'])
def test_a_broken_file_is_refused_in_words_of_a_lint(handpicked, tmp_path, words):
    broken = tmp_path / "broken.jsonl"
    broken.write_text(words)
    said = handpicked("lint", broken, code=1)
    assert "Nothing was counted; mend the file" in said
    assert "imported" not in said


@pytest.mark.parametrize("name", ["finetune_formats/alpaca_en_demo.json"])
def test_real_rows_are_linted_whole(handpicked, shared_data, name):
    found = handpicked("lint", shared_data / name)
    assert found["texts"] == 999
    assert found["remarks"]["first_person"] > 50
    assert found["remarks"]["as_an_ai"] > 20
