"""Finding examples: words, phrases, -not, in every turn of the newest revision; the same on both databases."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, text, update
from typer.testing import CliRunner

from app.cli import build
from app.db import within
from app.examples import arrivals, describing, operations, queries, searching
from app.examples.models import Example, ExampleState
from app.examples.queries import ExampleFilter, standing_counts
from app.examples.searching import TooSlow, search_examples
from app.examples.tallies import settle
from app.projects.models import Project
from app.sources.models import ImportState
from app.sources.records import Message, Record
from app.sources.rules import KEPT
from app.text.search import parse, tsquery
from tests import factories
from tests.examples import rows

TEXTS = {
    "rope": ("How long does a rope last?", "Hard use frays it: throw it away after a fall."),
    "cheese": ("Does hard cheese keep?", "Cheese keeps in a cold cellar. Wrap it; don't freeze it."),
    "butter": ("Butter in summer", "It melts at 32 °C, café or not. See https://example.org/butter?a=1&b=2."),
    "code": ("What does os.path.join do in C++?", "```python\nimport os_path\nos.path.join('a%', \"b\", *rest)\n```"),
    "german": ("Warum ist Straßenkäse überteuert?", "Weil die GRÖẞE zählt, AND so weiter."),
    "japanese": ("東京の天気は？", "明日は雨が降ります。ｶﾀｶﾅ"),
    "turns": ("First question", "First answer."),
}
TURNS = [
    {"role": "system", "content": "You mend bicycles."},
    *rows.pair(*TEXTS["turns"]),
    *rows.pair("And the chain?", "Oil it: NEAR(the hub, 5) of 50% of all bikes_2."),
]
# What is typed, and what is found, on SQLite and on PostgreSQL.
FIXED = [
    ("ROPE last", {"rope"}),
    ("hard", {"rope", "cheese"}),
    ('"hard cheese"', {"cheese"}),
    ('"cheese hard"', set()),
    ("hard -cheese", {"rope"}),
    ("-hard -rope -cheese", {"butter", "code", "german", "japanese", "turns"}),
    ("-rope -chees", {"butter", "code", "german", "japanese", "turns"}),
    ("-東京 -C++ -hard", {"butter", "german", "turns"}),
    ("keep", {"cheese"}),
    ("keeps", {"cheese"}),
    ("kee", {"cheese"}),
    ("ke", set()),
    ("cafe", {"butter"}),
    ("CAFÉ", {"butter"}),
    ("cafe\u0301", {"butter"}),
    ("don't", {"cheese"}),
    ("dont", set()),
    ("example.org", {"butter"}),
    ("https://example.org/butter?a=1&b=2", {"butter"}),
    ("org", {"butter"}),
    ("32", {"butter"}),
    ("°", {"butter"}),
    ("os.path", {"code"}),
    ("path", {"code"}),
    ("os_path", {"code"}),
    ("C++", {"code"}),
    ("++", {"code"}),
    ("C#", set()),
    ("strasenkase", set()),
    ("straßenkase", {"german"}),
    ("größe", {"german"}),
    ("uberteuert", {"german"}),
    ("東京", {"japanese"}),
    ("京東", set()),
    ("天気", {"japanese"}),
    ("雨", {"japanese"}),
    ("カタカナ", {"japanese"}),
    ("chain hub", {"turns"}),
    ("bicycles", {"turns"}),
    ('"answer and"', set()),
    ("first chain", {"turns"}),
    ("assistant", set()),
    ("content", set()),
]
HOSTILE = [
    ("%", {"code", "turns"}),
    ("_", {"code", "turns"}),
    ('"', {"code"}),
    ("*", {"code"}),
    ("NEAR(", {"turns"}),
    ("NEAR(the hub, 5)", {"turns"}),
    ("AND", {"german", "turns"}),
    ("a AND b", set()),
    ("a OR", {"butter"}),
    ("NOT", {"butter"}),
    ("' OR 1=1 --", set()),
    ("'; DROP TABLE example; --", set()),
    ("'a'", {"rope", "cheese", "butter", "code"}),
    ("(.*)+$", set()),
    ("[a-z]", set()),
    ("\\", set()),
    ("title:hard", set()),
    ("words : hard", set()),
    ("^hard", {"rope", "cheese"}),
    ("hard*", {"rope", "cheese"}),
    ("'hard':*&|!", {"rope", "cheese"}),
    ("hard\0rope", {"rope"}),
    ("-", set()),
    ("--", set()),
    ('""', set(TEXTS)),
    ('"hard', {"rope", "cheese"}),
    ("", set(TEXTS)),
    ("x" * 10_000, set()),
    ("hard " * 2_000, {"rope", "cheese"}),
    ("§68617264", set()),
    ("\u202e", set()),
    ("𓀀 🙂", set()),
]


@pytest.fixture
def library(session, people):
    """Seven examples under short names, and what a search finds of them."""
    names = {}
    for name, pair in TEXTS.items():
        messages = TURNS if name == "turns" else rows.pair(*pair)
        names[rows.example(session, people.annotator, people.project, messages=messages).id] = name

    def find(words, **filters):
        found = search_examples(session, people.project.id, words, filters=ExampleFilter(**filters), limit=50)
        return {names[hit.id] for hit in found}

    return find


def test_a_fixed_list_of_searches_finds_the_same_on_both_databases(library):
    assert {words: library(words) for words, _ in FIXED} == dict(FIXED)


def test_a62_hostile_searches_are_words(library):
    assert {words: library(words) for words, _ in HOSTILE} == dict(HOSTILE)


def test_a62_whatever_is_typed_is_asked_and_never_an_error(session, people):
    @given(st.text(max_size=80), st.sampled_from(["", "-", '"', "'", "*", "(", ":", "\\", "\u3099", "²", "ﾞ"]))
    @settings(max_examples=60)
    def ask(typed, sign):
        search_examples(session, people.project.id, f"{sign}{typed}{sign} {typed}")

    ask()


def test_a62_a_search_that_takes_too_long_is_ended_and_says_so(browser, database, people, monkeypatch):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n WHERE i < 0"
    too_slow = TooSlow(seconds=0.2)
    with database.reading() as session, pytest.raises(TooSlow, match="took longer"), within(session, 0.2, too_slow):
        session.execute(text(endless))
    with database.reading() as session, within(session, 5, TooSlow(seconds=5)):
        assert session.scalar(text("SELECT 1")) == 1
    monkeypatch.setattr(searching, "SECONDS", 0.2)
    monkeypatch.setattr(queries, "ids_of", lambda *_: select(Example.id).where(text(f"({endless}) > 0")))
    with database.writing() as session:
        rows.example(session, people.annotator, people.project)
    url = f"/projects/{people.project.slug}/examples?words=rope"
    answer = browser(people.annotator).get(url)
    assert (answer.status_code, "took longer than" in answer.text) == (503, True)


def test_words_of_older_revisions_are_not_found_and_those_of_the_newest_are(session, people):
    made = rows.example(session, people.annotator, people.project, "Alpha question")

    def found(words):
        return [hit.id for hit in search_examples(session, people.project.id, words)]

    operations.save_revision(session, people.annotator, made, based_on=1, messages=rows.pair("Beta question"))
    assert (found("alpha"), found("beta")) == ([], [made.id])
    # A save that is taken back takes its words back.
    nested = session.begin_nested()
    operations.save_revision(session, people.annotator, made, based_on=2, messages=rows.pair("Gamma question"))
    assert found("gamma") == [made.id]
    nested.rollback()
    assert (found("gamma"), found("beta")) == ([], [made.id])
    session.execute(delete(Example).where(Example.id == made.id))
    assert found("beta") == []
    assert session.scalar(text("SELECT count(*) FROM example_words")) == 0


def test_what_an_import_brings_is_found_once_it_is_published_and_forgotten_if_it_fails(session, people):
    run = rows.import_run(session, people.project, ImportState.RUNNING)
    brought = [record(number) for number in (1, 2)]
    arrivals.add_examples(session, run, brought)

    def found():
        return len(search_examples(session, people.project.id, "brought"))

    assert found() == 0
    run.state = ImportState.PUBLISHED
    assert found() == 2
    run.state = ImportState.FAILED
    for step in arrivals.forgetting_arrivals(session, run):
        step(session)
    assert session.scalar(text("SELECT count(*) FROM example_words")) == 0


def record(number):
    words = tuple(Message(one["role"], one["content"]) for one in rows.pair(f"Brought {number}?", "By an import."))
    made = Record(
        site="x.example.org", external_id=str(number), messages=words, title=f"Brought {number}?", line=number
    )
    return made, KEPT


def test_a_text_that_no_index_could_hold_is_saved_and_found_by_its_beginning(session, people):
    words = " ".join(f"w{number:06}{'𐐨' * 30 if number % 2 else 'x' * 60}" for number in range(8000))
    made = rows.example(session, people.annotator, people.project, messages=rows.pair("Many words", f"{words} last"))

    def found(words):
        return [hit.id for hit in search_examples(session, people.project.id, words)]

    assert (found("w000007"), found("w007990"), found('"last"')) == ([made.id], [], [])
    messages = rows.pair("The same " * 300, "a " * 40_000)
    operations.save_revision(session, people.annotator, made, based_on=1, messages=messages)
    assert found('"the same"') == found('"a a a"') == [made.id]


def test_postgresql_expects_a_phrase_more_rarely_than_its_words(session, people):
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("SQLite asks its index in any case")
    for number in range(200):
        rows.example(session, people.annotator, people.project, "Hard" + " and cheese" * (number % 2))
    session.execute(text("ANALYZE example_words"))

    def expected(words):
        asked = {"words": tsquery(parse(words))}
        plan = text("EXPLAIN (FORMAT JSON) SELECT 1 FROM example_words WHERE words @@ CAST(:words AS tsquery)")
        return session.scalar(plan, asked)[0]["Plan"]["Plan Rows"]

    assert expected('"hard" "cheese"') == pytest.approx(100, abs=10)
    assert expected('"hard cheese"') == pytest.approx(50, abs=10)


def test_postgresql_starts_no_helpers_for_what_is_soon_done(session):
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("SQLite has no helpers")
    session.execute(text("CREATE TABLE tall AS SELECT n FROM generate_series(1, 300000) AS n"))
    session.execute(text("ANALYZE tall"))

    def plan(rounds):
        asked = select(func.count()).select_from(text("tall")).where(text(" + ".join(["sqrt(n)"] * rounds) + " < 0"))
        return "\n".join(session.scalars(text(f"EXPLAIN {asked}")))

    assert ("Gather" in plan(1), "Gather" in plan(200)) == (False, True)


def test_filters_join_the_words(library, session, people):
    with_words = ExampleFilter(words="hard")
    assert library("hard", language="de") == set()
    assert library("hard", author=people.annotator.id) == {"rope", "cheese"}
    assert library("hard", author=people.colleague.id) == set()
    assert library("hard", mine=people.annotator, state=ExampleState.DRAFT) == {"rope", "cheese"}
    assert library("hard", licence="CC0 1.0") == set()
    assert library("hard", state=ExampleState.APPROVED) == set()
    one = session.scalar(queries.examples_of(people.project.id, with_words))
    one.language, one.licence, one.created_by = "de", "CC0 1.0", people.colleague.id
    operations.save_revision(session, people.lead, one, based_on=1, messages=rows.pair("Hard luck"))
    assert library("hard", language="de", licence="CC0 1.0") == library("luck")
    assert library("luck", author=people.lead.id) == library("luck", mine=people.colleague) != set()


def test_a_hit_marks_what_was_looked_for_where_it_stands(session, people):
    long = "x " * 400 + "Throw it into the café. " + "y " * 400
    rows.example(session, people.annotator, people.project, messages=rows.pair("A rope, please", long))
    (hit,) = search_examples(session, people.project.id, "ROPE cafe")
    assert [piece.text for piece in hit.title if piece.hit] == ["rope"]
    assert [piece.text for piece in hit.snippet if piece.hit] == ["café"]
    text_ = "".join(piece.text for piece in hit.snippet)
    assert (text_[:3], text_[-2:], len(text_) < 200) == ("… x", " …", True)
    assert (hit.source, hit.state, hit.by) == ("wikihow", ExampleState.DRAFT, people.annotator.name)
    (hit,) = search_examples(session, people.project.id, "rope")
    assert "".join(piece.text for piece in hit.snippet).startswith("x x")


def test_a_search_of_many_hits_counts_so_far_and_says_that_there_are_more(browser, database, people, monkeypatch):
    monkeypatch.setattr(searching, "MOST_FOUND", 3)
    url = f"/projects/{people.project.slug}/examples"
    with database.writing() as session:
        for number in range(5):
            rows.example(session, people.annotator, people.project, f"Rope number {number}")
    page = browser(people.annotator).get(url, params={"words": "rope", "page": 9}).text
    assert "Found, more than 3" in page
    assert "number 4" in page
    assert "number 1" not in page
    assert "Found, 1<" in browser(people.annotator).get(url, params={"words": "rope 1"}).text
    assert "All examples, 5<" in browser(people.annotator).get(url).text
    assert "only the first 12" not in browser(people.annotator).get(url, params={"words": "a " * 12}).text.lower()
    assert "Only the first 12" in browser(people.annotator).get(url, params={"words": "a " * 13}).text


def test_strangers_find_nothing_and_another_project_is_not_searched(browser, database, people):
    with database.writing() as session:
        other = factories.project(session, people.stranger)
        rows.example(session, people.stranger, other, "Secret rope")
        rows.example(session, people.annotator, people.project, "Open rope")
    url = f"/projects/{people.project.slug}/examples?words=rope"
    for person in (people.annotator, people.admin):
        page = browser(person).get(url).text
        assert ("Open" in page, "Secret" in page) == (True, False)
    assert browser(people.stranger).get(url).status_code == 404


def test_the_same_over_the_api_and_the_command_line(
    api, database, people, database_url, tmp_path, monkeypatch, closing
):
    with database.writing() as session:
        made = [rows.example(session, people.annotator, people.project, f"Rope {number}").id for number in range(3)]
        rows.example(session, people.colleague, people.project, messages=rows.pair("Other", "A rope in the answer."))
    url = f"/api/v1/projects/{people.project.slug}/examples"
    found = api(people.annotator).get(url, params={"q": 'rope -"the answer"'}).json()
    assert (found["total"], [one["id"] for one in found["examples"]]) == (3, made[::-1])
    assert found["examples"][0]["snippet"][0] == {"text": "Rope", "hit": True}
    assert api(people.annotator).get(url).json()["examples"][0]["snippet"] == []
    mine = api(people.annotator).get(url, params={"q": "rope", "whose": people.colleague.id}).json()
    assert [one["title"] for one in mine["examples"]] == ["Other"]
    for wrong in ({"q": "x" * 20_001}, {"whose": "everybody"}, {"page": "NaN"}, {"limit": 10**9}):
        assert api(people.annotator).get(url, params=wrong).status_code == 422
    assert api(people.stranger).get(url, params={"q": "rope"}).status_code == 404

    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(tmp_path))

    def command(*args):
        return json.loads(CliRunner().invoke(build(), ["example", args[0], "--json", *args[1:]]).stdout)

    same = command("search", people.project.slug, "--", "rope", '-"the answer"')
    assert same == {"total": 3, "examples": found["examples"]}
    listed = command("list", people.project.slug, "--author", people.colleague.email, "--limit", "1")
    assert (listed["total"], listed["examples"][0]["title"]) == (1, "Other")


def test_the_tally_says_what_counting_says_whatever_happens_to_examples(session, people):
    def agree(expected=None):
        tallied = {(row.source, row.split, row.state): row.count for row in standing_counts(session, people.project.id)}
        kind = (Example.source, Example.split, Example.state)
        counted = select(*kind, func.count()).where(queries.arrived()).group_by(*kind)
        assert tallied == {tuple(row[:3]): row[3] for row in session.execute(counted)}
        assert expected is None or sum(tallied.values()) == expected

    agree(0)
    run = rows.import_run(session, people.project, ImportState.RUNNING)
    arrivals.add_examples(session, run, [record(number) for number in range(5)])
    agree(0)
    run.state = ImportState.PUBLISHED
    session.flush()
    agree(5)
    made = [rows.submitted(session, people.annotator, people.project, f"Rope {number}") for number in range(3)]
    operations.record_verdict(session, made[0], ExampleState.APPROVED, 1)
    describing.describe_example(
        session, people.annotator, made[0], split="dev", source="authors", language="de", flags=[]
    )
    agree(8)
    nested = session.begin_nested()
    session.execute(update(Example).values(source="elsewhere", licence="CC0 1.0"))
    agree(8)
    nested.rollback()
    agree(8)
    settle(session)
    session.execute(update(Example).where(Example.import_run_id == run.id).values(state=ExampleState.APPROVED))
    session.execute(delete(Example).where(Example.id == made[1].id))
    agree(7)
    session.delete(run)
    session.flush()
    agree(7)
    settle(session)
    agree(7)
    session.execute(delete(Project).where(Project.id == people.project.id))
    settle(session)
    assert session.scalar(text("SELECT coalesce(sum(examples), 0) FROM example_tally")) == 0
