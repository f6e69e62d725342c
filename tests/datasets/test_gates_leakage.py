"""Leaks between what is trained on and what is held out: planted in every way, each blocks and names both rows."""

import re

import numpy as np
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.cli import build
from app.datasets import material_queries, queries
from app.datasets.gate_operations import NoLeak, put_up_leaks
from app.datasets.gates import Leak, Leaks, Prompt, exact_leaks, leakage_gate
from app.datasets.gates.wording import words
from app.datasets.operations import GatesBlock, freeze_version
from app.db import Database
from app.duplicates import operations as duplicates
from app.duplicates.encoding import Stale, keep_texts
from app.duplicates.models import DuplicatePair, Method, Verdict
from app.duplicates.texts import example_key
from app.embeddings.operations import keep_vectors
from app.embeddings.vectors import text_hash
from app.projects.models import Split
from tests import factories
from tests.datasets.gating import rewordings
from tests.datasets.material import approve, dialogue

ASKED = "What is a good way to get coffee stains out of a white cotton shirt without ruining it?"
PLANTED = {
    "the same": ASKED,
    "blanks and letter case": "  WHAT is a good way to get coffee stains\nout of a white cotton shirt without "
    "ruining it?",
    "punctuation and letter case": "What IS a good way, to get coffee stains out of a white (cotton) shirt; without "
    "ruining it!!",
    "a few words": "What's a decent method to get coffee stains out of a white cotton shirt without spoiling it?",
    "words more": "Please, what is a good way to get old coffee stains out of a white cotton shirt without ruining it?",
}
OTHERS = (
    "How do I keep rice from sticking to the pot?",
    "What is a good way to get red wine out of a carpet?",
    "How long does ground coffee keep in a white jar?",
    "Why does a sourdough loaf not rise in a cold kitchen?",
    "What is the difference between a roux and a slurry?",
    "Write a poem about a shirt that was left out in the rain.",
)


def held_out(number, text, split="test"):
    return Prompt(number, split, text)


def trained(number, text):
    return Prompt(number, "train", text)


@pytest.fixture
def leaky(database, people):
    """A set with nothing wrong in it; `plant(text)` trains on what its only test prompt asks."""
    with database.writing() as session:
        for asked in OTHERS:
            approve(session, people.project, people.annotator, people.reviewer, dialogue(asked))
        test = approve(
            session, people.project, people.annotator, people.reviewer, dialogue(ASKED, None), split=Split.TEST
        )
        number = test.id

    def plant(text):
        with database.writing() as session:
            made = approve(session, people.project, people.annotator, people.reviewer, dialogue(text))
            return made.id

    return number, plant


def encoded(database, people):
    """Give every prompt of the set a vector, each far from all others."""
    with database.writing() as session:
        items = material_queries.approved_items(session, people.project)
        vectors = np.eye(len(items), dtype=np.float32)
        keep_vectors(session, "m", [text_hash(item.prompt.text) for item in items], list(vectors))
        stale = [
            Stale(item.example_id, people.project.id, item.revision_number, item.prompt.text, "") for item in items
        ]
        keep_texts(session, "m", stale)


def leakage(session, project):
    return next(gate for gate in material_queries.material_of(session, project).gates if gate.gate == "leakage")


def test_a_set_without_a_leak_passes(database: Database, people: factories.People, leaky) -> None:
    encoded(database, people)
    with database.reading() as session:
        gate = leakage(session, people.project)
    assert (gate.state, gate.findings) == ("pass", ())
    assert gate.detail.endswith("no match between splits is open. All 7 first prompts were compared by meaning.")
    assert gate.document()["meaning"] == {"compared": 7, "without_vector": 0}


