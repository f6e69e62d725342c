"""The pool in a browser: to scan, to judge by one key, to undo."""

import re

import pytest

from app.examples.models import Example, Revision
from app.projects import operations as projects
from app.selection import queries
from app.sources.models import Candidate, CandidateStatus
from tests import factories
from tests.examples import counting, rows


@pytest.fixture
def path(people):
    return f"/projects/{people.project.slug}/pool"


@pytest.fixture
def two(database, people):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        return [rows.candidate(session, people.project, run, number) for number in (1, 2)]


def status(database, candidate):
    with database.reading() as session:
        return session.get_one(Candidate, candidate.id).status


def test_members_and_admins_read_and_strangers_do_not(browser, people, path, two):
    for url in (path, f"{path}/{two[0].id}"):
        for person in (people.annotator, people.reviewer, people.lead, people.admin):
            assert browser(person).get(url).status_code == 200
        assert browser(people.stranger).get(url).status_code == 404
        assert browser().get(url).status_code == 303


@pytest.mark.parametrize("verb", ["rejection", "restoration", "example"])
def test_strangers_change_nothing(browser, database, people, path, two, verb):
    url = f"{path}/{two[0].id}/{verb}"
    assert browser(people.stranger).post(url).status_code == 404
    assert browser().post(url).status_code == 401
    assert status(database, two[0]) is CandidateStatus.OPEN


def test_a03_a_candidate_of_another_project_is_not_reachable_through_ones_own(browser, database, people, two):
    with database.writing() as session:
        own = factories.project(session, people.stranger)
    url = f"/projects/{own.slug}/pool/{two[0].id}"
    assert browser(people.stranger).get(url).status_code == 404
    for verb in ("rejection", "restoration", "example"):
        assert browser(people.stranger).post(f"{url}/{verb}").status_code == 404


def test_an_empty_pool_offers_the_one_next_step(browser, people, path):
    assert "Add a source" in browser(people.annotator).get(path).text


def test_the_first_of_the_list_is_chosen_with_all_that_is_known_of_it(browser, people, path, two):
    page = browser(people.annotator).get(path).text
    for words in ("Answer 2 says why.", "A. Writer", "CC BY-SA 4.0", 'href="https://example.org/a/2"', "score 12"):
        assert words in page


def test_a_rejected_candidate_gives_way_to_the_next_and_comes_back_by_undo(browser, database, people, path, two):
    client = browser(people.annotator)
    answer = client.post(f"{path}/{two[1].id}/rejection?words=question", data={"reason": "dull"})
    assert answer.headers["location"] == f"{path}/{two[0].id}?words=question"
    page = client.get(answer.headers["location"])
    assert "Rejected, dull." in page.text
    assert f"{path}/{two[1].id}/restoration?words=question" in page.text
    assert status(database, two[1]) is CandidateStatus.REJECTED
    assert client.post(f"{path}/{two[1].id}/restoration").status_code == 303
    assert status(database, two[1]) is CandidateStatus.OPEN


def test_no_reason_stands_chosen_before_somebody_chose_one(browser, people, path, two):
    page = browser(people.annotator).get(path).text
    for select in re.findall(r'<select id="(?:many-)?reason" name="reason">(.*?)</select>', page):
        assert select.startswith('<option value="">no reason</option>')
        assert "selected" not in select
    client = browser(people.annotator)
    answer = client.post(f"{path}/{two[1].id}/rejection", data={"reason": ""})
    assert "Rejected." in client.get(answer.headers["location"]).text


