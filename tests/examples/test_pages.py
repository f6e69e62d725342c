"""Write, in a browser: lists, desk, history; by members only, and nothing typed is lost."""

import re

import pytest
from sqlalchemy import func, select, update

from app.examples import operations, queries
from app.examples.models import Example, ExampleState, Revision
from app.projects import operations as projects
from app.reviews import commenting
from app.reviews.models import Comment
from tests import factories
from tests.examples import counting, rows
from tests.examples.desks import counter_of
from tests.examples.test_claims import untouched


@pytest.fixture
def path(people):
    return f"/projects/{people.project.slug}/examples"


@pytest.fixture
def made(database, people):
    with database.writing() as session:
        return rows.example(session, people.annotator, people.project)


def desk(words="How deep do roots go?", response="Most stay in the top metre.", **more):
    form = {"split": "train", "source": "wikihow", "language": "en", "flags": "", "based_on": "1", "key": "key-12345"}
    return {**form, "system": "", "turn_1": words, "turn_2": response, "act": "save", **more}


def head_of(database, example_id):
    with database.reading() as session:
        example = session.get_one(Example, example_id)
        return example, queries.head_revision(session, example)


@pytest.mark.parametrize("where", ["", "/new", "/{id}", "/{id}/history"])
def test_members_and_admins_read_and_strangers_do_not(browser, people, path, made, where):
    url = path + where.format(id=made.id)
    for person in (people.annotator, people.reviewer, people.lead, people.admin):
        assert browser(person).get(url).status_code == 200
    assert browser(people.stranger).get(url).status_code == 404
    assert browser().get(url).status_code == 303


@pytest.mark.parametrize("where", ["", "/preview", "/{id}", "/{id}/withdrawal", "/{id}/revisions/1/restoration"])
def test_strangers_change_nothing(browser, database, people, path, made, where):
    url = path + where.format(id=made.id)
    assert browser(people.stranger).post(url, data=desk("Mine now")).status_code == 404
    assert browser().post(url, data=desk("Mine now")).status_code == 401
    assert head_of(database, made.id)[1].number == 1


def test_a_session_that_ended_hands_the_words_back_and_leads_to_the_page_again(browser, people):
    url = f"/projects/{people.project.slug}/examples"
    secrets = {"password": "p w", "api_token": "t t"}
    typed = desk("<b>Long</b> words", "More words", flags="odd", system="a\n b") | secrets
    stranger = browser()
    came = f"{stranger.base_url}".rstrip("/") + f"{url}/new?a=1&b=2"
    answer = stranger.post(url, data=typed, headers={"referer": came})
    kept = re.findall(r"<textarea[^>]* readonly>\n(.*?)</textarea>", answer.text, re.DOTALL)
    assert sorted(kept) == ["&lt;b&gt;Long&lt;/b&gt; words", "More words", "a\n b"]
    assert f'href="/sign-in?next={url}/new%3Fa%3D1%26b%3D2"' in answer.text
    assert "<textarea" not in browser().post(url, data=desk("x " * 600_000)).text
    elsewhere = browser().post(url, data=typed, headers={"referer": "https://evil.example/projects"})
    assert 'href="/sign-in?next=/"' in elsewhere.text


def test_a03_an_example_of_another_project_is_not_reachable_through_ones_own(browser, database, people, made):
    with database.writing() as session:
        own = factories.project(session, people.stranger)
    for where in ("", "/history"):
        url = f"/projects/{own.slug}/examples/{made.id}{where}"
        assert browser(people.stranger).get(url).status_code == 404
    assert browser(people.stranger).post(f"/projects/{own.slug}/examples/{made.id}", data=desk()).status_code == 404


def test_an_empty_project_says_what_belongs_here(browser, people, path):
    assert "Examples are written here" in browser(people.annotator).get(path).text


