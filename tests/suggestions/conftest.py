"""A project that gets help from a model server of the test's own, and an example in it."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from app.config import Settings
from app.db import Database
from app.endpoints import operations as endpoints
from app.endpoints.models import Endpoint
from app.endpoints.operations import Wanted
from app.examples.models import Example
from app.suggestions import operations
from tests.endpoints.conftest import model, work
from tests.endpoints.modelserver import ModelServer
from tests.examples.rows import example, pair
from tests.factories import People

PROMPT = "How do I keep rice from sticking?"
RESPONSE = "Rinse it until the water stays clear, then use a heavy pot and leave the lid on for ten minutes."


@dataclass
class Helped:
    """Who is there, the server's row, the example; `at` is the address of its suggestions, `setting` of the setting."""

    people: People
    endpoint: Endpoint
    example: Example
    model: ModelServer

    @property
    def slug(self) -> str:
        return self.people.project.slug

    @property
    def at(self) -> str:
        return f"/projects/{self.slug}/examples/{self.example.id}/suggestions"

    @property
    def setting(self) -> str:
        return f"/projects/{self.slug}/model-help"


@pytest.fixture
def helped(database: Database, settings: Settings, people: People, model: ModelServer) -> Helped:
    """Help is on, from a model server called local."""
    with database.writing() as session:
        wanted = Wanted("local", model.url, "qwen", "sk-canary-5512", inside=True, timeout_seconds=30)
        endpoint = endpoints.add_endpoint(session, settings, people.admin, wanted)
        made = example(session, people.annotator, people.project, messages=pair(PROMPT, RESPONSE))
        operations.set_help(session, people.lead, people.project, endpoint=endpoint)
    return Helped(people, endpoint, made, model)


def desk(kind: str = "critique", prompt: str = PROMPT, response: str = RESPONSE, **more: str) -> dict[str, str]:
    """What the desk posts."""
    described = {"split": "train", "source": "wikihow", "language": "en", "flags": "", "note": "", "as": "write"}
    typed = {
        "turn_1": prompt,
        "turn_2": response,
        "system": "",
        "based_on": "1",
        "counter": "0",
        "key": "a-key-of-a-form",
    }
    return {**described, **typed, "ask": kind, **more}


HTMX = {"hx-request": "true", "hx-target": "div#helper"}

Work = Callable[[], bool]

__all__ = ["HTMX", "PROMPT", "RESPONSE", "Helped", "Work", "desk", "model", "work"]
