"""What people ask for more of: weighed by meaning, said as the reason, answered by what is begun since, withdrawn."""

import json

import pytest
from sqlalchemy import func, select

from app.accounts.models import AuditEntry
from app.db import now
from app.embeddings.models import CandidateText
from app.embeddings.operations import keep_vectors
from app.embeddings.vectors import text_hash
from app.projects.limits import Archived
from app.projects.models import Project
from app.selection import operations
from app.selection.adding import requesting
from app.selection.adding.advising import Asking, ask
from app.selection.adding.models import CoverageRequest
from app.selection.adding.requesting import MOST, NoRequest, TooManyRequests
from app.selection.adding.suggesting import Wish
from app.sources.models import Candidate
from app.text.dialogue import prompt_of
from tests import factories
from tests.examples import counting, rows
from tests.selection.encoded import encoder

BREAD = (
    "How long should sourdough bread prove?", "Why does my bread dough not rise?", "How do I knead bread dough?",
    "Which flour is best for baking bread?", "How do I keep a sourdough starter alive?",
    "Why is the crust of my bread so hard?", "Can I bake bread without yeast?", "How do I store fresh bread?",
)  # fmt: skip
WOOD = ("How do I glue two oak boards together?", "Which saw cuts dovetail joints in wood?")
ASKED = "woodworking: joints, saws and glue"


def encoded(session, settings, project, run, titles, first):
    """Candidates with these titles as prompts, and the vectors that the model gives them."""
    model = encoder(settings)
    made = [
        rows.candidate(
            session, project, run, number, title=title, messages=rows.pair(title, f"Of that, {number}."),
            source="stackexchange_other", published=True,
        )
        for number, title in enumerate(titles, first)
    ]  # fmt: skip
    prompts = [prompt_of(one.messages) for one in made]
    keep_vectors(session, model.key, [text_hash(prompt) for prompt in prompts], model.encode(prompts))
    session.add_all(
        CandidateText(candidate_id=one.id, project_id=project.id, model=model.key, prompt_hash=text_hash(prompt))
        for one, prompt in zip(made, prompts, strict=True)
    )
    session.flush()
    return [one.id for one in made]


@pytest.fixture
def asking(database, settings):
    return Asking(database, settings, patience=60)


@pytest.fixture
def bread(database, settings, people):
    with database.writing() as session:
        return encoded(session, settings, people.project, rows.import_run(session, people.project), BREAD, 1)


@pytest.fixture
def wood(database, settings, people, bread):
    with database.writing() as session:
        return encoded(session, settings, people.project, rows.import_run(session, people.project), WOOD, 101)


def asked(database, asking, people, **more):
    with database.reading() as session:
        return ask(session, asking, people.project, Wish(**more))


def request(database, people, words=ASKED, person=None):
    with database.writing() as session:
        return requesting.request_coverage(session, person or people.annotator, people.project, words).id


def use(database, people, number):
    with database.writing() as session:
        operations.use_candidate(session, people.annotator, session.get_one(Candidate, number))


def test_what_is_asked_for_comes_first_with_who_asked_as_the_reason(database, asking, people, bread, wood):
    assert asked(database, asking, people).candidates[0].id in bread
    number = request(database, people)
    answer = asked(database, asking, people)
    assert answer.candidates[0].id in wood
    first = answer.advice.suggestions[0]
    assert first.reason.casefold().startswith(f"{people.annotator.name} asked for more about “{ASKED}”; ".casefold())
    assert first.request == number
    assert {one.id: one.request for one in answer.advice.suggestions if one.id in bread} == dict.fromkeys(bread)
    (told,) = answer.requests
    assert (told.id, told.words, told.by, told.candidates) == (number, ASKED, people.annotator.name, len(wood))


def test_what_the_set_had_before_is_no_answer_and_what_is_begun_since_is(
    database, settings, asking, people, bread, wood
):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        (copy,) = encoded(session, settings, people.project, run, ["How do I glue two boards of oak together?"], 201)

    def place():
        return [one.id for one in asked(database, asking, people, count=20).candidates].index(copy)

    use(database, people, wood[0])
    assert place() > 1, "the set has its like"
    request(database, people)
    assert place() <= 1, "which was not enough, says the request"
    with database.writing() as session:
        operations.restore_candidate(session, people.annotator, session.get_one(Candidate, wood[0]))
    use(database, people, wood[0])
    assert place() > 1, "its like is begun since"


