"""A project with the fixed set approved in it."""

import pytest

from app.db import Database
from tests import factories
from tests.datasets.material import fixed_set


@pytest.fixture
def kitchen(database: Database, people: factories.People) -> factories.People:
    with database.writing() as session:
        fixed_set(session, people.project, people.annotator, people.reviewer)
    return people
