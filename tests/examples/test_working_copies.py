"""Working copies: what is typed is kept once, for one person, and never over newer words."""

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import func, select, update

from app.accounts.models import AuditEntry
from app.db import now
from app.examples import claims, operations, queries, working_copies
from app.examples.models import Example, Revision, WorkingCopy
from app.examples.working_copies import Desk, Written
from app.projects import operations as projects
from tests.counting import count_queries
from tests.examples import rows
from tests.examples.desks import TOLD, copies, counter_of, desk_form, hidden, theirs, typed

FOUR = [*rows.pair(), {"role": "user", "content": "And then?"}, {"role": "assistant", "content": "Wait."}]


@pytest.fixture
def path(people):
    return f"/projects/{people.project.slug}/examples"


@pytest.fixture
def made(database, people):
    with database.writing() as session:
        return rows.example(session, people.annotator, people.project)


def counted(database, table):
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_what_is_typed_is_one_row_and_neither_a_revision_nor_an_entry_of_the_trail(
    browser, database, people, path, made
):
    with database.writing() as session:
        operations.submit_example(session, people.annotator, session.get_one(Example, made.id))
    before = counted(database, AuditEntry)
    client = browser(people.annotator)
    first = client.post(f"{path}/{made.id}/working-copy", data=typed()).json()
    more = typed("Half a thought", first["counter"], "copy-key-2")
    second = client.post(f"{path}/{made.id}/working-copy", data=more).json()
    assert (second["counter"] - first["counter"], second["head"], second["head_by"]) == (1, 1, "")
    [copy] = copies(database)
    assert (copy.messages[1]["content"], copy.based_on, copy.description) == ("Half a thought", 1, TOLD)
    assert counted(database, Revision) == 1
    assert counted(database, AuditEntry) == before
    with database.reading() as session:
        assert session.get_one(Example, made.id).state is operations.ExampleState.REVIEW