def test_prompts_without_a_vector_are_counted_by_gate_card_and_command(
    database_url: str, database: Database, people: factories.People, leaky, browser, api, monkeypatch, closing
) -> None:
    _, plant = leaky
    slug = people.project.slug
    encoded(database, people)
    plant("How do I whisk egg whites so that they stay stiff?")
    plant("What makes a custard curdle?")
    told = "2 of 9 first prompts were not compared by meaning, for want of a vector"
    assert told in browser(people.lead).get(f"/projects/{slug}/gates").text
    assert told in browser(people.lead).get(f"/projects/{slug}/versions").text
    (shown,) = [one for one in api(people.lead).get(f"/api/v1/projects/{slug}/gates").json()["gates"]
                if one["gate"] == "leakage"]  # fmt: skip
    assert (shown["state"], shown["meaning"]) == ("warn", {"compared": 7, "without_vector": 2})
    with database.writing() as session:
        freeze_version(session, people.lead, people.project, name="v1")
    said = browser(people.lead).get(f"/projects/{slug}/versions/v1/card").text
    assert "By meaning 7 of 9 first prompts were compared; 2 had no vector at the freeze." in said
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    line = ["gates", slug, "--as", people.lead.email]
    assert told in CliRunner().invoke(build(), line).stdout
    assert "All 9 first prompts were compared by meaning." in CliRunner().invoke(build(), [*line, "--encode"]).stdout


def test_where_nothing_is_held_out_nothing_is_said_of_meaning(database: Database, people: factories.People) -> None:
    with database.writing() as session:
        approve(session, people.project, people.annotator, people.reviewer, dialogue(ASKED))
    with database.reading() as session:
        gate = leakage(session, people.project)
    assert (gate.state, gate.meaning, "meaning" in gate.document()) == ("pass", None, False)


@pytest.mark.parametrize("way", PLANTED)
def test_a_planted_leak_blocks_names_both_rows_and_its_override_stands_in_the_card(
    database: Database, people: factories.People, leaky, browser, way: str
) -> None:
    test, plant = leaky
    train = plant(PLANTED[way])
    with pytest.raises(GatesBlock) as refusal, database.writing() as session:
        freeze_version(session, people.lead, people.project, name="v1")
    said = refusal.value.message
    for number, split, text in ((test, "test", ASKED), (train, "train", " ".join(PLANTED[way].split()))):
        assert f"example {number} ({split})" in said
        assert text in said
    with database.writing() as session:
        version = freeze_version(
            session, people.lead, people.project, name="v1", overrides={"leakage": "To measure how much it helps."}
        )
        gate = next(gate for gate in version.manifest["gates"] if gate["gate"] == "leakage")
        rows = {row.example_id: row.sha256 for row in session.scalars(queries.rows_of(version))}
    assert (gate["state"], gate["policy"]) == ("overridden", "block")
    assert {frozenset(pair) for pair in gate["rows"]} == {frozenset((rows[test], rows[train]))}
    assert ASKED not in gate["detail"]  # a manifest is read by those too who may not read test prompts
    card = browser(people.lead).get(f"/projects/{people.project.slug}/versions/v1/card")
    assert "To measure how much it helps." in card.text


def test_what_is_on_one_subject_and_asks_for_something_else_is_no_leak() -> None:
    prompts = [trained(number, text) for number, text in enumerate(OTHERS, start=1)]
    assert rewordings((*prompts, held_out(90, ASKED), held_out(91, "Name three cheeses."))) == ()


def test_words_that_all_prompts_have_in_common_make_no_leak() -> None:
    """Prompts of one form, which differ in the one word that counts."""
    things = ("leek", "onion", "carrot", "turnip", "parsnip", "radish", "celery", "fennel", "pumpkin", "beetroot",
              "spinach", "lettuce", "cabbage", "chicory", "okra", "endive", "cress", "rocket", "kale",
              "chard")  # fmt: skip
    form = "How should I prepare and season {} for a family dinner in winter?"
    prompts = [trained(number, form.format(thing)) for number, thing in enumerate(things[:15])]
    prompts += [held_out(number, form.format(thing)) for number, thing in enumerate(things[15:], start=15)]
    assert rewordings(tuple(prompts)) == ()
    copy = trained(99, "How should one prepare and season kale for a family dinner in the winter?")
    assert [(leak.left.example_id, leak.right.example_id) for leak in rewordings((*prompts, copy))] == [(18, 99)]


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("What is 17 + 4?", "What is 17 - 4?", False),
        ("What is 17 + 4?", "what IS 17+4", True),
        ("How many grams are 12 ounces of flour?", "How many grams are 16 ounces of flour?", False),
        ("How do I compile C++ on Windows?", "How do I compile C on Windows?", False),
        ("请问怎样去除白衬衫上的咖啡渍？", "请问怎样去除白衬衫上的旧咖啡渍", True),
        (
            "Wie entferne ich Kaffeeflecken aus einem weißen Hemd?",
            "wie entferne ich KAFFEEFLECKEN aus einem weissen hemd",
            True,
        ),
        ("Yes?", "Yes!", True),
        ("", "", False),
    ],
)
def test_signs_numbers_and_scripts(one: str, other: str, *, alike: bool) -> None:
    rest = [trained(number, text) for number, text in enumerate(OTHERS, start=10)]
    assert bool(rewordings((trained(1, one), held_out(2, other), *rest))) is alike


