"""A prompt of group B that is a train prompt already is not saved (lima.md, section 7): by page, API, command line."""

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from app.cli import build
from app.duplicates.barring import TrainedOn
from app.duplicates.models import DuplicatePair, Verdict
from app.examples import answers, roles
from app.examples import operations as examples
from app.examples.models import Example, ExampleState, Revision
from app.projects import roles as project_roles
from app.projects.models import AuthorGroup, Project, Split
from tests.duplicates.desks import GIT, KETTLE, KETTLE_MEANT, encode, rewrite, write
from tests.duplicates.rooms import messages

NEARLY = f"{KETTLE} Please?"
SHOUTED = f"  {KETTLE.upper()}  "


@pytest.fixture
def grouped(database, people):
    """The colleague writes in group B."""
    with database.writing() as session:
        project = session.get_one(Project, people.project.id)
        project_roles.set_author(
            session, people.lead, project, people.colleague.id, group=AuthorGroup.B, reads_tests=True
        )
    return people


@pytest.mark.parametrize("prompt", [KETTLE, SHOUTED, NEARLY])
@pytest.mark.parametrize("encoded", [True, False])
def test_the_same_words_are_refused_whether_they_are_encoded_or_not(grouped, database, settings, prompt, encoded):
    number = write(database, grouped, KETTLE)
    if encoded:
        encode(database, settings)
    with pytest.raises(TrainedOn, match=f"example {number} trains on"):
        write(database, grouped, prompt, "", split=Split.TEST, author=grouped.colleague)
    with database.reading() as session:
        assert session.scalars(select(Example.id)).all() == [number], "nothing half made"


@pytest.mark.parametrize("split", [Split.TRAIN, Split.DEV])
def test_group_a_and_other_prompts_are_told_and_not_refused(grouped, database, settings, split):
    train = write(database, grouped, KETTLE)
    encode(database, settings)
    assert write(database, grouped, KETTLE, split=split), "nobody of group B"
    assert write(database, grouped, KETTLE_MEANT, "", split=Split.TEST, author=grouped.colleague), "other words"
    assert write(database, grouped, GIT, "", split=Split.TEST, author=grouped.colleague)
    with database.writing() as session:
        for one in session.scalars(select(Example).where(Example.split == Split.TRAIN)):
            one.state = ExampleState.REJECTED
    assert write(database, grouped, KETTLE, "", split=Split.TEST, author=grouped.colleague) > train


def test_an_edit_is_refused_and_one_that_leaves_the_prompt_is_not(grouped, database, settings):
    number = write(database, grouped, GIT, "", split=Split.TEST, author=grouped.colleague)
    write(database, grouped, KETTLE)
    encode(database, settings)
    with database.writing() as session:
        held = session.get_one(Example, number)
        with pytest.raises(TrainedOn), session.begin_nested():
            save(session, grouped.colleague, held, messages(NEARLY, ""))
        assert session.scalar(select(func.count(Revision.id)).where(Revision.example_id == number)) == 1
        session.refresh(held)
        save(session, grouped.colleague, held, messages(GIT, "An answer."))
    # What came to be near afterwards is for the freeze and the scan: its writer can go on with everything else.
    rewrite(database, grouped, number + 1, GIT)
    with database.writing() as session:
        save(session, grouped.colleague, session.get_one(Example, number), messages(GIT, "Another answer."))


def save(session, person, example, words):
    return examples.save_revision(session, person, example, based_on=example.revision_number, messages=words)


def test_a_lead_cannot_make_it_group_bs_and_a_second_answer_stays_its_writers(grouped, database, settings):
    first = write(database, grouped, KETTLE)
    again = write(database, grouped, NEARLY, "", split=Split.TEST)
    encode(database, settings)
    with database.writing() as session:
        held = session.get_one(Example, again)
        wanted = roles.changed(roles.roles_of(held), {"author_group": "B"})
        with pytest.raises(TrainedOn), session.begin_nested():
            roles.set_roles(session, grouped.lead, held, wanted)
        project = session.get_one(Project, grouped.project.id)
        beside = answers.make_answer(session, grouped.colleague, project, session.get_one(Example, first))
        assert (beside.author_group, beside.beside_id) == (None, first)


def test_the_desk_keeps_what_was_typed_and_a_reason_lets_it_through(browser, grouped, database, settings):
    number = write(database, grouped, KETTLE)
    encode(database, settings)
    url = f"/projects/{grouped.project.slug}/examples"
    desk = {"key": "a-key-of-it", "source": "authors_b", "split": "test", "turn_1": NEARLY, "turn_2": ""}
    client = browser(grouped.colleague)
    refused = client.post(url, data=desk)
    assert refused.status_code == 422
    assert f"example {number} trains on nearly the same words" in refused.text
    assert NEARLY in refused.text
    empty = client.post(url, data={**desk, "not_duplicates": f'{{"{number}": ""}}'})
    assert empty.status_code == 422, "a leak stays for a reason only"
    assert client.post(url, data={**desk, "not_duplicates": f'{{"{number}": "Two kettles."}}'}).status_code == 303
    with database.reading() as session:
        pair = session.scalars(select(DuplicatePair)).one()
        assert (pair.verdict, pair.leak, pair.kept_because) == (Verdict.KEEP_BOTH, True, "Two kettles.")


def test_api_and_command_line_refuse_the_same_and_take_the_reason(
    api, grouped, database, settings, monkeypatch, closing
):
    number = write(database, grouped, KETTLE)
    body = {"source": "authors_b", "split": "test", "messages": messages(NEARLY, "")[:1]}
    url = f"/api/v1/projects/{grouped.project.slug}/examples"
    refused = api(grouped.colleague).post(url, json=body)
    assert refused.status_code == 422
    message = refused.json()["error"]["message"]
    assert "Nothing was saved" in message
    assert "\n" not in message
    assert "  " not in message
    assert api(grouped.colleague).post(url, json={**body, "not_duplicates": {number: "So be it."}}).status_code == 201
    monkeypatch.setenv("HANDPICKED_DATABASE_URL", settings.url)
    monkeypatch.setenv("HANDPICKED_DATA_DIR", str(settings.data_dir))
    command = ["example", "new", grouped.project.slug, "--source", "authors_b", "--split", "test"]
    command += ["--prompt", KETTLE, "--as", grouped.colleague.email]
    said = CliRunner().invoke(build(), command)
    assert said.exit_code != 0
    assert isinstance(said.exception, TrainedOn)
    done = CliRunner().invoke(build(), [*command, "--not-duplicate", str(number), "--because", "Two kettles."])
    assert done.exit_code == 0, done.output
