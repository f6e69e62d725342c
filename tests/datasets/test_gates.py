"""What a project makes of its gates: a finding blocks, warns, or is not asked for."""

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from app.accounts.models import AuditEntry
from app.cli import build
from app.datasets import material_queries
from app.datasets.gate_operations import NoSuchGate, NoSuchPolicy, NoSuchRule, set_gates
from app.datasets.gates import GATES
from app.datasets.operations import GatesBlock, freeze_version
from tests.datasets.gating import address, gate_of, put


def test_by_itself_composition_and_style_warn_and_approvals_leakage_and_licences_block(database, people):
    put(database, people, "How long do I boil an egg?")
    with database.reading() as session:
        gates = material_queries.material_of(session, people.project).gates
    assert tuple(gate.gate for gate in gates) == GATES
    assert {gate.gate for gate in gates if gate.policy == "block"} == {"approvals", "leakage", "licences"}
    assert {gate.gate for gate in gates if gate.policy == "warn"} == set(GATES) - {"approvals", "leakage", "licences"}
    assert {gate.gate for gate in gates if gate.state != "pass"} == {"composition", "duplicates"}


@pytest.mark.parametrize(("policy", "state"), [("block", "block"), ("warn", "warn"), ("off", "off")])
def test_each_gate_blocks_warns_or_is_off_as_the_project_says(database, people, policy, state):
    put(database, people, "Under nothing?", licence=None)
    with database.writing() as session:
        set_gates(session, people.lead, people.project, {"licences": policy, "composition": "off"})
    gate = gate_of(database, people, "licences")
    assert (gate.state, gate.policy) == (state, policy)
    if policy == "block":
        with pytest.raises(GatesBlock), database.writing() as session:
            freeze_version(session, people.lead, people.project, name="v1")
        return
    with database.writing() as session:
        version = freeze_version(session, people.lead, people.project, name="v1")
    frozen = {found["gate"]: (found["state"], found["policy"]) for found in version.manifest["gates"]}
    assert frozen["licences"] == (state, policy)
    assert frozen["composition"] == ("off", "off")


def test_a_change_stands_in_the_trail_and_saying_the_same_again_does_not(database, people):
    for _ in range(2):
        with database.writing() as session:
            set_gates(session, people.lead, people.project, {"style": "block"}, ["html", "links"])
    with database.reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "set gates")).all()
    assert [entry.detail for entry in entries] == [{"style": "block", "style_rules": ["html", "links"]}]
    assert entries[0].actor_id == people.lead.id


@pytest.mark.parametrize(
    ("policies", "rules", "refusal"),
    [({"weather": "off"}, None, NoSuchGate), ({"style": "shrug"}, None, NoSuchPolicy), ({}, ["length"], NoSuchRule)],
)
def test_what_is_no_gate_no_policy_or_no_rule_is_refused(database, people, policies, rules, refusal):
    with pytest.raises(refusal, match="nothing was changed"), database.writing() as session:
        set_gates(session, people.lead, people.project, policies, rules)


def test_page_api_and_command_line_set_the_same(browser, api, database, database_url, people, monkeypatch, closing):
    put(database, people, "Under nothing?", licence=None)
    lead, slug = browser(people.lead), people.project.slug
    assert lead.post(address(people), data={"gate": "licences", "policy": "warn"}).status_code == 303
    client = api(people.lead)
    states = {gate["gate"]: gate["state"] for gate in client.get(f"/api/v1{address(people)}").json()["gates"]}
    assert states["licences"] == "warn"
    put_ = client.put(f"/api/v1{address(people)}", json={"policies": {"licences": "off"}, "style_rules": ["html"]})
    assert put_.status_code == 200
    assert put_.json()["style_rules"] == ["html"]
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", database_url)
    run = CliRunner().invoke
    told_ = run(build(), ["gates", slug, "--set", "licences=block", "--style", "html,links", "--as", people.lead.email])
    assert told_.exit_code == 0, told_.output
    assert "licences     block" in told_.stdout
    assert "example:1 (train) “Under nothing?” no licence" in told_.stdout
    assert run(build(), ["gates", slug, "--set", "licences", "--as", people.lead.email]).exit_code == 2
    document = client.get(f"/api/v1{address(people)}").json()
    assert document["style_rules"] == ["html", "links"]
    (licences,) = [gate for gate in document["gates"] if gate["gate"] == "licences"]
    assert licences["findings"] == [
        {"words": "no licence", "noted": False, "pair": None, "source": None,
         "texts": [{"key": "example:1", "split": "train", "words": "Under nothing?", "prompt": 1}]}
    ]  # fmt: skip


def test_members_read_the_gates_and_only_a_lead_sets_them(browser, database, people):
    put(database, people, "Under nothing?", licence=None)
    page = browser(people.annotator).get(address(people))
    assert page.status_code == 200
    assert "Under nothing?" in page.text
    assert 'name="policy"' not in page.text
    assert 'name="licence"' not in page.text
    for who in (people.annotator, people.reviewer):
        answer = browser(who).post(address(people), data={"gate": "licences", "policy": "off"})
        assert answer.status_code == 403
    assert gate_of(database, people, "licences").policy == "block"
    assert browser(people.stranger).get(address(people)).status_code == 404


def test_rules_are_chosen_on_the_page(browser, database, people):
    put(database, people, "What now?", "I would rest.")
    answer = browser(people.lead).post(address(people, "/style"), data={"first_person": "on"})
    assert answer.status_code == 303
    assert gate_of(database, people, "style").state == "warn"
    refused = browser(people.lead).post(address(people, "/style"), data={"weather": "on"})
    assert refused.status_code == 422
