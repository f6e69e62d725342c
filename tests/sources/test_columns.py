"""A table's columns are mapped on the page, on the command line and over the API; the mapping is proposed again."""

import io
import json

import openpyxl
import pytest
from sqlalchemy import select

from app.sources.models import Candidate, ColumnMapping, ImportRun
from app.sources.readers.columns import columns_in, guess
from app.sources.rulesets import NONE
from tests.sources import rooms
from tests.sources.test_cli import environment, handpicked  # noqa: F401 - fixtures
from tests.sources.test_pages import COUNTED, brought_in, started, typed

STORIES = "nr,title,story,who\n1,A cat,It slept.,Ann\n2,A dog,It ran.,Ben\n"
NEXT = "who,story,nr,title\nCleo,It flew.,3,A bird\n"
MAP = {"map.nr": "id", "map.title": "prompt", "map.story": "response", "map.who": "author"}


@pytest.fixture
def base(people):
    return f"/projects/{people.project.slug}"


@pytest.fixture
def draft(browser, people, base):
    """Where the set-up of a table stands."""
    return brought_in(browser(people.annotator), base, rooms.upload("stories.csv", STORIES))


def candidates(database):
    with database.reading() as session:
        return session.scalars(select(Candidate).order_by(Candidate.id)).all()


def test_an_unknown_table_lands_on_its_columns_with_a_guess(browser, people, draft):
    page = browser(people.annotator).get(draft).text
    assert "What the columns are" in page
    assert "a first guess by their names" in page
    fields = typed(page)
    assert {key: value for key, value in fields.items() if key.startswith("map.")} == {
        "map.nr": "",
        "map.title": "prompt",
        "map.story": "response",
        "map.who": "",
    }
    assert fields["format"] == "table"
    assert "It slept." in page  # the first records as they will look
    assert "--map prompt=title" in page


def test_the_records_follow_the_columns_without_javascript_too(browser, people, draft):
    client = browser(people.annotator)
    fields = typed(client.get(draft).text) | {"map.title": "response", "map.story": "prompt"}
    for headers in ({}, COUNTED):
        page = client.get(draft, params=fields, headers=headers).text
        first = page[page.index('id="first"') :]
        assert first.index("It slept.") < first.index("A cat")


def test_what_does_not_fit_is_said_beside_the_column_and_nothing_starts(browser, database, people, draft):
    client = browser(people.annotator)
    page = client.get(draft, params=typed(client.get(draft).text) | {"map.who": "response"})
    assert page.status_code == 200
    assert 'aria-describedby="column-4-error"' in page.text
    assert "story is the response already" in page.text
    refused = started(client, draft, **{"map.title": ""})
    assert refused.status_code == 422
    assert "No column is the prompt; choose at least one" in refused.text
    with database.reading() as session:
        assert session.scalars(select(ImportRun.job_id)).all() == [None]


def test_a_mapping_is_imported_and_proposed_again_for_the_same_columns(
    browser, database, settings, people, base, draft
):
    client = browser(people.annotator)
    assert started(client, draft, site="", **MAP).status_code == 303
    rooms.work(database, settings, people, int(draft.rsplit("/", 1)[1]))
    found = candidates(database)
    assert [(one.external_id, one.title, one.author) for one in found] == [("1", "A cat", "Ann"), ("2", "A dog", "Ben")]
    assert found[0].messages[1] == {"role": "assistant", "content": "It slept."}
    page = client.get(brought_in(client, base, rooms.upload("more.csv", NEXT))).text
    assert "as for the last file with these columns" in page
    assert {key: value for key, value in typed(page).items() if key.startswith("map.")} == MAP
    other = client.get(brought_in(client, base, rooms.upload("x.csv", "title,story\na,b\n"))).text
    assert "a first guess by their names" in other


def test_a_mapping_is_the_projects_own_and_the_last_one_counts(database, settings, people, tmp_path):
    path = tmp_path / "stories.csv"
    path.write_text(STORIES, encoding="utf-8")
    for response in ("story", "who"):
        columns = {"prompt": ["title", "nr"], "response": response}
        plan = {"format": "table", "site": "", "ruleset": NONE, "settings": {"columns": columns}}
        begun = rooms.start(database, people, path, **plan)
        run = rooms.work(database, settings, people, begun.id)
        assert run.result["records"] == 2
    with database.reading() as session:
        saved = session.scalars(select(ColumnMapping)).all()
    assert [(one.project_id, one.columns) for one in saved] == [(people.project.id, columns)]
    assert candidates(database)[0].messages[0]["content"] == "A cat\n\n1"


def test_a_known_form_can_be_mapped_instead(browser, people, base):
    client = browser(people.annotator)
    rows = json.dumps({"instruction": "Do it", "output": "Done", "topic": {"name": "Home"}})
    at = brought_in(client, base, rooms.upload("x.jsonl", rows))
    fields = typed(client.get(at).text)
    assert fields["format"] == "alpaca"
    page = client.get(at, params=fields | {"format": "table"}).text
    assert typed(page)["map.instruction"] == "prompt"
    assert 'name="map.topic.name"' in page


