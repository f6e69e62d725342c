"""Text that is not UTF-8: refused with a place, read by the encoding that a person chooses, and read so again."""

import json
from functools import partial

import pytest
from sqlalchemy import select

from app.sources.models import Candidate, ImportRecord, ImportRun, ImportState
from app.sources.opening import origin_of, read_again
from app.sources.readers.files import ENCODINGS
from tests.sources import rooms
from tests.sources.test_pages import COUNTED, brought_in, started, typed

ROWS = [
    {"conversations": ["Wie heißt das?", "Die Brücke heißt „Alte Brücke“."]},
    {"conversations": ["Und jetzt?", "Später wird daraus ein Café."]},
]
WIDE = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode("utf-16-le")
TABLE = "prompt;response\nWas ist das?;Ein Café in Österreich\nUnd das?;Ein Bär\n".encode("latin-1")


@pytest.fixture
def base(people):
    return f"/projects/{people.project.slug}"


@pytest.fixture
def client(browser, people):
    return browser(people.annotator)


def number_of(at):
    return int(at.rsplit("/", 1)[1])


def words_in(database):
    with database.reading() as session:
        return [one.messages[-1]["content"] for one in session.scalars(select(Candidate).order_by(Candidate.id))]


# --- the page


def test_a_file_that_is_refused_for_its_encoding_waits_for_a_person_to_choose_it(
    client, database, settings, people, base
):
    at = brought_in(client, base, rooms.upload("words.jsonl", WIDE))
    page = client.get(at).text
    assert "UTF-16 without a byte-order mark; choose its encoding" in page
    assert "--encoding" not in page
    assert '<a class="button primary" href="#encoding">Choose its encoding</a>' in page
    assert [name for name in ENCODINGS if f'<option value="{name}"' in page] == list(ENCODINGS)
    assert typed(page)["encoding"] == "auto"
    chosen = typed(page) | {"encoding": "utf-16-le"}
    for headers in ({}, COUNTED):
        counted = client.get(at, params=chosen, headers=headers).text
        assert "Die Brücke heißt „Alte Brücke“." in counted
        assert "Choose its encoding" not in counted
        assert "--encoding utf-16-le" in counted
    assert client.post(at, data=chosen).status_code == 303
    run = rooms.work(database, settings, people, number_of(at))
    assert (run.state, run.result["created"], run.options["encoding"]) == (ImportState.PUBLISHED, 2, "utf-16-le")
    assert words_in(database) == [row["conversations"][1] for row in ROWS]
    again = client.post(f"{at}/again").headers["location"]
    assert typed(client.get(again).text)["encoding"] == "utf-16-le"
    assert "--encoding utf-16-le" in client.get(at).text


def test_what_is_not_valid_utf_8_offers_the_choice_too_and_a_table_shows_its_columns(
    client, database, settings, people, base
):
    at = brought_in(client, base, rooms.upload("cafes.csv", TABLE))
    page = client.get(at).text
    assert "is not valid UTF-8" in page
    assert 'href="#encoding"' in page
    chosen = typed(page) | {"encoding": "latin-1"}
    counted = client.get(at, params=chosen).text
    assert "Ein Café in Österreich" in counted
    assert started(client, at, site="", encoding="latin-1").status_code == 303
    assert rooms.work(database, settings, people, number_of(at)).result["created"] == 2
    assert words_in(database) == ["Ein Café in Österreich", "Ein Bär"]


def test_a_wrong_choice_is_said_and_another_may_be_made(client, base):
    at = brought_in(client, base, rooms.upload("words.jsonl", WIDE))
    page = client.get(at, params=typed(client.get(at).text) | {"encoding": "utf-16-be"}).text
    assert "Refused" in page
    assert typed(page)["encoding"] == "utf-16-be"


def test_an_encoding_that_there_is_not_is_refused_and_nothing_starts(client, database, base):
    at = brought_in(client, base, rooms.upload("words.jsonl", WIDE))
    fields = typed(client.get(at).text) | {"encoding": "klingon"}
    assert client.post(at, data=fields).status_code == 422
    assert "no encoding that is read; choose one of auto, utf-8" in client.get(at, params=fields).text
    with database.reading() as session:
        assert session.get_one(ImportRun, number_of(at)).state is ImportState.DRAFT


def test_text_in_utf_8_is_asked_nothing(client, base):
    at = brought_in(client, base, rooms.upload("x.jsonl", json.dumps(ROWS[0]) + "\n"))
    assert "encoding" not in typed(client.get(at).text)


# --- read again by place


