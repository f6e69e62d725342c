"""Leaks beyond first prompts: what a dialogue asks later, and a test prompt inside a longer one that is trained on."""

import random
import time

import pytest

from app.datasets.card.card import card
from app.datasets.formats import Format
from app.datasets.gate_operations import put_up_leaks
from app.datasets.gates import Prompt, exact_leaks, likenesses
from app.datasets.gates.wording import is_long_enough, places_of, words
from app.datasets.operations import GatesBlock, freeze_version
from app.duplicates import operations as duplicates
from app.duplicates.models import Verdict
from app.projects.models import Project, Split
from tests.datasets.gating import address, gate_of, put
from tests.datasets.material import approve, dialogue

ASKED = "What is a good way to get coffee stains out of a white cotton shirt?"
NEARLY = "What's a decent way to get old coffee stains out of a white cotton shirt?"
OTHERS = ("How do I keep rice from sticking?", "Why does a loaf not rise?", "Name three cheeses that melt well.")
LATER = [*dialogue("How do I wash linen?"), *dialogue(NEARLY, "With soda.")]
AROUND = f"My guests arrive tonight. {ASKED.upper()} Please answer briefly, for I have no time."


def talk(database, people, messages, split=Split.TRAIN):
    with database.writing() as session:
        return approve(session, people.project, people.annotator, people.reviewer, messages, split=split).id


def prompt(number, split, text, turn=1):
    return Prompt(number, split, text, turn)


@pytest.fixture
def test(database, people):
    """A clean set with one test prompt, whose number it is."""
    for asked in OTHERS:
        put(database, people, asked)
    return put(database, people, ASKED, None, split=Split.TEST)


@pytest.mark.parametrize("later", [NEARLY, ASKED, ASKED.lower()], ids=["nearly", "the same", "letter case"])
def test_a_later_turn_of_train_is_held_against_each_test_prompt(database, people, test, later):
    train = talk(database, people, [*dialogue("How do I wash linen?"), *dialogue(later, "With soda.")])
    with pytest.raises(GatesBlock) as refusal, database.writing() as session:
        freeze_version(session, people.lead, people.project, name="v1")
    said = refusal.value.message
    assert f"example {test} (test) and example {train} (train), prompt 2 have" in said
    assert ASKED in said
    assert later in said


def test_a_later_turn_of_a_held_out_dialogue_is_held_against_each_train_prompt(database, people):
    train = put(database, people, NEARLY)
    test = talk(database, people, [*dialogue("How do I wash linen?"), *dialogue(ASKED, None)], Split.TEST)
    gate = gate_of(database, people, "leakage")
    assert gate.state == "block"
    assert [side.label for side in gate.findings[0].sides] == [
        f"example {train} (train)", f"example {test} (test), prompt 2",
    ]  # fmt: skip


@pytest.mark.parametrize("asked", [AROUND, f"{ASKED} And out of silk?"])
def test_a_test_prompt_inside_a_longer_train_prompt_blocks_and_shows_the_passage(database, people, test, asked):
    filler = "In the summer of the year nobody came to the old harbour any more and the boats lay on the sand. " * 6
    train = put(database, people, filler + asked)
    gate = gate_of(database, people, "leakage")
    assert (gate.state, [finding.words for finding in gate.findings]) == (
        "block", ["have one prompt word for word inside the other"],
    )  # fmt: skip
    held, trained = gate.findings[0].sides
    assert (held.key, trained.key) == (f"example:{test}", f"example:{train}")
    assert "shirt?" in trained.words.lower()
    assert len(trained.words) < 320


def test_a_test_prompt_inside_a_later_turn_of_train_is_named_with_it(database, people, test):
    long = " ".join(f"word{number} of another matter" for number in range(40))
    train = talk(database, people, [*dialogue("How do I wash linen?"), *dialogue(f"{long} {ASKED} {long}")])
    (finding,) = gate_of(database, people, "leakage").findings
    assert [side.label for side in finding.sides] == [f"example {test} (test)", f"example {train} (train), prompt 2"]


def test_what_is_no_leak(database, people, test):
    talk(database, people, [*dialogue("How do I wash linen?"), *dialogue("Can you make it shorter?"),
                            *dialogue("Which soap do I take for a wool jumper in cold water?")])  # fmt: skip
    talk(database, people, [*dialogue("Tell me of the sea."), *dialogue("Can you make it shorter?", None)], Split.TEST)
    put(database, people, "A white goose walks out of the barn. What is a good way to get it home before the night?")
    assert gate_of(database, people, "leakage").findings == ()


def test_of_two_later_turns_nothing_is_said_and_first_ones_are_named_before_later_ones():
    one, two = prompt(1, "train", ASKED, 2), prompt(2, "test", ASKED, 2)
    assert exact_leaks((one, two)) == ()
    assert likenesses((one, two)).reworded == ()
    first = prompt(3, "test", ASKED)
    found = likenesses((prompt(4, "train", "Where is it?"), first, one, two))
    assert [(leak.left, leak.right) for leak in found.reworded] == [(one, first)]
    assert [(leak.left, leak.right) for leak in exact_leaks((one, two, first))] == [(one, first)]