def test_a41_another_sheet_can_be_chosen(browser, people, base):
    book = openpyxl.Workbook()
    book.active.append(("x", "y"))
    book.active.append(("left", "right"))
    other = book.create_sheet("Recipes")
    for row in (("dish", "steps"), ("Soup", "Boil it.")):
        other.append(row)
    content = io.BytesIO()
    book.save(content)
    client = browser(people.annotator)
    at = brought_in(client, base, rooms.upload("book.xlsx", content.getvalue()))
    page = client.get(at).text
    assert "sheet Recipes</bdi>" not in page  # not mapped yet, so nothing was read
    fields = typed(page) | {"map.x": "prompt"}
    assert "sheet Recipes</bdi>" in client.get(at, params=fields).text
    fields = {key: value for key, value in fields.items() if not key.startswith("map.")} | {"set.sheet": "Recipes"}
    page = client.get(at, params=fields | {"map.dish": "prompt", "map.steps": "response"}).text
    assert "Boil it." in page
    assert "--set sheet=Recipes" in page


def test_names_of_columns_and_their_samples_are_shown_as_text(browser, people, base):
    table = 'a,<b>x</b>,"q""\'>"\n1,<script>alert(1)</script>,{{7*7}}\n'
    page = browser(people.annotator).get(brought_in(browser(people.annotator), base, rooms.upload("x.csv", table))).text
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page
    assert "{{7*7}}" in page


def test_the_command_maps_columns(handpicked, database, tmp_path):  # noqa: F811
    path = tmp_path / "stories.csv"
    path.write_text(STORIES, encoding="utf-8")
    refused = handpicked(path)
    assert refused.returncode == 1
    assert "--map prompt=title --map response=story" in refused.stderr
    ended = handpicked(path, "--map", "prompt=title", "--map", "prompt=who", "--map", "response=story", "--json")
    assert ended.returncode == 0, ended.stderr
    assert (json.loads(ended.stdout)["format"], json.loads(ended.stdout)["created"]) == ("table", 2)
    assert candidates(database)[0].messages[0]["content"] == "A cat\n\nAnn"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--map", "prompt"), 2, "is not NAME=VALUE"),
        (("--map", "response=a", "--map", "response=b"), 2, "only the prompt may have several columns"),
        (("--map", "colour=title"), 1, "cannot be 'colour'"),
        (("--map", "prompt=titel"), 1, "anything in 'titel'"),
    ],
)
def test_a_wrong_mapping_ends_the_command_with_a_sentence(handpicked, database, tmp_path, words, code, said):  # noqa: F811
    path = tmp_path / "stories.csv"
    path.write_text(STORIES, encoding="utf-8")
    ended = handpicked(path, *words)
    assert ended.returncode == code
    assert said in " ".join(ended.stderr.replace("│", " ").split())
    assert candidates(database) == []


def test_the_api_takes_settings_as_json(api, database, settings, people):
    url = f"/api/v1/projects/{people.project.slug}/imports"
    chosen = json.dumps({"columns": {"prompt": "title", "response": "story"}})
    answer = api(people.annotator).post(url, files=rooms.upload("s.csv", STORIES), data={"settings": chosen})
    assert answer.status_code == 201, answer.text
    run = rooms.work(database, settings, people, answer.json()["id"])
    assert (run.format, run.result["created"]) == ("table", 2)


@pytest.mark.parametrize(
    ("settings_text", "said"),
    [
        ("{", "JSON"),
        ("[1]", "dictionary"),
        ('{"columns": {"prompt": "a\\u0000"}}', "NUL"),
        ('{"columns": {"prompt": "a\\ud800"}}', "hex escape"),
        ('{"columns": {"response": "story"}}', "no column is the prompt"),
        ('{"columns": {"prompt": "title", "x": "' + "y" * 60_000 + '"}}', "longer than"),
        ("", "no column is the prompt"),
    ],
)
def test_a34_settings_that_cannot_be_kept_are_422_on_both_databases(api, database, people, settings_text, said):
    url = f"/api/v1/projects/{people.project.slug}/imports"
    data = {"settings": settings_text} if settings_text else {}
    answer = api(people.annotator).post(url, files=rooms.upload("s.csv", STORIES), data=data)
    assert answer.status_code == 422
    assert said.lower() in answer.text.lower()
    with database.reading() as session:
        assert session.scalars(select(ImportRun)).all() == []


def test_turns_are_guessed_by_who_speaks_and_a_column_of_answers_goes_before_them():
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}]
    said = [*turns, {"role": "assistant", "content": "So."}, {"role": "user", "content": "And then?"}]
    assert guess(columns_in([{"messages": said[:3]}])) == {
        "system": "messages[0].content",
        "prompt": "messages[1].content",
        "response": "messages[2].content",
    }
    assert guess(columns_in([{"messages": turns, "extra": {"answer": "Because."}}])) == {
        "system": "messages[0].content",
        "prompt": "messages[1].content",
        "response": "extra.answer",
    }
    assert guess(columns_in([{"words": [{"by": "cat", "content": "Miaow."}]}])) == {"response": "words[0].content"}
