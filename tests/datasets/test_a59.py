"""A59: a version that is frozen while 32 people save holds each example wholly or not at all."""

import threading

from sqlalchemy import select

from app.accounts.models import User
from app.datasets import operations as datasets
from app.datasets.checking import recheck
from app.datasets.models import Version, VersionRow
from app.examples import operations as examples
from app.examples.models import Example, ExampleState, Revision
from app.projects.models import Project
from tests.datasets.material import approve, dialogue

WRITERS = 32
UNTOUCHED = 4


def test_a59_a_freeze_while_thirty_two_people_save(database, people):
    with database.writing() as session:
        made = [
            approve(session, people.project, people.annotator, people.reviewer, dialogue(f"Question {number} of all?"))
            for number in range(WRITERS + UNTOUCHED)
        ]
        numbers = [example.id for example in made[:WRITERS]]
    ready = threading.Barrier(WRITERS + 1)

    def save(number):
        ready.wait()
        with database.writing() as session:
            example = session.get(Example, number)
            words = dialogue(f"Another question, {number}?", "Both turns are new.")
            examples.save_revision(session, session.get(User, people.annotator.id), example, based_on=1, messages=words)

    threads = [threading.Thread(target=save, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    ready.wait()
    with database.writing() as session:
        project, lead = session.get(Project, people.project.id), session.get(User, people.lead.id)
        frozen = datasets.freeze_version(session, lead, project, name="v1").id
    for thread in threads:
        thread.join()
    with database.reading() as session:
        version = recheck(session, session.get(Version, frozen))
        rows = list(session.scalars(select(VersionRow).where(VersionRow.version_id == version.id)))
        assert len(rows) == version.row_count >= UNTOUCHED
        for row in rows:
            words = session.scalar(
                select(Revision.messages).where(Revision.example_id == row.example_id, Revision.number == 1)
            )
            assert all(message["content"] in row.line for message in words)
            assert "Both turns are new." not in row.line
        states = set(session.scalars(select(Example.state).where(Example.id.in_(numbers))))
        assert states == {ExampleState.DRAFT}, "every save was kept, and reopened its example"
