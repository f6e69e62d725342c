"""The map as it is drawn, followed, looked at and acted on: by the job, the pages, the API and the command line."""

import csv
import json
import random
import struct

import numpy as np
import pytest
from sqlalchemy import delete, func, select

from app.db import now
from app.examples.models import Example
from app.jobs.models import Job
from app.jobs.running import run_now
from app.projects.limits import Archived, keep_from_tests
from app.projects.models import Project, Split
from app.selection import operations as pool
from app.selection import queries as pool_queries
from app.selection.areas import in_lasso
from app.selection.atlas import figures, jobs, operations, queries
from app.selection.map_models import FULL, MapPoint, Method, PoolMap
from app.sources.models import Candidate, CandidateStatus
from tests.examples import rows
from tests.selection.mapped import CODE, KITCHEN, candidates, draw, small_pool


@pytest.fixture
def made(database, people):
    with database.writing() as session:
        return small_pool(session, people)


def points(database, drawn):
    with database.reading() as session:
        found = queries.points_of(session, drawn.id)
    return {int(one): (int(x), int(y)) for one, x, y in zip(found.ids, found.x, found.y, strict=True)}


def base(people):
    return f"/projects/{people.project.slug}/pool/map"


def head_of(body):
    assert body[:4] == b"HPM1"
    (length,) = struct.unpack("<I", body[4:8])
    return json.loads(body[8 : 8 + length]), body[8 + length :]


def test_a_handful_is_drawn_at_once_whole_and_alone(database, settings, people, made):
    drawn = draw(database, settings, people)
    assert drawn.method is Method.PCA
    before = points(database, drawn)
    assert set(before) == {one.id for one in made}
    again = draw(database, settings, people, anew=True)
    assert again.id != drawn.id
    assert points(database, again) == before, "the same pool, the same map"
    with database.reading() as session:
        assert session.scalar(select(func.count(PoolMap.id))) == 1
        assert session.scalar(select(func.count(MapPoint.candidate_id))) == len(made)


def test_what_is_drawn_follows_and_nothing_that_has_a_place_moves(database, settings, people):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        first = candidates(session, people.project, run, [f"Bread dough {n}" for n in range(12)], 1, 1)
        candidates(session, people.project, run, [f"Python list {n}" for n in range(12)], 2, 101)
    drawn = draw(database, settings, people)
    assert drawn.method is Method.UMAP
    before = points(database, drawn)
    names = [one["name"] for one in drawn.regions]
    assert any("dough" in name.lower() for name in names)
    with database.reading() as session:
        kind = {row.candidate_id: row.region for row in session.scalars(select(MapPoint))}
    with database.writing() as session:
        fresh = candidates(session, people.project, run, ["Bread dough again"], 1, 201)[0]
        session.execute(delete(Candidate).where(Candidate.id == first[0].id))
    with database.reading() as session:
        assert queries.unplaced(session, drawn) == 1
    again = draw(database, settings, people)
    assert again.id == drawn.id
    after = points(database, again)
    assert after == {**{one: before[one] for one in before if one != first[0].id}, fresh.id: after[fresh.id]}
    with database.reading() as session:
        point = session.get_one(MapPoint, (drawn.id, fresh.id))
        assert point.region == kind[first[1].id], "it belongs to where its like is"
        assert queries.unplaced(session, drawn) == 0


def test_a_map_of_another_model_stays_until_it_is_drawn_anew(database, settings, people, made):
    drawn = draw(database, settings, people)
    with database.writing() as session:
        session.get_one(PoolMap, drawn.id).model = "another@model"
    kept = draw(database, settings, people)
    assert (kept.id, kept.model) == (drawn.id, "another@model")
    assert kept.followed_at > drawn.followed_at, "no look asks again at once"
    anew = draw(database, settings, people, anew=True)
    assert anew.model == drawn.model
    assert set(points(database, anew)) == {one.id for one in made}