def test_a_new_example_is_written_from_nothing(browser, database, people, path):
    answer = browser(people.annotator).post(path, data=desk("A new prompt", based_on="0"))
    assert answer.status_code == 303
    page = browser(people.annotator).get(answer.headers["location"])
    assert "A new prompt" in page.text
    again = browser(people.annotator).post(path, data=desk("A new prompt", based_on="0"))
    assert again.headers["location"] == answer.headers["location"]
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Example)) == 1


def test_an_empty_new_example_is_not_saved(browser, database, people, path):
    answer = browser(people.annotator).post(path, data=desk(" ", " ", based_on="0"))
    assert answer.status_code == 422
    assert "write a prompt first" in answer.text
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Example)) == 0


def test_a_save_is_a_revision_and_a_submission_goes_to_review(browser, database, people, path, made):
    client = browser(people.annotator)
    assert client.post(f"{path}/{made.id}", data=desk("Reworded")).status_code == 303
    assert head_of(database, made.id)[1].title == "Reworded"
    answer = client.post(f"{path}/{made.id}", data=desk("Again", act="submit", based_on="2", key="key-2-2-2"))
    assert answer.headers["location"] == path
    example, head = head_of(database, made.id)
    assert (example.state, head.title) == (ExampleState.REVIEW, "Again")
    assert client.post(f"{path}/{made.id}/withdrawal").status_code == 303
    assert head_of(database, made.id)[0].state is ExampleState.DRAFT


def test_a50_the_same_form_sent_twice_makes_one_revision(browser, database, people, path, made):
    client = browser(people.annotator)
    locations = {client.post(f"{path}/{made.id}", data=desk("Twice")).headers["location"] for _ in range(2)}
    assert len(locations) == 1
    assert head_of(database, made.id)[1].number == 2


def test_a52_a_stale_save_shows_both_texts_and_loses_neither(browser, database, people, path, made):
    # Two tabs of one person: while a claim lives nobody else gets so far.
    browser(people.colleague).post(f"{path}/{made.id}", data=desk("Theirs, first", key="key-theirs"))
    answer = browser(people.colleague).post(f"{path}/{made.id}", data=desk("Mine, later", flags="odd"))
    assert answer.status_code == 409
    assert "<del>Theirs, first</del>" in answer.text
    assert "Mine, later</textarea>" in answer.text
    assert 'name="based_on" value="2"' in answer.text
    assert 'value="odd"' in answer.text
    assert head_of(database, made.id)[1].title == "Theirs, first"
    key = re.search(r'name="key" value="([^"]+)"', answer.text)[1]
    merged = desk("Mine and theirs", based_on="2", key=key)
    assert browser(people.colleague).post(f"{path}/{made.id}", data=merged).status_code == 303
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Revision)) == 3


def test_a_stale_save_by_htmx_offers_to_compare(browser, people, path, made):
    browser(people.colleague).post(f"{path}/{made.id}", data=desk("Theirs", key="key-theirs"))
    headers = {"hx-request": "true", "hx-target": "span#save-state"}
    answer = browser(people.colleague).post(f"{path}/{made.id}", data=desk("Mine"), headers=headers)
    assert answer.status_code == 409
    assert "Compare both" in answer.text
    assert "<html" not in answer.text
    # Sent again as it is, the form has to be refused again: its text has not seen theirs yet.
    assert 'name="based_on" value="1"' in answer.text


def test_a_save_by_htmx_answers_with_the_new_state_alone(browser, people, path, made):
    headers = {"hx-request": "true", "hx-target": "span#save-state"}
    client = browser(people.annotator)
    answer = client.post(f"{path}/{made.id}", data=desk("Quietly saved"), headers=headers)
    followed = client.get(answer.headers["location"], headers=headers)
    assert 'name="based_on" value="2"' in followed.text
    assert "<textarea" not in followed.text


def test_what_does_not_fit_is_said_and_the_text_is_kept(browser, database, people, path, made):
    answer = browser(people.annotator).post(f"{path}/{made.id}", data=desk("Long work", language="Klingon!"))
    assert answer.status_code == 422
    assert "Long work</textarea>" in answer.text
    assert "Not saved" in answer.text
    assert head_of(database, made.id)[1].number == 1


