"""Imports over JSON: who may, what is refused, and the same results as the pages."""

import json

import pytest
from sqlalchemy import select

from app import sample
from app.sources.models import Candidate, ImportRun, ImportState
from tests import factories
from tests.sources import rooms

EXPECTED = json.loads(sample.expected_file().read_text("utf-8"))["dump"]


@pytest.fixture
def url(people):
    return f"/api/v1/projects/{people.project.slug}/imports"


@pytest.fixture
def done(database, settings, people):
    return rooms.imported(database, settings, people, sample.dump_folder())


def test_a_dump_is_uploaded_imported_and_reported(api, database, settings, people, url):
    client = api(people.annotator)
    answer = client.post(url, files=rooms.dump_files(), data={"site": rooms.SITE, "name": "By API"})
    assert answer.status_code == 201
    begun = answer.json()
    assert (begun["state"], begun["name"], begun["format"]) == ("waiting", "By API", "stackexchange")
    rooms.work(database, settings, people, begun["id"])
    ended = client.get(f"{url}/{begun['id']}").json()
    assert ended["state"] == "published"
    assert ended["result"]["funnel"] == [
        {key: row[key] for key in ("rule", "kept", "dropped")} for row in EXPECTED["funnel"]
    ]
    assert {
        "format",
        "records",
        "funnel",
        "created",
        "unchanged",
        "flagged",
        "errors",
        "seconds",
        "peak_rss_mb",
    } <= set(ended["result"])
    records = client.get(f"{url}/{begun['id']}/records").json()
    assert (records["total"], len(records["records"])) == (EXPECTED["answers"], 50)
    lines = client.get(f"{url}/{begun['id']}/report.jsonl").text.splitlines()
    assert [one.pop("number") for one in records["records"]] == list(range(1, 51))
    assert not any(one.pop("restored") for one in records["records"])
    assert [json.loads(line) for line in lines[:50]] == records["records"]
    assert client.get(url).json()["total"] == 1


@pytest.mark.parametrize("rules", [
    '{"rules": {"score": {"minimum": 30}}}', "[[rule]]\nrule = 'score'\nminimum = 30", "- {rule: score, minimum: 30}",
])  # fmt: skip
def test_settings_are_those_of_the_form(api, database, settings, people, url, rules):
    data = {"site": rooms.SITE, "rules": rules, "prompt": "title", "seed": "7", "source": "authors"}
    begun = api(people.annotator).post(url, files=rooms.dump_files(), data=data).json()
    run = rooms.work(database, settings, people, begun["id"])
    assert [row["rule"] for row in run.result["funnel"]] == ["score"]
    assert (run.source, run.options["prompt"]["seed"]) == ("authors", 7)


def test_who_is_nobody_or_a_stranger_or_may_only_read_is_refused(api, database, settings, people, url, done):
    files, data = rooms.dump_files(), {"site": rooms.SITE}
    assert api().get(url).status_code == 401
    stale = {"authorization": "Bearer hp_stale"}
    assert api().post(url, files=files, data=data, headers=stale).status_code == 401
    assert api().post(url, files=files, data=data).status_code == 401
    assert api(people.stranger).get(url).status_code == 404
    assert api(people.stranger).post(url, files=files, data=data).status_code == 404
    reading = api(people.annotator, "read")
    assert reading.get(f"{url}/{done.id}").status_code == 200
    assert reading.post(url, files=files, data=data).status_code == 403
    assert rooms.uploads_in(settings) == []
    with database.reading() as session:
        assert len(session.scalars(select(ImportRun)).all()) == 1


def test_the_records_behind_each_number_are_listed(api, people, url, done):
    def numbers(**number):
        answer = api(people.annotator).get(f"{url}/{done.id}/records", params=number)
        return answer.json()["total"], answer.json()["records"]

    before = EXPECTED["answers"]
    for row in EXPECTED["funnel"]:
        total, records = numbers(rule=row["rule"])
        assert (total, {one["rule"] for one in records}) == (row["dropped"], {row["rule"]} if records else set())
        assert numbers(after=row["rule"])[0] == before - row["dropped"] == row["kept"]
        before = row["kept"]
    dropped = next(row["rule"] for row in EXPECTED["funnel"] if row["dropped"])
    assert numbers(rule=dropped, restored=True)[0] == 0
    number = numbers(rule=dropped)[1][0]["number"]
    assert api(people.annotator).post(f"{url}/{done.id}/records/{number}/restoration").status_code == 200
    assert [one["number"] for one in numbers(rule=dropped, restored=True)[1]] == [number]
    assert api(people.annotator).get(f"{url}/{done.id}/records", params={"rule": "nonsense"}).status_code == 404


def test_files_of_a_dump_that_nothing_reads_are_named_with_it(api, browser, database, settings, people, url):
    client = api(people.annotator)
    files = [*rooms.dump_files(), ("files", ("Badges.xml", b"<badges/>"))]
    begun = client.post(url, files=files, data={"site": rooms.SITE}).json()
    assert (begun["name"], begun["left_aside"]) == ("Posts.xml and 1 more", ["Badges.xml"])
    rooms.work(database, settings, people, begun["id"])
    ended = client.get(f"{url}/{begun['id']}").json()
    assert ended["result"]["left_out"] == [{"path": "Badges.xml", "reason": "No import reads it."}]
    page = browser(people.annotator).get(f"/projects/{people.project.slug}/imports/{begun['id']}").text
    assert "Badges.xml" in page
    assert "handpicked import" in page
    assert "Posts.xml and 1 more" not in page.partition("The same from a shell")[2]