def test_words_are_case_folded_and_keep_the_signs_that_mean_something() -> None:
    assert words("It’s C++, 3 - 2 and naïve!") == ("it's", "c", "++", "3", "-", "2", "and", "naïve")
    assert words("怎样去") == ("怎样", "样去")


def test_of_two_held_out_prompts_only_the_same_words_are_a_leak() -> None:
    dev, test = held_out(1, ASKED, "dev"), held_out(2, PLANTED["a few words"])
    assert rewordings((dev, test, trained(3, OTHERS[0]))) == ()
    assert [leak.keys for leak in exact_leaks((dev, held_out(2, ASKED.upper())))] == [{"example:1", "example:2"}]


def test_every_pair_that_the_measure_finds_it_finds_whatever_the_order() -> None:
    """The search looks only at texts that share a rare word; all pairs measured one by one are the same."""
    texts = [*OTHERS, ASKED, *PLANTED.values(), *(text.replace("coffee", "tea") for text in PLANTED.values())]
    prompts = [(trained if number % 2 else held_out)(number, text) for number, text in enumerate(texts)]
    forwards = rewordings(tuple(prompts))
    backwards = rewordings(tuple(reversed(prompts)))
    assert forwards == backwards
    assert len(forwards) > 10
    alone = {
        leak.keys
        for one in prompts for other in prompts if one.split != other.split
        for leak in rewordings((one, other, *(part for part in prompts if part not in (one, other))))
        if leak.keys == {one.key, other.key}
    }  # fmt: skip
    assert alone == {leak.keys for leak in forwards}


def test_a_stored_vector_tells_what_is_alike_in_meaning(database: Database, people: factories.People, leaky) -> None:
    test, plant = leaky
    asked = "My pale blouse has espresso on it; how do I clean it?"
    train = plant(asked)
    near, far = [1.0, 0.0], [0.0, 1.0]
    with database.writing() as session:
        texts = {test: (ASKED, near), train: (asked, near)} | {
            row.example_id: (row.prompt.text, far)
            for row in material_queries.approved_items(session, people.project) if row.example_id not in (test, train)
        }  # fmt: skip
        hashes = [text_hash(text) for text, _ in texts.values()]
        keep_vectors(session, "m", hashes, [vector for _, vector in texts.values()])
        keep_texts(session, "m", [Stale(number, people.project.id, 1, text, "") for number, (text, _) in texts.items()])
    with database.reading() as session:
        gate = leakage(session, people.project)
    assert gate.state == "block"
    assert [(finding.keys, finding.method) for finding in gate.findings] == [
        (frozenset((example_key(test), example_key(train))), "embedding")
    ]
    assert gate.meaning.without_vector == 0


def test_the_number_beside_a_leak_says_what_it_measures(database: Database, people: factories.People, leaky) -> None:
    test, plant = leaky
    train = plant(PLANTED["a few words"])
    with database.reading() as session:
        (finding,) = leakage(session, people.project).findings
    assert re.fullmatch(r"have nearly the same prompt \(share of words 0\.\d\d\)", finding.words)
    near = Leak(held_out(test, ASKED), trained(train, "Is it clean?"), 0.934)
    (finding,) = leakage_gate(Leaks(meant=[near])).findings
    assert finding.words == "mean nearly the same (cosine 0.93)"


