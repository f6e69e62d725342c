"""A17: the second person is another one."""

import pytest
from sqlalchemy import select

from app.accounts.models import AuditEntry
from app.examples.models import Example, ExampleState, Revision
from app.projects.models import Split


@pytest.fixture
def waiting(database, people):
    """An example that the reviewer wrote, in review."""
    with database.writing() as session:
        row = Example(
            project_id=people.project.id, split=Split.TRAIN, source="authors", state=ExampleState.REVIEW,
            created_by=people.reviewer.id, revision_number=1,
        )  # fmt: skip
        session.add(row)
        session.flush()
        said = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}]
        session.add(
            Revision(
                example_id=row.id, number=1, messages=said, title="Why?", content_hash="x", author_id=people.reviewer.id
            )
        )
        return row


@pytest.mark.parametrize("who", ["reviewer", "annotator"])
@pytest.mark.parametrize("through", ["page", "api"])
def test_a17_neither_the_writer_nor_an_annotator_approves(browser, api, database, people, waiting, who, through):
    person, slug = getattr(people, who), people.project.slug
    if through == "page":
        data = {"verdict": "approved", "revision": "1"}
        answer = browser(person).post(f"/projects/{slug}/review/{waiting.id}", data=data)
    else:
        data = {"verdict": "approved", "revision": 1}
        answer = api(person).post(f"/api/v1/projects/{slug}/examples/{waiting.id}/reviews", json=data)
    assert answer.status_code == 403
    with database.reading() as session:
        assert session.get(Example, waiting.id).state is ExampleState.REVIEW
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (entry.action, entry.actor_id) == ("was refused", person.id)


def test_a_second_person_approves(browser, database, people, waiting):
    data = {"verdict": "approved", "revision": "1"}
    answer = browser(people.lead).post(f"/projects/{people.project.slug}/review/{waiting.id}", data=data)
    assert answer.status_code == 303
    with database.reading() as session:
        assert session.get(Example, waiting.id).state is ExampleState.APPROVED
