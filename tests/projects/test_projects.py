"""Projects: the list, settings, targets, members, the archive."""

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEntry, Role
from app.projects import operations, queries
from app.projects.limits import Archived
from app.projects.models import CompositionRow, Membership, Project, Split
from tests import factories
from tests.counting import count_queries


def rows(*values):
    names = ("source", "title", "short_title", "split", "target", "colour")
    return [(name, value) for row in values for name, value in zip(names, row, strict=True)]


def form(client, url, pairs):
    from urllib.parse import urlencode

    return client.post(url, content=urlencode(pairs), headers={"content-type": "application/x-www-form-urlencoded"})


@pytest.fixture
def base(people):
    return f"/projects/{people.project.slug}"


def test_a_new_project_has_limas_target_and_its_maker_as_admin(browser, database, people):
    answer = browser(people.admin).post("/projects", data={"name": "Field Notes"})
    assert answer.headers["location"] == "/projects/field-notes"
    with database.reading() as session:
        project = queries.project_by_slug(session, "field-notes")
        targets = session.scalars(queries.composition_of(project)).all()
        assert sum(row.target for row in targets if row.split is Split.TRAIN) == 1000
        assert len({row.source for row in targets if row.split is Split.TRAIN}) == 6
        assert [sum(row.target for row in targets if row.split is split) for split in (Split.DEV, Split.TEST)] == [
            50,
            300,
        ]
        assert queries.membership_role(session, project, people.admin) is Role.ADMIN


def test_a_project_can_start_with_an_empty_table(browser, database, people):
    browser(people.admin).post("/projects", data={"name": "Mine", "slug": "mine", "composition": "empty"})
    with database.reading() as session:
        assert not session.scalars(queries.composition_of(queries.project_by_slug(session, "mine"))).all()


@pytest.mark.parametrize("data", [
    {"name": "", "slug": "x"}, {"name": "X", "slug": "Not a slug"}, {"name": "X", "slug": "../x"},
    {"name": "X", "composition": "other"}, {"name": "X", "id": "7"},
])  # fmt: skip
def test_a_form_that_does_not_fit_comes_back_as_typed(browser, database, people, data):
    answer = browser(people.admin).post("/projects", data=data)
    assert answer.status_code == 422
    assert f'value="{data["name"]}"' in answer.text
    with database.reading() as session:
        assert session.scalars(select(Project.slug)).all() == [people.project.slug]


def test_a_taken_short_name_gets_409(browser, people):
    answer = browser(people.admin).post("/projects", data={"name": "Again", "slug": people.project.slug})
    assert answer.status_code == 409


def test_only_admins_make_projects(browser, people):
    assert browser(people.lead).post("/projects", data={"name": "X"}).status_code == 403


def test_the_list_shows_ones_own_and_costs_the_same(browser, database, people):
    with database.writing() as session:
        factories.project(session, people.lead, "hidden")
    client = browser(people.annotator)
    with count_queries(database) as few:
        page = client.get("/projects").text
    assert people.project.slug in page
    assert "hidden" not in page.partition("<main")[2]
    with database.writing() as session:
        for number in range(20):
            project = factories.project(session, people.lead, f"more-{number}")
            operations.add_member(session, people.lead, project, people.annotator, Role.ANNOTATOR)
    with count_queries(database) as many:
        client.get("/projects")
    assert few.count == many.count


def test_members_read_the_settings_and_only_leads_change_them(browser, people, base):
    assert (
        "<form"
        not in browser(people.annotator).get(f"{base}/settings").text.partition("<main")[2].partition("</main")[0]
    )
    assert "Save the target" in browser(people.lead).get(f"{base}/settings").text
    assert browser(people.reviewer).post(f"{base}/settings", data={"name": "X"}).status_code == 403


def test_the_style_guide_is_shown_as_markdown_and_never_as_markup(browser, people, base):
    guide = "# One voice\n\n<script>alert(1)</script> [x](javascript:alert(1))"
    browser(people.lead).post(f"{base}/settings", data={"name": "Notes", "guide": guide})
    page = browser(people.annotator).get(f"{base}/settings").text
    assert "One voice</h" in page
    assert "<script>alert" not in page
    assert 'href="javascript' not in page


def test_the_target_is_replaced_as_posted(browser, database, people, base):
    posted = rows(
        ("letters", "Letters", "Letters", "train", "30", "2"),
        ("letters", "Letters", "Letters", "test", "5", "2"),
        ("gone", "Gone", "Gone", "train", "9", "3"),
        ("", "", "", "train", "", "4"),
    )
    answer = form(browser(people.lead), f"{base}/composition", [*posted, ("remove", "2")])
    assert answer.status_code == 303
    with database.reading() as session:
        found = session.scalars(queries.composition_of(people.project)).all()
        assert [(row.source, row.split, row.target) for row in found] == [
            ("letters", Split.TRAIN, 30),
            ("letters", Split.TEST, 5),
        ]


@pytest.mark.parametrize(("row", "words"), [
    (("letters", "Letters", "L", "train", "many", "1"), "Row 1, target"),
    (("letters", "Letters", "L", "train", "-1", "1"), "Row 1, target"),
    (("letters", "Letters", "L", "other", "1", "1"), "Row 1, split"),
    (("a b", "Letters", "L", "train", "1", "1"), "Row 1, source"),
    (("letters", "Letters", "L", "train", "1", "9"), "Row 1, colour"),
])  # fmt: skip
def test_a_target_that_does_not_fit_changes_nothing_and_stays_typed(browser, database, people, base, row, words):
    answer = form(browser(people.lead), f"{base}/composition", rows(row))
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{row[0]}"' in answer.text
    with database.reading() as session:
        assert len(session.scalars(select(CompositionRow)).all()) == 9