def test_a_leak_is_put_up_among_the_duplicates_and_kept_for_a_reason(
    database: Database, people: factories.People, leaky, browser
) -> None:
    test, plant = leaky
    train = plant(PLANTED["a few words"])
    keys = {"left": example_key(train), "right": example_key(test)}
    client = browser(people.annotator)
    page = client.get(f"/projects/{people.project.slug}/gates")
    assert "Settle it" in page.text
    assert ASKED.split()[5] in page.text
    gone = client.post(f"/projects/{people.project.slug}/gates/leakage", data=keys)
    assert gone.status_code == 303
    with database.writing() as session:
        pair = session.scalars(select(DuplicatePair)).one()
        assert (pair.method, pair.leak, pair.verdict) == (Method.LEXICAL, True, Verdict.OPEN)
        assert gone.headers["location"].endswith(f"/duplicates/{pair.id}")
        assert [put.id for put in put_up_leaks(session, people.project)] == [pair.id]
        duplicates.decide(session, people.reviewer, people.project, pair, Verdict.KEEP_BOTH, "Another fabric.")
    with database.writing() as session:
        version = freeze_version(session, people.lead, people.project, name="v1")
    gate = next(gate for gate in version.manifest["gates"] if gate["gate"] == "leakage")
    assert gate["state"] == "warn"
    assert "(Another fabric.)" in gate["detail"]
    with pytest.raises(NoLeak), database.writing() as session:
        put_up_leaks(session, people.project, frozenset(keys.values()))


def test_a_pair_that_was_kept_within_a_split_is_asked_again_once_one_is_held_out(
    database: Database, people: factories.People, leaky, browser
) -> None:
    test, plant = leaky
    keys = {"left": example_key(test), "right": example_key(plant(PLANTED["a few words"]))}
    with database.writing() as session:
        (pair,) = put_up_leaks(session, people.project)
        duplicates.decide(session, people.reviewer, people.project, pair, Verdict.KEEP_BOTH, "To be cleared.")
        pair.leak, pair.effect = False, {}  # as it stands where both were trained on when it was decided
    with pytest.raises(GatesBlock, match="nearly the same prompt"), database.writing() as session:
        freeze_version(session, people.lead, people.project, name="v1")
    answer = browser(people.annotator).post(f"/projects/{people.project.slug}/gates/leakage", data=keys)
    assert answer.status_code == 303
    with database.reading() as session:
        asked = session.scalars(select(DuplicatePair)).one()
        assert (asked.leak, asked.verdict) == (True, Verdict.OPEN)


def test_the_same_prompt_is_not_kept_away_with_a_reason(database: Database, people: factories.People, leaky) -> None:
    _, plant = leaky
    plant(ASKED.upper())
    with database.writing() as session:
        (pair,) = put_up_leaks(session, people.project)
        duplicates.decide(session, people.reviewer, people.project, pair, Verdict.KEEP_BOTH, "It is fine.")
    with pytest.raises(GatesBlock, match="have the same prompt"), database.writing() as session:
        freeze_version(session, people.lead, people.project, name="v1")


def test_nobody_settles_what_is_no_leak(browser, people: factories.People, leaky) -> None:
    test, _ = leaky
    pair = {"left": example_key(test), "right": "example:999999"}
    answer = browser(people.annotator).post(f"/projects/{people.project.slug}/gates/leakage", data=pair)
    assert answer.status_code == 404


def test_a_hidden_test_prompt_is_counted_and_its_words_are_not_told(
    database: Database, people: factories.People, leaky, browser, api
) -> None:
    _, plant = leaky
    secret = "Quokkaberry"
    train = plant(PLANTED["a few words"])
    with database.writing() as session:
        approve(
            session, people.project, people.lead, people.reviewer,
            dialogue(PLANTED["a few words"].replace("method", secret), None), split=Split.TEST,
        )  # fmt: skip
        session.merge(people.project).tests_hidden = True
    slug = people.project.slug
    for answer in (browser(people.annotator).get(f"/projects/{slug}/gates"),
                   browser(people.annotator).get(f"/projects/{slug}/gates?gate=leakage"),
                   api(people.annotator).get(f"/api/v1/projects/{slug}/gates")):  # fmt: skip
        assert answer.status_code == 200
        assert secret not in answer.text
        assert f"xample {train} (train)" in answer.text or f"example:{train}" in answer.text
    assert secret in browser(people.lead).get(f"/projects/{slug}/gates").text