def test_a_kept_candidate_gives_way_to_the_next_and_waits_among_the_kept(browser, database, people, path, two):
    client = browser(people.annotator)
    answer = client.post(f"{path}/{two[1].id}/keeping?words=question")
    assert answer.headers["location"] == f"{path}/{two[0].id}?words=question"
    page = client.get(answer.headers["location"]).text
    assert "Kept." in page
    assert f'action="{path}/undoing?words=question"' in page
    assert "1 is kept" in page
    kept = client.get(f"{path}?status=kept").text
    assert "Answer 2 says why." in kept
    assert "1 found" in kept
    assert f'formaction="{path}/{two[1].id}/restoration?status=kept"' in kept
    assert f'formaction="{path}/{two[1].id}/keeping' not in kept
    client.post(f"{path}/{two[1].id}/rejection", data={"reason": "dull"})
    client.post(f"{path}/{two[1].id}/restoration")
    assert "Kept again, as it was." in client.get(path).text
    assert status(database, two[1]) is CandidateStatus.KEPT
    client.post(f"{path}/{two[0].id}/keeping")
    page = client.get(path).text
    assert "Every candidate is judged" in page
    assert "2 candidates are kept" in page


def test_the_api_keeps_one_and_many_and_says_so(api, people, two):
    base = f"/api/v1/projects/{people.project.slug}/candidates"
    client, ids = api(people.annotator), [one.id for one in two]
    assert client.post(f"{base}/{ids[0]}/keeping").json()["status"] == "kept"
    assert client.post(f"{base}/selected", json={"ids": ids, "act": "keep"}).json() == {"act": "keep", "changed": 1}
    assert client.get(base, params={"status": "kept", "score": 12}).json()["total"] == 1
    assert client.post(f"{base}/selected", json={"ids": ids, "act": "use"}).json()["changed"] == 2
    assert client.post(f"{base}/{ids[0]}/keeping").status_code == 409
    assert client.post(f"{base}/undoing").json()["undone"] == ids[::-1]
    assert client.get(base, params={"status": "kept"}).json()["total"] == 2


def test_the_page_filters_by_score_and_import_and_says_how_many_of_its_folded_filters_count(browser, people, path, two):
    client = browser(people.annotator)
    page = client.get(f"{path}?score=12&import_id=&status=open").text
    assert "1 found" in page
    assert '<option value="12" selected>Score from 12</option>' in page
    assert "<summary>More filters</summary>" in page
    run = two[0].import_run_id
    page = client.get(f"{path}?score=&import_id={run}&licence=CC+BY-SA+4.0").text
    assert "2 found" in page
    assert f'<option value="{run}" selected>dump, import {run} (2)</option>' in page
    assert '<details class="further" open><summary>More filters (2)</summary>' in page
    assert client.get(f"{path}?score=much").status_code == 422


def test_the_last_one_rejected_leads_back_to_the_list(browser, people, path, two):
    client = browser(people.annotator)
    client.post(f"{path}/{two[0].id}/rejection", data={"reason": ""})
    answer = client.post(f"{path}/{two[1].id}/rejection", data={"reason": ""})
    assert answer.headers["location"] == path
    assert "Every candidate is judged" in client.get(path).text


def test_a_candidate_turned_into_an_example_goes_to_the_desk_once(browser, database, people, path, two):
    client = browser(people.annotator)
    places = {client.post(f"{path}/{two[0].id}/example", data={"reason": "dull"}).headers["location"] for _ in "ab"}
    assert len(places) == 1
    assert "/examples/" in places.pop()
    assert status(database, two[0]) is CandidateStatus.USED
    assert client.post(f"{path}/{two[0].id}/rejection", data={"reason": "dull"}).status_code == 409
    assert client.post(f"{path}/{two[0].id}/restoration").status_code == 303
    with database.reading() as session:
        assert session.query(Example).count() == 0


def test_j_and_k_lead_to_the_neighbours(browser, database, people, path, two):
    with database.writing() as session:
        third = rows.candidate(session, people.project, session.get_one(rows.ImportRun, two[0].import_run_id), 3)
    page = browser(people.annotator).get(f"{path}/{two[1].id}?source=stackexchange_other").text
    assert f'data-key="j" aria-keyshortcuts="j" href="{path}/{two[0].id}?source=stackexchange_other"' in page
    assert f'data-key="k" aria-keyshortcuts="k" href="{path}/{third.id}?source=stackexchange_other"' in page


