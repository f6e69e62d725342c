"""No save, by anybody, on any device, deletes words that are not in the revision that it made."""

import re

import pytest
from sqlalchemy import select

from app.examples import claims, operations, queries, working_copies
from app.examples.models import Example, Revision
from app.examples.working_copies import Desk, Written
from tests.examples import rows
from tests.examples.desks import TOLD, copies, counter_of, desk_form, free, hidden, typed

LONG = "Most stay in the top metre. And two thousand words more."


@pytest.fixture
def path(people):
    return f"/projects/{people.project.slug}/examples"


@pytest.fixture
def made(database, people):
    with database.writing() as session:
        return rows.example(session, people.annotator, people.project)


def responses(database, example_id):
    """What each revision says, the first one first."""
    with database.reading() as session:
        found = select(Revision).where(Revision.example_id == example_id).order_by(Revision.number)
        return [revision.messages[1]["content"] for revision in session.scalars(found)]


def offered(client, address):
    return "were not saved" in client.get(address).text


# --- a save whose answer was lost: the next one has the same key and other words ------------------------------------


@pytest.mark.parametrize("act", ["save", "submit"])
def test_a_save_sent_again_with_more_words_saves_them_all(browser, database, people, path, made, act):
    client = browser(people.annotator)
    client.post(f"{path}/{made.id}", data=desk_form("First.", 0))
    client.post(f"{path}/{made.id}/working-copy", data=typed("First. And more.", 0))
    again = client.post(f"{path}/{made.id}", data=desk_form("First. And more.", 1, act=act))
    assert again.status_code == 303
    assert responses(database, made.id)[1:] == ["First.", "First. And more."]
    assert copies(database) == []
    client.post(f"{path}/{made.id}", data=desk_form("First.", 0))
    assert len(responses(database, made.id)) == 3, "the very same save makes nothing"


