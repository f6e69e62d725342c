"""Remarks on the desk, the rules of a project, the guide with its models, and how people write: pages and API."""

import re

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.examples import operations, style_operations, style_queries
from app.examples.models import Example, LeftRemark
from app.projects import operations as projects
from app.reviews import operations as reviews
from tests import factories
from tests.examples import counting, rows

ANSWER = "I keep it cold.\n\nSee <b>this</b> 😀 &amp; that."


@pytest.fixture
def path(people):
    return f"/projects/{people.project.slug}"


@pytest.fixture
def made(database, people):
    with database.writing() as session:
        messages = rows.pair("How is dough kept?", ANSWER)
        return rows.example(session, people.annotator, people.project, messages=messages)


def approved(session, people, answer="Most stay in the top metre.", author=None, **more):
    messages = rows.pair("How deep do roots go?", answer)
    made = rows.submitted(session, author or people.annotator, people.project, messages=messages, **more)
    reviews.approve(session, people.reviewer, made, made.revision_number)
    return made


def typed(prompt="How is dough kept?", response=ANSWER, **more):
    return {"source": "wikihow", "language": "en", "system": "", "turn_1": prompt, "turn_2": response, **more}


def fragment(client, url, **fields):
    return client.post(url, data=typed(**fields), headers={"hx-request": "true", "hx-target": "div#remarks"})


def test_the_fragment_says_what_stands_where_in_units_of_scripts(browser, people, path, made):
    answer = fragment(browser(people.annotator), f"{path}/examples/{made.id}/remarks")
    assert answer.status_code == 200
    assert "<html" not in answer.text
    places = re.findall(r'data-turn="(turn-\d)" data-start="(\d+)" data-end="(\d+)"', answer.text)
    entity = len(ANSWER[: ANSWER.index("&amp;")].encode("utf-16-le")) // 2
    assert places[0] == ("turn-2", "0", "1")
    assert ("turn-2", str(entity), str(entity + 5)) in places
    assert 'data-fix="**this**"' in answer.text
    assert "3 remarks" in answer.text


def test_a_new_example_is_remarked_upon_and_has_nothing_to_leave(browser, people, path):
    answer = fragment(browser(people.annotator), f"{path}/remarks", turn_1="See <b>it</b>?")
    assert 'data-turn="turn-1"' in answer.text
    assert "data-leave" not in answer.text
    assert answer.text.index('id="prompt-remarks"') < answer.text.index('data-turn="turn-1"')


def test_who_asks_for_remarks_stands_in_no_writers_way(browser, database, people, path, made):
    client = browser(people.annotator)
    with database.writing() as session:
        session.execute(select(Example.id))  # from here on nobody else writes on SQLite
        assert fragment(client, f"{path}/examples/{made.id}/remarks").status_code == 200


def test_a_system_message_keeps_the_numbers_of_the_turns(browser, people, path):
    answer = fragment(browser(people.annotator), f"{path}/remarks", system="Be <b>kind</b>.")
    assert 'data-turn="system"' in answer.text
    assert 'data-turn="turn-2"' in answer.text


