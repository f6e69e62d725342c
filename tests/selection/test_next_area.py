"""Ten of a part of the map: of a region or within a line, by pages, API and command; and what people call it."""

import json

import pytest
from sqlalchemy import select

from app.selection import operations as pool_operations
from app.selection.adding.advising import Asking, ask
from app.selection.adding.suggesting import By, Wish
from app.selection.areas import Area, NoLine, NoSuchRegion
from app.selection.atlas import operations
from app.selection.map_models import FULL, MapPoint
from app.sources.models import Candidate
from tests.examples import rows
from tests.selection.encoded import DOGS, FERRIES, pool
from tests.selection.mapped import draw

ABOUT = [FERRIES] * 16 + [DOGS] * 12
EVERYWHERE = f"0.0-{FULL}.0-{FULL}.{FULL}-0.{FULL}"


@pytest.fixture
def asking(database, settings):
    return Asking(database, settings, patience=60)


@pytest.fixture
def made(database, settings, people):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        return [one.id for one in pool(session, settings, people.project, run, ABOUT)]


@pytest.fixture
def drawn(database, settings, people, made):
    return draw(database, settings, people)


@pytest.fixture
def dogs(database, drawn, made):
    """The region of the dogs, and all that lies in it."""
    with database.reading() as session:
        number = session.get_one(MapPoint, (drawn.id, made[-1])).region
        here = (MapPoint.map_id == drawn.id, MapPoint.region == number)
        return number, set(session.scalars(select(MapPoint.candidate_id).where(*here)))


def asked(database, asking, people, **more):
    with database.reading() as session:
        return ask(session, asking, people.project, Wish(**more))


def ids(answer):
    return [one.id for one in answer.candidates]


def test_ten_of_a_region_are_of_it_alone_in_every_order(database, asking, people, dogs):
    number, there = dogs
    assert not set(ids(asked(database, asking, people))) <= there
    for by in By:
        answer = asked(database, asking, people, by=by, area=Area(number))
        assert len(answer.candidates) == 10
        assert set(ids(answer)) <= there
        assert answer.advice.eligible == len(there)
    rest = asked(database, asking, people, skip=10, count=50, area=Area(number))
    first = asked(database, asking, people, area=Area(number))
    assert set(ids(first) + ids(rest)) == there


def test_what_each_is_like_is_counted_in_the_whole_pool(database, asking, people, dogs, made):
    number, there = dogs
    whole = {one.id: one.facts for one in asked(database, asking, people, count=28).advice.suggestions}
    part = asked(database, asking, people, count=28, area=Area(number)).advice.suggestions
    assert len(part) == len(there)
    for one in part:
        assert (one.facts.alike, one.facts.bare) == (whole[one.id].alike, whole[one.id].bare)


def test_a_line_and_a_region_within_it(database, asking, people, dogs, made, drawn):
    number, there = dogs
    everywhere = asked(database, asking, people, count=50, area=Area(lasso=EVERYWHERE))
    assert len(everywhere.candidates) >= len(made) - 2  # what lies on the right or lower edge is outside
    assert everywhere.area == "what lies within the line"
    both = asked(database, asking, people, count=50, area=Area(number, EVERYWHERE))
    assert set(ids(both)) <= there
    assert asked(database, asking, people, area=Area(lasso="0.0-0.1-1.0")).candidates == []
    with pytest.raises(NoLine):
        asked(database, asking, people, area=Area(lasso="nonsense"))


def test_a_region_that_is_not_there_is_not_found(database, asking, people, made):
    with pytest.raises(NoSuchRegion):
        asked(database, asking, people, area=Area(1))


def test_where_nothing_that_is_short_lies_in_it_any_source_may(database, settings, asking, people, made):
    with database.writing() as session:
        for one in made[16:]:
            session.get_one(Candidate, one).source = "nobody_asked_for"
    drawn = draw(database, settings, people)
    with database.reading() as session:
        number = session.get_one(MapPoint, (drawn.id, made[-1])).region
    assert not asked(database, asking, people).advice.widened
    answer = asked(database, asking, people, area=Area(number))
    assert answer.advice.widened
    assert set(ids(answer)) <= set(made[16:])


def test_a_reason_says_what_people_call_the_place_unless_all_are_of_it(database, asking, people, dogs):
    number, there = dogs
    with database.writing() as session:
        operations.name_region(session, people.annotator, people.project, number, "Grief")
    answer = asked(database, asking, people, count=28)
    for one in answer.advice.suggestions:
        assert ("in Grief on the map" in one.reason) == (one.id in there)
    assert {one.within for one in answer.thin if one.candidate_id in there} == {"Grief"}
    assert {one.within for one in answer.thin if one.candidate_id not in there} == {""}
    of_it = asked(database, asking, people, area=Area(number))
    assert of_it.area == "Grief"
    assert not any("Grief" in one.reason for one in of_it.advice.suggestions)


def test_the_pages_lead_from_the_map_to_its_ten_and_keep_to_them(database, people, dogs, browser, drawn):
    number, there = dogs
    client, slug = browser(people.annotator), people.project.slug
    assert f"/projects/{slug}/next?region={number}" in client.get(f"/projects/{slug}/pool/map").text
    page = client.get(f"/projects/{slug}/next?region={number}").text
    assert f"of <bdi>{drawn.regions[number - 1]['name']}</bdi>" in page
    assert "Of the whole pool instead" in page
    assert f"/projects/{slug}/next?by=longest&amp;region={number}" in page
    first = int(page.split('<form class="decisions" method="post" action="', 1)[1].split("/next/", 1)[1].split("?")[0])
    assert first in there
    answer = client.post(f"/projects/{slug}/next/{first}?region={number}", data={"verdict": "later"})
    assert answer.headers["location"] == f"/projects/{slug}/next?region={number}"
    assert client.get(f"/projects/{slug}/next?region=9").status_code == 404
    assert client.get(f"/projects/{slug}/next?lasso=nonsense").status_code == 422
    assert client.get(f"/projects/{slug}/next?lasso={EVERYWHERE}").status_code == 200


def test_the_api_and_the_command_say_the_same(people, dogs, api, handpicked):
    number, there = dogs
    slug, client = people.project.slug, api(people.annotator)
    document = client.get(f"/api/v1/projects/{slug}/next?region={number}").json()
    assert {one["id"] for one in document["suggestions"]} <= there
    assert document["area"]
    command = json.loads(handpicked("next", slug, "--region", number, "--json").stdout)
    assert [one["id"] for one in command["suggestions"]] == [one["id"] for one in document["suggestions"]]
    assert f"Only of {document['area']}" in handpicked("next", slug, "--region", number).stdout
    assert client.get(f"/api/v1/projects/{slug}/next?region=9").status_code == 404
    assert handpicked("next", slug, "--region", 9).returncode == 1
    listed = json.loads(handpicked("pool", "list", slug, "--region", number, "--json").stdout)
    assert {one["id"] for one in listed["candidates"]} == there


def test_ten_of_a_region_are_of_what_is_still_open_there(database, asking, people, dogs):
    number, there = dogs
    with database.writing() as session:
        for one in sorted(there)[:5]:
            pool_operations.reject_candidate(session, people.annotator, session.get_one(Candidate, one))
    answer = asked(database, asking, people, count=50, area=Area(number))
    assert set(ids(answer)) == set(sorted(there)[5:])
