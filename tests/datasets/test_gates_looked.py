"""The gate of duplicates: what waits inside the set, and what nobody has looked through."""

from app.datasets import material_queries
from app.datasets.gate_operations import set_gates
from app.db import now
from app.duplicates.models import DuplicatePair, DuplicateScan, Method
from app.examples.models import Example, ExampleState
from app.projects.models import Project, Split
from tests.datasets.material import approve, dialogue


def put(database, people, asked, answer="Slowly, and with butter.", **more):
    with database.writing() as session:
        made = approve(session, people.project, people.annotator, people.reviewer, dialogue(asked, answer), **more)
        return made.id


def gate_of(database, people, name):
    with database.reading() as session:
        project = session.get_one(Project, people.project.id)
        return next(gate for gate in material_queries.material_of(session, project).gates if gate.gate == name)


def test_that_nobody_has_looked_for_duplicates_warns_until_somebody_does(database, people):
    assert gate_of(database, people, "duplicates").state == "pass"  # of nothing there are no duplicates
    put(database, people, "How long do I boil an egg?")
    gate = gate_of(database, people, "duplicates")
    assert (gate.state, gate.detail[:41]) == ("warn", "Nobody has looked for duplicates yet; a l")
    with database.writing() as session:
        scan = DuplicateScan(project_id=people.project.id, methods=["exact"], on="prompt", threshold=0.9)
        session.add(scan)
    assert gate_of(database, people, "duplicates").state == "warn"  # it has not come to its end
    with database.writing() as session:
        session.merge(scan).finished_at = now()
    gate = gate_of(database, people, "duplicates")
    assert (gate.state, gate.detail) == ("pass", "No pair waits for a decision.")
    number = put(database, people, "And how long a goose egg?")
    gate = gate_of(database, people, "duplicates")
    assert gate.state == "warn"
    assert gate.detail.startswith("1 example is newer than the last look for duplicates, of ")
    with database.writing() as session:
        set_gates(session, people.lead, people.project, {"duplicates": "block"})
    assert gate_of(database, people, "duplicates").state == "warn"  # what is noted never blocks
    with database.writing() as session:
        session.get_one(Example, number).state = ExampleState.DRAFT
    assert gate_of(database, people, "duplicates").state == "pass"


def test_a_pair_that_waits_as_a_leak_is_named_as_one(database, people):
    trained = put(database, people, "How long do I boil an egg?")
    other = put(database, people, "Why does bread rise?", None, split=Split.TEST)
    with database.writing() as session:
        session.add(
            DuplicatePair(project_id=people.project.id, left_key=f"example:{trained}", right_key=f"example:{other}",
                          on="prompt", method=Method.EMBEDDING, score=0.95, leak=True)
        )  # fmt: skip
    gate = gate_of(database, people, "duplicates")
    assert gate.detail.startswith("1 pair inside the set (1 of them as a leak) and 0 outside it wait for a decision.")
    assert [(one.sides[0].example_id, one.words) for one in gate.findings] == [
        (trained, "wait for a decision, as a leak")
    ]