def test_an_unknown_filter_or_order_is_refused(browser, people, path):
    for query in ("user__password__startswith=a", "order=password", "status=odd", "page=0", "page=NaN"):
        assert browser(people.annotator).get(f"{path}?{query}").status_code == 422
    assert browser(people.annotator).get(f"{path}?page=1000000").status_code == 200


def test_an_archived_project_keeps_its_pool_as_it_is(browser, database, people, path, two):
    with database.writing() as session:
        projects.archive_project(session, people.lead, session.merge(people.project))
    assert browser(people.annotator).post(f"{path}/{two[0].id}/rejection", data={}).status_code == 410
    assert status(database, two[0]) is CandidateStatus.OPEN


def test_two_rows_and_twenty_cost_the_same(browser, database, people, path, two):
    client, costs = browser(people.annotator), []
    for first in (10, 20):
        with counting.queries(database) as seen:
            assert client.get(path).status_code == 200
        costs.append(len(seen))
        with database.writing() as session:
            run = session.get_one(rows.ImportRun, two[0].import_run_id)
            for number in range(first, first + 9):
                rows.candidate(session, people.project, run, number)
    assert costs[0] == costs[1]


def test_a_title_is_judged_by_one_key_and_the_next_one_comes(browser, database, people, path, two):
    client = browser(people.annotator)
    page = client.get(path).text
    assert all(f'data-key="{key}"' in page for key in "ynu")
    answer = client.post(f"{path}/{two[1].id}/title", data={"alone": "yes"})
    assert answer.headers["location"] == f"{path}/{two[0].id}"
    with database.reading() as session:
        judged = session.get_one(Candidate, two[1].id)
        assert (judged.title_alone, judged.title_judged_by) == (True, people.annotator.id)
        assert judged.title_judged_at is not None
    assert client.post(f"{path}/{two[1].id}/title", data={"alone": "maybe"}).status_code == 422
    client.post(f"{path}/{two[1].id}/title", data={"alone": "neither"})
    with database.reading() as session:
        assert session.get_one(Candidate, two[1].id).title_judged_by is None


def test_undo_reaches_back_over_several_steps_of_ones_own(browser, database, people, path, two):
    client, other = browser(people.annotator), browser(people.reviewer)
    client.post(f"{path}/{two[1].id}/title", data={"alone": "no"})
    client.post(f"{path}/{two[1].id}/rejection", data={"reason": "dull"})
    other.post(f"{path}/{two[0].id}/rejection", data={"reason": "wrong"})
    assert client.post(f"{path}/undoing").headers["location"] == f"{path}/{two[1].id}"
    assert status(database, two[1]) is CandidateStatus.OPEN
    assert status(database, two[0]) is CandidateStatus.REJECTED
    client.post(f"{path}/undoing")
    with database.reading() as session:
        assert session.get_one(Candidate, two[1].id).title_alone is None
    client.post(f"{path}/undoing")
    assert "nothing left to undo" in client.get(path).text


def type_into(api, people, example_id):
    url = f"/api/v1/projects/{people.project.slug}/examples/{example_id}/working-copy"
    body = {"key": "copy-key-1", "based_on": 1, "messages": rows.pair("Why?", "Half a sent"), "language": "en"}
    assert api(people.annotator).put(url, json=body).status_code == 200


@pytest.mark.parametrize("on_the_desk", [True, False])
def test_what_is_worked_on_stays_says_so_and_undo_goes_on_to_the_act_before(
    browser, api, database, people, path, two, on_the_desk
):
    client = browser(people.annotator)
    client.post(f"{path}/{two[0].id}/rejection", data={"reason": "dull"})
    desk = client.post(f"{path}/{two[1].id}/example").headers["location"]
    type_into(api, people, int(desk.rsplit("/", 1)[1]))
    verb = f"{two[1].id}/restoration" if on_the_desk else "undoing"
    answer = client.post(f"{path}/{verb}?order=newest")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}/{two[1].id}?order=newest")
    page = client.get(answer.headers["location"]).text
    assert "This candidate stays used, for its example has been worked on. The next undo goes on" in page
    assert f'href="{desk}"' in page
    assert [status(database, one) for one in two] == [CandidateStatus.REJECTED, CandidateStatus.USED]
    assert client.post(f"{path}/undoing").headers["location"] == f"{path}/{two[0].id}"
    assert [status(database, one) for one in two] == [CandidateStatus.OPEN, CandidateStatus.USED]
    assert client.post(f"{path}/undoing").headers["location"] == path