def test_a_look_has_it_follow_once_and_not_while_it_does(database, settings, people, made):
    draw(database, settings, people)
    jobs.follow(database, settings)
    with database.reading() as session:
        count = session.scalar(select(func.count(Job.id)))
    assert count == 1, "nothing is new"
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        candidates(session, people.project, run, ["Bread once more"], 1, 301)
    jobs.follow(database, settings)
    jobs.follow(database, settings)
    with database.reading() as session:
        assert session.scalar(select(func.count(Job.id))) == 2


def test_what_a_stopped_worker_left_is_taken_away(database, settings, people, made):
    drawn = draw(database, settings, people)
    with database.writing() as session:
        half = PoolMap(
            project_id=people.project.id, model=drawn.model, method=Method.UMAP, seed=7, followed_at=now(),
            frame=[0, 0, 1, 1], regions=[], centres=b"", own=b"",
        )  # fmt: skip
        session.add(half)
        session.flush()
        operations.add_points(session, half.id, [(made[0].id, 1, 1, 1, 0)])
    with database.reading() as session:
        assert queries.map_of(session, people.project.id).id == drawn.id
    assert draw(database, settings, people).id == drawn.id
    with database.reading() as session:
        assert session.scalar(select(func.count(PoolMap.id))) == 1


def test_near_is_told_anew_when_the_set_changes_and_test_prompts_cover_nothing(database, settings, people, made):
    draw(database, settings, people)
    with database.reading() as session:
        assert {one.near for one in session.scalars(select(MapPoint))} == {0}
    with database.writing() as session:
        used = session.get_one(Candidate, made[0].id)
        example = pool.use_candidate(session, people.lead, used)
    drawn = draw(database, settings, people)
    with database.reading() as session:
        near = {row.candidate_id: row.near for row in session.scalars(select(MapPoint))}
        own = figures.own_points(session, drawn)
        document = figures.map_document(session, drawn)
    assert near[made[0].id] == 100
    assert near[made[1].id] >= 60 > near[made[4].id]
    assert [(one.id, (one.x, one.y)) for one in own] == [(example.id, points(database, drawn)[made[0].id])]
    assert document["map"]["not_near"] == 3
    with database.writing() as session:
        session.get_one(Example, example.id).split = Split.TEST
    drawn = draw(database, settings, people)
    with database.reading() as session:
        assert {one.near for one in session.scalars(select(MapPoint))} == {0}


def test_an_example_that_came_from_nowhere_lies_among_its_like(database, settings, people, made):
    with database.writing() as session:
        written = rows.example(session, people.annotator, people.project, "How should I knead bread dough by hand?")
    drawn = draw(database, settings, people)
    with database.reading() as session:
        own = figures.own_points(session, drawn)
    assert [one.id for one in own] == [written.id]
    assert 0 <= own[0].x <= FULL


def inside(corners, x, y):
    odd = False
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if (y1 > y) != (y2 > y):
            odd ^= x < x1 + (y - y1) * (x2 - x1) / (y2 - y1)
    return odd


def test_a_line_means_the_same_candidates_to_the_database(database, settings, people, made):
    drawn = draw(database, settings, people)
    dice = random.Random(5)
    places = {}
    with database.writing() as session:
        for one in made:
            point = session.get_one(MapPoint, (drawn.id, one.id))
            point.x, point.y = dice.randrange(FULL + 1), dice.randrange(FULL + 1)
            places[one.id] = (point.x, point.y)
    for corners_count in (3, 4, 7, 30, 64):
        for _ in range(6):
            corners = [(dice.randrange(FULL + 1), dice.randrange(FULL + 1)) for _ in range(corners_count)]
            with database.reading() as session:
                found = set(session.scalars(select(Candidate.id).where(in_lasso(people.project.id, corners))))
            assert found == {one for one, (x, y) in places.items() if inside(corners, x, y)}
    flat = [(5, 7), (90, 7), (40, 7)]
    with database.reading() as session:
        assert session.scalars(select(Candidate.id).where(in_lasso(people.project.id, flat))).all() == []


