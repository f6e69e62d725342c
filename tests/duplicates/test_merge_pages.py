"""A merge by page, API and command line: the same operation, and nothing that was typed is lost."""

import json
import re

import pytest
from sqlalchemy import select

from app.duplicates.models import DuplicatePair, Verdict
from app.examples import operations as examples
from app.examples.models import Example, ExampleState, Revision
from app.projects.models import Project, Split
from tests.counting import count_queries
from tests.duplicates.rooms import (
    ANSWER,
    KETTLE,
    KETTLE_AGAIN,
    OTHER_ANSWER,
    SITE,
    candidate,
    example,
    import_run,
    known_pair,
    messages,
)


def key(name: str) -> str:
    return f"candidate:{SITE}/{name}"


@pytest.fixture
def url(people):
    return f"/projects/{people.project.slug}/duplicates"


@pytest.fixture
def pair(database, people):
    with database.writing() as session:
        left, right = example(session, people, KETTLE), example(session, people, KETTLE_AGAIN, OTHER_ANSWER)
        return known_pair(session, people, f"example:{left.id}", f"example:{right.id}").id


FORM = {
    "keep": "keep_left", "take_1": "right", "take_2": "own", "turn_1": KETTLE, "turn_2": "Citric  acid.\r\n\r\nWait.",
    "left_at": "1", "right_at": "1", "reason": "Shorter.",
}  # fmt: skip


def heads(database):
    query = select(Revision.messages).join(Example, Example.id == Revision.example_id)
    with database.reading() as session:
        return session.scalars(query.where(Revision.number == Example.revision_number).order_by(Example.id)).all()


def verdicts(database):
    with database.reading() as session:
        return session.scalars(select(DuplicatePair.verdict).order_by(DuplicatePair.id)).all()


def test_the_page_shows_both_and_merges_what_is_chosen(browser, database, people, url, pair):
    client = browser(people.annotator)
    assert f'href="{url}/{pair}/merge" data-key="m"' in client.get(f"{url}/{pair}").text
    page = client.get(f"{url}/{pair}/merge").text
    assert '<mark class="only">my</mark>' in page
    assert re.search(r'name="take_1" value="left" checked', page)
    # The list of keys takes its words from there.
    assert 'aria-label="Prompt: In other words" data-key="p"' in page
    assert (
        f'<textarea class="read" name="turn_2" rows="8" dir="auto" aria-label="Response, in other words">\n{ANSWER}'
        in page
    )
    answer = client.post(f"{url}/{pair}/merge", data=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, url)
    assert heads(database)[0] == messages(KETTLE_AGAIN, "Citric  acid.\n\nWait.")
    page = client.get(url).text
    assert "Merged into example 1; the other is rejected." in page
    assert f'action="{url}/{pair}/reversal"' in page
    shown = client.get(f"{url}/{pair}").text
    assert "Merged into left" in shown
    assert "are in example 1 from revision 2 on" in shown
    assert "merged into" in client.get(f"{url}/removed").text
    assert client.get(f"{url}/{pair}/merge").headers["location"] == f"{url}/{pair}"
    assert client.post(f"{url}/{pair}/reversal").status_code == 303
    assert heads(database)[0] == messages(KETTLE, ANSWER)
    assert verdicts(database) == [Verdict.OPEN]


def test_a_stale_merge_keeps_what_was_typed(browser, database, people, url, pair):
    with database.writing() as session:
        row = session.get_one(Example, 2)
        examples.save_revision(session, people.annotator, row, based_on=1, messages=messages(KETTLE_AGAIN, "Newer."))
    client = browser(people.annotator)
    answer = client.post(f"{url}/{pair}/merge", data=FORM)
    assert answer.status_code == 409
    assert "One of the two texts was changed since it was shown" in answer.text
    assert "Citric  acid.\n\nWait.</textarea>" in answer.text
    assert re.search(r'name="take_1" value="right" checked', answer.text)
    assert re.search(r'name="take_2" value="own" checked', answer.text)
    assert 'name="right_at" value="2"' in answer.text
    assert 'value="Shorter."' in answer.text
    assert '<mark class="only">Newer</mark>' in answer.text
    assert (verdicts(database), heads(database)[0]) == ([Verdict.OPEN], messages(KETTLE, ANSWER))
    assert client.post(f"{url}/{pair}/merge", data=FORM | {"right_at": "2"}).status_code == 303