def test_a_refused_submission_keeps_the_text_and_saves_nothing(browser, database, people, path, made):
    form = desk("No answer yet", "", act="submit", source="authors")
    answer = browser(people.annotator).post(f"{path}/{made.id}", data=form)
    assert answer.status_code == 422
    assert "no response" in answer.text
    assert "No answer yet</textarea>" in answer.text
    example, head = head_of(database, made.id)
    assert (example.source, head.number) == ("wikihow", 1)


@pytest.mark.parametrize("field", ["state", "project_id", "created_by", "approved_number", "turns"])
def test_a04_a_field_that_is_not_on_the_form_is_refused(browser, database, people, path, made, field):
    answer = browser(people.annotator).post(f"{path}/{made.id}", data=desk("Sneaky", **{field: "approved"}))
    assert answer.status_code == 422
    example, head = head_of(database, made.id)
    assert (example.state, head.number) == (ExampleState.DRAFT, 1)


def test_an_unknown_filter_is_refused(browser, people, path):
    assert browser(people.annotator).get(f"{path}?author__password__startswith=a").status_code == 422
    assert browser(people.annotator).get(f"{path}?state=unknown").status_code == 422
    assert browser(people.annotator).get(f"{path}?page=0").status_code == 422


def test_turns_come_and_go_without_script(browser, people, path, made):
    client = browser(people.annotator)
    more = client.post(f"{path}/{made.id}", data=desk("Typed so far", act="add_turn"))
    assert more.status_code == 200
    assert 'name="turn_4"' in more.text
    assert "Typed so far</textarea>" in more.text
    fewer = desk("Typed so far", act="remove_turn", turn_3="Gone?", turn_4="Yes.")
    assert 'name="turn_3"' not in client.post(f"{path}/{made.id}", data=fewer).text


def test_a_conversation_with_a_system_message_is_saved_in_order(browser, database, people, path, made):
    form = desk("One", "Two", turn_3="Three", turn_4="Four", turn_10="", system="Be brief.")
    browser(people.annotator).post(f"{path}/{made.id}", data=form)
    said = [(message["role"], message["content"]) for message in head_of(database, made.id)[1].messages]
    assert said == [
        ("system", "Be brief."), ("user", "One"), ("assistant", "Two"), ("user", "Three"), ("assistant", "Four"),
    ]  # fmt: skip


def test_line_ends_of_browsers_become_line_feeds_and_the_rest_stays(browser, database, people, path, made):
    browser(people.annotator).post(f"{path}/{made.id}", data=desk("\r\n  a\r\nb \t", "x"))
    assert head_of(database, made.id)[1].messages[0]["content"] == "\n  a\nb \t"


def test_the_preview_is_what_will_be_stored(browser, database, people, path):
    headers = {"hx-request": "true", "hx-target": "div#preview"}
    answer = browser(people.annotator).post(f"{path}/preview", data=desk("*Soft*", "# Hard"), headers=headers)
    assert "<em>Soft</em>" in answer.text
    assert "<textarea" not in answer.text
    headers["hx-target"] = "span#counts"
    counts = browser(people.annotator).post(f"{path}/preview", data=desk("a b", "c"), headers=headers)
    assert "3 words" in counts.text
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Example)) == 0


def test_the_history_shows_changes_and_brings_an_old_revision_back(browser, database, people, path, made):
    client = browser(people.annotator)
    client.post(f"{path}/{made.id}", data=desk("How deep do tree roots go?"))
    page = client.get(f"{path}/{made.id}/history")
    assert "<ins>tree </ins>" in page.text
    form = {"based_on": "2", "key": "key-history"}
    answer = client.post(f"{path}/{made.id}/revisions/1/restoration", data=form)
    assert answer.status_code == 303
    _, head = head_of(database, made.id)
    assert (head.number, head.title, head.note) == (3, "How deep do roots go?", "revision 1 brought back")
    assert client.post(f"{path}/{made.id}/revisions/9/restoration", data=form).status_code == 404


