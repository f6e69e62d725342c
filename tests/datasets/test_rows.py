"""The rows of a version: found by words, filters and hash, gone through by keys, and none that is out of sight."""

import pytest
from sqlalchemy import select, update

from app.accounts.models import User
from app.datasets.models import Version, VersionRow
from app.datasets.tracing.tracing import RowFilter, neighbours, places
from app.projects import roles
from app.projects.models import Project, Split
from tests.datasets.material import approve as approved
from tests.datasets.material import dialogue
from tests.datasets.trail import freeze, page_of, place_of, told, trail


@pytest.fixture
def traced(database, settings, people, tmp_path):
    return trail(database, settings, people, tmp_path)


def test_rows_are_found_by_words_hash_split_source_licence_and_import(database, traced):
    with database.writing() as session:
        people = traced.people
        approved(
            session, people.project, people.annotator, people.reviewer, dialogue("Wie säe ich Möhren?", "Dünn."),
            split=Split.DEV, source="authors", licence=None, attribution={},
        )  # fmt: skip
        version = freeze(session, people, "v3")

        def rows(**wanted):
            found = places(session, version, RowFilter(**wanted))
            query = select(VersionRow.example_id).where(VersionRow.version_id == version.id)
            return set(session.scalars(query.where(VersionRow.position.in_(found))))

        everything, ours = rows(), traced.example
        assert len(everything) == 4
        [own] = everything - rows(import_run_id=traced.run)
        assert rows(words="mohren") == rows(words='"ich Möhren"') == {own}
        assert rows(words="water") == {ours}
        assert rows(words="sow -water") == everything - {own, ours}
        # What only the form of a line says is not found: these are its keys.
        assert rows(words="messages") == rows(words="attribution") == set()
        assert rows(split=Split.DEV) == rows(source="authors") == {own}
        assert rows(licence="CC BY-SA 4.0") == everything - {own}
        line = session.scalar(select(VersionRow.sha256).where(VersionRow.version_id == version.id))
        assert len(rows(words=f"sha256:{line[:10]}")) == len(rows(words=line.upper())) == 1
        assert rows(words="sow", split=Split.DEV) == set()


def test_neighbours_of_a_row_that_is_in_the_list_or_is_not():
    assert neighbours([2, 5, 9], 5) == (2, 9)
    assert neighbours([2, 5, 9], 2) == (None, 5)
    assert neighbours([2, 5, 9], 9) == (5, None)
    assert neighbours([2, 5, 9], 6) == (5, 9)
    assert neighbours([], 6) == (None, None)


def test_back_and_next_stay_within_what_was_found(browser, database, traced):
    with database.reading() as session:
        version = session.scalars(select(Version).where(Version.name == "v2")).one()
        found = [at + 1 for at in places(session, version, RowFilter(words="number"))]
    assert len(found) == 2
    page = page_of(browser, traced, f"/versions/v2/rows/{found[0]}?words=number").text
    assert f'/versions/v2/rows/{found[1]}?words=number"' in page
    assert "2 rows found" in page
    assert page.count('data-key="k"') == 0
    assert page_of(browser, traced, f"/versions/v2/rows/{found[0]}?nonsense=1").status_code == 422


def test_the_version_lists_what_was_found_with_the_words_marked(browser, traced):
    page = page_of(browser, traced, "/versions/v2?words=water").text
    assert "1 row found." in page
    assert '<mark class="hit">water</mark>' in page
    assert "No row fits." in page_of(browser, traced, "/versions/v2?words=nowhere").text
    rows = page_of(browser, traced, f"/versions/v2?import_id={traced.run}")
    assert "3 rows found." in rows.text


def test_a_page_of_rows_as_a_document(api, traced):
    found = told(api, traced, "/versions/v2/rows?words=water")
    assert found["total"] == 1
    [row] = found["rows"]
    assert (row["example"], row["revision"], row["split"]) == (traced.example, 3, "train")


def test_hidden_test_prompts_are_in_no_trace(browser, api, database, people):
    with database.writing() as session:
        made = [
            approved(
                session, people.project, people.lead, people.reviewer, dialogue(f"Quokkaberry {n}?", answer),
                split=split, source="authors",
            )
            for n, (split, answer) in enumerate([(Split.TRAIN, "So."), (Split.TRAIN, "So."), (Split.TEST, None)])
        ]  # fmt: skip
        plain, moved, hidden = made
        freeze(session, people, "v1")
        # In v1 it was a train row; as a test prompt its words are to be seen by nobody who writes.
        moved.split = Split.TEST
        roles.hide_tests(session, people.lead, session.get_one(Project, people.project.id), hidden=True)
    rows = {one.id: place_of(database, "v1", one.id) for one in made}
    client, slug = browser(people.annotator), people.project.slug
    assert client.get(f"/projects/{slug}/versions/v1/rows/{rows[plain.id]}").status_code == 200
    for one in (moved, hidden):
        answer = client.get(f"/projects/{slug}/versions/v1/rows/{rows[one.id]}")
        assert answer.status_code == 403
        assert f"Quokkaberry {one.id - plain.id}" not in answer.text
        assert client.get(f"/projects/{slug}/examples/{one.id}/versions").status_code == 404
    listed = client.get(f"/projects/{slug}/versions/v1?words=quokkaberry").text
    assert "1 row found." in listed
    tests = client.get(f"/projects/{slug}/versions/v1?split=test").text
    assert "1 test prompt of this version is kept out of your sight." in tests
    assert "No row" not in tests
    assert api(people.annotator).get(f"/api/v1/projects/{slug}/versions/v1/rows").json()["total"] == 1
    assert api(people.lead).get(f"/api/v1/projects/{slug}/versions/v1/rows").json()["total"] == 3
    assert browser(people.lead).get(f"/projects/{slug}/versions/v1/rows/{rows[hidden.id]}").status_code == 200


def test_a_file_is_not_called_a_site_with_posts(browser, database, people):
    with database.writing() as session:
        for site in ("alpaca.jsonl", "cooking.example.org"):
            approved(session, people.project, people.annotator, people.reviewer, dialogue(f"From {site}?"),
                     attribution={"author": "A. Baker", "site": site})  # fmt: skip
        freeze(session, people, "v1")
    client, here = browser(people.lead), f"/projects/{people.project.slug}/versions/v1"
    rows = [client.get(f"{here}/rows/{number}").text for number in (1, 2)]
    file, site = sorted(rows, key=lambda page: "From alpaca.jsonl?" not in page)
    assert "The text in alpaca.jsonl" in file
    assert "The post on" not in file
    assert "The post on cooking.example.org" in site
    version = client.get(here).text
    assert "2 as imported" in version
    assert "credited to nobody else" not in version
    assert "0 edited" not in version


def test_names_and_words_of_others_are_shown_as_text(browser, database, people):
    nasty = "<script>alert(1)</script>\"'\u202e"
    with database.writing() as session:
        approved(
            session, people.project, people.annotator, people.reviewer, dialogue(nasty, nasty), source="authors",
            attribution={"author": nasty, "url": "javascript:alert(1)", "author_url": "data:x", "site": nasty},
        )  # fmt: skip
        session.execute(update(User).where(User.id == people.annotator.id).values(name=nasty))
        freeze(session, people, "v1")
    page = browser(people.lead).get(f"/projects/{people.project.slug}/versions/v1/rows/1").text
    assert "<script>alert(1)" not in page
    assert "javascript:" not in page.split("raw-line")[0]
    assert 'href="javascript:' not in page