@pytest.mark.parametrize("encoding", ["utf-16-le", "cp1252"])
def test_a_dropped_record_is_read_again_by_the_same_encoding(database, settings, people, tmp_path, encoding):
    path = tmp_path / "words.jsonl"
    path.write_bytes("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode(encoding))
    run = rooms.imported(database, settings, people, path, format="lima", encoding=encoding)
    assert run.state is ImportState.PUBLISHED, run.error
    with database.reading() as session:
        rows = session.scalars(select(ImportRecord).order_by(ImportRecord.number)).all()
    assert [row.rule for row in rows] == ["length", "length"]
    found = read_again(run, settings, rows)
    assert [found[row.number].responses[0].content for row in rows] == [row["conversations"][1] for row in ROWS]


def test_the_same_bytes_in_another_encoding_are_another_import(database, settings, people, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(ROWS[0]) + "\n")
    plain, chosen, same = (
        rooms.imported(database, settings, people, path, format="lima", encoding=encoding)
        for encoding in ("auto", "utf-8", "auto")
    )
    made_from = [origin_of(one, settings).made_from for one in (plain, same, chosen)]
    assert made_from[0] == made_from[1] != made_from[2]


# --- programs


def test_a_program_names_it(api, database, settings, people):
    client, url = api(people.annotator), f"/api/v1/projects/{people.project.slug}/imports"
    refused = client.post(url, files=rooms.upload("words.jsonl", WIDE))
    assert refused.status_code == 422
    assert "choose its encoding" in refused.text
    assert rooms.uploads_in(settings) == []
    assert client.post(url, files=rooms.upload("x.jsonl", WIDE), data={"encoding": "klingon"}).status_code == 422
    begun = client.post(url, files=rooms.upload("words.jsonl", WIDE), data={"encoding": "utf-16-le"})
    assert begun.status_code == 201, begun.text
    assert rooms.work(database, settings, people, begun.json()["id"]).result["created"] == 2


@pytest.fixture
def handpicked(handpicked, people):
    """Runs `import` into the project."""
    return partial(handpicked, "import", people.project.slug)


def test_the_command_line_names_it(database, handpicked, tmp_path):
    (tmp_path / "words.jsonl").write_bytes(WIDE)
    (tmp_path / "cafes.csv").write_bytes(TABLE)
    refused = handpicked(tmp_path / "words.jsonl")
    assert refused.returncode == 1
    assert "choose its encoding, or save it as UTF-8; --encoding names it" in refused.stderr
    late = handpicked(tmp_path / "cafes.csv")
    assert late.returncode == 1
    assert "choose its encoding if that is another one; --encoding names it" in late.stderr
    unknown = handpicked(tmp_path / "words.jsonl", "--encoding", "klingon")
    assert unknown.returncode == 2
    assert "klingon is none of auto, utf-8" in " ".join(unknown.stderr.split())
    assert handpicked(tmp_path / "words.jsonl", "--encoding", "utf-16-le").returncode == 0
    assert handpicked(tmp_path / "cafes.csv", "--encoding", "latin-1", "--map", "prompt=prompt").returncode == 0
    assert words_in(database)[:2] == [row["conversations"][1] for row in ROWS]


# --- settings that there are not


@pytest.mark.parametrize("setting", ["encoding=utf-16-le", "pruned=Warnings", "shet=2"])
def test_an_unknown_setting_is_refused_with_those_that_there_are(database, handpicked, tmp_path, setting):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(ROWS[0]) + "\n")
    refused = handpicked(path, "--set", setting)
    assert refused.returncode == 1
    assert f"has no setting '{setting.partition('=')[0]}'; there are sheet" in refused.stderr
    with database.reading() as session:
        assert session.scalars(select(ImportRun)).all() == []


def test_a_program_is_told_of_an_unknown_setting_too(api, settings, people):
    client, url = api(people.annotator), f"/api/v1/projects/{people.project.slug}/imports"
    pair = rooms.upload("x.jsonl", json.dumps(ROWS[0]) + "\n")
    answer = client.post(url, files=pair, data={"settings": '{"pruned": []}'})
    assert answer.status_code == 422
    assert "has no setting 'pruned'; there are sheet" in answer.text
    assert rooms.uploads_in(settings) == []


def test_what_another_format_asked_for_stays_behind_when_a_person_changes_his_mind(client, database, base):
    at = brought_in(client, base, rooms.upload("x.jsonl", json.dumps(ROWS[0]) + "\n"))
    assert started(client, at, site="", **{"set.pruned": "Warnings"}).status_code == 303
    with database.reading() as session:
        assert session.get_one(ImportRun, number_of(at)).options["settings"] == {}