def test_a50_a51_the_same_save_sent_again_is_answered_and_not_done_again(browser, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/{made.id}/working-copy"
    answers = [client.post(url, data=typed()) for _ in range(3)]
    assert {(answer.status_code, answer.json()["counter"]) for answer in answers} == {(200, counter_of(database))}
    client.post(url, data=typed("More", counter_of(database), "copy-key-2"))
    late = client.post(url, data=typed())
    assert (late.status_code, copies(database)[0].messages[1]["content"]) == (409, "More")


def test_a52_a_second_tab_never_overwrites_the_first(browser, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/{made.id}/working-copy"
    client.post(url, data=typed("From the first tab"))
    answer = client.post(url, data=typed("From the second tab", 0, "copy-key-9"))
    assert answer.status_code == 409
    assert "Another tab or device of yours" in answer.text
    assert copies(database)[0].messages[1]["content"] == "From the first tab"


def test_a_copy_that_was_saved_in_another_tab_is_not_begun_anew(browser, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/{made.id}/working-copy"
    shown = client.post(url, data=typed("Kept")).json()["counter"]
    assert client.post(f"{path}/{made.id}", data=desk_form("Kept", shown)).status_code == 303
    assert copies(database) == []
    late = typed("Kept, and more", shown, "copy-key-3", key="of-that-tab")
    assert client.post(url, data=late).status_code == 410


def test_a_copy_begun_anew_is_safe_from_a_page_that_shows_the_one_thrown_away(browser, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/{made.id}/working-copy"
    old = [client.post(url, data=typed("On the laptop")).json()["counter"]]
    old.append(client.post(url, data=typed("On the laptop.", old[0], "copy-key-2")).json()["counter"])
    client.post(f"{url}/removal", data=desk_form("", old[1]))
    begun = client.post(url, data=typed("Begun on the phone", 0, "copy-key-3")).json()["counter"]
    client.post(url, data=typed("Begun anew on the phone.", begun, "copy-key-4"))
    for number, shown in enumerate(old):
        late = client.post(url, data=typed("On the laptop, late.", shown, f"late-key-{number}"))
        assert (late.status_code, client.post(f"{url}/removal", data=desk_form("", shown)).status_code) == (409, 409)
    assert client.post(f"{path}/{made.id}", data=desk_form("On the laptop, saved.", old[1])).status_code == 303
    assert [copy.messages[1]["content"] for copy in copies(database)] == ["Begun anew on the phone."]


def test_a_save_costs_few_statements_however_long_the_history(browser, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/{made.id}/working-copy"
    client.post(url, data=typed())
    begun = counter_of(database)
    with count_queries(database) as short:
        client.post(url, data=typed("a", begun, "copy-key-a"))
    for number in range(1, 6):
        with database.writing() as session:
            example = session.get_one(Example, made.id)
            said = rows.pair(response=f"Answer {number}")
            operations.save_revision(session, people.annotator, example, based_on=number, messages=said)
    with count_queries(database) as long:
        client.post(url, data=typed("b", begun + 1, "copy-key-b", based_on="6"))
    # BEGIN, the session, the person's role, the example, the one update
    assert long.count == short.count <= 8


def test_nobody_elses_copy_is_shown_or_thrown_away(browser, database, people, path, made):
    browser(people.annotator).post(f"{path}/{made.id}/working-copy", data=typed("Mine alone"))
    shown = counter_of(database)
    for person in (people.colleague, people.reviewer, people.lead, people.admin):
        assert "Mine alone" not in browser(person).get(f"{path}/{made.id}").text
        browser(person).post(f"{path}/{made.id}/working-copy/removal", data=typed("", shown))
    assert "Mine alone" in browser(people.annotator).get(f"{path}/{made.id}").text


def test_the_copy_is_on_the_desk_again_and_can_be_thrown_away(browser, database, people, path, made):
    client = browser(people.annotator)
    client.post(f"{path}/{made.id}/working-copy", data=typed("Half a thought", language="e"))
    page, counter = client.get(f"{path}/{made.id}").text, counter_of(database)
    assert "Half a thought</textarea>" in page
    assert "are on the desk" in page
    assert (hidden(page)["counter"], hidden(page)["copy_key"]) == (str(counter), "copy-key-1")
    away = f"{path}/{made.id}/working-copy/removal"
    assert client.post(away, data=desk_form("Half a thought", 0)).status_code == 409
    assert client.post(away, data=desk_form("Half a thought", counter)).status_code == 303
    assert client.post(away, data=desk_form("Half a thought", counter)).status_code == 303
    assert "Most stay in the top metre.</textarea>" in client.get(f"{path}/{made.id}").text
    assert copies(database) == []


def test_a_copy_older_than_a_revision_is_offered_and_taken_by_joining_both(browser, database, people, path, made):
    client = browser(people.annotator)
    client.post(f"{path}/{made.id}/working-copy", data=typed("Most stay in the top metre. So dig there."))
    theirs(database, people, made, *rows.pair("How deep do tree roots go?"))
    page = client.get(f"{path}/{made.id}").text
    assert "were not saved" in page
    assert "Most stay in the top metre.</textarea>" in page
    taken = client.get(f"{path}/{made.id}?take=true").text
    assert "How deep do tree roots go?</textarea>" in taken
    assert "Most stay in the top metre. So dig there.</textarea>" in taken
    assert 'name="based_on" value="2"' in taken


@pytest.mark.parametrize("writing", ["types", "saves", "throws away"])
def test_who_writes_on_without_what_is_offered_loses_nothing(browser, database, people, path, made, writing):
    client = browser(people.annotator)
    client.post(f"{path}/{made.id}/working-copy", data=typed("An old thought."))
    theirs(database, people, made, *rows.pair("How deep do tree roots go?"))
    page = client.get(f"{path}/{made.id}").text
    assert 'name="counter" value="0"' in page
    newer = {"turn_1": "How deep do tree roots go?", "based_on": "2"}
    if writing == "throws away":
        away = re.search(r'formaction="([^"]+/working-copy/removal[^"]*)"', page)[1]
        assert client.post(away, data=desk_form("Untouched.", 0)).status_code == 303
        assert copies(database) == []
        return
    if writing == "types":
        kept = client.post(f"{path}/{made.id}/working-copy", data=typed("A new thought.", 0, "copy-key-2", **newer))
        assert kept.json()["counter"] == counter_of(database)
        assert [copy.messages[1]["content"] for copy in copies(database)] == ["An old thought.", "A new thought."]
    else:
        assert client.post(f"{path}/{made.id}", data=desk_form("A new thought.", 0, **newer)).status_code == 303
        [aside] = copies(database)
        assert (aside.example_id, aside.messages[1]["content"]) == (None, "An old thought.")
    fresh = client.get(f"{path}/new").text
    assert "Begun" in fresh
    begun = re.search(r'href="([^"]+/examples/new\?key=[^"]+)"', fresh)[1]
    assert "An old thought.</textarea>" in client.get(begun).text


def test_autosave_says_that_somebody_saved_meanwhile(browser, database, people, path, made):
    theirs(database, people, made, *rows.pair("Theirs?"))
    answer = browser(people.annotator).post(f"{path}/{made.id}/working-copy", data=typed()).json()
    assert (answer["head"], answer["head_by"]) == (2, people.colleague.name)


def test_a52_a_stale_save_keeps_ones_words_as_a_copy_and_joins_what_does_not_meet(
    browser, database, people, path, made
):
    theirs(database, people, made, *rows.pair("How deep do tree roots go?"))
    client = browser(people.annotator)
    answer = client.post(f"{path}/{made.id}", data=desk_form("Most stay in the top metre, all agree.", 0))
    assert answer.status_code == 409
    assert "both are joined on the desk" in answer.text
    assert "How deep do tree roots go?</textarea>" in answer.text
    assert "all agree.</textarea>" in answer.text
    assert hidden(answer.text)["counter"] == str(counter_of(database))
    assert hidden(answer.text)["copy_key"] == copies(database)[0].key
    assert copies(database)[0].messages[0]["content"] == "How deep do roots go?"


@pytest.mark.parametrize(
    ("take", "stands"),
    [("mine", "Mine: dig deep."), ("theirs", "Theirs: do not dig."), ("both", "Theirs: do not dig.\nMine: dig deep.")],
)
def test_a52_a_conflict_is_chosen_without_script_and_what_is_typed_since_stays(
    browser, database, people, path, made, take, stands
):
    theirs(database, people, made, *rows.pair(response="Theirs: do not dig."))
    client = browser(people.annotator)
    page = client.post(f"{path}/{made.id}", data=desk_form("Mine: dig deep.", 0)).text
    assert "Mine: dig deep.</textarea>" in page
    assert '<mark class="only">Theirs' in page
    assert "Theirs: do not dig." in re.sub(r"</?mark[^>]*>", "", page)
    kept = hidden(page)
    more = {name: kept[name] for name in ("base", "theirs", "taken", "key", "based_on", "counter")}
    form = desk_form("Mine: dig deep.", 0) | more | {"act": "join", "turn_1": "How deep do roots go, really?"}
    form |= {"mine_system": "", "mine_1": "How deep do roots go?", "mine_2": "Mine: dig deep.", "take_1": take}
    joined = client.post(f"{path}/{made.id}", data=form).text
    assert f"\n{stands}</textarea>" in joined
    assert "How deep do roots go, really?</textarea>" in joined
    saved = client.post(f"{path}/{made.id}", data=form | {"act": "save", "turn_2": stands})
    assert saved.status_code == 303
    assert copies(database) == []


def test_the_same_words_sent_by_the_page_before_and_the_one_after_are_kept_once(browser, database, people, path, made):
    """A page that is loaded anew sends what the one before had sent and not heard of; other words are refused still."""
    client = browser(people.annotator)
    first = client.post(f"{path}/{made.id}/working-copy", data=typed("Said once"))
    again = client.post(f"{path}/{made.id}/working-copy", data=typed("Said once") | {"copy_key": "another-page"})
    assert again.status_code == 200
    assert again.json()["counter"] == first.json()["counter"]
    other = client.post(f"{path}/{made.id}/working-copy", data=typed("Said otherwise") | {"copy_key": "a-third-page"})
    assert other.status_code == 409
    assert [copy.messages[-1]["content"] for copy in copies(database)] == ["Said once"]


def test_an_example_that_is_not_made_yet_is_kept_by_the_key_of_its_form(browser, database, people, path):
    client = browser(people.annotator)
    kept = client.post(f"{path}/working-copy", data=typed("Begun", based_on="0")).json()["counter"]
    offered = client.get(f"{path}/new").text
    assert "never saved" in offered
    assert "Begun</textarea>" not in offered
    page = client.get(f"{path}/new?key=form-key-1").text
    assert "Begun</textarea>" in page
    assert (hidden(page)["key"], hidden(page)["counter"]) == ("form-key-1", str(kept))
    assert client.post(path, data=desk_form("Begun and done", kept, based_on="0")).status_code == 303
    assert copies(database) == []
    late = client.post(f"{path}/working-copy", data=typed("Begun", 0, "copy-key-7", based_on="0"))
    assert (late.status_code, copies(database)) == (410, [])


def test_what_was_begun_can_be_thrown_away_from_an_empty_desk(browser, database, people, path):
    client = browser(people.annotator)
    client.post(f"{path}/working-copy", data=typed("Begun", based_on="0"))
    away = f"{path}/working-copy/removal?key=form-key-1&counter={counter_of(database)}"
    assert client.post(away, data=desk_form("", 0, key="another-key")).status_code == 303
    assert copies(database) == []


def way_back(page):
    """What the button beside “Thrown away” posts to."""
    return unescape(re.search(r'action="([^"]+/working-copy/restoration\?key=[^"]+)"', page)[1])


def test_words_that_only_the_server_has_are_thrown_away_and_had_back(browser, database, people, path, made):
    client = browser(people.annotator)
    client.post(f"{path}/working-copy", data=typed("Begun", based_on="0", note="Why so", sensitive="true"))
    client.post(f"{path}/{made.id}/working-copy", data=typed("An old thought."))
    theirs(database, people, made, *rows.pair("How deep do tree roots go?"))
    before = [
        (copy.id, copy.example_id, copy.creation_key, copy.description, copy.changed_at) for copy in copies(database)
    ]
    for address, words in ((f"{path}/{made.id}", "An old thought."), (f"{path}/new", "Begun</bdi>")):
        away = unescape(re.search(r'formaction="([^"]+/removal[^"]*counter[^"]*)"', client.get(address).text)[1])
        gone = client.post(away, data=desk_form("", 0, key="another-key"), follow_redirects=True).text
        assert (words in gone, words in client.get(address).text) == (False, False)
        assert browser(people.colleague).post(way_back(gone)).status_code == 410
        back = client.post(way_back(gone), follow_redirects=True)
        assert (back.status_code, "Your words are back" in back.text) == (200, True)
        assert client.post(way_back(gone)).status_code == 410
    after = [
        (copy.id, copy.example_id, copy.creation_key, copy.description, copy.changed_at) for copy in copies(database)
    ]
    assert after == before
    assert "An old thought." in client.get(f"{path}/{made.id}?take=true").text


def test_words_that_are_had_back_go_over_nothing_that_was_written_since(browser, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/{made.id}"
    shown = client.post(f"{url}/working-copy", data=typed("Thrown away")).json()["counter"]
    gone = client.post(f"{url}/working-copy/removal", data=desk_form("", shown), follow_redirects=True).text
    client.post(f"{url}/working-copy", data=typed("Written since", 0, "copy-key-2"))
    back = client.post(way_back(gone))
    assert "/examples/new?key=" in back.headers["location"]
    assert "Thrown away</textarea>" in client.get(back.headers["location"]).text
    assert "Written since</textarea>" in client.get(url).text


def test_what_was_thrown_away_is_deleted_after_a_day(database, people, made):
    desk = Desk(people.annotator, people.project, made)
    with database.writing() as session:
        for key in ("old-copy-key", "new-copy-key"):
            kept = working_copies.keep(session, desk, Written(rows.pair(), TOLD, 1), follows=0, key=key)
            working_copies.throw_away(session, desk, counter=kept.counter)
        session.execute(
            update(WorkingCopy).where(WorkingCopy.key == "old-copy-key").values(changed_at=now() - timedelta(days=2))
        )
        working_copies.forget_thrown(session)
        assert session.scalars(select(WorkingCopy.key)).all() == ["new-copy-key"]


def test_a51_an_example_made_twice_with_more_words_has_them_all(browser, database, people, path):
    client = browser(people.annotator)
    first = client.post(path, data=desk_form("First", 0, based_on="0"))
    again = client.post(path, data=desk_form("First, and more", 0, based_on="0"))
    assert first.headers["location"] == again.headers["location"]
    with database.reading() as session:
        example = session.scalar(select(Example))
        assert queries.head_revision(session, example).messages[1]["content"] == "First, and more"
    assert client.post(path, data=desk_form("Other", 0, based_on="0")).status_code == 409


def test_a60_a_deleted_example_answers_410_and_a_typed_one_is_not_put_back(browser, database, people, path):
    with database.writing() as session:
        run = rows.import_run(session, people.project)
        candidate = rows.candidate(session, people.project, run)
        example = operations.example_from_candidate(session, people.annotator, candidate)
    browser(people.annotator).post(f"{path}/{example.id}/working-copy", data=typed("Typed"))
    with database.writing() as session, pytest.raises(operations.WorkedOn):
        operations.put_back(session, people.colleague, session.get_one(Example, example.id))
    with database.writing() as session:
        gone = session.get_one(Example, example.id)
        desk = Desk(people.annotator, people.project, gone)
        working_copies.throw_away(session, desk, counter=counter_of(database))
        operations.put_back(session, people.colleague, gone)
    for url in (f"{path}/{example.id}/working-copy", f"{path}/{example.id}"):
        answer = browser(people.annotator).post(url, data=typed("Typed"))
        assert answer.status_code == 410
        assert "Your text is on your page still" in answer.text
    assert browser(people.annotator).post(f"{path}/999999", data=typed()).status_code == 404


def test_a60_an_archived_project_answers_410(browser, database, people, path, made):
    with database.writing() as session:
        projects.archive_project(session, people.admin, session.merge(people.project))
    answer = browser(people.annotator).post(f"{path}/{made.id}/working-copy", data=typed())
    assert (answer.status_code, copies(database)) == (410, [])


@pytest.mark.parametrize("where", ["/{id}/working-copy", "/{id}", "/working-copy"])
def test_a64_five_megabytes_are_refused_whole(browser, database, people, path, made, where):
    form = typed("x" * 5_000_000) if "copy" in where else desk_form("x" * 5_000_000, 0)
    answer = browser(people.annotator).post(path + where.format(id=made.id), data=form)
    assert answer.status_code == 422
    assert "5,000,0" in answer.text
    assert "1,000,000" in answer.text
    assert (copies(database), counted(database, Revision)) == ([], 1)


def test_a64_nothing_and_white_space_make_no_row_of_a_new_example(browser, database, people, path):
    for nothing in ("", " \n\t"):
        form = typed(nothing, turn_1=nothing, based_on="0")
        assert browser(people.annotator).post(f"{path}/working-copy", data=form).status_code == 422
    assert copies(database) == []


def test_a64_the_limit_is_on_the_page_before_anything_is_sent(browser, people, path):
    assert 'data-most-bytes="1000000"' in browser(people.annotator).get(f"{path}/new").text


def test_a57_pages_with_words_are_not_cached(browser, people, path, made):
    for where in ("/new", f"/{made.id}", f"/{made.id}/history"):
        assert browser(people.annotator).get(path + where).headers["cache-control"] == "no-store"


def test_typing_renews_the_claim(browser, database, people, path, made):
    with database.writing() as session:
        session.execute(update(Example).values(claimed_by=people.annotator.id, claimed_until=now()))
    browser(people.annotator).post(f"{path}/{made.id}/working-copy", data=typed())
    with database.reading() as session:
        assert claims.is_held_by_another(people.colleague, session.get_one(Example, made.id))


def test_the_api_keeps_reads_and_throws_away(api, database, people, made):
    url = f"/api/v1/projects/{people.project.slug}/examples/{made.id}/working-copy"
    client = api(people.annotator)
    assert client.get(url).status_code == 404
    body = {"key": "api-key-1", "based_on": 1, "messages": FOUR, "language": "en"}
    counter = client.put(url, json=body).json()["counter"]
    assert client.put(url, json=body).json()["counter"] == counter
    assert client.get(url).json()["messages"] == FOUR
    other = client.put(url, json=body | {"key": "api-key-2", "messages": rows.pair("Something else?")})
    assert (other.status_code, other.json()["current"]["counter"]) == (409, counter)
    assert api(people.colleague).get(url).status_code == 404
    assert client.delete(url, params={"counter": counter + 1}).status_code == 409
    assert client.delete(url, params={"counter": counter}).status_code == 204
    assert copies(database) == []
    begun = f"/api/v1/projects/{people.project.slug}/working-copies"
    assert client.get(begun).json()["total"] == 0
    assert api(people.colleague).post(f"{begun}/restoration", params={"key": "api-key-1"}).status_code == 410
    assert client.post(f"{begun}/restoration", params={"key": "api-key-1"}).json()["example"] == made.id
    assert client.get(url).json()["messages"] == FOUR


def test_the_api_keeps_what_is_not_made_yet(api, database, people):
    url = f"/api/v1/projects/{people.project.slug}"
    client = api(people.annotator)
    body = {"key": "api-key-1", "messages": FOUR, "sensitive": True}
    kept = client.put(f"{url}/working-copies/begun-key-1", json=body).json()
    assert (kept["creation_key"], kept["sensitive"], kept["format_constraint"]) == ("begun-key-1", True, False)
    counter = counter_of(database)
    assert [one["counter"] for one in client.get(f"{url}/working-copies").json()["copies"]] == [counter]
    assert client.get(f"{url}/working-copies/begun-key-1").json()["messages"] == FOUR
    assert client.delete(f"{url}/working-copies/begun-key-1", params={"counter": counter}).status_code == 204
    assert client.get(f"{url}/working-copies/begun-key-1").status_code == 404


def test_a52_the_api_answers_a_stale_save_with_both_and_a_proposal(api, database, people, made):
    theirs(database, people, made, *rows.pair("How deep do tree roots go?"))
    body = {"based_on": 1, "messages": rows.pair(response="Most stay in the top metre, all agree.")}
    url = f"/api/v1/projects/{people.project.slug}/examples/{made.id}/revisions"
    answer = api(people.annotator).post(url, json=body)
    assert answer.status_code == 409
    told = answer.json()
    assert (told["current"]["number"], told["base"]["number"], told["merged"]["conflicts"]) == (2, 1, [])
    joined = rows.pair("How deep do tree roots go?", "Most stay in the top metre, all agree.")
    assert told["merged"]["messages"] == joined


def test_two_first_saves_at_once_make_one_row(database, people, made):
    written = Written(rows.pair(), TOLD, 1)
    with database.writing() as session:
        desk = Desk(people.annotator, people.project, session.get_one(Example, made.id))
        kept = working_copies.keep(session, desk, written, follows=0, key="first-key")
        other = Written(rows.pair("Something else?"), TOLD, 1)
        with pytest.raises(working_copies.KeptElsewhere):
            working_copies.keep(session, desk, other, follows=0, key="second-key")
        assert working_copies.keep(session, desk, written, follows=0, key="second-key").id == kept.id
        assert working_copies.keep(session, desk, written, follows=0, key="first-key").id == kept.id


def test_the_history_compares_any_two_and_the_source_and_says_why(browser, database, people, path):
    with database.writing() as session:
        candidate = rows.candidate(session, people.project, rows.import_run(session, people.project))
        example = operations.example_from_candidate(session, people.annotator, candidate)
        operations.save_revision(session, people.annotator, example, based_on=1, messages=rows.pair("Second?"))
    client = browser(people.annotator)
    client.post(f"{path}/{example.id}", data=desk_form("Third.", 0, based_on="2", note="Shorter, as asked"))
    url = f"{path}/{example.id}/history"
    assert "<q>Shorter, as asked</q>" in client.get(url).text
    assert "From the source post to revision 3" in client.get(f"{url}?left=0&right=3").text
    two = client.get(f"{url}?left=3&right=2").text
    assert "<ins>" in two
    assert "From revision 3 to revision 2" in two
    assert client.get(f"{url}?left=9&right=2").status_code == 404
    assert client.get(f"{url}?left=-1&right=2").status_code == 422
