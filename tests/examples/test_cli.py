"""The same from the command line: one JSON document, exit 0, 1 or 2."""

import json

import pytest
from tokenizers import Tokenizer, models
from typer.testing import CliRunner

from app.cli import build
from app.errors import Refusal
from app.examples import claims, operations
from app.examples.models import Example, ExampleState
from tests.examples import rows


@pytest.fixture
def handpicked(closing, settings, monkeypatch):
    """`handpicked(…)` runs a command and gives its document, or what it said where `code` is not 0."""
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    command = build()

    def run(*args, code=0, stdin=None):
        done = CliRunner().invoke(command, [*map(str, args), "--json"], input=stdin)
        if isinstance(done.exception, Refusal):
            assert code == 1, done.exception.message
            return done.exception.message
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.output

    return run


def test_the_whole_way_of_an_example(handpicked, people, tmp_path):
    slug, writer, reviewer = people.project.slug, people.annotator.email, people.reviewer.email
    made = handpicked(
        "example", "new", slug, "--source", "authors", "--prompt", "One?", "--response", "Two.", "--as", writer
    )
    number = made["id"]
    assert handpicked("example", "edit", slug, number, "--response", "Three.", "--as", writer)["revision"] == 2
    assert handpicked("example", "list", slug)["examples"][0]["messages"][1]["content"] == "Three."
    assert handpicked("example", "submit", slug, number, "--as", writer) == {"submitted": [number]}
    assert handpicked("review", "list", slug)["waiting"][0]["revision"] == 2
    assert handpicked("review", "approve", slug, number, "--as", reviewer)["verdict"] == "approved"
    shown = handpicked("example", "show", slug, number, "--revision", "1")
    assert (shown["revision"], shown["state"]) == (1, "approved")
    file = tmp_path / "words.json"
    file.write_text(json.dumps({"messages": rows.pair("Four?", "Five.")}))
    again = handpicked("example", "edit", slug, number, "--messages", file, "--as", writer)
    assert (again["revision"], again["state"]) == (3, "draft")


def test_history_is_a_line_a_revision_and_more_when_asked(handpicked, people, monkeypatch, settings):
    slug, writer = people.project.slug, people.annotator.email
    long = (
        "Plane irons are ground on a wheel that turns slowly in water, and never on a dry one, which draws the temper. "
    )
    words = ("--prompt", "How?", "--response", f"{long}Hone it.")
    made = handpicked("example", "new", slug, "--source", "authors", *words, "--as", writer)["id"]
    words = ("--response", f"{long}Strop it \x1b[31mtwice.", "--note", "Shorter words")
    handpicked("example", "edit", slug, made, *words, "--as", writer)

    def lines(*more):
        done = CliRunner().invoke(build(), ["example", "history", slug, str(made), *more])
        assert done.exit_code == 0, done.output
        return done.stdout.splitlines()

    assert len(short := lines()) == 2
    assert [line.split()[0] for line in short] == ["2", "1"]
    assert short[0].endswith(f"{people.annotator.name} (3 words more, 2 gone): Shorter words")
    assert "the temper" not in "".join(short)
    told = "\n".join(lines("--diff"))
    assert "[-Hone it-]{+Strop it U+001B[31mtwice+}." in told
    assert " … on a dry one, which draws the temper. [-" in told
    assert "\x1b" not in told
    whole = "\n".join(lines("--text"))
    assert whole.count("Plane irons are ground on a wheel") == 2
    assert "\x1b" not in whole
    first = handpicked("example", "history", slug, made)["revisions"][-1]
    assert (first["number"], first["approved"], "messages" in first, "turns" in first) == (1, False, False, False)
    newest = handpicked("example", "history", slug, made, "--diff", "--text")["revisions"][0]
    assert newest["messages"][1]["content"].endswith("Strop it \x1b[31mtwice.")
    assert [turn["title"] for turn in newest["turns"]] == ["Response"]