def test_a_long_history_is_paged_and_each_page_knows_the_revision_before(browser, database, people, path, made):
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        for number in range(1, 25):
            operations.save_revision(
                session, people.annotator, example, based_on=number, messages=rows.pair(f"word{number}")
            )
    page = browser(people.annotator).get(f"{path}/{made.id}/history").text
    assert page.count("<h2>Revision") == 20
    assert "<del>word4</del><ins>word5</ins>" in page


def test_a_returned_example_shows_the_reviewers_words(browser, database, people, path, made):
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        operations.submit_example(session, people.annotator, example)
        operations.record_verdict(
            session, example, ExampleState.RETURNED, 1, judge=people.reviewer, words="Say how deep."
        )
    for url in (path, f"{path}/{made.id}"):
        page = browser(people.annotator).get(url).text
        assert "Say how deep." in page
        assert people.reviewer.name in page


def test_the_list_filters_by_state_source_split_and_words(browser, database, people, path):
    with database.writing() as session:
        rows.example(session, people.annotator, people.project, "Alpha drafts")
        rows.submitted(session, people.colleague, people.project, "Beta waits", source="authors", split="dev")
    client = browser(people.annotator)
    marked = '<mark class="hit">Beta</mark> <mark class="hit">waits</mark>'
    for query in ("state=review", "source=authors", "split=dev", "words=beta+WAITS"):
        page = client.get(f"{path}?{query}").text
        assert ("Beta waits" if "words" not in query else marked) in page
        assert "Alpha drafts" not in page
    assert "Beta waits" not in client.get(f"{path}?whose=mine").text


def test_a62_odd_words_are_words(browser, people, path, made):
    for words in ("%", "_", '"', "' OR 1=1 --", "\\", "x" * 10_000, "x " * 5_000):
        assert "Nothing fits" in browser(people.annotator).get(path, params={"words": words}).text
    assert browser(people.annotator).get(path, params={"words": "x" * 20_001}).status_code == 422


def test_the_source_post_is_at_hand(browser, database, people, path):
    with database.writing() as session:
        candidate = rows.candidate(session, people.project, rows.import_run(session, people.project))
        made = operations.example_from_candidate(session, people.annotator, candidate)
    page = browser(people.annotator).get(f"{path}/{made.id}").text
    assert 'href="https://example.org/a/1"' in page
    assert "CC BY-SA 4.0" in page
    assert "A. Writer" in page
    assert "0% of the words" in page


def test_an_archived_project_is_read_only(browser, database, people, path, made):
    with database.writing() as session:
        projects.archive_project(session, people.lead, session.merge(people.project))
    page = browser(people.annotator).get(f"{path}/{made.id}").text
    assert "to read only" in page
    assert "Submit for review" not in page
    assert browser(people.annotator).post(f"{path}/{made.id}", data=desk("x")).status_code == 410


def test_lists_searches_the_desk_and_next_ask_as_often_for_2_rows_as_for_20(browser, database, people, path, made):
    client, base = browser(people.annotator), f"/projects/{people.project.slug}"
    narrowed = ("", "?state=draft", "?whose=mine&state=draft", "?language=en", "?words=rope", '?words="a rope" -knot')
    pages = [("GET", path + query) for query in narrowed]
    pages += [("GET", f"{path}/{made.id}"), ("GET", f"{base}/queue"), ("POST", f"{base}/queue/next")]
    asked = []
    for count in (2, 18):
        with database.writing() as session:
            for number in range(count):
                rows.example(session, people.annotator, people.project, f"A rope {number}", licence=f"L {number}")
            untouched(session, people, count, start=count)
            example = session.get_one(Example, made.id)
            for number in range(count):
                said, head = f"Word {count} {number}", example.revision_number
                commenting.comment(session, people.colleague, example, said, commenting.Passage(0))
                messages = rows.pair(response=said)
                operations.save_revision(session, people.annotator, example, based_on=head, messages=messages)
        sent = {}
        for method, url in pages:
            with counting.queries(database) as seen:
                answer = client.request(method, url)
            assert answer.status_code == (200 if method == "GET" else 303)
            sent[url] = len(seen)
        with database.writing() as session:
            session.execute(update(Example).values(claimed_by=None, claimed_until=None))
        asked.append(sent)
    assert asked[0] == asked[1]
    with database.reading() as session:
        examples, comments = (session.scalar(select(func.count(table.id))) for table in (Example, Comment))
    assert (examples, comments) == (41, 20)