def test_what_was_settled_meanwhile_keeps_what_was_typed_too(browser, database, people, url, pair):
    client = browser(people.annotator)
    client.post(f"{url}/{pair}/decision", data={"verdict": "keep_both"})
    answer = client.post(f"{url}/{pair}/merge", data=FORM)
    assert (answer.status_code, "settled in the meantime (keep both)" in answer.text) == (409, True)
    assert "Citric  acid.\n\nWait.</textarea>" in answer.text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"take_1": "left", "take_2": "left"}, "there is nothing to merge"),
        ({"keep": "keep_both"}, ""),
        ({"take_1": "neither"}, ""),
        ({"left_at": "x"}, "This must be a whole number"),
        ({"take_1": "own", "turn_1": " "}, "Turn 1 is empty"),
    ],
)
def test_what_does_not_fit_comes_back_with_what_was_typed(browser, database, people, url, pair, change, words):
    answer = browser(people.annotator).post(f"{url}/{pair}/merge", data=FORM | change)
    assert (answer.status_code, words in answer.text) == (422, True)
    assert "Citric  acid.\n\nWait.</textarea>" in answer.text
    assert verdicts(database) == [Verdict.OPEN]


def test_a_cluster_is_merged_whole_and_what_is_hostile_stays_text(browser, database, people, url):
    with database.writing() as session:
        run = import_run(session, people)
        for name, prompt in (("1", "<script>alert(1)</script>"), ("2", KETTLE), ("3", KETTLE_AGAIN)):
            candidate(session, run, name, prompt)
        first, _ = (known_pair(session, people, key("1"), key(name)).id for name in "23")
    client = browser(people.annotator)
    page = client.get(f"{url}/{first}/merge").text
    assert "<script>alert" not in page
    assert "Reject the other text of this cluster as well" in page
    assert "it becomes an example" in page
    [seen] = re.findall(r'name="seen" value="(\w+)"', page)
    form = FORM | {"keep": "keep_right", "take_1": "right", "left_at": "0", "right_at": "0", "whole": "true"}
    assert client.post(f"{url}/{first}/merge", data=form | {"seen": "0" * 16}).status_code == 409
    assert client.post(f"{url}/{first}/merge", data=form | {"seen": seen}).status_code == 303
    assert "the 2 others are rejected" in client.get(url).text
    assert set(verdicts(database)) == {Verdict.KEEP_LEFT, Verdict.KEEP_RIGHT}


def test_an_example_is_kept_rather_than_a_candidate_and_not_what_is_out(browser, database, people, url):
    with database.writing() as session:
        candidate(session, import_run(session, people), "1", KETTLE)
        made = example(session, people, KETTLE_AGAIN)
        pair = known_pair(session, people, key("1"), f"example:{made.id}").id
    client = browser(people.annotator)
    assert 'value="keep_right" checked' in client.get(f"{url}/{pair}/merge").text
    with database.writing() as session:
        session.get_one(Example, made.id).state = ExampleState.REJECTED
    page = client.get(f"{url}/{pair}/merge").text
    assert 'value="keep_left" checked' in page
    assert 'value="keep_right" disabled' in page


def test_a_test_prompt_is_merged_by_nobody_who_may_not_read_it(browser, api, database, people, url):
    with database.writing() as session:
        session.get_one(Project, people.project.id).tests_hidden = True
        train = example(session, people, KETTLE)
        test = examples.create_example(
            session, people.lead, people.project, split=Split.TEST, source="authors", messages=messages(KETTLE_AGAIN)
        )
        pair = known_pair(session, people, f"example:{train.id}", f"example:{test.id}", leak=True).id
    client = browser(people.annotator)
    assert "/merge" not in client.get(f"{url}/{pair}").text
    for answer in (client.get(f"{url}/{pair}/merge"), client.post(f"{url}/{pair}/merge", data=FORM)):
        assert (answer.status_code, "limescale" in answer.text) == (403, False)
    base = f"/api/v1{url}/{pair}"
    caller = api(people.annotator, "write")
    assert caller.get(f"{base}/texts").json()["right"] is None
    said = {"keep": "keep_left", "messages": messages(KETTLE, "New.")}
    assert caller.post(f"{base}/merge", json=said).status_code == 403
    assert '<mark class="only">an</mark>' in browser(people.lead).get(f"{url}/{pair}/merge").text
    refused = browser(people.lead).post(f"{url}/{pair}/merge", data=FORM)
    assert (refused.status_code, "could be read by everybody" in refused.text) == (422, True)


