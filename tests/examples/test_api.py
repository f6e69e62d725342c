"""The same over /api/v1: candidates, examples, reviews."""

import pytest

from app.examples import operations
from tests.examples import rows

WORDS = [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "Two."}]


@pytest.fixture
def path(people):
    return f"/api/v1/projects/{people.project.slug}"


def test_the_whole_way_of_an_example(api, people, path):
    writer, reviewer = api(people.annotator), api(people.reviewer)
    made = writer.post(f"{path}/examples", json={"source": "authors", "messages": WORDS, "key": "key-12345"})
    assert made.status_code == 201
    number = made.json()["id"]
    again = writer.post(f"{path}/examples", json={"source": "authors", "messages": WORDS, "key": "key-12345"})
    assert again.json()["id"] == number
    changed = [WORDS[0], {"role": "assistant", "content": "Three."}]
    saved = writer.post(f"{path}/examples/{number}/revisions", json={"based_on": 1, "messages": changed})
    assert (saved.status_code, saved.json()["number"]) == (201, 2)
    assert writer.post(f"{path}/examples/{number}/submission").json()["state"] == "review"
    assert reviewer.get(f"{path}/reviews").json()["waiting"][0]["example"] == number
    said = reviewer.post(f"{path}/examples/{number}/reviews", json={"verdict": "approved", "revision": 2})
    assert (said.status_code, said.json()["verdict"]) == (201, "approved")
    shown = writer.get(f"{path}/examples/{number}").json()
    assert (shown["state"], shown["approved"], shown["messages"]) == ("approved", 2, changed)
    assert writer.get(f"{path}/examples/{number}?revision=1").json()["messages"] == WORDS
    assert writer.get(f"{path}/examples/{number}/revisions").json()["total"] == 2
    assert writer.get(f"{path}/examples?state=approved").json()["total"] == 1
    assert len(reviewer.get(f"{path}/examples/{number}/reviews").json()["reviews"]) == 1


def test_a_source_that_the_project_does_not_have_is_refused_with_those_that_it_has(api, database, people, path):
    writer = api(people.annotator)
    body = {"source": "wikihw", "messages": WORDS}
    refused = writer.post(f"{path}/examples", json=body)
    assert refused.status_code == 422
    assert "There is no source wikihw in the project; there are stackexchange_stem" in refused.text
    made = writer.post(f"{path}/examples", json={**body, "source": "wikihow"}).json()["id"]
    described = {"split": "train", "source": "wikihw", "language": "en", "flags": []}
    assert writer.put(f"{path}/examples/{made}/description", json=described).status_code == 422
    with database.writing() as session:
        rows.example(session, people.annotator, people.project, source="wikihw")
    assert writer.put(f"{path}/examples/{made}/description", json=described).status_code == 200
    assert writer.post(f"{path}/examples", json=body).status_code == 201


def test_a52_a_stale_save_answers_with_the_words_that_stand_there(api, database, people, path):
    with database.writing() as session:
        made = rows.example(session, people.annotator, people.project)
        operations.save_revision(session, people.colleague, made, based_on=1, messages=rows.pair("Theirs"))
    answer = api(people.colleague).post(
        f"{path}/examples/{made.id}/revisions", json={"based_on": 1, "messages": rows.pair("Mine")}
    )
    assert answer.status_code == 409
    assert answer.json()["current"]["messages"] == rows.pair("Theirs")
    assert "revision 2" in answer.json()["error"]["message"]


def test_a17_nobody_approves_their_own_words_over_the_api_either(api, database, people, path):
    with database.writing() as session:
        made = rows.submitted(session, people.reviewer, people.project)
    body = {"verdict": "approved", "revision": 1}
    assert api(people.reviewer).post(f"{path}/examples/{made.id}/reviews", json=body).status_code == 403
    assert api(people.annotator).post(f"{path}/examples/{made.id}/reviews", json=body).status_code == 403
    assert api(people.stranger).post(f"{path}/examples/{made.id}/reviews", json=body).status_code == 404
    assert api().post(f"{path}/examples/{made.id}/reviews", json=body).status_code in {401, 403}
    assert api().get(f"{path}/examples/{made.id}/reviews").status_code == 401


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("examples", {"source": "a", "messages": WORDS, "state": "approved"}),
        ("examples", {"source": "a", "messages": [{"role": "tool", "content": "x"}]}),
        ("examples", {"source": "a", "messages": [{"role": "user", "content": "a\u0000b"}]}),
        ("examples", {"source": "", "messages": WORDS}),
        ("reviews/imported", {"reason": " "}),
    ],
)
def test_a04_a34_what_does_not_fit_is_refused(api, people, path, url, body):
    assert api(people.lead).post(f"{path}/{url}", json=body).status_code == 422


def test_a_lone_surrogate_is_refused_with_its_place(api, people, path):
    body = '{"source": "a", "messages": [{"role": "user", "content": "a\\ud800"}]}'
    headers = {"content-type": "application/json"}
    answer = api(people.annotator).post(f"{path}/examples", content=body, headers=headers)
    assert answer.status_code == 422


def test_the_pool_is_read_judged_and_used(api, database, people, path):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        first, second = (rows.candidate(session, people.project, run, number) for number in (1, 2))
    client = api(people.annotator)
    assert client.get(f"{path}/candidates").json()["total"] == 2
    rejected = client.post(f"{path}/candidates/{first.id}/rejection", json={"reason": "dull"}).json()
    assert (rejected["status"], rejected["reason"]) == ("rejected", "dull")
    assert client.get(f"{path}/candidates?status=rejected").json()["candidates"][0]["id"] == first.id
    assert client.post(f"{path}/candidates/{first.id}/restoration").json()["status"] == "open"
    used = client.post(f"{path}/candidates/{second.id}/example")
    assert used.status_code == 201
    assert client.post(f"{path}/candidates/{second.id}/example").json() == used.json()
    assert client.get(f"{path}/candidates/{second.id}").json()["status"] == "used"
    for verb in ("rejection", "restoration", "example"):
        assert api(people.stranger).post(f"{path}/candidates/{first.id}/{verb}", json={}).status_code == 404


def test_a_read_token_writes_nothing(api, people, path):
    client = api(people.annotator, "read")
    assert client.get(f"{path}/examples").status_code == 200
    assert client.post(f"{path}/examples", json={"source": "a", "messages": WORDS}).status_code == 403


def test_a_description_is_set_and_a_submission_taken_back(api, database, people, path):
    with database.writing() as session:
        made = rows.submitted(session, people.annotator, people.project)
    client = api(people.annotator)
    body = {"split": "dev", "source": "authors", "language": "de", "flags": ["odd"]}
    shown = client.put(f"{path}/examples/{made.id}/description", json=body).json()
    assert {key: shown[key] for key in body} == body
    assert client.post(f"{path}/examples/{made.id}/withdrawal").json()["state"] == "draft"


def test_a_verdict_is_taken_back_and_an_imported_set_approved(api, database, people, path):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        made = rows.submitted(session, people.annotator, people.project, import_run_id=run.id)
    client = api(people.reviewer)
    client.post(f"{path}/examples/{made.id}/reviews", json={"verdict": "rejected", "revision": 1})
    back = client.post(f"{path}/examples/{made.id}/reviews/withdrawal?revision=1")
    assert back.json()["verdict"] == "withdrawn"
    assert client.post(f"{path}/reviews/imported", json={"reason": "elsewhere"}).status_code == 403
    assert api(people.lead).post(f"{path}/reviews/imported", json={"reason": "elsewhere"}).json() == {"approved": 1}
