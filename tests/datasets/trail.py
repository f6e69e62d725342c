"""Records that became examples that became versions: what tests of tracing follow back and forth."""

import json
from dataclasses import dataclass

from sqlalchemy import select

from app.datasets.models import Version, VersionRow
from app.datasets.operations import freeze_version
from app.examples import operations as examples
from app.examples.models import Example
from app.jobs.running import run_now
from app.reviews.operations import approve, return_example
from app.runs.models import BaseModel, ModelKind, RunState, TrainingRun
from app.selection.sampling.plans import Part, Plan
from app.selection.sampling.taking import take
from app.sources.models import Candidate
from app.sources.operations import ImportPlan, start_import
from app.sources.rulesets import Ruleset
from app.worker import worker_name
from tests import factories
from tests.datasets.material import dialogue, reasons_for


@dataclass
class Traced:
    """What a file became: its import, the example of one record, and the versions that hold it."""

    people: factories.People
    run: int
    example: int
    candidate: int
    trained: int

    @property
    def slug(self):
        return self.people.project.slug


def trail(database, settings, people, tmp_path):
    """Three records become examples by a plan; one is reworded between v1 and v2, and v1 was trained on."""
    file = tmp_path / "posts.jsonl"
    rows = [
        {
            "id": f"p{n}", "source": "wikihow", "author": f"Writer {n}", "author_url": f"https://example.org/u/{n}",
            "url": f"https://example.org/p/{n}", "licence": "CC BY-SA 4.0", "messages": dialogue(f"How do I sow {n}?"),
        }
        for n in range(3)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with database.writing() as session:
        plan = ImportPlan(path=file, name="posts", format="messages", ruleset=Ruleset(()))
        run = start_import(session, people.lead, people.project, plan, "posts.jsonl")
    run_now(database, settings, run.job_id, worker_name())
    with database.writing() as session:
        made, _ = take(session, people.lead, people.project, Plan("three of them", (Part("wikihow", count=3),)), 7)
        assert made is not None
        for one in session.scalars(select(Example).order_by(Example.id)):
            write(session, people, one, f"Sow number {one.id} thinly.")
        of_p0 = select(Example).join(Candidate, Candidate.id == Example.candidate_id)
        first = session.scalars(of_p0.where(Candidate.external_id == "p0")).one()
        version = freeze(session, people, "v1")
        write(session, people, first, "Sow it thinly, and water it.", based_on=2)
        freeze(session, people, "v2")
        return Traced(people, run.id, first.id, first.candidate_id, trained_on(session, people, version))


def write(session, people, example, answer, based_on=1):
    """Reworded by the annotator, sent back once, approved by the reviewer."""
    said = dialogue(f"How do I sow {example.id}?", answer)
    saved = examples.save_revision(
        session, people.annotator, example, based_on=based_on, messages=said, note="shorter", idempotency_key=None
    )
    examples.submit_example(session, people.annotator, example)
    return_example(session, people.reviewer, example, saved.number, "Say how deep.")
    examples.submit_example(session, people.annotator, example)
    approve(session, people.reviewer, example, saved.number, "Well said.")


def freeze(session, people, name):
    overrides = reasons_for(session, people.project, "so be it")
    return freeze_version(session, people.lead, people.project, name=name, overrides=overrides)


def trained_on(session, people, version, state=RunState.SUCCEEDED):
    base = session.scalar(select(BaseModel)) or BaseModel(name="tiny", kind=ModelKind.TINY, path="tiny")
    session.add(base)
    session.flush()
    run = TrainingRun(
        project_id=people.project.id, version_id=version.id, base_model_id=base.id, recipe="smoke", settings={},
        state=state, token=f"{state}-{version.id}", step=3, created_by=people.lead.id,
    )  # fmt: skip
    session.add(run)
    session.flush()
    return run.id


def place_of(database, version, example):
    with database.reading() as session:
        query = select(VersionRow.position).join(Version).where(Version.name == version)
        return session.scalar(query.where(VersionRow.example_id == example)) + 1


def page_of(browser, traced, rest, person="annotator"):
    return browser(getattr(traced.people, person)).get(f"/projects/{traced.slug}{rest}")


def told(api, traced, rest, person="annotator"):
    answer = api(getattr(traced.people, person), "read").get(f"/api/v1/projects/{traced.slug}{rest}")
    assert answer.status_code == 200, answer.text
    return answer.json()
