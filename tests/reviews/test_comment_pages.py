"""Comments on the review screen, for the desk, over the API; two reviews and their agreement."""

import pytest
from sqlalchemy import func, select

from app.accounts.models import Role
from app.examples import claims
from app.examples import operations as examples
from app.examples.models import Example, ExampleState
from app.projects import operations as projects
from app.reviews import commenting, operations
from app.reviews.commenting import Passage
from app.reviews.models import Comment
from tests import factories
from tests.examples import counting, rows

RESPONSE = "Most **stay** in the top metre. Some go deeper.\n\n- Oaks\n- Pines"


@pytest.fixture
def path(people):
    return f"/projects/{people.project.slug}"


@pytest.fixture
def made(database, people):
    with database.writing() as session:
        messages = rows.pair(response=RESPONSE)
        return rows.submitted(session, people.annotator, people.project, messages=messages)


def typed(**more):
    return {"words": "How deep?", "quote": "Most stay in the top metre.", "message": "1", "revision": "1", **more}


def comments(database):
    with database.reading() as session:
        return session.scalars(select(Comment).order_by(Comment.id)).all()


def test_a_comment_stands_beside_its_passage(browser, database, people, path, made):
    client = browser(people.reviewer)
    answer = client.post(f"{path}/review/{made.id}/comments?view=clean", data=typed())
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{path}/review/{made.id}?view=clean"
    page = client.get(f"{path}/review/{made.id}").text
    [said] = comments(database)
    mark = f'<mark class="pin" id="passage-{said.id}">'
    assert f"{mark}Most </mark><strong>{mark}stay</mark></strong>{mark} in the top metre.</mark>" in page
    after = page.partition("in the top metre.</mark>")[2]
    number = f'<a class="pin-number" href="#comment-{said.id}" data-number="1" aria-label="Note 1"></a>'
    assert after.startswith(
        f'{number}<span class="remark person-said" role="note" id="comment-{said.id}" data-number="1"'
    )
    assert "How deep?" in after
    assert said.quote == "Most **stay** in the top metre."


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"words": " "}, "Write what you have to say"), ({"quote": "Not a word of it"}, "do not stand in that text")],
)
def test_what_cannot_be_taken_comes_back_as_it_was_typed(browser, database, people, path, made, fields, reason):
    answer = browser(people.reviewer).post(f"{path}/review/{made.id}/comments", data=typed(**fields))
    assert answer.status_code == 422
    assert reason in answer.text
    assert typed(**fields)["quote"] in answer.text
    assert comments(database) == []


def test_a_comment_is_answered_and_settled_by_either_side(browser, database, people, path, made):
    browser(people.reviewer).post(f"{path}/review/{made.id}/comments", data=typed())
    [said] = comments(database)
    writer = browser(people.annotator)
    assert "Answer " in writer.get(f"{path}/review/{made.id}?answer={said.id}").text
    form = {"words": "A metre.", "answer_to": str(said.id), "revision": "1"}
    assert writer.post(f"{path}/review/{made.id}/comments", data=form).status_code == 303
    assert "A metre." in writer.get(f"{path}/review/{made.id}").text
    settle = f"{path}/examples/{made.id}/comments/{said.id}/settlement"
    for client in (writer, browser(people.reviewer)):
        assert client.post(settle).status_code == 303
    assert comments(database)[0].settled_by == people.annotator.id
    page = writer.get(f"{path}/review/{made.id}").text
    assert "1 settled comment" in page
    assert "passage-" not in page
    assert writer.post(settle.replace("settlement", "reopening")).status_code == 303
    assert "passage-" in writer.get(f"{path}/review/{made.id}").text


def test_a_deleted_passage_is_said_to_be_gone_and_its_comment_stays(browser, database, people, path, made):
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        commenting.comment(session, people.reviewer, example, "Which?", Passage(1, "Some go deeper."))
        kept = rows.pair(response="Most **stay** in the top metre.")
        examples.save_revision(session, people.annotator, example, based_on=1, messages=kept)
    page = browser(people.reviewer).get(f"{path}/review/{made.id}").text
    assert "its passage is gone" in page
    assert "Which?" in page
    assert "Some go deeper." in page


def test_the_desk_gets_the_comments_with_their_places(browser, database, people, path, made):
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        commenting.comment(session, people.reviewer, example, "Which?", Passage(1, "Some go deeper."))
        moved = rows.pair(response="\U0001f333 " + RESPONSE)
        examples.save_revision(session, people.annotator, example, based_on=1, messages=moved)
    url, start = f"{path}/examples/{made.id}/comments", len("xx ") + RESPONSE.index("Some")
    fragment = browser(people.annotator).get(url, headers={"hx-request": "true", "hx-target": "section#comments"}).text
    assert f'data-turn="turn-2" data-start="{start}" data-end="{start + 15}"' in fragment
    assert "<html" not in fragment
    assert "<html" in browser(people.annotator).get(url).text


