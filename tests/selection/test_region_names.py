"""Regions of the map that people name: shown everywhere, kept while the region is the same in its middle, undone."""

import csv
import json
import struct

import pytest
from sqlalchemy import func, select, update

from app.accounts.models import AuditEntry
from app.db import now
from app.projects.limits import Archived
from app.selection.areas import NoSuchRegion
from app.selection.atlas import operations, queries
from app.selection.map_models import MapPoint, PoolMap, RegionMiddle, RegionName
from tests.examples import counting, rows
from tests.selection.mapped import candidates, draw


@pytest.fixture
def bread(database, people):
    """Twelve candidates about bread, by number; twelve about Python lists lie in another region."""
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        made = candidates(session, people.project, run, [f"Bread dough {n}" for n in range(12)], 1, 1)
        candidates(session, people.project, run, [f"Python list {n}" for n in range(12)], 2, 101)
        return {one.id for one in made}


@pytest.fixture
def drawn(database, settings, people, bread):
    return draw(database, settings, people)


def region_of(database, drawn, ids):
    """The one region in which all of these lie."""
    with database.reading() as session:
        here = (MapPoint.map_id == drawn.id, MapPoint.candidate_id.in_(ids))
        (found,) = set(session.scalars(select(MapPoint.region).where(*here)))
    return found


def name(database, people, number, words, person=None):
    with database.writing() as session:
        return operations.name_region(session, person or people.annotator, people.project, number, words)


def names(database, drawn):
    with database.reading() as session:
        return queries.given_names(session, drawn.id)


def base(people):
    return f"/projects/{people.project.slug}/pool/map"


def test_a_name_is_on_the_page_in_the_picture_in_the_table_the_api_and_the_command(
    database, people, bread, drawn, browser, api, handpicked
):
    number, slug = region_of(database, drawn, bread), people.project.slug
    own = drawn.regions[number - 1]["name"]
    client = browser(people.annotator)
    answer = client.post(f"{base(people)}/regions/{number}/name?region={number}", data={"name": "  Home   baking "})
    assert answer.headers["location"] == f"{base(people)}?region={number}"
    page = client.get(answer.headers["location"]).text
    assert f"Region {number} is called Home baking." in page
    assert f'aria-label="Region {number}, Home baking' in page
    assert own in page, "its own words stand beside it"
    body = client.get(f"{base(people)}/points").content
    (length,) = struct.unpack("<I", body[4:8])
    assert json.loads(body[8 : 8 + length])["regions"][number - 1]["name"] == "Home baking"
    lines = list(csv.DictReader(client.get(f"{base(people)}/regions.csv").text.splitlines()))
    assert (lines[number - 1]["name"], lines[number - 1]["words"]) == ("Home baking", own)
    document = api(people.annotator).get(f"/api/v1/projects/{slug}/map").json()
    assert (document["regions"][number - 1]["name"], document["regions"][number - 1]["words"]) == ("Home baking", own)
    assert "Home baking" in handpicked("map", slug).stdout


def test_it_stays_with_its_region_on_a_map_that_is_drawn_anew(database, settings, people, bread, drawn):
    number = region_of(database, drawn, bread)
    name(database, people, number, "Home baking")
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        candidates(session, people.project, run, [f"Night ferry cabin {n}" for n in range(54)], 3, 201)
    anew = draw(database, settings, people, anew=True)
    assert anew.id != drawn.id
    assert len(anew.regions) == 3
    assert names(database, anew) == {region_of(database, anew, bread): "Home baking"}
    with database.reading() as session:
        assert session.scalar(select(func.count(PoolMap.id))) == 1, "the map on which it was named is gone"


def move(database, drawn, ids, region):
    with database.writing() as session:
        here = (MapPoint.map_id == drawn.id, MapPoint.candidate_id.in_(ids))
        session.execute(update(MapPoint).where(*here).values(region=region))


def test_it_stands_where_more_than_half_of_its_middle_lies_and_else_nowhere(database, people, bread, drawn):
    number = region_of(database, drawn, bread)
    other, middle = 3 - number, sorted(bread)
    name(database, people, number, "Home baking")
    with database.reading() as session:
        assert set(session.scalars(select(RegionMiddle.candidate_id))) == bread
    move(database, drawn, middle[:5], other)
    assert names(database, drawn) == {number: "Home baking"}
    move(database, drawn, middle[:6], other)
    assert names(database, drawn) == {}, "half of it is no majority"
    move(database, drawn, middle[:7], other)
    assert names(database, drawn) == {other: "Home baking"}