def test_the_command_line_tells_both_rows_and_puts_them_up(
    database_url: str, database: Database, people: factories.People, leaky, monkeypatch, closing
) -> None:
    _, plant = leaky
    plant(PLANTED["words more"])
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    told = CliRunner().invoke(build(), ["gates", people.project.slug, "--put-up", "--as", people.lead.email])
    assert told.exit_code == 0, told.output
    assert ASKED in told.stdout
    assert PLANTED["words more"] in told.stdout
    with database.reading() as session:
        assert len(session.scalars(select(DuplicatePair)).all()) == 1


def test_a_pair_that_is_not_frozen_whole_holds_no_freeze_up(database: Database, people: factories.People) -> None:
    """What is limited to a licence is judged by what goes in."""
    with database.writing() as session:
        who = (session, people.project, people.annotator, people.reviewer)
        ours = approve(*who, dialogue(OTHERS[0]), licence="CC0")
        theirs = approve(*who, dialogue(OTHERS[1], None), split=Split.TEST, licence="CC BY 4.0")
        keys = {"left_key": example_key(ours.id), "right_key": example_key(theirs.id)}
        session.add(
            DuplicatePair(project_id=people.project.id, on="prompt", method=Method.EMBEDDING, score=0.95, leak=True,
                          **keys)
        )  # fmt: skip
    with pytest.raises(GatesBlock, match="wait for a decision"), database.writing() as session:
        freeze_version(session, people.lead, people.project, name="all")
    with database.writing() as session:
        version = freeze_version(session, people.lead, people.project, name="v1", licences=["CC0"])
    states = {gate["gate"]: (gate["state"], gate["detail"]) for gate in version.manifest["gates"]}
    assert states["leakage"][0] == "pass"
    assert states["duplicates"][1].startswith("No pair inside the set and 1 outside it wait for a decision.")


def test_of_a_pair_with_a_hidden_side_nothing_tells_the_other_one(
    database: Database, people: factories.People, leaky, browser, api
) -> None:
    _, plant = leaky
    train = plant("How do I keep a sourdough starter alive during a decent holiday?")
    with database.writing() as session:
        asked = dialogue("How do I get a sourdough starter through a long holiday alive?", None)
        test = approve(session, people.project, people.lead, people.reviewer, asked, split=Split.TEST).id
    slug = people.project.slug
    pages = [f"/projects/{slug}/gates", f"/projects/{slug}/gates?gate=leakage"]
    documents = [f"/api/v1/projects/{slug}/gates", f"/api/v1/projects/{slug}/next-version"]
    tells = ("decent", "nearly the same prompt", "share of words")
    shown = browser(people.annotator).get(pages[0]).text
    assert "Settle it" in shown
    assert tells[1] in shown
    with database.writing() as session:
        put_up_leaks(session, people.project)  # a pair among the duplicates has a button of its own
        session.merge(people.project).tests_hidden = True
    answers = [browser(people.annotator).get(path) for path in pages]
    answers += [api(people.annotator).get(path) for path in documents]
    for answer in answers:
        assert answer.status_code == 200
        assert [answer.text[max(0, at - 80) : at + 80] for words in tells if (at := answer.text.find(words)) >= 0] == []
        assert "Settle it" not in answer.text
    (found,) = [
        gate["findings"]
        for gate in api(people.annotator).get(documents[0]).json()["gates"]
        if gate["gate"] == "leakage"
    ]
    assert [(text["key"], text["words"]) for text in found[0]["texts"]] == [
        (f"example:{train}", None), (f"example:{test}", None)
    ]  # fmt: skip
    lead = browser(people.lead).get(pages[0]).text
    assert "decent" in lead
    assert "Settle it" in lead
