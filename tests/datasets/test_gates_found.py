"""What each gate finds in the approved words, and how it names it."""

import hashlib
import zlib

import pytest
from sqlalchemy import select

from app.datasets.gate_operations import set_gates
from app.datasets.gates import Filling, composition_gate
from app.datasets.gates.base import around
from app.datasets.operations import GatesBlock, freeze_version
from app.examples import style_operations
from app.examples.models import Example, Revision
from app.examples.style_remarks import Described, remarks_on
from app.projects.models import Project
from app.projects.tokenizers import Checked, set_tokenizer
from app.reviews.models import ReviewVerdict
from app.text.licences import licence_of
from tests.datasets.gating import gate_of, put, told
from tests.datasets.material import add_revision, approve, dialogue


def test_a_missing_licence_and_a_name_that_the_licence_asks_for_block(database, people):
    free = put(database, people, "Under CC0?", licence="CC0", attribution={})
    none = put(database, people, "Under nothing?", licence=None)
    unnamed = put(database, people, "By nobody?", attribution={})
    gate = gate_of(database, people, "licences")
    assert gate.state == "block"
    assert told(gate) == [(none, "no licence"), (unnamed, "CC BY-SA 3.0 without author or link")]
    assert free not in dict(told(gate))
    assert gate.detail.startswith("2 of 3 carry a licence; 1 of these name neither author nor link")
    with pytest.raises(GatesBlock, match="licences blocks"), database.writing() as session:
        freeze_version(session, people.lead, people.project, name="v1")


@pytest.mark.parametrize("written", ["unknown", "None", " ", "n/a"])
def test_a_word_for_no_licence_is_none(database, people, written):
    number = put(database, people, "Under nothing?", licence=written, attribution={})
    gate = gate_of(database, people, "licences")
    said = "no licence" if written.isspace() else f"“{written}” is no licence"
    assert (gate.state, told(gate)) == ("block", [(number, said)])
    assert gate.detail == "0 of 1 carry a licence."


@pytest.mark.parametrize("written", ["All rights reserved", "proprietary"])
def test_a_text_whose_rights_are_all_kept_is_unfit(database, people, written):
    number = put(database, people, "May I?", licence=written)
    put(database, people, "By somebody?")
    gate = gate_of(database, people, "licences")
    assert (gate.state, told(gate)) == ("block", [(number, f"“{written}” lets nobody else use it")])
    assert gate.detail.startswith("1 of 2 carry a licence; 1 keeps all rights, which is no licence; 1 is share-alike")


def test_a_manifest_counts_a_word_for_no_licence_with_those_that_have_none(database, people):
    put(database, people, "Under nothing?", licence="unknown")
    put(database, people, "And you?", licence=None)
    with database.writing() as session:
        reason = {"licences": "A trial."}
        version = freeze_version(session, people.lead, people.project, name="v1", overrides=reason)
        assert version.manifest["licences"] == [{"licence": None, "examples": 2}]


def test_a_refusal_names_the_first_two_texts_and_counts_the_others(database, people):
    numbers = [
        put(database, people, f"Under nothing {word}?", licence=None) for word in ("one", "two", "three", "four")
    ]
    with pytest.raises(GatesBlock) as refusal, database.writing() as session:
        freeze_version(session, people.lead, people.project, name="v1")
    said = refusal.value.message
    for number, word in zip(numbers[:2], ("one", "two"), strict=True):
        assert f"xample {number} (train): no licence: “Under nothing {word}?”" in said
    assert "; and 2 more." in said
    assert "Under nothing three" not in said


@pytest.mark.parametrize(
    ("licence", "asks"),
    [("CC BY 4.0", True), ("cc-by-sa-3.0", True), ("MIT", True), ("Apache-2.0", True), ("BSD-3-Clause", True),
     ("CC0 1.0", False), ("Public domain", False), ("The Unlicense", False), ("Ours", False)],
)  # fmt: skip
def test_which_licences_ask_for_a_name(licence, asks):
    assert licence_of(licence).asks_for_a_name is asks


def test_personal_data_is_found_in_every_turn_and_marked_where_it_stands(database, people):
    number = put(
        database, people, "Whom do I ask?", "Write to jane.miller@corp-mail.com, or call +1 650 253 0000 before noon."
    )
    put(database, people, "And by letter?", "Write to name@example.com, or call 555-0100.")
    gate = gate_of(database, people, "personal")
    assert (gate.state, told(gate)) == ("warn", [(number, "e-mail address, phone number")])
    (side,) = gate.findings[0].sides
    assert side.words[slice(*side.mark)] == "jane.miller@corp-mail.com"