def test_of_one_act_what_is_worked_on_stays_and_the_rest_is_undone(browser, api, database, people, path, two):
    client = browser(people.annotator)
    client.post(f"{path}/{two[1].id}/title", data={"alone": "yes"})
    client.post(f"{path}/selected", data={"ids": [one.id for one in two], "act": "use"})
    with database.reading() as session:
        (example,) = session.query(Example).filter_by(candidate_id=two[1].id)
    type_into(api, people, example.id)
    assert client.post(f"{path}/undoing").headers["location"] == f"{path}/{two[1].id}"
    said = client.get(path).text
    assert "Undone for 1 candidate. Used as before: 1 candidate, for its example has been worked on." in said
    assert [status(database, one) for one in two] == [CandidateStatus.OPEN, CandidateStatus.USED]
    # The title was the prompt of what stays, so that judgement stays with it.
    undoing = f"/api/v1/projects/{people.project.slug}/candidates/undoing"
    assert api(people.annotator).post(undoing).json() == {"undone": [], "stayed": [two[1].id]}
    assert api(people.annotator).post(undoing).json() == {"undone": [], "stayed": []}
    with database.reading() as session:
        assert session.get_one(Candidate, two[1].id).title_alone is True


def test_candidates_without_a_source_are_a_filter(browser, api, database, people, path, two):
    with database.writing() as session:
        run = session.get_one(rows.ImportRun, two[0].import_run_id)
        lost = rows.candidate(session, people.project, run, 3, source=None)
    client = browser(people.annotator)
    assert '<option value="(none)">No source (1)</option>' in client.get(path).text
    page = client.get(path, params={"source": "(none)"}).text
    assert ">1 found<" in page
    assert '<option value="(none)" selected>No source (1)</option>' in page
    found = api(people.annotator).get(f"/api/v1/projects/{people.project.slug}/candidates", params={"source": "(none)"})
    assert [one["id"] for one in found.json()["candidates"]] == [lost.id]


def test_what_the_restore_button_undid_is_not_undone_twice(browser, database, people, path, two):
    client = browser(people.annotator)
    client.post(f"{path}/{two[1].id}/title", data={"alone": "yes"})
    client.post(f"{path}/{two[0].id}/rejection", data={"reason": "dull"})
    client.post(f"{path}/{two[0].id}/restoration")
    client.post(f"{path}/undoing")
    with database.reading() as session:
        assert session.get_one(Candidate, two[1].id).title_alone is None


def test_many_are_rejected_or_used_as_one_act(browser, database, people, path, two):
    client, ids = browser(people.annotator), [one.id for one in two]
    client.post(f"{path}/selected", data={"ids": ids, "act": "reject", "reason": "dull"})
    assert {status(database, one) for one in two} == {CandidateStatus.REJECTED}
    client.post(f"{path}/undoing")
    assert {status(database, one) for one in two} == {CandidateStatus.OPEN}
    client.post(f"{path}/selected", data={"ids": ids, "act": "keep"})
    assert {status(database, one) for one in two} == {CandidateStatus.KEPT}
    client.post(f"{path}/selected", data={"ids": ids, "act": "keep"})
    assert "were so already" in client.get(path).text
    client.post(f"{path}/selected", data={"ids": ids, "act": "use"})
    assert {status(database, one) for one in two} == {CandidateStatus.USED}
    client.post(f"{path}/undoing")
    assert {status(database, one) for one in two} == {CandidateStatus.KEPT}
    client.post(f"{path}/undoing")
    assert {status(database, one) for one in two} == {CandidateStatus.OPEN}
    client.post(f"{path}/selected", data={"act": "keep"})
    assert "Nothing was selected" in client.get(path).text