def test_leaving_a_new_desk_keeps_what_is_there_and_says_so(browser, database, people, path):
    client = browser(people.annotator)
    typed = desk("Half a prompt", "", act="leave", based_on="0", key="key-of-leaving", language="Klingon!")
    left = client.post(path, data=typed)
    assert left.headers["location"] == path
    assert "Kept as it is" in client.get(path).text
    assert "Half a prompt" in client.get(f"{path}/new?key=key-of-leaving").text
    assert "Half a prompt" not in browser(people.colleague).get(f"{path}/new").text
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Example)) == 0
    # From a page that has not seen the newer words: they stay, and so does what was typed here.
    refused = client.post(path, data=typed | {"turn_1": "Older words"})
    assert refused.status_code == 409
    assert "Older words</textarea>" in refused.text
    counter = str(counter_of(database))
    again = client.post(path, data=typed | {"counter": counter}, headers={"hx-request": "true"})
    assert again.headers["hx-redirect"] == path
    client.post(path, data=desk(" ", "", act="leave", based_on="0", key="key-of-nothing"))
    assert "nothing is kept" in client.get(path).text


def test_a_lead_makes_an_approved_example_a_model_from_its_desk(browser, database, people, path):
    with database.writing() as session:
        example = rows.submitted(session, people.annotator, people.project)
        operations.record_verdict(session, example, ExampleState.APPROVED, 1)
    url = f"{path}/{example.id}"
    assert "Show as a model" in browser(people.lead).get(url).text
    assert "Show as a model" not in browser(people.annotator).get(url).text
    models = f"/projects/{people.project.slug}/style/models"
    form = {"example": str(example.id), "shown": "yes", "back": "desk"}
    assert browser(people.annotator).post(models, data=form).status_code == 403
    shown = browser(people.lead).post(models, data=form)
    assert shown.headers["location"] == url
    assert "No longer a model" in browser(people.lead).get(url).text
    assert "No longer a model" in browser(people.lead).get(f"{url}/history").text
    form |= {"shown": "no", "back": "history"}
    assert browser(people.lead).post(models, data=form).headers["location"] == f"{url}/history"
    assert "Show as a model" in browser(people.lead).get(f"{url}/history").text


def test_a_preview_stands_in_no_writers_way_and_reads_archived_projects(browser, database, people, path):
    client = browser(people.annotator)
    with database.writing() as session:
        projects.archive_project(session, people.lead, session.merge(people.project))
        assert "Only looked at" in client.post(f"{path}/preview", data=desk("Only looked at")).text
    assert "Only looked at" in client.post(f"{path}/preview", data=desk("Only looked at")).text


def test_the_cut_stands_in_the_remarks_and_in_the_preview(browser, people, path, made):
    long = "word " * 1600
    url = f"{path}/{made.id}"
    headers = {"hx-request": "true", "hx-target": "div#remarks"}
    remarks = browser(people.annotator).post(f"{url}/remarks", data=desk("Why?", long), headers=headers).text
    assert re.search(r'data-cut data-turn="turn-2" data-start="(\d+)" data-end="\1"', remarks)
    assert "about 177 of about 2,225 tokens are cut" in remarks.lower().replace("\n", " ")
    assert (
        "training stops reading here" in browser(people.annotator).post(f"{path}/preview", data=desk("Why?", long)).text
    )
    none = browser(people.annotator).post(f"{url}/remarks", data=desk("Why?", "So."), headers=headers).text
    assert "data-cut" not in none