def test_a_return_carries_words_and_a_rejection_may(handpicked, database, people):
    with database.writing() as session:
        first, second = (rows.submitted(session, people.annotator, people.project) for _ in "ab")
    slug, reviewer = people.project.slug, people.reviewer.email
    said = handpicked("review", "return", slug, first.id, "--words", "Shorter.", "--as", reviewer)
    assert (said["verdict"], said["words"]) == ("returned", "Shorter.")
    assert handpicked("review", "reject", slug, second.id, "--as", reviewer)["verdict"] == "rejected"


def test_the_local_operator_and_the_writer_are_no_second_person(handpicked, database, people):
    with database.writing() as session:
        made = rows.submitted(session, people.reviewer, people.project)
    slug = people.project.slug
    assert "local operator" in handpicked("review", "approve", slug, made.id, code=1)
    assert "own words" in handpicked("review", "approve", slug, made.id, "--as", people.reviewer.email, code=1)
    assert "role" in handpicked("review", "approve", slug, made.id, "--as", people.annotator.email, code=1)
    assert "no project" in handpicked("review", "approve", slug, made.id, "--as", people.stranger.email, code=1)


def test_an_imported_set_is_approved_with_a_reason(handpicked, database, people):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        rows.submitted(session, people.lead, people.project, import_run_id=run.id)
    slug = people.project.slug
    handpicked("review", "approve", slug, "--imported", code=2)
    handpicked("review", "approve", slug, code=2)
    assert handpicked("review", "approve", slug, "--imported", "--reason", "elsewhere") == {"approved": 1}


def test_the_pool_is_listed_used_and_set_aside(handpicked, database, people):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        ids = [rows.candidate(session, people.project, run, number).id for number in (1, 2, 3)]
    slug = people.project.slug
    assert [one["id"] for one in handpicked("pool", "list", slug)["candidates"]] == ids[::-1]
    assert handpicked("pool", "reject", slug, ids[0], "--reason", "dull") == {"rejected": [ids[0]]}
    assert handpicked("pool", "list", slug, "--status", "rejected")["candidates"][0]["reason"] == "dull"
    assert handpicked("pool", "restore", slug, ids[0]) == {"restored": [ids[0]]}
    handpicked("pool", "use", slug, code=2)
    assert len(handpicked("pool", "use", slug, ids[0])["examples"]) == 1
    assert len(handpicked("pool", "use", slug, "--all", "--submit")["examples"]) == 2
    assert handpicked("example", "submit", slug, "--all")["submitted"] != []


def test_drafts_are_submitted_all_or_none(handpicked, database, people):
    with database.writing() as session:
        rows.example(session, people.annotator, people.project)
        rows.example(session, people.annotator, people.project, messages=rows.pair()[:1])
    slug = people.project.slug
    assert "Nothing was submitted" in handpicked("example", "submit", slug, "--all", code=1)
    assert {one["state"] for one in handpicked("example", "list", slug)["examples"]} == {"draft"}


def test_what_somebody_else_writes_on_is_not_submitted(handpicked, database, people):
    with database.writing() as session:
        held = rows.example(session, people.annotator, people.project)
        claims.claim(session, people.annotator, held)
    words = handpicked("example", "submit", people.project.slug, held.id, "--as", people.lead.email, code=1)
    assert f"Example {held.id}: {people.annotator.name} writes on this until" in words
    assert "Nothing was submitted" in words


def test_what_is_no_list_of_messages_is_refused(handpicked, people, tmp_path):
    file = tmp_path / "words.json"
    for text in ("{", "{}", "[1]"):
        file.write_text(text)
        words = handpicked("example", "new", people.project.slug, "--source", "authors", "--messages", file, code=1)
        assert "Nothing was saved" in words
    said = json.dumps(rows.pair())
    made = handpicked("example", "new", people.project.slug, "--source", "authors", "--messages", "-", stdin=said)
    assert made["messages"] == rows.pair()
    handpicked("example", "new", people.project.slug, "--source", "authors", code=2)