def test_a_page_costs_as_many_statements_for_many_turns_and_texts(browser, database, people, url, pair):
    client = browser(people.annotator)

    def statements() -> int:
        client.get(f"{url}/{pair}/merge")
        with count_queries(database) as tally:
            assert client.get(f"{url}/{pair}/merge").status_code == 200
        return tally.count

    few = statements()
    with database.writing() as session:
        row = session.get_one(Example, 1)
        many = [turn for number in range(20) for turn in messages(f"{KETTLE} {number}", ANSWER)]
        examples.save_revision(session, people.annotator, row, based_on=1, messages=many)
        for number in range(20):
            known_pair(session, people, "example:1", f"example:{example(session, people, f'{KETTLE} {number}').id}")
    assert statements() == few


def test_the_api_merges_and_undoes(api, database, people, url, pair):
    base = f"/api/v1{url}"
    client = api(people.annotator, "write")
    told = client.get(f"{base}/{pair}/texts").json()
    assert (told["left"]["key"], told["left"]["revision"], told["right"]["messages"]) == (
        "example:1", 1, messages(KETTLE_AGAIN, OTHER_ANSWER),
    )  # fmt: skip
    words = [told["right"]["messages"][0], told["left"]["messages"][1]]
    said = {"keep": "keep_right", "messages": words, "left_revision": 1, "right_revision": 1, "reason": "Clearer."}
    assert client.post(f"{base}/{pair}/merge", json=said | {"right_revision": 2}).status_code == 409
    assert client.post(f"{base}/{pair}/merge", json=said | {"keep": "keep_both"}).status_code == 422
    done = client.post(f"{base}/{pair}/merge", json=said)
    assert (done.status_code, done.json()["merged"], done.json()["rejected"]) == (
        200, {"example": 2, "revision": 2}, "example:1",
    )  # fmt: skip
    assert client.get(f"{base}/removed").json()["removals"][0]["merged"] == 2
    assert client.post(f"{base}/{pair}/reversal").json()["merged"] is None
    assert heads(database)[1] == messages(KETTLE_AGAIN, OTHER_ANSWER)
    assert api(people.annotator, "read").post(f"{base}/{pair}/merge", json=said).status_code == 403


def test_the_command_line_merges_and_undoes(handpicked, database, people, pair, tmp_path):
    slug = people.project.slug
    done = handpicked(
        "duplicates", "merge", slug, pair, "--keep", "left", "--prompt", "right", "--reason", "Clearer.", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["merged"] == {"example": 1, "revision": 2}
    assert heads(database)[0] == messages(KETTLE_AGAIN, ANSWER)
    again = handpicked("duplicates", "merge", slug, pair, "--keep", "left")
    assert (again.returncode, "settled in the meantime" in again.stderr) == (1, True)
    assert json.loads(handpicked("duplicates", "undo", slug, pair, "--json").stdout)["verdict"] == "open"
    nothing = handpicked("duplicates", "merge", slug, pair, "--keep", "right")
    assert (nothing.returncode, "there is nothing to merge" in nothing.stderr) == (1, True)
    file = tmp_path / "words.json"
    file.write_text(json.dumps(messages(KETTLE, "In other words.")), "utf-8")
    said = handpicked("duplicates", "merge", slug, pair, "--keep", "right", "--messages", file)
    assert said.stdout == f"Merged into example 2, revision 2. Undo by pair {pair}.\n"
    assert heads(database)[1] == messages(KETTLE, "In other words.")
    wrong = handpicked("duplicates", "merge", slug, pair, "--keep", "both")
    assert wrong.returncode == 2
    both = handpicked("duplicates", "merge", slug, pair, "--keep", "left", "--messages", file, "--prompt", "left")
    assert both.returncode == 2
