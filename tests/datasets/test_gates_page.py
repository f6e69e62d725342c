"""The page of gates: its findings by pages, its cost, an empty and an archived project."""

from sqlalchemy import event

from app.projects import operations as projects
from app.projects.models import Project, Split
from tests.datasets.gating import address, put
from tests.datasets.material import approve, dialogue


def test_the_page_shows_the_first_findings_and_leads_to_all(browser, database, people):
    with database.writing() as session:
        for number in range(123):
            said = dialogue(f"Question {number} of many?")
            approve(session, people.project, people.annotator, people.reviewer, said, licence=None)
    client = browser(people.lead)
    page = client.get(address(people))
    assert page.text.count("Question ") == 20
    assert "All 123" in page.text
    assert client.get(address(people, "?gate=licences")).text.count("Question ") == 100
    assert client.get(address(people, "?gate=licences&page=99")).text.count("Question ") == 23
    assert client.get(address(people, "?gate=weather")).status_code == 404


def test_two_and_forty_rows_cost_the_same_queries(browser, database, people):
    client = browser(people.lead)

    def queries_of():
        counted = []
        event.listen(database.engine, "before_cursor_execute", lambda *_: counted.append(1))
        assert client.get(address(people)).status_code == 200
        return len(counted)

    def grow(first, last):
        for number in range(first, last):
            put(database, people, f"{'abcdefgh'[number % 8] * 6} {number}?", "As an AI, a@b.org-x.com", licence=None)
            put(database, people, f"{'abcdefgh'[number % 8] * 6} {number}!", None, split=Split.TEST)

    grow(0, 1)
    queries_of()
    few = queries_of()
    grow(1, 20)
    assert queries_of() == few


def test_an_empty_project_says_what_the_gates_will_look_at(browser, people):
    page = browser(people.lead).get(address(people))
    assert "Nothing is approved yet." in page.text
    assert "Whether each text has a licence" in page.text


def test_an_archived_project_shows_its_gates_and_sets_none(browser, database, people):
    with database.writing() as session:
        projects.archive_project(session, people.lead, session.get_one(Project, people.project.id))
    client = browser(people.lead)
    assert 'name="policy"' not in client.get(address(people)).text
    assert client.post(address(people), data={"gate": "style", "policy": "off"}).status_code == 410