def test_a_number_alone_names_the_example(handpicked, database, people):
    with database.writing() as session:
        made = [rows.submitted(session, people.annotator, people.project) for _ in "abc"]
    reviewer = people.reviewer.email
    first, second, third = (example.id for example in made)
    assert handpicked("review", "approve", first, "--as", reviewer)["example"] == first
    assert handpicked("review", "return", second, "--words", "Shorter.", "--as", reviewer)["verdict"] == "returned"
    assert handpicked("review", "reject", third, "--as", reviewer)["verdict"] == "rejected"


def test_a_number_alone_shows_strangers_nothing_and_annotators_no_verdict(handpicked, database, people):
    with database.writing() as session:
        made = rows.submitted(session, people.annotator, people.project)
    hidden = handpicked("review", "approve", made.id, "--as", people.stranger.email, code=1)
    assert hidden == f"There is no example {made.id}; see `handpicked review list PROJECT`."
    assert "There is no example 999" in handpicked("review", "approve", 999, code=1)
    assert "role does not allow" in handpicked("review", "approve", made.id, "--as", people.annotator.email, code=1)
    handpicked("review", "approve", people.project.slug, code=2)


def test_a56_an_edit_over_anothers_claim_keeps_the_words_as_a_copy(handpicked, database, people):
    with database.writing() as session:
        number = rows.example(session, people.annotator, people.project).id
        claims.claim(session, people.colleague, session.get_one(Example, number))
    edit = ("example", "edit", people.project.slug, number, "--response", "Mine.", "--as", people.annotator.email)
    said = handpicked(*edit, code=1)
    assert people.colleague.name in said
    assert "kept as your own copy" in said
    answer = handpicked("example", "answer", people.project.slug, number, "--as", people.annotator.email)
    assert answer["messages"][1]["content"] == "Mine."
    shown = handpicked("example", "show", people.project.slug, number)
    assert (shown["head"], shown["messages"]) == (1, rows.pair())


def test_house_style_is_shown_switched_and_tuned(handpicked, database, people):
    slug, lead = people.project.slug, people.lead.email
    rules = handpicked("style", "show", slug)["rules"]
    assert rules["first_person"]["on"]
    tuned = handpicked("style", "set", slug, "acknowledgement", "off", "shortest=120", "--as", lead)["rules"]
    assert (tuned["acknowledgement"]["on"], tuned["acknowledgement"]["shortest"]) == (False, 120)
    assert tuned["first_person"] == rules["first_person"]
    assert handpicked("style", "show", slug)["rules"] == tuned
    assert "no rule of style" in handpicked("style", "set", slug, "tone", "on", "--as", lead, code=1)
    assert handpicked("style", "set", slug, "first_person", "loud", "--as", lead, code=2)
    handpicked("style", "set", slug, "first_person", "off", "--as", people.annotator.email, code=1)
    with database.writing() as session:
        example = rows.submitted(session, people.annotator, people.project)
        operations.record_verdict(session, example, ExampleState.APPROVED, 1)
    assert handpicked("style", "model", slug, example.id, "--as", lead) == {"models": [example.id]}
    assert handpicked("style", "models", slug) == {"models": [example.id]}
    assert handpicked("style", "model", slug, example.id, "--off", "--as", lead) == {"models": []}


def test_a_tokenizer_is_set_from_a_file(handpicked, people, tmp_path):
    words = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    words.save(str(tmp_path / "tokenizer.json"))
    slug, lead = people.project.slug, people.lead.email
    assert handpicked("tokenizer", "show", slug) == {"exact": False, "name": None, "sha256": None}
    named = handpicked("tokenizer", "set", slug, "--file", tmp_path, "--as", lead)
    assert (named["exact"], len(named["sha256"])) == (True, 64)
    (tmp_path / "empty.json").write_text("{}")
    assert "no tokenizer.json" in handpicked("tokenizer", "set", slug, "--file", tmp_path / "empty.json", code=1)
    assert "there is none at" in handpicked("tokenizer", "set", slug, "--file", tmp_path / "nowhere", code=1)
    assert handpicked("tokenizer", "show", slug) == named
    handpicked("tokenizer", "set", slug, code=2)
    assert handpicked("tokenizer", "set", slug, "--none", "--as", lead)["exact"] is False