def test_the_pool_is_narrowed_to_a_region_and_to_a_line(database, settings, people, made, browser, api):
    drawn = draw(database, settings, people)
    with database.reading() as session:
        wanted = {one.candidate_id for one in session.scalars(select(MapPoint).where(MapPoint.region == 1))}
    client = api(people.annotator)
    found = client.get(f"/api/v1/projects/{people.project.slug}/candidates?region=1").json()["candidates"]
    assert {one["id"] for one in found} == wanted
    everywhere = f"0.0-{FULL}.0-{FULL}.{FULL}-0.{FULL}"
    found = client.get(f"/api/v1/projects/{people.project.slug}/candidates?lasso={everywhere}").json()
    assert found["total"] >= len(points(database, drawn)) - 2  # what lies on the right or lower edge is outside
    page = browser(people.annotator).get(f"/projects/{people.project.slug}/pool?region=1&status=all").text
    assert "In region 1 of the map" in page
    assert browser(people.annotator).get(f"/projects/{people.project.slug}/pool?lasso=nonsense").status_code == 422
    assert client.get(f"/api/v1/projects/{people.project.slug}/candidates?lasso=1.1-2.2").status_code == 422


def test_hidden_tests_are_on_nobodys_map_who_may_not_read_them(database, settings, people, browser, api):
    with database.writing() as session:
        made = small_pool(session, people)
        run = rows.import_run(session, people.project)
        secret = "Zanzibar zanzibar ferry?"
        hidden = candidates(session, people.project, run, [secret, f"{secret} again"], 1, 51, split=Split.TEST)
        session.get_one(Project, people.project.id).tests_hidden = True
    drawn = draw(database, settings, people)
    assert not any("zanzibar" in one["name"].lower() for one in drawn.regions)
    for person, count in ((people.annotator, len(made)), (people.lead, len(made) + len(hidden))):
        client = browser(person)
        assert head_of(client.get(f"{base(people)}/points").content)[0]["n"] == count
        titles = client.get(f"{base(people)}/titles?ids={hidden[0].id}-{made[0].id}").json()
        assert len(titles) == (1 if person is people.annotator else 2)
        document = api(person).get(f"/api/v1/projects/{people.project.slug}/map").json()
        assert sum(one["candidates"] for one in document["regions"]) == count
        rows_of_points = api(person).get(f"/api/v1/projects/{people.project.slug}/map/points").json()["rows"]
        assert len(rows_of_points) == count
        lines = list(csv.reader(client.get(f"{base(people)}/regions.csv").text.splitlines()))
        at = lines[0].index("candidates")
        assert sum(int(line[at]) for line in lines[1:]) == count
    with database.reading() as session:
        project = session.get_one(Project, people.project.id)
        keep_from_tests(session, project, people.annotator, people.annotator.role)
        assert len(session.execute(queries.seen_points(drawn.id)).all()) == len(made)


def test_points_are_packed_as_the_browser_reads_them(database, settings, people, made, browser):
    with database.writing() as session:
        pool.use_candidate(session, people.lead, session.get_one(Candidate, made[0].id))
        pool.keep_candidate(session, people.lead, session.get_one(Candidate, made[1].id))
    drawn = draw(database, settings, people)
    head, body = head_of(browser(people.annotator).get(f"{base(people)}/points").content)
    n, own = head["n"], head["own"]
    assert (n, own) == (6, 1)
    ids = np.frombuffer(body, "<u4", n) + head["first"]
    x = np.frombuffer(body, "<u2", n, 4 * (n + own))
    y = np.frombuffer(body, "<u2", n, 4 * (n + own) + 2 * n)
    states = np.frombuffer(body, "u1", n, 8 * (n + own) + n)
    placed = points(database, drawn)
    assert {int(one): (int(a), int(b)) for one, a, b in zip(ids, x, y, strict=True)} == placed
    called = {int(one): head["states"][state] for one, state in zip(ids, states, strict=True)}
    assert called[made[0].id] == "used"
    assert called[made[1].id] == "kept"
    assert called[made[2].id] == "open"
    assert len(body) == 8 * (n + own) + 5 * n + 2 * own


