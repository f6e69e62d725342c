"""A reason goes past what its author saw of a gate, and past nothing that came later."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app.datasets import material_queries
from app.datasets.gates import Finding, Gate, GateState, Side, seen, unseen
from app.datasets.gates.seen import MOST
from app.datasets.models import Version
from app.datasets.operations import FoundMore, freeze_version
from app.projects.models import Split
from tests.datasets.material import approve, dialogue, only_warn

ASKED = ("How do I keep rice from sticking?", "Why does bread rise?", "What is a roux?")


@pytest.fixture
def leak(database, people):
    """`leak(text)` trains on a prompt and holds it out."""

    def put(asked, **more):
        with database.writing() as session:
            only_warn(session, people.project, "licences")
            who = (session, people.project, people.annotator, people.reviewer)
            trained = approve(*who, dialogue(asked), **more)
            return trained.id, approve(*who, dialogue(asked, None), split=Split.TEST, **more).id

    return put


def versions(database):
    with database.reading() as session:
        return session.scalar(select(func.count(Version.id)))


def filled(page, **typed):
    """The form as a browser would send it."""
    hidden = dict(re.findall(r'<input type="hidden" name="(seen_\w+)" value="([^"]*)">', page.text))
    assert hidden
    return hidden | typed


def test_a_leak_that_came_after_the_page_was_opened_is_not_frozen_with_the_reason(browser, database, people, leak):
    leak(ASKED[0])
    leak(ASKED[1])
    client, path = browser(people.lead), f"/projects/{people.project.slug}/versions"
    form = filled(client.get(path), name="v1", reason_leakage="Two old friends.")
    new = leak(ASKED[2])
    refused = client.post(path, data=form)
    assert (refused.status_code, versions(database)) == (409, 0)
    (said,) = re.findall(r'role="alert"[^>]*>(.*?)</div>', refused.text, re.DOTALL)
    assert f"example {new[0]} (train) and example {new[1]} (test) have the same prompt: “{ASKED[2]}”" in said
    assert ASKED[0] not in said
    assert 'value="Two old friends."' in refused.text
    again = client.post(path, data=filled(refused, name="v1", reason_leakage="Three old friends."))
    assert (again.status_code, versions(database)) == (303, 1)


def test_what_is_gone_since_is_nothing_new_and_other_words_are(browser, database, people, leak):
    first, second = leak(ASKED[0]), leak(ASKED[1])
    with database.reading() as session:
        gate = next(one for one in material_queries.material_of(session, people.project).gates if one.gate == "leakage")
    fewer = replace(gate, findings=gate.findings[:1])
    assert unseen(fewer, seen(gate)) == ""
    assert f"example {second[0]}" in unseen(gate, seen(fewer))
    assert f"example {first[0]}" not in unseen(gate, seen(fewer))
    (one, two) = gate.findings
    changed = replace(one, sides=(replace(one.sides[0], words="Other words"), one.sides[1]))
    assert "Other words" in unseen(replace(gate, findings=(changed, two)), seen(gate))


def test_how_alike_two_are_is_no_news(database, people):
    sides = Side("example:1", "train", "a"), Side("example:2", "test", "b")
    near = Gate("leakage", GateState.BLOCK, "x", findings=(Finding("alike (0.57)", sides, method="lexical"),))
    nearer = replace(near, findings=(Finding("alike (0.56)", sides, method="lexical"),))
    assert unseen(nearer, seen(near)) == ""
    assert unseen(nearer, "") != ""


def test_very_many_findings_have_one_mark_for_all():
    many = tuple(Finding("no licence", (Side(f"example:{number}"),)) for number in range(MOST + 1))
    gate = Gate("licences", GateState.BLOCK, "Many.", findings=many)
    assert len(seen(gate)) < 20
    assert unseen(gate, seen(gate)) == ""
    assert unseen(replace(gate, findings=(*many, Finding("no licence", (Side("example:-1"),)))), seen(gate)) == "Many."


def test_who_names_no_fingerprint_means_the_gates_as_they_are(database, people, leak):
    leak(ASKED[0])
    with pytest.raises(FoundMore), database.writing() as session:
        freeze_version(
            session, people.lead, people.project, name="v1", overrides={"leakage": "So be it."}, seen={"leakage": ""}
        )
    with database.writing() as session:
        freeze_version(session, people.lead, people.project, name="v1", overrides={"leakage": "So be it."})
    assert versions(database) == 1


def test_a_reserved_name_comes_back_beside_its_field_with_the_reasons(browser, database, people, leak):
    leak(ASKED[0])
    client, path = browser(people.lead), f"/projects/{people.project.slug}/versions"
    page = client.post(path, data=filled(client.get(path), name="Draft", reason_leakage="A trial."))
    assert (page.status_code, versions(database)) == (422, 0)
    assert "Comparisons call Draft what is approved" in page.text
    assert 'value="A trial."' in page.text


def test_while_a_gate_blocks_an_admin_is_led_to_the_reason(browser, people, leak):
    leak(ASKED[0])
    page = browser(people.lead).get(f"/projects/{people.project.slug}/versions").text
    assert re.search(r'<a class="button[^"]*" href="#freeze">Freeze with a reason</a>', page)
    assert "aria-disabled" not in page


def test_a_refusal_gives_each_gate_a_line_and_the_first_of_what_it_found(browser, database, people, leak):
    for asked in (*ASKED, "What is a slurry?"):
        leak(asked)
    with database.writing() as session:
        only_warn(session, people.project, "composition")
        approve(session, people.project, people.annotator, people.reviewer, dialogue("Under nothing?"), licence=None)
    page = browser(people.lead).post(f"/projects/{people.project.slug}/versions", data={"name": "v1"})
    (said,) = re.findall(r'role="alert"[^>]*>(.*?)</div>', page.text, re.DOTALL)
    assert "v1 was not frozen: the gates of leakage and licences block.\n" in said
    leakage, licences = re.findall("<li>(.*?)</li>", said)
    assert leakage.startswith("Leakage: example ")
    assert leakage.endswith("; and 2 more.")
    assert (leakage.count("have the same prompt"), leakage.count(ASKED[0])) == (2, 1)
    assert licences.startswith("Licences: 8 of 9 carry a licence")