def test_the_desk_gets_the_comments_placed_in_what_is_typed_and_saves_nothing(browser, database, people, path, made):
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        commenting.comment(session, people.reviewer, example, "How deep?", Passage(1, "in the top metre"))
        commenting.comment(session, people.reviewer, example, "Which roots?", Passage(0, "roots"))
    url, alone = f"{path}/examples/{made.id}/comments", {"hx-request": "true", "hx-target": "section#comments"}
    desk = {
        "turn_1": "🥖 How deep do old roots go?",
        "turn_2": f"In fact: {RESPONSE}",
        "system": "",
        "source": "wikihow",
    }
    placed = browser(people.annotator).post(f"{url}/placing", data=desk, headers=alone)
    assert "<html" not in placed.text
    prompt, beside = placed.text.split('id="comments-margin"')
    # Beyond U+FFFF a character is two units, as scripts count.
    start = len("🥖 How deep do old ") + 1
    assert f'data-turn="turn-1" data-start="{start}" data-end="{start + 5}"' in prompt
    start = len("In fact: ") + RESPONSE.index("in the top metre")
    assert f'data-turn="turn-2" data-start="{start}" data-end="{start + 16}"' in beside
    assert browser(people.stranger).post(f"{url}/placing", data=desk).status_code == 404
    first = comments(database)[0].id
    settled = browser(people.annotator).post(f"{url}/{first}/settlement", data=desk, headers=alone).text
    assert "How deep?" not in settled
    assert f'data-turn="turn-1" data-start="{len("🥖 How deep do old ") + 1}"' in settled
    with database.reading() as session:
        assert session.get_one(Example, made.id).revision_number == 1


def test_a03_a_comment_of_another_project_is_not_reached_through_ones_own(browser, database, people, path, made):
    browser(people.reviewer).post(f"{path}/review/{made.id}/comments", data=typed())
    [said] = comments(database)
    with database.writing() as session:
        own = factories.project(session, people.stranger)
        mine = rows.submitted(session, people.stranger, own)
    for example in (made, mine):
        url = f"/projects/{own.slug}/examples/{example.id}/comments/{said.id}/settlement"
        assert browser(people.stranger).post(url).status_code == 404
    assert browser(people.stranger).get(f"/projects/{own.slug}/examples/{made.id}/comments").status_code == 404
    assert comments(database)[0].settled_at is None


@pytest.mark.parametrize("field", ["author_id", "settled_by", "example_id"])
def test_a04_a_comment_takes_no_field_that_is_not_on_its_form(browser, database, people, path, made, field):
    answer = browser(people.reviewer).post(f"{path}/review/{made.id}/comments", data=typed(**{field: "1"}))
    assert answer.status_code == 422
    assert comments(database) == []


def test_a20_what_people_type_is_shown_as_text(browser, database, people, path, made):
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    browser(people.reviewer).post(f"{path}/review/{made.id}/comments", data=typed(words=evil, quote=""))
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        operations.approve(session, people.reviewer, example, 1)
        examples.save_revision(
            session, people.annotator, example, based_on=1, messages=rows.pair(response=evil + RESPONSE)
        )
    for view in ("diff", "clean", "diff&markup=true"):
        page = browser(people.reviewer).get(f"{path}/review/{made.id}?view={view}").text
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;" in page


def test_a_change_of_form_alone_is_told_and_shown(browser, database, people, path, made):
    with database.writing() as session:
        example = session.get_one(Example, made.id)
        operations.approve(session, people.reviewer, example, 1)
        changed = rows.pair(response=RESPONSE.replace("**stay**", "[stay](https://spam.example)"))
        examples.save_revision(session, people.annotator, example, based_on=1, messages=changed)
    client = browser(people.reviewer)
    assert "which are not marked here" in client.get(f"{path}/review/{made.id}").text
    assert "spam.example)</ins>" in client.get(f"{path}/review/{made.id}?markup=true").text


def test_the_changes_since_the_source_are_shown(browser, database, people, path):
    with database.writing() as session:
        candidate = rows.candidate(session, people.project, rows.import_run(session, people.project))
        example = examples.example_from_candidate(session, people.annotator, candidate)
        longer = [*candidate.messages[:-1], {"role": "assistant", "content": "Answer 1 says plainly why."}]
        examples.save_revision(session, people.annotator, example, based_on=1, messages=longer)
        examples.submit_example(session, people.annotator, example)
    page = browser(people.reviewer).get(f"{path}/review/{example.id}").text
    assert "<ins>plainly </ins>" in page
    assert "<ins>" not in browser(people.reviewer).get(f"{path}/review/{example.id}?view=clean").text


