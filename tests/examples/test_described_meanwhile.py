"""A desk says what it showed the example to be for: what nobody touched there is no wish when it is saved."""

import json
from html import unescape

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.datasets.splits import operations as splits
from app.datasets.splits.splitting import Asked
from app.examples import describing
from app.examples.describing import Purpose, purpose_of, wished
from app.examples.models import Example
from app.reviews.operations import approve
from tests.examples import rows
from tests.examples.desks import copies, hidden, shown

OPENED = Purpose("train", "wikihow", "en", ("long",))
OTHERWISE = {"split": "dev", "source": "authors", "language": "de", "flags": ("short",)}
ALONE = {"HX-Request": "true", "HX-Target": "span#save-state"}


@pytest.fixture
def made(database, people):
    with database.writing() as session:
        return rows.example(session, people.annotator, people.project, flags=["long"])


@pytest.fixture
def url(people, made):
    return f"/projects/{people.project.slug}/examples/{made.id}"


@pytest.fixture
def client(browser, people):
    return browser(people.annotator)


def purpose(database, made):
    with database.reading() as session:
        return purpose_of(session.get_one(Example, made.id))


def describe(database, people, made, **other):
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        said = {"split": "train", "source": "wikihow", "language": "en", "flags": ["long"], **other}
        describing.describe_example(session, people.colleague, example, **said)


def kept(page, **typed):
    """What the desk's script sends of a page while somebody types."""
    left = {name: value for name, value in (shown(page) | typed).items() if name not in ("as", "not_duplicates")}
    return left | {"copy_key": "copy-key-1", "counter": typed.get("counter", left["counter"])}


def told(database):
    """Who said what examples are for, as the trail has it."""
    with database.reading() as session:
        query = select(AuditEntry).where(AuditEntry.action == "describe example").order_by(AuditEntry.id)
        return [(entry.actor_id, entry.detail["split"], entry.detail["language"]) for entry in session.scalars(query)]


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_another_has_changed_since_stays(client, database, people, made, url, name):
    page = client.get(url).text
    describe(database, people, made, **{name: OTHERWISE[name]})
    changed = purpose(database, made)
    assert client.post(url, data=shown(page) | {"turn_2": "Deeper."}).status_code == 303
    assert purpose(database, made) == changed != OPENED
    assert len(told(database)) == 1, "nobody said anything but the other"
    again = client.get(url)
    assert "Somebody changed meanwhile what it is for, and that stays" in again.text
    assert "Deeper.</textarea>" in again.text


def test_what_a_draw_has_moved_stays_there_with_its_approval(client, database, people, made, url):
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        rows.operations.submit_example(session, people.annotator, example)
        approve(session, people.reviewer, example, 1)
    page = client.get(url).text
    with database.writing() as session:
        splits.apply(session, people.lead, people.project, Asked(dev=1, test=0, seed=1))
    assert client.post(url, data=shown(page)).status_code == 303
    with database.reading() as session:
        assert session.get_one(Example, made.id).state.value == "approved"
    assert purpose(database, made).split == "dev"


def test_what_one_changes_is_taken_and_the_rest_stays(client, database, people, made, url):
    page = client.get(url).text
    describe(database, people, made, split="dev", flags=["short"])
    client.post(url, data=shown(page) | {"turn_2": "Deeper.", "language": "German"})
    assert purpose(database, made) == Purpose("dev", "wikihow", "de", ("short",))
    assert told(database) == [(people.colleague.id, "dev", "en"), (people.annotator.id, "dev", "de")]


def test_a_wish_goes_over_a_later_one_of_another_and_the_trail_has_both(client, database, people, made, url):
    page = client.get(url).text
    describe(database, people, made, language="fr")
    client.post(url, data=shown(page) | {"turn_2": "Deeper.", "language": "de"})
    assert [language for _, _, language in told(database)] == ["fr", "de"]


def test_words_taken_up_again_a_day_later_wish_what_they_wished(client, database, people, made, url):
    page = client.get(url).text
    client.post(f"{url}/working-copy", data=kept(page, turn_2="Half a thou", language="de"))
    describe(database, people, made, split="dev")
    taken_up = client.get(url).text
    assert shown(taken_up)["was"] == shown(page)["was"] == OPENED.canonical
    assert shown(taken_up)["turn_2"] == "Half a thou"
    client.post(url, data=shown(taken_up) | {"turn_2": "Half a thought."})
    assert purpose(database, made) == Purpose("dev", "wikihow", "de", ("long",))
    assert copies(database) == []


def test_a_copy_that_wishes_nothing_and_says_what_is_saved_is_not_offered(client, database, people, made, url):
    client.post(f"{url}/working-copy", data=kept(client.get(url).text))
    describe(database, people, made, split="dev")
    page = client.get(url).text
    assert 'id="kept-words"' not in page
    assert (shown(page)["split"], json.loads(shown(page)["was"])["split"]) == ("dev", "dev")


def test_a_refused_save_forgets_nothing_of_what_was_shown(client, database, people, made, url):
    page = client.get(url).text
    describe(database, people, made, split="dev")
    refused = client.post(url, data=shown(page) | {"turn_2": "Deeper.", "language": "no such tongue"})
    assert (refused.status_code, shown(refused.text)["was"]) == (422, shown(page)["was"])
    empty = client.post(url, data=shown(refused.text) | {"turn_1": "", "turn_2": "", "language": "en"})
    assert (empty.status_code, shown(empty.text)["was"]) == (422, shown(page)["was"])
    client.post(url, data=shown(empty.text) | {"turn_1": "How?", "turn_2": "Deeper."})
    assert purpose(database, made) == Purpose("dev", "wikihow", "en", ("long",))


