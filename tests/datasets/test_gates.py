"""Gates: what each finds, what a project makes of it, and what settles it."""

import hashlib
import zlib

import pytest
from sqlalchemy import event, select
from typer.testing import CliRunner

from app.accounts.models import AuditEntry
from app.cli import build
from app.datasets import queries
from app.datasets.gate_operations import NoSuchGate, NoSuchPolicy, NoSuchRule, set_gates
from app.datasets.gates import GATES, Filling, composition_gate
from app.datasets.gates.base import around
from app.datasets.gates.counts import asks_for_a_name
from app.datasets.operations import GatesBlock, freeze_version
from app.examples import style_operations
from app.examples.licensing import NothingGiven, give_licence
from app.examples.models import Example, Revision
from app.examples.style_remarks import Described, remarks_on
from app.projects import operations as projects
from app.projects.models import Project, Split
from app.projects.tokenizers import Checked, set_tokenizer
from app.reviews.models import ReviewVerdict
from tests.datasets.material import add_revision, approve, dialogue


def put(database, people, asked, answer="Slowly, and with butter.", **more):
    with database.writing() as session:
        made = approve(session, people.project, people.annotator, people.reviewer, dialogue(asked, answer), **more)
        return made.id


def gate_of(database, people, name):
    with database.reading() as session:
        project = session.get_one(Project, people.project.id)
        return next(gate for gate in queries.material_of(session, project).gates if gate.gate == name)


def told(gate):
    return [(finding.sides[0].example_id if finding.sides else None, finding.words) for finding in gate.findings]


def address(people, rest=""):
    return f"/projects/{people.project.slug}/gates{rest}"


def test_by_itself_composition_and_style_warn_and_approvals_leakage_and_licences_block(database, people):
    put(database, people, "How long do I boil an egg?")
    with database.reading() as session:
        gates = queries.material_of(session, people.project).gates
    assert tuple(gate.gate for gate in gates) == GATES
    assert {gate.gate for gate in gates if gate.policy == "block"} == {"approvals", "leakage", "licences"}
    assert {gate.gate for gate in gates if gate.policy == "warn"} == set(GATES) - {"approvals", "leakage", "licences"}
    assert {gate.gate for gate in gates if gate.state != "pass"} == {"composition", "duplicates"}


# What each gate finds ------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("licence", "asks"),
    [("CC BY 4.0", True), ("cc-by-sa-3.0", True), ("MIT", True), ("Apache-2.0", True), ("BSD-3-Clause", True),
     ("CC0 1.0", False), ("Public domain", False), ("The Unlicense", False), ("Ours", False)],
)  # fmt: skip
def test_which_licences_ask_for_a_name(licence, asks):
    assert asks_for_a_name(licence) is asks


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


# What a project makes of it ------------------------------------------------------------------------------------------


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
         "texts": [{"key": "example:1", "split": "train", "words": "Under nothing?"}]}
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


# What settles it -----------------------------------------------------------------------------------------------------


def test_a_licence_is_given_to_what_has_none_and_a_name_to_what_names_nobody(browser, database, people):
    none = put(database, people, "Under nothing?", licence=None, attribution={})
    unnamed = put(database, people, "By nobody?", attribution={"site": "x.example.org"})
    known = put(database, people, "By somebody?")
    client = browser(people.lead)
    empty = client.post(address(people, "/licences"), data={"licence": " ", "author": ""})
    assert empty.status_code == 422
    assert "nothing was changed" in empty.text
    given = client.post(address(people, "/licences"), data={"licence": "CC BY 4.0", "author": "The kitchen team"})
    assert given.status_code == 303
    assert gate_of(database, people, "licences").state == "pass"
    with database.reading() as session:
        rows = {row.id: row for row in session.scalars(select(Example))}
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "give licence"))
    assert (rows[none].licence, rows[none].attribution) == ("CC BY 4.0", {"author": "The kitchen team"})
    assert rows[unnamed].licence == "CC BY-SA 3.0"
    assert rows[unnamed].attribution == {"site": "x.example.org", "author": "The kitchen team"}
    assert rows[known].attribution["author"] == "A. Baker"
    assert (entry.detail["licensed"], entry.detail["credited"]) == (1, 2)
    assert all(row.state == "approved" for row in rows.values())


def test_nothing_given_is_refused_and_too_long_a_licence_too(api, database, people):
    with pytest.raises(NothingGiven), database.writing() as session:
        give_licence(session, people.lead, people.project, licence=" ", author="")
    answer = api(people.lead).post(f"/api/v1{address(people, '/licences')}", json={"licence": "x" * 81})
    assert answer.status_code == 422


def test_an_override_is_given_by_the_form_whatever_the_gate(browser, database, people):
    put(database, people, "What now?", "As an AI, I cannot say.")
    with database.writing() as session:
        set_gates(session, people.lead, people.project, {"style": "block"})
    versions = f"/projects/{people.project.slug}/versions"
    client = browser(people.lead)
    assert 'name="reason_style"' in client.get(versions).text
    assert client.post(versions, data={"name": "v1"}).status_code == 409
    unknown = client.post(versions, data={"name": "v1", "reason_weather": "It rains."})
    assert unknown.status_code == 422
    long = client.post(versions, data={"name": "v1", "reason_style": "x" * 501})
    assert long.status_code == 422
    assert "At most 500" in long.text
    assert client.post(versions, data={"name": "v1", "reason_style": "We study such answers."}).status_code == 303
    assert "We study such answers." in client.get(f"{versions}/v1/card").text


# The page ------------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_first_findings_and_leads_to_all(browser, database, people):
    with database.writing() as session:
        for number in range(123):
            said = dialogue(f"Question {number} of many?")
            approve(session, people.project, people.annotator, people.reviewer, said, licence=None)
    client = browser(people.lead)
    page = client.get(address(people))
    assert page.text.count("Question ") == 20
    assert "All 123" in page.text
    assert client.get(address(people, "?gate=licences")).text.count("Question ") == 100
    assert client.get(address(people, "?gate=licences&page=99")).text.count("Question ") == 23
    assert client.get(address(people, "?gate=weather")).status_code == 404


def test_two_and_forty_rows_cost_the_same_queries(browser, database, people):
    client = browser(people.lead)

    def queries_of():
        counted = []
        event.listen(database.engine, "before_cursor_execute", lambda *_: counted.append(1))
        assert client.get(address(people)).status_code == 200
        return len(counted)

    def grow(first, last):
        for number in range(first, last):
            put(database, people, f"{'abcdefgh'[number % 8] * 6} {number}?", "As an AI, a@b.org-x.com", licence=None)
            put(database, people, f"{'abcdefgh'[number % 8] * 6} {number}!", None, split=Split.TEST)

    grow(0, 1)
    queries_of()
    few = queries_of()
    grow(1, 20)
    assert queries_of() == few


def test_an_empty_project_says_what_the_gates_will_look_at(browser, people):
    page = browser(people.lead).get(address(people))
    assert "Nothing is approved yet." in page.text
    assert "Whether each text has a licence" in page.text


def test_an_archived_project_shows_its_gates_and_sets_none(browser, database, people):
    with database.writing() as session:
        projects.archive_project(session, people.lead, session.get_one(Project, people.project.id))
    client = browser(people.lead)
    assert 'name="policy"' not in client.get(address(people)).text
    assert client.post(address(people), data={"gate": "style", "policy": "off"}).status_code == 410