def test_an_import_of_another_project_is_not_there(api, database, people, done):
    with database.writing() as session:
        other = factories.people(session)
    elsewhere = f"/api/v1/projects/{other.project.slug}/imports/{done.id}"
    for path in ("", "/records", "/report.jsonl"):
        assert api(other.lead).get(elsewhere + path).status_code == 404


def test_records_of_an_unfinished_import_are_not_there(api, database, people, url):
    run = rooms.start(database, people, sample.dump_folder())
    assert api(people.annotator).get(f"{url}/{run.id}").json()["state"] == "waiting"
    assert api(people.annotator).get(f"{url}/{run.id}/records").status_code == 404


@pytest.mark.parametrize(("data", "words"), [
    ({}, "site"), ({"site": "no site"}, "no site"), ({"site": "a.example.org", "into": "nowhere"}, "into"),
    ({"site": "a.example.org", "rules": "{"}, "JSON"),
    ({"site": "a.example.org", "rules": "nonsense"}, "lima-reddit and none"),
    ({"site": "a.example.org", "rules": '{"rules": {"score": {"minimum": "x"}}}'}, "score.minimum"),
    ({"site": "a.example.org", "rules": '{"rules": {"references": {"phrases": ["\\u0000"]}}}'}, "NUL"),
    ({"site": "a.example.org", "rules": '{"rules": ' + '{"a":' * 20_000}, "rules"),
    ({"site": "a.example.org", "state": "published"}, "state"), ({"site": "a.example.org", "seed": "x"}, "seed"),
    ({"site": "a.example.org", "source": "nonsense"}, "nonsense"), ({"site": "stackapps.com"}, "discarded"),
])  # fmt: skip
def test_what_does_not_fit_is_422_and_nothing_is_kept(api, database, settings, people, url, data, words):
    answer = api(people.annotator).post(url, files=rooms.dump_files(), data=data)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert words.lower() in json.dumps([error["message"], error["problems"]]).lower()
    assert rooms.uploads_in(settings) == []
    with database.reading() as session:
        assert session.scalars(select(ImportRun)).all() == []


def test_a_file_that_is_no_source_is_422(api, settings, people, url):
    answer = api(people.annotator).post(url, files=rooms.upload("x.jsonl", b""))
    assert answer.status_code == 422
    assert "empty" in answer.json()["error"]["message"]
    assert rooms.uploads_in(settings) == []
    assert api(people.annotator).post(url, data={"site": rooms.SITE}).status_code == 400


def test_a_bad_line_fails_the_job_and_says_its_number(api, database, settings, people, url):
    good = json.dumps({"conversations": ["a", "b"]}) + "\n"
    begun = api(people.annotator).post(url, files=rooms.upload("x.jsonl", good + "{broken\n")).json()
    rooms.work(database, settings, people, begun["id"])
    ended = api(people.annotator).get(f"{url}/{begun['id']}").json()
    assert ended["state"] == ImportState.FAILED
    assert "line 2" in ended["error"]
    with database.reading() as session:
        assert session.scalars(select(Candidate)).all() == []


def test_server_paths_are_for_leads_and_offered_folders(api, app, settings, people, url, tmp_path):
    app.state.settings = settings.model_copy(update={"import_folders": (tmp_path,)})
    (tmp_path / "x.jsonl").write_text(json.dumps({"conversations": ["a", "b"]}))
    form = {"path": (None, str(tmp_path / "x.jsonl"))}
    assert api(people.annotator).post(url, files=form).status_code == 403
    assert api(people.lead).post(url, files=form).status_code == 201
    assert api(people.lead).post(url, files={"path": (None, "/etc/passwd")}).status_code == 403


def test_exchanges_are_read_by_all_and_sorted_by_leads(api, people):
    url = f"/api/v1/projects/{people.project.slug}/exchanges"
    body = {"site": "coffee.stackexchange.com", "group": "stem"}
    assert api(people.annotator).get(url).json()["exchanges"]["coffee.stackexchange.com"] == "other"
    assert api(people.annotator).put(url, json=body).status_code == 403
    assert api(people.lead).put(url, json=body).status_code == 204
    assert api(people.annotator).get(url).json()["exchanges"]["coffee.stackexchange.com"] == "stem"
    assert api(people.lead).put(url, json=body | {"group": "x"}).status_code == 422
    assert api(people.lead).put(url, json=body | {"site": "no site"}).status_code == 422


def test_the_upload_is_described(app):
    described = app.openapi()["paths"]["/api/v1/projects/{slug}/imports"]["post"]
    fields = described["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]
    assert {"files", "path", "site", "rules", "into", "skip_bad", "licence"} <= set(fields)
    assert fields["into"]["enum"] == ["pool", "set"]
    assert {"201", "401", "403", "404", "413", "422"} <= set(described["responses"])


def test_a_dropped_record_is_restored_once(api, database, settings, people, url):
    run = rooms.imported(database, settings, people, sample.dump_folder())
    client = api(people.annotator)
    listed = client.get(f"{url}/{run.id}/records").json()["records"]
    number = next(one["number"] for one in listed if one["rule"] == "score")
    answers = [client.post(f"{url}/{run.id}/records/{number}/restoration") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    listed = client.get(f"{url}/{run.id}/records").json()["records"]
    assert [one["number"] for one in listed if one["restored"]] == [number]
    assert client.post(f"{url}/{run.id}/records/999999/restoration").status_code == 404
    kept = next(one["number"] for one in client.get(f"{url}/{run.id}/records").json()["records"] if not one["rule"])
    assert client.post(f"{url}/{run.id}/records/{kept}/restoration").status_code == 409
