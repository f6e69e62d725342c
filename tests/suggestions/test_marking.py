"""What came from a model is marked in the revision, shown in the history, and counted in the version."""

import json

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.datasets import operations as datasets
from app.datasets.card.card import card
from app.datasets.formats import Format
from app.datasets.verify import verify_folder
from app.examples import operations as examples
from app.examples import queries
from app.examples.models import Revision, SuggestionKind
from app.reviews import operations as reviews
from app.suggestions import operations
from app.suggestions.operations import NothingSaid
from app.suggestions.queries import Place
from tests.datasets.material import reasons_for
from tests.examples.rows import example, pair, submitted
from tests.suggestions.conftest import HTMX, PROMPT, RESPONSE

SAID = "Let the pot stand off the heat for ten more minutes, so that the grains firm up and part."


def suggested(session, helped, kind=SuggestionKind.CRITIQUE, words=SAID, made=None, response=RESPONSE):
    """A suggestion that was answered."""
    place = Place(helped.people.project, made or helped.example)
    one = operations.suggest(session, helped.people.annotator, place, kind, pair(PROMPT, response))
    operations.note_answer(session, one.id, words, model="qwen-2", seconds=0.4)
    return one


def saved(session, helped, response, made=None):
    """A revision with this response."""
    example_ = made or helped.example
    example_ = queries.example_in(session, helped.people.project.id, example_.id)
    return examples.save_revision(
        session, helped.people.annotator, example_, based_on=example_.revision_number, messages=pair(PROMPT, response)
    )


def test_a_revision_says_how_many_words_of_whose_suggestion_stand_in_it(session, helped):
    critique = suggested(session, helped)
    outline = suggested(session, helped, SuggestionKind.OUTLINE, "1. Rinse\n2. Heavy pot\n3. Rest")
    marks = saved(session, helped, f"{RESPONSE} Off the heat for ten more minutes, so that it firms.").help
    by = {"by": "model server local", "model": "qwen-2", "copied": False}
    assert marks == [
        {"suggestion": critique.id, "kind": "critique", **by, "words": 9},
        {"suggestion": outline.id, "kind": "outline", **by, "words": 0},
    ]


def test_ones_own_words_that_the_model_quoted_stay_ones_own(session, helped):
    suggested(session, helped, words=f"You write “{RESPONSE}” Say why.")
    assert saved(session, helped, f"{RESPONSE} And why: starch glues.").help[0]["words"] == 0


def test_what_was_copied_is_marked_even_when_it_was_reworded(session, helped):
    one = suggested(session, helped)
    before = saved(session, helped, f"{RESPONSE} Then rest it.")
    operations.note_copied(session, helped.people.annotator, one)
    operations.note_copied(session, helped.people.colleague, one)
    after = saved(session, helped, f"{RESPONSE} Then leave it to firm up.")
    assert [revision.help[0]["copied"] for revision in (before, after)] == [False, True]
    assert one.copied_by == helped.people.annotator.id, "the first counts"
    said = session.scalars(select(AuditEntry.action).where(AuditEntry.action == "copy suggestion")).all()
    assert said == ["copy suggestion"]


def test_what_no_model_was_asked_about_is_not_marked(session, helped):
    waiting = operations.suggest(
        session, helped.people.annotator, Place(helped.people.project, helped.example), SuggestionKind.CRITIQUE,
        pair(PROMPT, RESPONSE),
    )  # fmt: skip
    with pytest.raises(NothingSaid):
        operations.note_copied(session, helped.people.annotator, waiting)
    assert saved(session, helped, SAID).help is None
    other = example(session, helped.people.annotator, helped.people.project, messages=pair("Else?", SAID))
    session.flush()
    # NULL and not the JSON word: a freeze asks for it.
    unmarked = session.scalars(select(Revision.example_id).where(Revision.help.is_(None)))
    assert {helped.example.id, other.id} <= set(unmarked)


def test_a_first_revision_is_marked_by_the_key_of_its_form(session, helped):
    place, key = Place(helped.people.project, creation_key="key-of-a-form"), "key-of-a-form"
    one = operations.suggest(session, helped.people.annotator, place, SuggestionKind.OUTLINE, pair(PROMPT, ""))
    operations.note_answer(session, one.id, SAID, seconds=1.0)
    made = example(
        session, helped.people.annotator, helped.people.project, messages=pair(PROMPT, SAID), creation_key=key
    )
    assert queries.head_revision(session, made).help[0]["words"] == 19


def test_a_revision_brought_back_is_counted_anew(browser, helped, database):
    with database.writing() as session:
        suggested(session, helped)
        saved(session, helped, SAID)
        saved(session, helped, "Quite other words, all of them mine.")
    writer = browser(helped.people.annotator)
    address = f"/projects/{helped.slug}/examples/{helped.example.id}"
    body = {"based_on": "3", "key": "bring-it-back"}
    assert writer.post(f"{address}/revisions/2/restoration", data=body).status_code == 303
    with database.reading() as session:
        numbers = session.scalars(select(Revision).order_by(Revision.number).where(Revision.help.is_not(None)))
        assert [revision.help[0]["words"] for revision in numbers] == [19, 0, 19]


