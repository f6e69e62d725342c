"""Examples that a desk is compared with, encoded by the real model as a worker does it."""

from app.db import Database
from app.duplicates.encoding import bring_up_to_date
from app.duplicates.means import Asking
from app.examples import operations as examples
from app.examples.models import Example, ExampleState
from app.projects.models import Split
from tests.duplicates.rooms import ANSWER, messages
from tests.factories import People

KETTLE = "How do I get rid of limescale in my electric kettle?"
KETTLE_MEANT = "How can I remove limescale from my electric kettle?"
SCALE = "My kettle is full of white crust; what takes it off?"
GIT = "How do I undo the last commit but keep my changes?"


def asking(database: Database, settings) -> Asking:  # type: ignore[no-untyped-def]
    """Patient enough that nothing is ever under way."""
    return Asking(database, settings, 30.0)


def write(
    database: Database, people: People, prompt: str, response: str = ANSWER, *, split: Split = Split.TRAIN,
    state: ExampleState = ExampleState.DRAFT, author=None,
) -> int:  # fmt: skip
    """One more example, by its number."""
    with database.writing() as session:
        made = examples.create_example(
            session, author or people.annotator, people.project, split=split, source="authors",
            messages=messages(prompt, response),
        )  # fmt: skip
        made.state = state
        made.approved_number = 1 if state is ExampleState.APPROVED else None
        return made.id


def rewrite(database: Database, people: People, number: int, prompt: str) -> None:
    """Save other words as a revision."""
    with database.writing() as session:
        example = session.get_one(Example, number)
        examples.save_revision(
            session, people.annotator, example, based_on=example.revision_number, messages=messages(prompt, ANSWER)
        )


def encode(database: Database, settings) -> None:  # type: ignore[no-untyped-def]
    """What a worker does between two jobs."""
    assert bring_up_to_date(database, settings)
