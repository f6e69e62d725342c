"""A model server that runs, and one of the worker's lanes."""

from collections.abc import Callable, Iterator

import pytest

from app import handlers
from app.config import Settings
from app.db import Database
from app.jobs.models import Lane
from app.worker import Worker
from tests.endpoints.modelserver import ModelServer

ROOMS = handlers.ROOMS


@pytest.fixture
def model() -> Iterator[ModelServer]:
    """A model server on this machine."""
    with ModelServer() as server:
        yield server


@pytest.fixture
def work(settings: Settings, database: Database) -> Callable[[], bool]:
    """`work()` does one job of the lane that asks model servers."""
    worker = Worker(settings, database)
    return lambda: worker.work_once(Lane.ASKING)
