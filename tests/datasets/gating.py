"""Approved examples for tests of gates, and what one gate says of them."""

from app.datasets import material_queries
from app.datasets.gates import likenesses
from app.projects.models import Project
from tests.datasets.material import approve, dialogue


def put(database, people, asked, answer="Slowly, and with butter.", **more):
    with database.writing() as session:
        made = approve(session, people.project, people.annotator, people.reviewer, dialogue(asked, answer), **more)
        return made.id


def gate_of(database, people, name):
    with database.reading() as session:
        project = session.get_one(Project, people.project.id)
        return next(gate for gate in material_queries.material_of(session, project).gates if gate.gate == name)


def told(gate):
    return [(finding.sides[0].example_id if finding.sides else None, finding.words) for finding in gate.findings]


def rewordings(prompts):
    return likenesses(prompts).reworded


def address(people, rest=""):
    return f"/projects/{people.project.slug}/gates{rest}"