def test_what_is_typed_after_a_save_whose_answer_was_lost_is_kept_as_its_own(browser, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/{made.id}"
    shown = client.post(f"{url}/working-copy", data=typed("First.")).json()["counter"]
    client.post(url, data=desk_form("First.", shown))
    first = client.post(f"{url}/working-copy", data=typed("First. And", shown, "copy-key-2", after="copy-key-1")).json()
    more = typed("First. And more.", first["counter"], "copy-key-3", after="copy-key-2")
    second = client.post(f"{url}/working-copy", data=more).json()
    assert (second["counter"] - first["counter"], first["head_by"], second["head_by"]) == (1, "", "")
    assert "First. And more.</textarea>" in client.get(url).text
    late = typed("Of another page.", second["counter"], "copy-key-x", key="other-key")
    other = client.post(f"{url}/working-copy", data=late)
    assert other.status_code == 409


def test_a_save_sent_again_with_more_words_goes_over_nobody_elses(browser, database, people, path, made):
    client = browser(people.annotator)
    client.post(f"{path}/{made.id}", data=desk_form("First.", 0))
    free(database)
    with database.writing() as session:
        said = rows.pair("How deep do tree roots go?", "First.")
        example = session.get_one(Example, made.id)
        operations.save_revision(session, people.colleague, example, based_on=2, messages=said)
    free(database)
    again = client.post(f"{path}/{made.id}", data=desk_form("First. And more.", 0))
    assert again.status_code == 409
    assert "How deep do tree roots go?</textarea>" in again.text
    assert "First. And more.</textarea>" in again.text
    assert 'name="take_1"' not in again.text, "joined with what both began from, which is the first save"
    assert (len(responses(database, made.id)), copies(database)[0].based_on) == (3, 2)


def test_the_api_takes_other_words_under_a_key_for_the_next_revision(api, database, people, made):
    url, client = f"/api/v1/projects/{people.project.slug}/examples", api(people.annotator)
    body = {"based_on": 1, "key": "the-same-key", "messages": rows.pair(response="First.")}
    answers = [client.post(f"{url}/{made.id}/revisions", json=body).json()["number"] for _ in range(2)]
    more = body | {"messages": rows.pair(response="First. And more.")}
    answers += [client.post(f"{url}/{made.id}/revisions", json=more).json()["number"] for _ in range(2)]
    assert answers == [2, 2, 3, 3]
    free(database)
    other = api(people.colleague).post(f"{url}/{made.id}/revisions", json=body | {"messages": rows.pair("Other?")})
    assert other.status_code == 409, "a key is its writer's own"


def test_the_api_takes_other_words_under_a_creation_key_for_the_next_revision(api, database, people):
    url = f"/api/v1/projects/{people.project.slug}/examples"
    body = {"source": "wikihow", "key": "creation-key", "messages": rows.pair(response="First.")}
    more = body | {"messages": rows.pair(response="First. And more.")}
    answers = [api(people.annotator).post(url, json=sent).json() for sent in (body, body, more, more, body)]
    assert len({answer["id"] for answer in answers}) == 1
    assert [answer["head"] for answer in answers] == [1, 1, 2, 2, 2]
    other = api(people.colleague).post(url, json=body | {"messages": rows.pair("Somebody else's?")})
    assert other.status_code == 409
    assert responses(database, answers[0]["id"]) == ["First.", "First. And more."]


def test_a_copy_is_kept_again_under_its_key_only_with_its_words(api, people, made):
    url = f"/api/v1/projects/{people.project.slug}/examples/{made.id}/working-copy"
    body = {"key": "api-key-1", "based_on": 1, "messages": rows.pair(response="First.")}
    assert api(people.annotator).put(url, json=body).status_code == 200
    other = api(people.annotator).put(url, json=body | {"messages": rows.pair(response="Other.")})
    assert (other.status_code, other.json()["current"]["messages"]) == (409, body["messages"])


# --- two devices of one person ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", [False, True])
def test_a_save_leaves_the_newer_copy_of_another_device(browser, database, people, path, made, begun):
    client, url = browser(people.annotator), f"{path}/{made.id}/working-copy"
    counter = client.post(url, data=typed("Begun on both.")).json()["counter"] if begun else 0
    client.post(url, data=typed(LONG, counter, "copy-key-long"))
    assert client.post(f"{path}/{made.id}", data=desk_form("From the other.", counter)).status_code == 303
    assert [copy.messages[1]["content"] for copy in copies(database)] == [LONG]
    assert offered(client, f"{path}/{made.id}")
    taken = client.get(f"{path}/{made.id}?take=true").text
    assert "From the other." in taken
    assert "two thousand words more." in taken


def test_a_save_that_changes_nothing_leaves_it_and_the_page_does_not_follow_it(browser, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/{made.id}"
    client.post(f"{url}/working-copy", data=typed(LONG))
    headers = {"hx-request": "true", "hx-target": "span#save-state"}
    client.post(url, data=desk_form("Most stay in the top metre.", 0), headers=headers)
    state = client.get(url, headers=headers).text
    assert (hidden(state)["counter"], len(copies(database))) == ("0", 1)
    letter = client.post(f"{url}/working-copy", data=typed("Most stay in the top metre.x", 0, "copy-key-2"))
    assert (letter.status_code, copies(database)[0].messages[1]["content"]) == (409, LONG)


def test_a_save_empties_the_copy_that_says_the_same_or_that_the_page_sent_last(browser, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/{made.id}"
    client.post(f"{url}/working-copy", data=typed("The same words."))
    client.post(url, data=desk_form("The same words.", 0))
    assert copies(database) == []
    client.post(f"{url}/working-copy", data=typed("Half a", 0, "copy-key-lost", based_on="2"))
    sent = desk_form("Half a sentence.", 0, based_on="2", key="form-key-2") | {"copy_key": "copy-key-lost"}
    assert client.post(url, data=sent).status_code == 303
    assert copies(database) == []


def test_a_copy_begun_from_a_later_revision_is_not_overwritten_from_an_earlier_one(
    browser, database, people, path, made
):
    client, url = browser(people.annotator), f"{path}/{made.id}"
    shown = client.post(f"{url}/working-copy", data=typed("Begun.")).json()["counter"]
    client.post(url, data=desk_form("Begun and saved.", shown))
    anew = client.post(f"{url}/working-copy", data=typed(LONG, 0, "copy-key-new", based_on="2")).json()["counter"]
    for number, counter in enumerate((shown, anew)):
        late = client.post(f"{url}/working-copy", data=typed("A page from before.", counter, f"copy-key-{number}"))
        assert (late.status_code, copies(database)[0].messages[1]["content"]) == (409, LONG)


def test_two_tabs_of_one_new_example_lose_neither(browser, database, people, path):
    client = browser(people.annotator)
    client.post(f"{path}/working-copy", data=typed(LONG, based_on="0"))
    assert client.post(path, data=desk_form("From the first tab.", 0, based_on="0")).status_code == 303
    assert [copy.messages[1]["content"] for copy in copies(database)] == [LONG]
    assert f"{LONG}</textarea>" in client.get(f"{path}/new?key=form-key-1").text


@pytest.mark.parametrize("how", ["page", "api"])
def test_what_cannot_be_saved_is_kept_beside_what_stands_there(browser, api, database, people, path, made, how):
    client = browser(people.annotator)
    client.post(f"{path}/{made.id}/working-copy", data=typed(LONG))
    free(database)
    with database.writing() as session:
        claims.claim(session, people.colleague, session.get_one(Example, made.id))
    if how == "page":
        refused = client.post(f"{path}/{made.id}", data=desk_form("Refused.", 0))
        assert refused.status_code == 409
        assert "Refused.</textarea>" in refused.text
        kept = client.post(
            f"{path}/{made.id}/working-copy",
            data=typed("Refused. More.", hidden(refused.text)["counter"], "copy-key-3"),
        )
        assert kept.status_code == 200, "the page follows the copy that was kept of it"
    else:
        body = {"based_on": 1, "messages": rows.pair(response="Refused. More.")}
        answer = api(people.annotator).post(f"/api/v1{path}/{made.id}/revisions", json=body)
        assert answer.status_code == 409
    assert {copy.messages[1]["content"] for copy in copies(database)} == {LONG, "Refused. More."}


def test_a_page_whose_save_was_refused_goes_on_keeping_its_words(browser, database, people, path, made):
    client = browser(people.annotator)
    client.post(f"{path}/{made.id}/working-copy", data=typed("Half"))
    free(database)
    with database.writing() as session:
        claims.claim(session, people.colleague, session.get_one(Example, made.id))
    counter = begun = counter_of(database)
    for words in ("Half a", "Half a sentence"):
        page = client.post(f"{path}/{made.id}", data=desk_form(words, counter)).text
        counter = int(hidden(page)["counter"])
    kept = client.post(f"{path}/{made.id}/working-copy", data=typed("Half a sentence.", counter, "copy-key-2"))
    assert (kept.status_code, counter - begun, kept.json()["counter"] - begun) == (200, 2, 3)
    assert [copy.messages[1]["content"] for copy in copies(database)] == ["Half a sentence."]


# --- whose words ------------------------------------------------------------------------------------------------------


def test_words_of_one_person_are_never_stored_as_another_s(browser, database, people, path, made):
    client, writer = browser(people.colleague), str(people.annotator.id)
    page = browser(people.annotator).get(f"{path}/{made.id}").text
    assert hidden(page)["writer"] == writer
    shown = client.post(f"{path}/{made.id}/working-copy", data=typed("Their own.")).json()["counter"]
    posts = {
        f"{path}/{made.id}/working-copy": typed("Secret.", shown, "copy-key-9", writer=writer),
        f"{path}/working-copy": typed("Secret.", writer=writer, based_on="0"),
        f"{path}/{made.id}": desk_form("Secret.", shown, writer=writer),
        f"{path}/{made.id}/translation": desk_form("Secret.", shown, writer=writer),
        f"{path}/{made.id}/answers": desk_form("Secret.", shown, writer=writer),
        f"{path}/{made.id}/working-copy/removal": desk_form("Secret.", shown, writer=writer),
        path: desk_form("Secret.", 0, writer=writer, based_on="0"),
    }
    for url, form in posts.items():
        answer = client.post(url, data=form)
        assert (url, answer.status_code) == (url, 409)
        assert "Somebody else wrote this" in answer.text
    assert [copy.messages[1]["content"] for copy in copies(database)] == ["Their own."]
    with database.reading() as session:
        assert [one.id for one in session.scalars(select(Example))] == [made.id]
    assert responses(database, made.id) == ["Most stay in the top metre."]


# --- what is not words of the text ------------------------------------------------------------------------------------


def test_why_this_change_is_kept_with_the_words(browser, api, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/{made.id}"
    client.post(f"{url}/working-copy", data=typed("Most stay in the top metre.", note="Shorter, as asked"))
    page = client.get(url).text
    assert 'value="Shorter, as asked"' in page
    assert api(people.annotator).get(f"/api/v1{url}/working-copy").json()["note"] == "Shorter, as asked"
    client.post(url, data=desk_form("Most stay.", counter_of(database), note="Shorter, as asked"))
    assert copies(database) == []
    assert 'value="Shorter, as asked"' not in client.get(url).text


def test_a_second_answer_has_what_stands_on_the_desk(browser, database, people, path, made):
    client, url = browser(people.colleague), f"{path}/{made.id}"
    client.post(f"{url}/working-copy", data=typed("Dig."))
    answer = client.post(f"{url}/answers", data=desk_form("Dig. And the last words.", counter_of(database)))
    assert answer.status_code == 303
    made_beside = int(answer.headers["location"].rpartition("/")[2])
    assert responses(database, made_beside) == ["Dig. And the last words."]
    assert copies(database) == []
    untouched = client.post(f"{url}/answers", data=desk_form("Most stay in the top metre.", 0))
    with database.reading() as session:
        begun = session.get_one(Example, int(untouched.headers["location"].rpartition("/")[2]))
        assert [one["role"] for one in queries.head_revision(session, begun).messages] == ["user"]


def test_whoever_has_begun_more_than_a_page_of_examples_reaches_all_of_them(browser, api, database, people, path):
    with database.writing() as session:
        for number in range(25):
            desk = Desk(people.annotator, people.project, creation_key=f"begun-key-{number:02}")
            written = Written(rows.pair(f"Begun as number {number:02}"), TOLD, 0)
            working_copies.keep(session, desk, written, follows=0, key=f"copy-key-{number:02}")
    client = browser(people.annotator)
    first, second = client.get(f"{path}/new").text, client.get(f"{path}/new?begun=2").text
    shown = [set(re.findall(r"<bdi>Begun as number (\d\d)</bdi>", page)) for page in (first, second)]
    assert [len(one) for one in shown] == [20, 5]
    assert len(shown[0] | shown[1]) == 25
    assert "/new?begun=2" in first
    oldest = client.get(f"{path}/new?key=begun-key-00").text
    assert "Begun as number 00</textarea>" in oldest
    assert hidden(oldest)["counter"] == str(copies(database)[0].counter)
    told = api(people.annotator).get(f"/api/v1/projects/{people.project.slug}/working-copies").json()
    assert (told["total"], len(told["copies"])) == (25, 25)


# --- said, and with a way back ----------------------------------------------------------------------------------------


def test_nothing_is_handed_over_without_the_words_that_are_not_saved(browser, api, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/{made.id}"
    client.post(f"{url}/working-copy", data=typed(LONG))
    refused = client.post(f"{url}/handing", data={"person": people.colleague.id}, follow_redirects=True)
    assert "would not see them" in refused.text
    assert f"{LONG}</textarea>" in refused.text
    told = api(people.annotator).put(f"/api/v1{url}/handing", json={"to": people.colleague.email})
    assert told.status_code == 409
    with database.reading() as session:
        assert session.get_one(Example, made.id).handed_to is None
    client.post(url, data=desk_form(LONG, 1))
    assert (
        "Handed to" in client.post(f"{url}/handing", data={"person": people.colleague.id}, follow_redirects=True).text
    )


def test_a_revision_is_not_brought_back_over_a_newer_one_and_the_history_says_so(browser, database, people, path, made):
    client, url = browser(people.annotator), f"{path}/{made.id}"
    client.post(url, data=desk_form("Second.", 0))
    stale = client.post(f"{url}/revisions/1/restoration", data={"based_on": 1, "key": "restore-key"})
    assert stale.status_code == 409
    assert "Revision 1 is not back" in stale.text
    assert "<h2>Revision 2</h2>" in stale.text
    fields = {name: hidden(stale.text)[name] for name in ("based_on", "key")}
    assert client.post(f"{url}/revisions/1/restoration", data=fields).status_code == 303
    assert responses(database, made.id)[2] == "Most stay in the top metre."