def test_a_hit_shows_its_passage_with_the_words_marked(browser, people, path, two):
    page = browser(people.annotator).get(f"{path}?words=says").text
    assert '<mark class="hit">says</mark> why.' in page
    assert "Nothing fits" in browser(people.annotator).get(f"{path}?words=elephant").text


def test_the_prompt_is_the_title_where_it_stands_alone(browser, database, people, path):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        said = rows.pair("A long body that asks.", "An answer.")
        one = rows.candidate(session, people.project, run, 5, title="Why?", messages=said, title_alone=True)
    browser(people.annotator).post(f"{path}/{one.id}/example")
    with database.reading() as session:
        assert session.query(Revision).one().messages[0]["content"] == "Why?"


def test_many_are_judged_and_undone_by_the_api(api, database, people, two):
    client, base = api(people.annotator), f"/api/v1/projects/{people.project.slug}/candidates"
    ids = [one.id for one in two]
    assert client.post(f"{base}/{ids[0]}/title", json={"alone": "yes"}).json()["title_alone"] is True
    done = client.post(f"{base}/selected", json={"ids": ids, "act": "reject", "reason": "dull"})
    assert done.json() == {"act": "reject", "changed": 2}
    assert client.get(base, params={"status": "rejected"}).json()["total"] == 2
    assert sorted(client.post(f"{base}/undoing").json()["undone"]) == sorted(ids)
    assert client.post(f"{base}/selected", json={"ids": ids, "act": "keep"}).json()["changed"] == 2
    assert len(client.post(f"{base}/undoing").json()["undone"]) == 2
    assert client.post(f"{base}/undoing").json() == {"undone": ids[:1], "stayed": []}
    assert client.post(f"{base}/undoing").json() == {"undone": [], "stayed": []}
    assert client.post(f"{base}/selected", json={"ids": [999_999], "act": "keep"}).status_code == 404
    with database.reading() as session:
        assert session.get_one(Candidate, ids[0]).title_alone is None


def test_filters_are_counted_beside_their_fold(browser, people, path, two):
    page = browser(people.annotator).get(f"{path}?status=all&words=question").text
    assert "<summary>Filters (1)</summary>" in page


def test_categories_are_a_field_and_stand_with_the_candidate(browser, database, people, path):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        for number, category in enumerate(("Food", "Food", "Travel & Pets", None), start=1):
            extra = {} if category is None else {"category": category}
            rows.candidate(session, people.project, run, number, extra=extra)
    client = browser(people.annotator)
    page = client.get(path).text
    for option in ('value="Food">Food (2)<', 'value="Travel &amp; Pets">Travel &amp; Pets (1)<'):
        assert option in page
    page = client.get(path, params={"category": "Travel & Pets"}).text
    assert ">1 found<" in page
    assert "?category=Travel+%26+Pets" in page or "?category=Travel%20%26%20Pets" in page
    page = client.get(path, params={"category": "Nowhere"}).text
    assert 'value="Nowhere" selected>Nowhere<' in page


def test_only_the_categories_with_most_candidates_are_offered(database, people):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        for number in range(queries.MOST_CATEGORIES + 5):
            rows.candidate(session, people.project, run, number, extra={"category": f"c{max(3, number):03}"})
        found = queries.categories_of(session, people.project.id)
    assert len(found) == queries.MOST_CATEGORIES
    assert found.most_common(1) == [("c003", 4)]


@pytest.mark.parametrize(("said", "kept"), [("x" * 500, "x" * 120), ("", None), (7, None), (["a"], None)])
def test_a_category_is_a_word_that_fits(database, people, said, kept):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        made = rows.candidate(session, people.project, run, 1, extra={"category": said})
        assert made.category == kept


def test_marks_are_seen_in_the_list_and_beside_the_title(browser, database, people, path):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        rows.candidate(session, people.project, run, 1, flags=["e-mail address"])
    page = browser(people.annotator).get(path).text
    assert page.count("e-mail address</span>") == 2
    assert "look before you use it" in page
