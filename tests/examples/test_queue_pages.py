"""The queue by page, by API and by command."""

import pytest
from sqlalchemy import select

from app.db import now
from app.examples import claims, operations, queries, skips
from app.examples.models import Example, ExampleState, SkipReason
from tests.examples import rows
from tests.examples.counting import queries as counted
from tests.examples.test_claims import untouched
from tests.examples.test_cli import handpicked

__all__ = ["handpicked"]


@pytest.fixture
def base(people):
    return f"/projects/{people.project.slug}"


def drafts(database, people, count=2):
    with database.writing() as session:
        return [example.id for example in untouched(session, people, count)]


def desk_form(words="Roots stay in the top metre.", **more):
    return {
        "act": "save", "source": "wikihow", "split": "train", "language": "en", "turn_1": "How deep?", "turn_2": words,
        "based_on": "1", "key": "a-key-of-one-form", **more,
    }  # fmt: skip


def test_next_leads_to_the_desk_and_then_to_another(browser, database, people, base):
    first, second = drafts(database, people)
    client = browser(people.annotator)
    assert client.post(f"{base}/queue/next").headers["location"] == f"{base}/examples/{first}"
    assert f'name="after" value="{first}"' in client.get(f"{base}/examples/{first}").text
    going_on = client.post(f"{base}/queue/next", data={"after": str(first)})
    assert going_on.headers["location"] == f"{base}/examples/{second}"
    assert client.post(f"{base}/queue/next", data={"after": "x"}).status_code == 422
    assert client.post(f"{base}/queue/next", data={"after": str(10**15)}).status_code == 404


def test_an_empty_queue_says_what_to_do(browser, people, base):
    client = browser(people.annotator)
    answer = client.post(f"{base}/queue/next")
    assert answer.headers["location"] == f"{base}/queue"
    assert "The pool has more to choose from" in client.get(f"{base}/queue").text


def test_who_writes_is_shown_to_the_others(browser, database, people, base):
    number = drafts(database, people)[0]
    browser(people.annotator).post(f"{base}/queue/next")
    # In the page itself: what came in later would move the text under the cursor.
    theirs = browser(people.colleague).get(f"{base}/examples/{number}").text
    before, after = theirs.split('id="turn-1"', 1)
    assert f"{people.annotator.name} writes on this until" in before
    assert "Skip or hand over" in after
    assert "Yours until" in browser(people.annotator).get(f"{base}/examples/{number}").text
    assert people.annotator.name in browser(people.lead).get(f"{base}/queue").text


def test_a56_a_save_over_a_live_claim_keeps_the_words_and_offers_a_second_answer(browser, database, people, base):
    number = drafts(database, people)[0]
    with database.writing() as session:
        claims.claim(session, people.colleague, session.get(Example, number))
    client = browser(people.annotator)
    refused = client.post(f"{base}/examples/{number}", data=desk_form("Written in good faith."))
    assert refused.status_code == 409
    assert people.colleague.name in refused.text
    assert "Written in good faith." in refused.text
    with database.reading() as session:
        assert session.get(Example, number).revision_number == 1
    made = client.post(f"{base}/examples/{number}/answers")
    with database.reading() as session:
        beside = session.scalars(select(Example).where(Example.beside_id == number)).one()
        assert made.headers["location"] == f"{base}/examples/{beside.id}"
        assert queries.head_revision(session, beside).messages[1]["content"] == "Written in good faith."


def test_a56_by_api_the_words_are_kept_too(api, database, people):
    number = drafts(database, people)[0]
    with database.writing() as session:
        claims.claim(session, people.colleague, session.get(Example, number))
    client, base = api(people.annotator), f"/api/v1/projects/{people.project.slug}/examples/{number}"
    refused = client.post(f"{base}/revisions", json={"based_on": 1, "messages": rows.pair("How?", "By hand.")})
    assert refused.status_code == 409
    assert people.colleague.name in refused.json()["error"]["message"]
    made = client.post(f"{base}/answers")
    assert made.status_code == 201
    assert made.json()["messages"][1]["content"] == "By hand."


def test_a_skip_goes_on_and_is_undone_in_one_press(browser, database, people, base):
    first, second = drafts(database, people)
    client = browser(people.annotator)
    client.post(f"{base}/queue/next")
    skipped = client.post(f"{base}/examples/{first}/skip", data={"reason": "unclear", "words": "Which roots?"})
    assert skipped.headers["location"] == f"{base}/examples/{second}"
    page = client.get(skipped.headers["location"]).text
    assert f"{base}/examples/{first}/skip/undoing" in page
    assert "Which roots?" in browser(people.lead).get(f"{base}/queue").text
    assert "Which roots?" not in browser(people.colleague).get(f"{base}/queue").text
    client.post(f"{base}/examples/{first}/skip/undoing")
    assert "Which roots?" not in browser(people.lead).get(f"{base}/queue").text
    assert client.post(f"{base}/examples/{first}/skip", data={"reason": "passed"}).status_code == 422


def test_a_hand_over_lands_with_the_colleague_and_nobody_else(browser, database, people, base):
    number = drafts(database, people, 1)[0]
    client = browser(people.annotator)
    given = {"person": str(people.colleague.id), "words": "Yours <b>surely</b>."}
    handed = client.post(f"{base}/examples/{number}/handing", data=given)
    assert handed.headers["location"] == f"{base}/queue"
    assert "Yours &lt;b&gt;surely&lt;/b&gt;." in browser(people.colleague).get(f"{base}/queue").text
    assert "surely" not in browser(people.reviewer).get(f"{base}/queue").text
    assert client.post(f"{base}/examples/{number}/handing/undoing").status_code == 303
    stranger = {"person": str(people.stranger.id)}
    assert client.post(f"{base}/examples/{number}/handing", data=stranger).status_code == 404