def test_the_queue_is_narrowed_to_a_source_and_an_author(browser, database, people, path, made):
    with database.writing() as session:
        other = rows.submitted(session, people.colleague, people.project, "By a colleague", source="forum")
    client = browser(people.reviewer)
    for query, number in (("source=forum", other.id), (f"author={people.annotator.id}", made.id)):
        page = client.get(f"{path}/review?{query}").text
        assert "1 in review" in page
        assert f'{path}/review/{number}?{query}"' in page
    done = client.post(f"{path}/review/{other.id}?source=forum", data={"verdict": "approved", "revision": "1"})
    assert done.headers["location"] == f"{path}/review?source=forum"
    assert "Nothing of this kind waits" in client.get(done.headers["location"]).text


def test_the_first_of_two_verdicts_is_hidden_until_the_second_is_given(browser, api, database, people, path, made):
    with database.writing() as session:
        third = factories.user(session)
        projects.add_member(session, people.lead, people.project, third, Role.REVIEWER)
    lead = browser(people.lead)
    assert browser(people.reviewer).post(f"{path}/review-agreement", data={"reviews": "2"}).status_code == 403
    assert lead.post(f"{path}/review-agreement", data={"reviews": "2"}).status_code == 303
    first = {"verdict": "returned", "revision": "1", "words": "Far too short."}
    assert browser(people.reviewer).post(f"{path}/review/{made.id}", data=first).status_code == 303
    assert "waits for another second person" in browser(people.reviewer).get(f"{path}/review/{made.id}").text
    seen = browser(third).get(f"{path}/review/{made.id}").text
    assert "Far too short." not in seen
    assert "one is given" in seen
    listed = f"/api/v1{path}/examples/{made.id}/reviews"
    assert api(third).get(listed).json() == {"reviews": []}
    second = {"verdict": "approved", "revision": "1"}
    assert browser(third).post(f"{path}/review/{made.id}", data=second).status_code == 303
    with database.reading() as session:
        assert session.get_one(Example, made.id).state is ExampleState.RETURNED
    assert [one["verdict"] for one in api(third).get(listed).json()["reviews"]] == ["approved", "returned"]
    page = lead.get(f"{path}/review-agreement").text
    assert "Two people judged 1 text and said the same of 0" in page
    assert f"{path}/review/{made.id}" in page
    found = api(people.lead).get(f"/api/v1{path}/reviews/agreement").json()
    assert (found["texts"], found["agreed"], found["kappa"], found["reviews_needed"]) == (1, 0, 0.0, 2)


def test_the_api_comments_answers_and_settles(api, people, path, made):
    client, url = api(people.reviewer), f"/api/v1{path}/examples/{made.id}/comments"
    body = {"words": "Which?", "quote": "Some go deeper.", "message": 1, "key": "one"}
    first = client.post(url, json=body)
    assert first.status_code == 201
    assert client.post(url, json=body).json() == first.json()
    number = first.json()["comment"]
    client.post(url, json={"words": "Oaks.", "answer_to": number})
    [thread] = client.get(url).json()["comments"]
    assert (thread["passage"], thread["settled"], len(thread["answers"])) == ("here", False, 1)
    assert client.post(f"{url}/{number}/settlement").json()["settled"]
    assert not client.post(f"{url}/{number}/reopening").json()["settled"]
    assert client.post(url, json={"words": "Which?", "quote": "Nowhere"}).status_code == 422
    assert client.put(f"/api/v1{path}/reviews/needed", json={"reviews": 2}).status_code == 403
    assert api(people.lead).put(f"/api/v1{path}/reviews/needed", json={"reviews": 3}).status_code == 422


def test_two_comments_and_twenty_cost_the_same(browser, database, people, path, made):
    client, costs = browser(people.reviewer), []
    for more in (2, 18):
        with database.writing() as session:
            example = session.get_one(Example, made.id)
            for number in range(more):
                said = commenting.comment(session, people.reviewer, example, f"Word {number}", Passage(1, "metre"))
                commenting.answer(session, people.annotator, example, said.id, "Yes.")
            changed = rows.pair(response=f"{RESPONSE} {more}")
            examples.save_revision(
                session, people.annotator, example, based_on=example.revision_number, messages=changed
            )
            claims.release(session, people.annotator, example)
        with counting.queries(database) as seen:
            assert client.get(f"{path}/review/{made.id}").status_code == 200
        costs.append(len(seen))
    assert costs[0] == costs[1]
    with database.reading() as session:
        assert session.scalar(select(func.count(Comment.id))) == 40