def test_a_stale_save_forgets_nothing_of_what_was_shown(client, database, people, made, url):
    page = client.get(url).text
    describe(database, people, made, split="dev")
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        rows.operations.save_revision(
            session, people.annotator, example, based_on=1, messages=rows.pair(response="Not so deep.")
        )
    stale = client.post(url, data=shown(page) | {"turn_2": "Deeper."})
    assert stale.status_code == 409
    assert json.loads(copies(database)[0].description["was"])["split"] == "train"
    client.post(url, data=shown(stale.text))
    assert purpose(database, made).split == "dev"


def test_after_a_save_the_page_follows_what_was_saved(client, database, people, made, url):
    page = shown(client.get(url).text) | {"turn_2": "Deeper.", "language": "de"}
    answer = client.post(url, data=page, headers=ALONE, follow_redirects=True)
    state = shown(f'<form id="desk-form">{answer.text}</form>')
    assert json.loads(state["was"])["language"] == "de"
    describe(database, people, made, language="fr")
    client.post(url, data=page | state | {"turn_2": "Deeper still."}, headers=ALONE)
    assert purpose(database, made).language == "fr", "this page wished de once, and has left it since"


def test_where_another_changed_it_the_page_comes_anew_as_its_fields_would_say_what_was(
    client, database, people, made, url
):
    page = shown(client.get(url).text)
    describe(database, people, made, split="dev", flags=[])
    answer = client.post(url, data=page | {"turn_2": "Deeper."}, headers=ALONE)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, url)
    anew = client.get(url).text
    assert "that stays: split dev, flags none." in anew
    assert shown(anew)["split"] == json.loads(shown(anew)["was"])["split"] == "dev"


def test_a_page_or_a_copy_that_does_not_say_what_it_showed_wishes_all_of_it(client, database, people, made, url):
    page = client.get(url).text
    before = kept(page, turn_2="Half a thou")
    client.post(f"{url}/working-copy", data={name: value for name, value in before.items() if name != "was"})
    describe(database, people, made, split="dev")
    taken_up = shown(client.get(url).text)
    assert (taken_up["was"], taken_up["split"]) == ("", "train")
    client.post(url, data=taken_up)
    assert purpose(database, made).split == "train"


def test_words_that_another_keeps_from_being_saved_are_kept_with_what_it_was_for(
    client, api, database, people, made, url
):
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        rows.operations.save_revision(
            session, people.colleague, example, based_on=1, messages=rows.pair(response="Theirs.")
        )
    machine = api(people.annotator)
    body = {"based_on": 2, "messages": rows.pair(response="Mine.")}
    at = f"/api/v1/projects/{people.project.slug}/examples/{made.id}"
    assert machine.post(f"{at}/revisions", json=body).status_code == 409
    copy = machine.get(f"{at}/working-copy").json()
    assert (copy["was"], copy["split"], copy["flags"]) == (OPENED.canonical, "train", "long")
    described = {"split": "train", "was": copy["was"]}
    sent = {"counter": copy["counter"], "key": "copy-key-9", "based_on": 2, "messages": body["messages"], **described}
    assert machine.put(f"{at}/working-copy", json=sent).json()["was"] == OPENED.canonical


@pytest.mark.parametrize("was", ["", "null", "[]", "{", '{"split": "dev"}', '{"split": 1, "flags": "a"}', "[" * 9999])
def test_what_says_nothing_of_what_was_shown_leaves_all_to_what_was_typed(was):
    typed = Purpose("train", "wikihow", "en", ())
    assert wished(Purpose("dev", "authors", "de", ("short",)), was, typed) == typed


def test_how_it_is_written_is_no_wish():
    before = Purpose("train", " wikihow ", "EN", ("a,b", "c", "c"))
    typed = Purpose("train", "wikihow", "en", ("a", "b", "c"))
    assert wished(before, before.canonical, typed) == before, "as an import brought it, so it stays"


def test_a_move_between_a_save_and_the_state_that_is_fetched_after_it_stays(client, database, people, made, url):
    page = client.get(url).text
    saved = client.post(url, data=shown(page) | {"turn_2": "Deeper."}, headers=ALONE)
    state = client.get(saved.headers["location"], headers=ALONE)
    assert (state.status_code, "Saved as revision 2" in state.text) == (200, True)
    follows = {name: unescape(value) for name, value in hidden(state.text).items()}
    assert follows["was"] == OPENED.canonical

    saved = client.post(url, data=shown(page) | follows | {"turn_2": "Deepest."}, headers=ALONE)
    describe(database, people, made, split="dev")
    anew = client.get(saved.headers["location"], headers=ALONE)
    assert anew.headers["hx-redirect"] == url, "the fields that stand there say otherwise: the desk comes whole"
    page = client.get(url).text
    assert "Somebody has changed what it is for" in page
    client.post(url, data=shown(page) | {"turn_2": "Down."}, headers=ALONE)
    assert purpose(database, made).split == "dev"