def test_what_is_chosen_is_kept_rejected_or_used_as_one_act_and_undone(database, settings, people, made, browser):
    draw(database, settings, people)
    client = browser(people.annotator)
    ids = [one.id for one in made[:3]]
    answer = client.post(f"{base(people)}/selected?region=1", data={"ids": ids, "act": "reject", "reason": "dull"})
    assert answer.headers["location"] == f"{base(people)}?region=1"
    with database.reading() as session:
        rejected = select(Candidate.id).where(Candidate.status == CandidateStatus.REJECTED)
        assert set(session.scalars(rejected)) == set(ids)
        assert session.get_one(Candidate, ids[0]).status_reason == "dull"
    client.post(f"{base(people)}/undoing?region=1")
    client.post(f"{base(people)}/selected", data={"ids": ids[:2], "act": "use"})
    with database.reading() as session:
        assert session.scalar(select(func.count(Example.id))) == 2
        assert session.get_one(Candidate, ids[2]).status is CandidateStatus.OPEN
    page = client.get(base(people)).text
    assert "Turned into drafts: 2 candidates." in page


def test_the_page_leads_from_nothing_to_a_map(database, settings, people, browser):
    client = browser(people.annotator)
    assert "What lies near what" in client.get(base(people)).text
    assert client.get(f"{base(people)}/points").content == b""
    with database.writing() as session:
        small_pool(session, people)
    assert client.post(base(people)).headers["location"] == base(people)
    assert client.post(base(people)).status_code == 303, "who asks twice gets the one that is under way"
    with database.reading() as session:
        assert session.scalar(select(func.count(Job.id)).where(Job.kind == operations.KIND)) == 1
        job = session.scalars(select(Job)).one()
    page = client.get(base(people))
    assert page.status_code == 200
    assert "waits for a worker" in page.text
    run_now(database, settings, job.id, "here/1")
    part = client.get(f"{base(people)}?seen=0", headers={"hx-request": "true", "hx-target": "div#map-standing"})
    assert part.headers["hx-refresh"] == "true"
    page = client.get(base(people)).text
    assert 'data-region="1"' in page
    assert "no region is covered" in page


def test_the_command_draws_and_tells(database, settings, people, made, handpicked):
    slug = people.project.slug
    assert "No map was drawn yet" in handpicked("map", slug).stdout
    document = json.loads(handpicked("map", slug, "--draw", "--points", "--json").stdout)
    assert document["map"]["candidates"] == len(made)
    assert document["map"]["waiting"] == 0
    assert {row[0] for row in document["points"]["rows"]} == {one.id for one in made}
    assert sum(one["candidates"] for one in document["regions"]) == len(made)
    assert document["regions"][0]["name"] in handpicked("map", slug).stdout


def test_an_archived_project_keeps_its_map_and_draws_none(database, settings, people, made, browser):
    draw(database, settings, people)
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        project.archived_at = now()
        with pytest.raises(Archived):
            operations.start_mapping(session, people.lead, project)
    page = browser(people.annotator).get(base(people)).text
    assert "Draw anew" not in page
    assert 'data-region="1"' in page


def test_regions_add_up_and_say_where_most_comes_from(database, settings, people, made, api):
    drawn = draw(database, settings, people)
    with database.reading() as session:
        told = figures.figures_of(session, drawn, [])
        counts = pool_queries.status_counts(session, people.project.id)
    assert sum(region.candidates for region in told.regions) == told.whole.candidates == sum(counts.values())
    assert abs(sum(told.share_of_pool(region) for region in told.regions) - 1) < 1e-9
    assert set(told.whole.source) == {"stackexchange_other", "stackexchange_stem"}
    assert len(KITCHEN) + len(CODE) == told.whole.candidates