def test_two_rows_of_one_source_and_split_are_refused(browser, people, base):
    twice = rows(*[("letters", "Letters", "L", "train", "1", "1")] * 2)
    assert form(browser(people.lead), f"{base}/composition", twice).status_code == 422


def test_a_known_person_is_added_at_once(browser, database, people, base):
    client = browser(people.lead)
    answer = client.post(f"{base}/members", data={"email": people.stranger.email, "role": "reviewer"})
    assert answer.status_code == 303
    with database.reading() as session:
        assert queries.role_in(session, people.project, people.stranger) is Role.REVIEWER


def test_a_member_gets_another_role_and_is_removed(browser, database, people, base):
    client = browser(people.lead)
    assert client.post(f"{base}/members/{people.annotator.id}/role", data={"role": "reviewer"}).status_code == 303
    with database.reading() as session:
        assert queries.role_in(session, people.project, people.annotator) is Role.REVIEWER
    assert client.post(f"{base}/members/{people.annotator.id}/removal").status_code == 303
    assert browser(people.annotator).get(base).status_code == 404
    assert client.post(f"{base}/members/{people.annotator.id}/removal").status_code == 404


def test_a03_members_and_invitations_of_another_project_are_out_of_reach(browser, database, people, base):
    with database.writing() as session:
        boss = factories.user(session)
        other = factories.project(session, boss, "other")
        operations.add_member(session, boss, other, people.stranger, Role.ANNOTATOR)
    client, owner = browser(people.lead), browser(boss)
    owner.post("/projects/other/members", data={"email": "n@example.org", "role": "annotator"})
    for path in (f"members/{people.stranger.id}/removal", "invitations/1/withdrawal"):
        through_own, foreign, absent = (
            client.post(f"{base}/{path}"),
            client.post(f"/projects/other/{path}"),
            client.post("/projects/nowhere/" + path),
        )
        assert {through_own.status_code, foreign.status_code, absent.status_code} == {404}
    with database.reading() as session:
        assert session.get(Membership, (other.id, people.stranger.id)) is not None


def test_a03_a_foreign_project_looks_like_an_absent_one(browser, people, base):
    client = browser(people.stranger)
    strip = "".join
    foreign, absent = client.get(base), client.get("/projects/nowhere")
    assert foreign.status_code == absent.status_code == 404
    ids = [answer.headers["x-request-id"] for answer in (foreign, absent)]
    texts = [
        strip(answer.text.replace(number, "").replace(base, "").replace("/projects/nowhere", ""))
        for answer, number in zip((foreign, absent), ids, strict=True)
    ]
    assert texts[0] == texts[1]


def test_an_archived_project_is_read_and_not_changed(browser, api, people, base):
    client = browser(people.lead)
    assert client.post(f"{base}/archiving").status_code == 303
    assert client.get(base).status_code == 200
    refused = client.post(f"{base}/settings", data={"name": "X"})
    assert refused.status_code == 410
    assert "archived" in refused.text
    assert api(people.lead).put(f"/api/v1{base}/composition", json={"rows": []}).status_code == 410
    assert client.post(f"{base}/reopening").status_code == 303
    assert client.post(f"{base}/settings", data={"name": "X"}).status_code == 303
    pipeline = api(people.lead)
    assert pipeline.post(f"/api/v1{base}/archiving").status_code == 204
    assert pipeline.put(f"/api/v1{base}/composition", json={"rows": []}).status_code == 410
    assert pipeline.post(f"/api/v1{base}/reopening").status_code == 204
    assert client.post(f"{base}/settings", data={"name": "Y"}).status_code == 303


def test_changes_stand_in_the_trail(browser, database, people, base):
    browser(people.lead).post(f"{base}/settings", data={"name": "X"})
    with database.reading() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.actor_id, entry.project_id) == ("describe project", people.lead.id, people.project.id)


def test_hostile_names_are_shown_as_text(browser, people, base):
    browser(people.lead).post(f"{base}/settings", data={"name": '<img src=x onerror="alert(1)">'})
    assert "<img src=x" not in browser(people.lead).get(base).text


def test_an_archived_project_says_so_and_how_to_open_it_on_each_of_its_pages(browser, people, base):
    client = browser(people.lead)
    client.post(f"{base}/archiving")
    for page in ("/sources", "/pool", "/examples", "/versions", "/runs"):
        text = client.get(f"{base}{page}").text
        assert "is archived.</strong>" in text
        assert f'href="{base}/settings"' in text.partition("is archived.</strong>")[2]
    assert "<h1>Archived</h1>" in client.post(f"{base}/settings", data={"name": "X"}).text


def test_nobody_joins_an_archived_project(database, people):
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        operations.archive_project(session, people.lead, project)
        with pytest.raises(Archived):
            operations.add_member(session, people.lead, project, people.stranger, Role.ANNOTATOR)
        assert queries.membership_role(session, project, people.stranger) is None


@pytest.mark.parametrize("number", ["9" * 19, "9" * 23])
@pytest.mark.parametrize("place", ["examples", "imports", "jobs"])
def test_a_number_that_no_row_can_have_is_not_found(browser, api, people, base, place, number):
    assert browser(people.lead).get(f"{base}/{place}/{number}").status_code == 404
    assert api(people.lead).get(f"/api/v1{base}/{place}/{number}").status_code == 404
