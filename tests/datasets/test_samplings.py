"""A version says by which sampling plans, with which seeds, its examples were drawn from the pool."""

import pytest

from app.datasets import operations
from app.datasets.card.card import card
from app.datasets.formats import Format
from app.examples import operations as examples
from app.examples.models import Example
from app.reviews.operations import approve
from app.selection.sampling import taking
from app.selection.sampling.plans import Part, Plan
from tests.datasets.material import reasons_for
from tests.examples import rows

SOURCE = "stackexchange_other"


def plan(count: int) -> Plan:
    return Plan("few *things*", (Part(SOURCE, count=count),))


@pytest.fixture
def six(session, people):
    run = rows.import_run(session, people.project)
    return [rows.candidate(session, people.project, run, number) for number in range(1, 7)]


def frozen(session, people):
    for example in session.query(Example).all():
        if not example.approved_number:
            examples.submit_example(session, people.annotator, example)
            approve(session, people.reviewer, example, example.revision_number)
    version = operations.freeze_version(
        session, people.lead, people.project, name="v1", overrides=reasons_for(session, people.project)
    )
    return version.manifest


def test_plan_hash_and_seed_stand_in_manifest_and_card(session, people, six):
    taking.take(session, people.lead, people.project, plan(2), 7)
    taking.take(session, people.lead, people.project, plan(3), 8)
    manifest = frozen(session, people)
    named = {"plan": "few *things*"}
    assert manifest["samplings"] == [
        named | {"plan_sha256": plan(2).sha256, "seed": 7, "examples": 2},
        named | {"plan_sha256": plan(3).sha256, "seed": 8, "examples": 1},
    ]
    words = card(manifest, Format.LIMA)
    assert f"`sha256:{plan(2).sha256}`, with seed 7." in words
    assert "2 examples of the set were drawn from the pool by the plan few \\*things\\*" in words
    assert "1 example of the set was drawn" in words


def test_what_was_drawn_twice_counts_for_the_last_time(session, people, six):
    made, _ = taking.take(session, people.lead, people.project, plan(2), 7)
    taking.put_back(session, people.lead, people.project, made)
    taking.take(session, people.lead, people.project, plan(6), 9)
    assert [(one["seed"], one["examples"]) for one in frozen(session, people)["samplings"]] == [(9, 6)]


def test_a_version_that_no_plan_drew_for_does_not_speak_of_any(session, people, six):
    examples.example_from_candidate(session, people.annotator, six[0])
    manifest = frozen(session, people)
    assert "samplings" not in manifest
    assert "drawn from the pool" not in card(manifest, Format.LIMA)
