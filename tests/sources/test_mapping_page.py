"""Saved mappings as a page: the list, a new name, a deletion, and a mapping taken where the columns are."""

import pytest
from sqlalchemy import select

from app.sources.models import ColumnMapping, ImportRun, ImportState, Into

COLUMNS = {"prompt": ["title", "selftext"], "response": "answers[0].text"}


@pytest.fixture
def saved(database, people):
    """Two mappings; an import has used the first."""
    with database.writing() as session:
        for number, (name, mapping) in enumerate((("owner/posts.csv", COLUMNS), ("desk", {"prompt": ["asked"]}))):
            here = {"project_id": people.project.id, "signature": f"{number}" * 64}
            session.add(ColumnMapping(**here, name=name, columns=mapping))
        session.add(
            ImportRun(
                project_id=people.project.id, name="march.csv", path="", format="table", site="", into=Into.POOL,
                ruleset={}, ruleset_hash="", state=ImportState.PUBLISHED, options={"settings": {"columns": COLUMNS}},
            )
        )  # fmt: skip
    return f"/projects/{people.project.slug}/sources/mappings"


def names(database):
    with database.reading() as session:
        return sorted(session.scalars(select(ColumnMapping.name)))


def test_the_list_says_what_each_column_is_and_which_import_used_it(browser, people, saved):
    page = browser(people.annotator).get(saved).text
    assert "2 saved mappings." in page
    assert "title, selftext" in page
    assert "answers[0].text" in page
    assert "march.csv" in page
    assert "No import has it as it is now" in page
    assert browser(people.stranger).get(saved).status_code == 404


def test_a_name_is_changed_and_what_does_not_fit_is_said_beside_it(browser, database, people, saved):
    client = browser(people.annotator)
    for typed, status, words in (
        ("desk", 409, "There is a mapping desk already"),
        ("  ", 422, "1 to 120 characters"),
        ("x" * 121, 422, "1 to 120 characters"),
    ):
        refused = client.post(f"{saved}/name", data={"mapping": "owner/posts.csv", "name": typed})
        assert refused.status_code == status
        assert words in refused.text
        assert f'value="{typed}"' in refused.text
    done = client.post(f"{saved}/name", data={"mapping": "owner/posts.csv", "name": " help  desk "})
    assert done.status_code == 303
    assert names(database) == ["desk", "help desk"]
    assert browser(people.stranger).post(f"{saved}/name", data={"mapping": "desk", "name": "x"}).status_code == 404
    assert client.post(f"{saved}/name", data={"mapping": "gone", "name": "x"}).status_code == 404
    assert client.post(f"{saved}/name").status_code == 422


def test_a_mapping_is_deleted_and_what_was_imported_stays(browser, database, people, saved):
    assert browser(people.stranger).post(f"{saved}/deletion", data={"mapping": "desk"}).status_code == 404
    assert browser(people.annotator).post(f"{saved}/deletion", data={"mapping": "owner/posts.csv"}).status_code == 303
    assert names(database) == ["desk"]
    with database.reading() as session:
        assert session.scalars(select(ImportRun)).one().state is ImportState.PUBLISHED
    assert browser(people.annotator).post(f"{saved}/deletion", data={"mapping": "owner/posts.csv"}).status_code == 404


def test_a_name_with_a_slash_is_renamed_and_deleted_over_the_api(api, database, people, saved):
    base = f"/api/v1/projects/{people.project.slug}/mappings"
    assert api(people.annotator).put(f"{base}/owner%2Fposts.csv", json={"name": "a/b"}).json()["name"] == "a/b"
    assert api(people.annotator).delete(f"{base}/a%2Fb").status_code == 204
    assert names(database) == ["desk"]


def test_without_any_the_page_says_where_they_come_from(browser, people):
    page = browser(people.annotator).get(f"/projects/{people.project.slug}/sources/mappings").text
    assert "Mappings come from tables" in page


def test_a_saved_mapping_that_fits_is_taken_where_the_columns_are(browser, people, saved):
    client, base = browser(people.annotator), f"/projects/{people.project.slug}"
    rows = b"asked,said,more\nWhy?,Because.,x\n"
    begun = client.post(f"{base}/sources/new", files={"files": ("new.csv", rows)})
    page = client.get(begun.headers["location"]).text
    assert 'name="saved_mapping" value="desk"' in page
    assert 'value="owner/posts.csv"' not in page
    assert f'href="{saved}"' in page
    query = {"format": "table", "saved_mapping": "desk", "map.asked": "response", "map.said": "prompt", "name": "kept"}
    taken = client.get(begun.headers["location"], params=query).text
    assert "as the saved mapping has them" in taken
    assert "1 of 3 used" in taken
    assert 'value="kept"' in taken
    assert 'name="saved_mapping"' not in taken