def test_the_history_shows_it_with_the_way_to_all_that_was_sent(browser, api, helped, database):
    with database.writing() as session:
        one = suggested(session, helped)
        saved(session, helped, f"{SAID} So.")
        saved(session, helped, "Mine alone.")
    address = f"/projects/{helped.slug}/examples/{helped.example.id}"
    page = browser(helped.people.reviewer).get(f"{address}/history").text
    assert page.count("With words of a model") == 1
    assert page.count("A model was asked") == 1
    assert "19 words of it" in page
    assert f'href="/projects/{helped.slug}/suggestions/{one.id}"' in page
    revisions = api(helped.people.reviewer).get(f"/api/v1{address}/revisions").json()["revisions"]
    assert [len(revision["help"]) for revision in revisions] == [1, 1, 0]


def test_the_reviewer_sees_it_before_deciding(browser, helped, database):
    with database.writing() as session:
        suggested(session, helped)
        saved(session, helped, f"{SAID} So.")
        made = queries.example_in(session, helped.people.project.id, helped.example.id)
        examples.submit_example(session, helped.people.annotator, made)
        other = submitted(session, helped.people.annotator, helped.people.project, "Mine alone?")
    reviewer, at = browser(helped.people.reviewer), f"/projects/{helped.slug}/review"
    assert "With 19 words of a model" in reviewer.get(f"{at}/{made.id}").text
    assert "of a model" not in reviewer.get(f"{at}/{other.id}").text


def test_the_copy_button_says_so_on_the_page(browser, helped, database):
    with database.writing() as session:
        one = suggested(session, helped)
    writer = browser(helped.people.annotator)
    panel = writer.get(helped.at, headers=HTMX).text
    assert f'data-copy="suggestion-{one.id}-words"' in panel
    assert f'<pre id="suggestion-{one.id}-words" hidden>{SAID}</pre>' in panel
    assert "Copied" in writer.post(f"/projects/{helped.slug}/suggestions/{one.id}/copy", headers=HTMX).text


def approve(session, helped, made):
    examples.submit_example(session, helped.people.annotator, made)
    reviews.approve(session, helped.people.reviewer, made, made.revision_number)


def frozen(session, helped, name):
    reason = reasons_for(session, helped.people.project, "a small set")
    return datasets.freeze_version(session, helped.people.lead, helped.people.project, name=name, overrides=reason)


def test_a_freeze_counts_it_and_is_the_same_byte_for_byte(database, browser, api, helped, tmp_path):
    people = helped.people
    with database.writing() as session:
        plain = frozen_set(session, helped)
    with database.writing() as session:
        one = suggested(session, helped)
        saved(session, helped, f"{RESPONSE} {SAID}")
        approve(session, helped, queries.example_in(session, people.project.id, one.example_id))
        criticised = submitted(session, people.annotator, people.project, messages=pair("Why rest it?", "It firms up."))
        suggested(session, helped, made=criticised)
        suggested(session, helped, SuggestionKind.OUTLINE, "1. Starch", made=criticised)
        reviews.approve(session, people.reviewer, criticised, 1)
        examples.save_revision(
            session, people.annotator, criticised, based_on=1, messages=pair("Why rest it?", "It firms up, slowly.")
        )
        approve(session, helped, criticised)
        version = frozen(session, helped, "v2")
        again = frozen(session, helped, "v3")
    assert "help" not in plain.manifest, "earlier manifests read the same"
    assert version.manifest["help"] == {
        "with_words": 1, "critiqued": 2, "outlined": 1, "models": [{"model": "qwen-2", "examples": 2}],
        "lines": version.manifest["help"]["lines"],
    }  # fmt: skip
    assert version.sha256 == again.sha256
    assert version.manifest["help"] == again.manifest["help"]
    words = "1 of 3 examples has words of a model; 2 were critiqued by one; 1 was outlined by one"
    assert words in card(version.manifest, Format.LIMA)
    assert "words of a model" not in card(plain.manifest, Format.LIMA)
    assert words in browser(people.annotator).get(f"/projects/{helped.slug}/versions/v2").text
    shown = api(people.annotator).get(f"/api/v1/projects/{helped.slug}/versions/v2").json()
    assert shown["help"]["with_words"] == 1
    with database.reading() as session:
        for folder in ("one", "two"):
            datasets.export_version(session, version, Format.LIMA, tmp_path / folder)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    assert verify_folder(tmp_path / "one")["ok"]
    lines = [json.loads(line) for line in (tmp_path / "one" / "examples.jsonl").read_text("utf-8").splitlines()]
    assert not [line for line in lines if "help" in line], "the words and their identity know nothing of it"


def frozen_set(session, helped):
    """A version before any model was asked."""
    made = submitted(session, helped.people.annotator, helped.people.project, messages=pair("Plain?", "Plainly."))
    reviews.approve(session, helped.people.reviewer, made, 1)
    return frozen(session, helped, "v1")