def test_only_leads_set_how_many_answer_a_prompt(browser, database, people, base):
    assert browser(people.annotator).post(f"{base}/queue/overlap", data={"overlap": "2"}).status_code == 403
    assert browser(people.lead).post(f"{base}/queue/overlap", data={"overlap": "2"}).status_code == 303
    assert browser(people.lead).post(f"{base}/queue/overlap", data={"overlap": "10"}).status_code == 422
    with database.reading() as session:
        assert session.merge(people.project).overlap == 1, "as it was loaded before"
        session.expire_all()
        assert session.get(type(people.project), people.project.id).overlap == 2


def test_the_api_does_the_same(api, database, people):
    first, second = drafts(database, people)
    client, base = api(people.annotator), f"/api/v1/projects/{people.project.slug}"
    following = client.post(f"{base}/examples/next").json()
    assert (following["example"]["id"], following["why"]) == (first, "nobody has begun it")
    assert client.get(f"{base}/examples/{first}/claim").json()["mine"] is True
    held = api(people.colleague).put(f"{base}/examples/{first}/claim")
    assert held.status_code == 409
    assert client.delete(f"{base}/examples/{first}/claim").json()["claimed_until"] is None
    skipped = client.put(f"{base}/examples/{first}/skip", json={"reason": "sensitive"})
    assert skipped.status_code == 200
    assert client.post(f"{base}/examples/next").json()["example"]["id"] == second
    assert client.delete(f"{base}/examples/{first}/skip").status_code == 200
    handing = client.put(f"{base}/examples/{second}/handing", json={"to": people.colleague.email, "words": "Yours."})
    assert handing.status_code == 200
    assert client.delete(f"{base}/examples/{second}/handing").json()["handed_to_me"] is False
    lead = api(people.lead)
    assert lead.put(f"{base}/queue", json={"overlap": 3}).json()["overlap"] == 3
    assert client.put(f"{base}/queue", json={"overlap": 3}).status_code == 403
    nobody = client.put(f"{base}/examples/{second}/handing", json={"to": "who@example.org"})
    assert nobody.status_code == 404


def test_the_commands_do_the_same(handpicked, database, people):
    first, second = drafts(database, people)
    slug, writer, other = people.project.slug, people.annotator.email, people.colleague.email
    found = handpicked("example", "next", slug, "--as", writer)
    assert (found["example"]["id"], found["why"]) == (first, "nobody has begun it")
    assert people.annotator.name in handpicked("example", "claim", slug, first, "--as", other, code=1)
    handpicked("example", "skip", slug, first, "--reason", "unclear", "--as", writer)
    assert handpicked("example", "next", slug, "--as", writer)["example"]["id"] == second
    handpicked("example", "skip", slug, first, "--undo", "--as", writer)
    handpicked("example", "hand-over", slug, second, "--to", other, "--words", "Yours.", "--as", writer)
    assert handpicked("example", "next", slug, "--as", other)["why"] == "handed to you"
    assert handpicked("example", "answer", slug, first, "--as", other)["messages"] == rows.pair("Question 1?")[:1]
    assert handpicked("example", "overlap", slug, 2)["overlap"] == 2
    handpicked("example", "skip", slug, first, "--as", writer, code=2)
    handpicked("example", "hand-over", slug, first, "--as", writer, code=2)


def test_the_queue_costs_the_same_for_2_and_20(browser, database, people, base):
    def fill(count, start):
        with database.writing() as session:
            for example in untouched(session, people, 3 * count, start=start):
                if example.id % 3 == 0:
                    claims.claim(session, people.annotator, example)
                elif example.id % 3 == 1:
                    skips.skip(session, people.annotator, example, SkipReason.UNCLEAR)
                else:
                    skips.hand_over(session, people.colleague, example, people.annotator)

    client, seen = browser(people.lead), []
    for count, start in ((2, 1), (20, 100)):
        fill(count, start)
        with counted(database) as asked:
            page = client.get(f"{base}/queue")
        seen.append(len(asked))
    assert page.text.count("Question") > 20
    assert seen[0] == seen[1]


@pytest.mark.parametrize("page", ["0", "-1", str(10**18), "NaN", ""])
def test_a63_impossible_pages_are_refused_or_clamped(browser, api, database, people, base, page):
    drafts(database, people)
    client, reader = browser(people.annotator), api(people.annotator)
    for path in ("examples", "examples/1/history", "review"):
        assert client.get(f"{base}/{path}", params={"page": page}).status_code in {200, 404, 422}
    for path in ("examples", f"examples/{drafts_of(database)[0]}/revisions"):
        answer = reader.get(f"/api/v1{base}/{path}", params={"page": page})
        assert answer.status_code == 422
    far = client.get(f"{base}/examples", params={"page": "9999999"})
    assert far.status_code == 200
    assert "Question 1?" in far.text


def drafts_of(database):
    with database.reading() as session:
        return list(session.scalars(select(Example.id)))


@pytest.mark.parametrize("asked", [{"sort": "password"}, {"limit": "1000000000"}, {"state": "lost"}])
def test_a63_an_unknown_order_or_limit_is_refused(browser, people, base, asked):
    assert browser(people.annotator).get(f"{base}/examples", params=asked).status_code == 422


def test_what_is_approved_says_so_and_offers_no_skip(browser, database, people, base):
    with database.writing() as session:
        example = rows.submitted(session, people.annotator, people.project)
        operations.record_verdict(session, example, ExampleState.APPROVED, 1)
    page = browser(people.colleague).get(f"{base}/examples/{example.id}").text
    assert "Skip or hand over" not in page
    assert now() > example.created_at