def test_a_request_that_is_withdrawn_weighs_nothing_and_brought_back_as_before(database, asking, people, bread, wood):
    number = request(database, people)
    for verb, first in ((requesting.withdraw_request, bread), (requesting.restore_request, wood)):
        with database.writing() as session:
            found = requesting.request_in(session, people.project.id, number)
            verb(session, people.reviewer, people.project, found)
            verb(session, people.reviewer, people.project, found)
        assert asked(database, asking, people).candidates[0].id in first
    with database.reading() as session:
        said = select(AuditEntry.action).where(AuditEntry.subject == f"request:{number}").order_by(AuditEntry.id)
        assert list(session.scalars(said)) == ["request coverage", "withdraw request", "restore request"]


def test_of_what_nothing_in_the_pool_is_about_nothing_changes_and_it_is_said(database, asking, people, bread, wood):
    before = [one.id for one in asked(database, asking, people).candidates]
    request(database, people, "zero-knowledge proofs in cryptography")
    answer = asked(database, asking, people)
    assert [one.id for one in answer.candidates] == before
    assert [one.candidates for one in answer.requests] == [0]


def test_the_same_words_are_one_request_and_there_are_not_more_than_weigh(database, people):
    number = request(database, people, "  more   wood ")
    assert request(database, people, "more wood", people.reviewer) == number
    with pytest.raises(NoRequest):
        request(database, people, " a ")
    with pytest.raises(NoRequest):
        request(database, people, "x" * 301)
    for one in range(MOST - 1):
        request(database, people, f"subject number {one}")
    with pytest.raises(TooManyRequests):
        request(database, people, "one too many")
    with database.writing() as session:
        assert session.scalar(select(func.count(CoverageRequest.id))) == MOST
        project = session.get_one(Project, people.project.id)
        project.archived_at = now()
        session.flush()
        with pytest.raises(Archived):
            requesting.request_coverage(session, people.annotator, project, "else")


def test_the_page_asks_lists_withdraws_and_undoes(database, people, bread, wood, browser):
    client, path = browser(people.annotator), f"/projects/{people.project.slug}"
    answer = client.post(f"{path}/coverage-requests?by=longest", data={"words": ASKED})
    assert answer.headers["location"] == f"{path}/next?by=longest"
    page = client.get(f"{path}/next").text
    assert "Asked for; the ten below go by it." in page
    assert "2 candidates</a> about it" in page or "2 candidates about it" in page
    assert "asked for more about" in page
    with database.reading() as session:
        number = session.scalar(select(CoverageRequest.id))
    client.post(f"{path}/coverage-requests/{number}/withdrawal")
    page = client.get(f"{path}/next").text
    assert f"Withdrawn: {ASKED}." in page
    assert "asked for more about" not in page
    client.post(f"{path}/coverage-requests/{number}/restoration")
    assert "asked for more about" in client.get(f"{path}/next").text
    refused = client.post(f"{path}/coverage-requests", data={"words": "a"})
    assert "nothing was asked for" in client.get(refused.headers["location"]).text
    with database.writing() as session:
        own = factories.project(session, people.stranger)
    elsewhere = browser(people.stranger).post(f"/projects/{own.slug}/coverage-requests/{number}/withdrawal")
    assert elsewhere.status_code == 404


def test_the_api_and_the_command_ask_and_say_the_same(database, people, bread, wood, api, handpicked):
    client, slug = api(people.annotator), people.project.slug
    made = client.post(f"/api/v1/projects/{slug}/coverage-requests", json={"words": ASKED})
    assert made.status_code == 201
    number = made.json()["id"]
    document = client.get(f"/api/v1/projects/{slug}/next").json()
    assert [(one["id"], one["words"], one["candidates"]) for one in document["requests"]] == [(number, ASKED, 2)]
    assert document["suggestions"][0]["request"] == number
    assert client.post(f"/api/v1/projects/{slug}/coverage-requests/{number}/withdrawal").json()["stands"] is False
    assert client.get(f"/api/v1/projects/{slug}/next").json()["requests"] == []
    command = json.loads(handpicked("next", slug, "--ask", ASKED, "--json").stdout)
    assert command["suggestions"][0]["id"] in wood
    (told,) = command["requests"]
    assert f"Asked for (request {told['id']}): more about {ASKED}" in handpicked("next", slug).stdout
    assert "Asked for" not in handpicked("next", slug, "--withdraw", told["id"]).stdout


def test_the_page_costs_the_same_for_one_request_and_many(database, people, bread, wood, browser):
    client, path = browser(people.annotator), f"/projects/{people.project.slug}/next"
    request(database, people)
    client.get(path)
    with counting.queries(database) as few:
        client.get(path)
    for one in range(8):
        request(database, people, f"more of subject {one}")
    client.get(path)
    with counting.queries(database) as many:
        client.get(path)
    assert len(many) <= len(few)