def test_what_is_left_stays_left_and_is_spoken_of_again_on_request(browser, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/examples/{made.id}/remarks"
    key = re.search(r'"remark": "(first_person:\w+)"', fragment(client, url).text)[1]
    left = client.post(
        f"{url}/leaving", data=typed(remark=key), headers={"hx-request": "true", "hx-target": "div#remarks"}
    )
    assert (left.status_code, key in left.text, "1 left as it is" in left.text) == (200, False, True)
    assert key not in fragment(client, url, response="More. " + ANSWER).text
    page = browser(people.reviewer).get(url)
    assert "Left as it is" in page.text
    again = client.post(f"{url}/leaving", data={"remark": key, "leave": "no"})
    assert again.status_code == 303
    assert key in fragment(client, url).text
    for wrong in ({"remark": "nothing:0123456789abcdef"}, {"remark": "first_person"}, {}):
        assert client.post(f"{url}/leaving", data=wrong).status_code == 422
    with database.reading() as session:
        assert session.scalars(select(LeftRemark)).all() == []


def test_without_scripts_the_saved_text_has_a_page_of_remarks(browser, people, path, made):
    page = browser(people.annotator).get(f"{path}/examples/{made.id}/remarks").text
    assert "<strong>3 remarks</strong>" in page
    assert "Response, line 3" in page
    assert f'action="{path}/examples/{made.id}/remarks/leaving"' in page


def test_the_desk_has_its_places_for_remarks_and_the_guide(browser, people, path, made):
    desk = browser(people.annotator).get(f"{path}/examples/{made.id}").text
    for place in ('id="remarks"', 'id="prompt-remarks"', 'id="remarks-count"', 'id="guide-panel"'):
        assert place in desk


def rules(**changed):
    form = {f"rule.{name}.on": "on" for name in style_operations.BY_NAME}
    form |= {f"rule.{name.replace('__', '.')}": value for name, value in changed.items() if value is not None}
    return {name: value for name, value in form.items() if name.removeprefix("rule.") not in
            {one.replace("__", ".") for one, value in changed.items() if value is None}}  # fmt: skip


def test_a_lead_switches_a_rule_off_and_nobody_hears_of_it_again(browser, database, people, path, made):
    lead = browser(people.lead)
    page = lead.get(f"{path}/style").text
    assert "15 of 15 rules are on" in page
    counted = lead.post(
        f"{path}/style", data=rules(first_person__on=None, act="count"), headers={"hx-target": "div#counted"}
    )
    assert "<html" not in counted.text
    saved = lead.post(f"{path}/style", data=rules(first_person__on=None, length__enough="30", act="save"))
    assert saved.status_code == 303
    assert "14 of 15 rules are on" in lead.get(f"{path}/style").text
    assert "First person" not in fragment(browser(people.annotator), f"{path}/examples/{made.id}/remarks").text
    with database.reading() as session:
        sheet = style_queries.sheet_of(session, people.project.id)
        assert [rule.name for rule in sheet.off] == ["first_person"]
        assert next(rule for rule in sheet.rules if rule.name == "length").enough == 30
        assert "set house style" in session.scalars(select(AuditEntry.action)).all()


def test_a_setting_that_does_not_fit_is_named_and_nothing_is_saved(browser, database, people, path):
    answer = browser(people.lead).post(f"{path}/style", data=rules(length__enough="few"))
    assert (answer.status_code, "length.enough must be a whole number" in answer.text) == (422, True)
    assert 'value="few"' in answer.text
    with database.reading() as session:
        assert style_queries.sheet_of(session, people.project.id).off == ()


def test_annotators_read_the_rules_and_do_not_set_them(browser, people, path):
    page = browser(people.annotator).get(f"{path}/style").text
    assert 'role="switch"' not in page
    assert 'id="first_person"' in page
    assert browser(people.annotator).post(f"{path}/style", data=rules()).status_code == 403


def test_models_are_approved_examples_that_a_lead_shows(browser, database, people, path, made):
    lead = browser(people.lead)
    refused = lead.post(f"{path}/style/models", data={"example": made.id})
    assert (refused.status_code, "Only an approved example" in refused.text) == (409, True)
    assert lead.post(f"{path}/style/models", data={"example": "x"}).status_code == 422
    assert lead.post(f"{path}/style/models", data={"example": 10**9}).status_code == 404
    with database.writing() as session:
        good = approved(session, people)
    for _ in range(2):
        assert lead.post(f"{path}/style/models", data={"example": good.id}).status_code == 303
    guide = browser(people.annotator).get(f"{path}/style/guide")
    assert "Most stay in the top metre." in guide.text
    panel = browser(people.annotator).get(
        f"{path}/style/guide", headers={"hx-request": "true", "hx-target": "div#guide"}
    )
    assert "<html" not in panel.text
    assert "<form" not in panel.text
    with database.writing() as session:
        example = session.get_one(Example, good.id)
        operations.save_revision(session, people.annotator, example, based_on=1, messages=rows.pair("Again?"))
    assert "top metre" not in browser(people.annotator).get(f"{path}/style/guide").text
    assert lead.post(f"{path}/style/models", data={"example": good.id, "shown": "no"}).status_code == 303


def test_how_we_write_stands_by_name_and_ranks_nobody(browser, database, people, path):
    assert "Nothing is submitted yet" in browser(people.annotator).get(f"{path}/style/voices").text
    with database.writing() as session:
        approved(session, people, "Short and plain.")
        rows.submitted(
            session, people.colleague, people.project, messages=rows.pair("Why?", "# One\n\nI list:\n\n- a\n- b")
        )
    page = browser(people.annotator).get(f"{path}/style/voices").text
    assert "It ranks nobody" in page
    names = re.findall(r'<th scope="row"><bdi>(.*?)</bdi>', page)
    assert names[-1] == "All together"
    assert names[:-1] == sorted(names[:-1])
    assert re.findall(r'data-label="With lists">(\d+)%', page).count("100") == 1


def test_habits_are_those_of_the_approved_answers_of_the_source(session, people):
    for length in range(100, 124):
        approved(session, people, "x" * length)
    habit = style_queries.habit_of(session, people.project.id, "wikihow")
    assert (habit.count, habit.low, habit.high) == (24, 106, 118)
    assert style_queries.habit_of(session, people.project.id, "authors") is None
    sheet = style_queries.sheet_of(session, people.project.id)
    short = style_queries.about_of(session, people.project.id, sheet, "wikihow", "en", None)
    assert [one.rule for one in sheet.remarks(rows.pair("Roots?", "Deep."), short)] == ["length"]


def test_pages_cost_as_many_queries_for_twenty_examples_as_for_two(browser, database, people, path):
    seen: dict[str, list[int]] = {}
    for count in (2, 18):
        with database.writing() as session:
            for _ in range(count):
                style_operations.set_model(session, people.lead, people.project, approved(session, people), shown=True)
        for where in ("style", "style/guide", "style/voices"):
            client = browser(people.lead)
            client.get(f"{path}/{where}")
            with counting.queries(database) as sent:
                assert client.get(f"{path}/{where}").status_code == 200
            seen.setdefault(where, []).append(len(sent))
    assert all(len(set(counts)) == 1 for counts in seen.values()), seen


def test_an_archived_project_is_remarked_upon_and_not_changed(browser, database, people, path, made):
    with database.writing() as session:
        projects.archive_project(session, people.lead, session.merge(people.project))
    answer = fragment(browser(people.annotator), f"{path}/examples/{made.id}/remarks")
    assert (answer.status_code, "data-leave" in answer.text) == (200, False)
    assert browser(people.lead).post(f"{path}/style", data=rules()).status_code == 410
    leaving = f"{path}/examples/{made.id}/remarks/leaving"
    assert browser(people.annotator).post(leaving, data={"remark": "links:0123456789abcdef"}).status_code == 410


def test_an_example_of_another_project_is_not_read_through_ones_own(browser, database, people, made):
    with database.writing() as session:
        own = factories.project(session, people.stranger)
    assert browser(people.stranger).get(f"/projects/{own.slug}/examples/{made.id}/remarks").status_code == 404


def test_the_same_over_the_api(api, database, people, made):
    path = f"/api/v1/projects/{people.project.slug}"
    writer, lead = api(people.annotator), api(people.lead)
    found = writer.post(f"{path}/remarks", json={"messages": rows.pair("How?", "I stir <b>it</b>")}).json()["remarks"]
    assert [(one["rule"], one["line"], one["passage"]) for one in found] == [
        ("first_person", 1, "I"),
        ("html", 1, "<b>it</b>"),
    ]
    assert found[1]["fix"] == {"start": 7, "end": 16, "replacement": "**it**"}
    saved = writer.get(f"{path}/examples/{made.id}/remarks").json()["remarks"]
    leaving = writer.post(f"{path}/examples/{made.id}/remarks/leaving", json={"remark": saved[0]["key"]}).json()
    assert [one["left"] for one in leaving["remarks"]] == [True, False, False]
    document = lead.get(f"{path}/style").json()["rules"]
    changed = lead.put(f"{path}/style", json={"rules": document | {"links": False}}).json()["rules"]
    assert changed["links"]["on"] is False
    assert lead.put(f"{path}/style", json={"rules": {"lynx": True}}).status_code == 422
    assert writer.put(f"{path}/style", json={"rules": document}).status_code == 403
    with database.writing() as session:
        good = approved(session, people)
    assert lead.post(f"{path}/style/models", json={"example": good.id}).json() == {"models": [good.id]}
    assert writer.get(f"{path}/style/models").json() == {"models": [good.id]}