def test_of_a_large_region_only_the_middle_tells_and_of_two_names_the_newest_counts(database, settings, people):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        made = candidates(session, people.project, run, [f"Bread dough {n}" for n in range(40)], 1, 1)
        candidates(session, people.project, run, [f"Python list {n}" for n in range(40)], 2, 101)
    drawn = draw(database, settings, people)
    number = region_of(database, drawn, [made[0].id])
    name(database, people, number, "Home baking")
    other = number % len(drawn.regions) + 1
    name(database, people, other, "Snakes")
    with database.reading() as session:
        counts = select(RegionMiddle.name_id, func.count()).group_by(RegionMiddle.name_id)
        assert {count for _, count in session.execute(counts)} <= set(range(1, operations.MIDDLE + 1))
    with database.writing() as session:
        session.execute(update(MapPoint).where(MapPoint.map_id == drawn.id).values(region=1))
    assert names(database, drawn) == {1: "Snakes"}


def test_undo_gives_the_name_before_and_at_last_its_own_words(database, people, bread, drawn, browser, api):
    number = region_of(database, drawn, bread)
    own = drawn.regions[number - 1]["name"]
    name(database, people, number, "Baking")
    name(database, people, number, "Home baking", people.reviewer)
    name(database, people, number, "")
    assert names(database, drawn) == {}
    client = browser(people.annotator)
    for called in ("Home baking", "Baking", own):
        answer = client.post(f"{base(people)}/regions/{number}/name/undoing")
        assert f"region {number} is called {called} again" in client.get(answer.headers["location"]).text
    assert api(people.annotator).delete(
        f"/api/v1/projects/{people.project.slug}/map/regions/{number}/name"
    ).status_code == 404  # fmt: skip
    with database.reading() as session:
        assert session.scalar(select(func.count(RegionName.id))) == 0
        assert session.scalar(select(func.count()).select_from(RegionMiddle)) == 0
        trail = session.execute(select(AuditEntry.action, AuditEntry.detail).order_by(AuditEntry.id)).all()
    said = [(row.action, row.detail["before"], row.detail["name"]) for row in trail if "region" in row.action]
    assert said == [
        ("name region", own, "Baking"), ("name region", "Baking", "Home baking"), ("name region", "Home baking", own),
        ("take back name of region", own, "Home baking"), ("take back name of region", "Home baking", "Baking"),
        ("take back name of region", "Baking", own),
    ]  # fmt: skip


def test_no_two_regions_are_called_the_same_and_none_that_is_not_there_is_named(
    database, people, bread, drawn, browser, api
):
    number = region_of(database, drawn, bread)
    other, slug = 3 - number, people.project.slug
    name(database, people, number, "Baking")
    client = api(people.annotator)
    refused = client.put(f"/api/v1/projects/{slug}/map/regions/{other}/name", json={"name": "baking"})
    assert refused.status_code == 409
    assert f"Region {number} is called Baking already" in refused.text
    page = browser(people.annotator)
    answer = page.post(f"{base(people)}/regions/{other}/name", data={"name": "BAKING"})
    assert "nothing was changed" in page.get(answer.headers["location"]).text
    assert names(database, drawn) == {number: "Baking"}
    assert client.put(f"/api/v1/projects/{slug}/map/regions/9/name", json={"name": "x"}).status_code == 404
    long = client.put(f"/api/v1/projects/{slug}/map/regions/{other}/name", json={"name": "x" * 61})
    assert long.status_code == 422
    people.project.archived_at = now()
    with pytest.raises(Archived):
        name(database, people, number, "Else")


def test_without_a_map_there_is_no_region_to_name(database, people):
    with pytest.raises(NoSuchRegion):
        name(database, people, 1, "Baking")


def test_naming_it_as_it_is_called_changes_nothing(database, people, bread, drawn):
    number = region_of(database, drawn, bread)
    own = drawn.regions[number - 1]["name"]
    assert name(database, people, number, own) == own
    name(database, people, number, "Baking")
    assert name(database, people, number, "Baking") == "Baking"
    with database.reading() as session:
        assert session.scalar(select(func.count(RegionName.id))) == 1


def test_the_command_names_undoes_and_still_prints_the_map_of_a_project(
    database, settings, people, bread, drawn, handpicked
):
    number, slug = region_of(database, drawn, bread), people.project.slug
    done = handpicked("map", "name", slug, str(number), "Home baking", "--json")
    assert json.loads(done.stdout) == {"number": number, "name": "Home baking"}
    for words in ((slug, "--json"), ("show", slug, "--json"), ("--json", slug)):
        regions = json.loads(handpicked("map", *words).stdout)["regions"]
        assert regions[number - 1]["name"] == "Home baking"
    assert "is called" in handpicked("map", "name", slug, str(number), "--undo").stdout
    assert names(database, drawn) == {}
    assert handpicked("map", "name", slug, str(number)).returncode == 2


def test_the_page_costs_the_same_whatever_is_named(database, people, bread, drawn, browser):
    client = browser(people.annotator)
    client.get(base(people))
    with counting.queries(database) as before:
        client.get(base(people))
    for words in ("One", "Two", "Three"):
        name(database, people, 1, words)
    name(database, people, 2, "Other")
    with counting.queries(database) as after:
        client.get(base(people))
    assert len(after) == len(before)