def test_a_remark_that_somebody_left_is_no_finding(database, people):
    number = put(database, people, "Whom do I ask?", "Write to jane.miller@corp-mail.com.")
    style = put(database, people, "What now?", "As an AI language model, I cannot say.")
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        for example_id, gate in ((number, "personal"), (style, "style")):
            example = session.get_one(Example, example_id)
            revision = session.scalars(select(Revision).where(Revision.example_id == example_id)).one()
            said = remarks_on(session, project, example, Described(revision.messages, example.source, "en"))
            for remark in said:
                text = revision.messages[remark.message]["content"]
                style_operations.leave_remark(session, people.lead, project, example, remark.key(text))
            assert said, gate
    assert gate_of(database, people, "personal").state == "pass"
    assert gate_of(database, people, "style").state == "pass"


def test_only_the_chosen_rules_count_and_only_while_they_are_on(database, people):
    number = put(database, people, "What now?", "As an AI, I think that you should rest. I would, too.")
    assert told(gate_of(database, people, "style")) == [(number, "“As an AI”")]
    with database.writing() as session:
        set_gates(session, people.lead, people.project, {}, ["first_person"])
    assert [words for _, words in told(gate_of(database, people, "style"))] == ["First person × 2"]
    with database.writing() as session:
        style_operations.change_rule(session, people.lead, people.project, "first_person", {"on": False})
    gate = gate_of(database, people, "style")
    assert (gate.state, gate.detail) == ("pass", "No rule of the house style counts here.")


def test_changed_words_are_read_anew(database, people):
    number = put(database, people, "What now?", "As an AI, I cannot say.")
    assert gate_of(database, people, "style").state == "warn"
    with database.writing() as session:
        example = session.get_one(Example, number)
        add_revision(session, example, people.annotator, dialogue("What now?", "Rest."), number=2)
        example.revision_number = example.approved_number = 2
    assert gate_of(database, people, "style").state == "pass"


TOKENIZER = """{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
"pre_tokenizer":{"type":"WhitespaceSplit"},"post_processor":null,"decoder":null,
"model":{"type":"WordLevel","vocab":{"[UNK]":0,"day":1},"unk_token":"[UNK]"}}"""


def test_a_row_that_training_would_cut_warns_exactly_where_a_tokenizer_is_chosen(database, people):
    fits = put(database, people, "Tell me", "day " * 2043)
    cut = put(database, people, "Tell me more", "day " * 2044)
    guessed = gate_of(database, people, "tokenizer")
    assert guessed.detail.startswith("2 examples of 2 would be cut at 2,048 tokens, by an estimate")
    with database.writing() as session:
        data = TOKENIZER.encode()
        project = session.get_one(Project, people.project.id)
        file = Checked(hashlib.sha256(data).hexdigest(), zlib.compress(data))
        set_tokenizer(session, people.lead, project, "words", file)
    gate = gate_of(database, people, "tokenizer")
    assert told(gate) == [(cut, "2,049 tokens")]
    assert fits not in dict(told(gate))
    assert gate.detail == "1 example of 2 would be cut at 2,048 tokens, by words; the longest has 2,049."


def test_composition_names_what_is_short_and_what_is_outside():
    row = Filling("a", "train", "A long", "A", 1, 10, 4)
    found = composition_gate(
        [row, Filling("b", "test", "B long", "B", 2, 5, 6), Filling("x", "train", "x", "x", 0, 0, 1)]
    )
    assert [(finding.words, finding.source) for finding in found.findings] == [
        ("A: 4 of 10, 6 short", "a"), ("B (test): 6 of 5, 1 too many", None), ("x: 1 outside the target", None),
    ]  # fmt: skip


def test_own_approvals_are_named_and_imported_ones_pass(database, people):
    with database.writing() as session:
        own = approve(session, people.project, people.annotator, people.annotator, dialogue("Mine?")).id
        approve(session, people.project, None, None, dialogue("Theirs?"), verdict=ReviewVerdict.IMPORTED)
    gate = gate_of(database, people, "approvals")
    assert (gate.state, told(gate)) == ("block", [(own, "approved by its own writer")])


def test_a_passage_stands_in_its_words():
    text = "One two three. " * 20 + "Here it is, you see. " + "And on and on. " * 20
    start = text.index("it is")
    words, (first, last) = around(text, start, start + 5)
    assert words[first:last] == "it is"
    assert words.startswith("…")
    assert words.endswith("…")
    assert len(words) < 120
    assert around("it is", 0, 5) == ("it is", (0, 5))