def test_whatever_stands_inside_is_found_by_every_word_of_it_and_nothing_else():
    """The search looks at first words by numbers; reading all texts one by one gives the same."""
    draw = random.Random(7)
    vocabulary = [f"w{number}" for number in range(40)]
    texts = [" ".join(draw.choices(vocabulary, k=draw.randint(20, 60))) for _ in range(120)]
    held = [text[: draw.randint(10, len(text))] for text in draw.sample(texts, 40)]
    prompts = [prompt(number, "train", text) for number, text in enumerate(texts)]
    prompts += [prompt(1000 + number, "test", text) for number, text in enumerate(held)]
    slow = {
        frozenset((one.key, other.key))
        for one in prompts if one.split == "test" and len(words(one.text)) >= 6
        for other in prompts if other.split == "train" and len(words(other.text)) > len(words(one.text))
        and f" {' '.join(words(one.text))} " in f" {' '.join(words(other.text))} "
    }  # fmt: skip
    assert {leak.keys for leak in likenesses(tuple(prompts)).inside} == slow
    assert len(slow) > 10


def test_words_know_where_they_stand_and_how_many_are_enough():
    text = "It’s C++, 3 - 2; naïve. 怎样去!"
    assert [text[start:end].casefold().replace("’", "'") for start, end in places_of(text)] == list(words(text))
    assert places_of("ﬁne") == ()  # one sign that becomes two letters
    assert is_long_enough("Can you make it much shorter?")
    assert not is_long_enough("Can you make it shorter?")
    assert is_long_enough("请问怎样去除白衬衫上的咖啡渍？")


def test_ten_thousand_rows_are_compared_quickly():
    draw = random.Random(3)
    vocabulary = [f"w{number}" for number in range(8000)]
    prompts = [
        prompt(number, "test" if number % 10 == 0 else "train", " ".join(draw.choices(vocabulary, k=40)))
        for number in range(10_000)
    ]
    inside = [
        prompt(20_000 + number, "train", f"Well then: {prompts[number * 10].text} Go on.", 2) for number in range(5)
    ]
    started = time.process_time()
    found = likenesses((*prompts, *inside))
    assert time.process_time() - started < 15
    assert {leak.right.example_id for leak in found.inside} == {one.example_id for one in inside}


def test_a_later_turn_is_settled_by_people_for_a_reason(database, people, test, browser):
    talk(database, people, LATER)
    assert ", prompt 2" in browser(people.lead).get(address(people)).text
    with database.writing() as session:
        (pair,) = put_up_leaks(session, people.project)
        duplicates.decide(session, people.reviewer, people.project, pair, Verdict.KEEP_BOTH, "Another fabric.")
    with database.writing() as session:
        version = freeze_version(session, people.lead, people.project, name="v1")
    (gate,) = [gate for gate in version.manifest["gates"] if gate["gate"] == "leakage"]
    assert (gate["state"], "(Another fabric.)" in gate["detail"]) == ("warn", True)


def test_the_card_says_where_leaks_were_looked_for(database, people, test):
    with database.writing() as session:
        manifest = dict(freeze_version(session, people.lead, people.project, name="v1").manifest)
    said = card(manifest, Format.LIMA)
    assert "the later ones of dialogues (of 6 words or more) among them" in said
    assert "not in later turns" not in said
    earlier = {name: value for name, value in manifest.items() if name != "leakage"}
    assert "not in later turns" in card(earlier, Format.LIMA)
    off = [gate | ({"state": "off"} if gate["gate"] == "leakage" else {}) for gate in manifest["gates"]]
    assert "Nobody looked for leakage between the splits" in card(earlier | {"gates": off}, Format.LIMA)


@pytest.mark.parametrize("hidden", [True, False])
def test_manifest_and_card_count_pairs_with_a_hidden_test_prompt_and_name_neither_row(
    database, people, test, hidden, browser
):
    train = put(database, people, NEARLY)
    with database.writing() as session:
        session.merge(people.project).tests_hidden = hidden
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        version = freeze_version(session, people.lead, project, name="v1", overrides={"leakage": "To measure it."})
        (gate,) = [gate for gate in version.manifest["gates"] if gate["gate"] == "leakage"]
    assert (gate["state"], gate["reason"]) == ("overridden", "To measure it.")
    named = (
        f"example {train} (train)" in gate["detail"] and "nearly the same prompt (share of words 0." in gate["detail"]
    )
    assert (named, len(gate.get("rows", ()))) == (not hidden, 0 if hidden else 1)
    if hidden:
        assert gate["detail"].startswith("1 pair of texts, one trained on and one held out. 5 of 5 first prompts ")
        said = browser(people.lead).get(f"/projects/{people.project.slug}/versions/v1/card").text
        assert "1 pair of texts, one trained on and one held out." in said
        assert f"example {test}" not in said
