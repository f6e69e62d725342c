"""Somebody who publishes, the worker that sends, and the Hub that takes it: what tests of publishing share."""

import pytest

from app.config import Settings
from app.datasets.models import Version
from app.datasets.operations import freeze_version
from app.datasets.publication import operations as publishing
from app.datasets.publication.models import Publication
from app.datasets.publication.operations import Wanted
from app.db import Database
from app.jobs.models import Job
from app.jobs.running import run_now
from app.worker import worker_name
from tests import factories
from tests.datasets.material import fixed_set, reasons_for
from tests.hubkeep import Repository
from tests.hubstand import WRITE, serving

REPOSITORY = "kitchen/cooking"
# The Hub's own client sends files so; what it will be once this is gone is its makers' business.
AS_THE_CLIENT_SENDS = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")


class Room:
    """A project with a version, and whoever works on it."""

    def __init__(self, database: Database, settings: Settings, people: factories.People, hub) -> None:
        self.database, self.settings, self.people, self.hub = database, settings, people, hub
        self.version = self.freeze("v1")

    def freeze(self, name):
        """Freeze what is approved."""
        with self.database.writing() as session:
            reasons = reasons_for(session, self.people.project, "as they came")
            return freeze_version(session, self.people.lead, self.people.project, name=name, overrides=reasons)

    @property
    def repository(self) -> Repository:
        """What the Hub has."""
        return self.hub.repositories[REPOSITORY]

    def start(self, *, version=None, confirmed=True, shown=None, **wanted):
        """Let it go; nothing is sent yet."""
        with self.database.writing() as session:
            return publishing.start_publication(
                session, self.people.lead, session.get(Version, (version or self.version).id),
                Wanted(**{"repository": REPOSITORY} | wanted), confirmed=confirmed, shown=shown,
            )  # fmt: skip

    def work(self, publication):
        """Have the worker send it."""
        run_now(self.database, self.settings, publication.job_id, worker_name())
        return self.now(publication)

    def publish(self, **wanted):
        """Both."""
        return self.work(self.start(**wanted))

    def compare(self, publication):
        """Have the worker compare."""
        with self.database.writing() as session:
            row = session.get(Publication, publication.id)
            job = publishing.start_check(session, self.people.lead, session.get(Version, row.version_id), row)
        run_now(self.database, self.settings, job.id, worker_name())
        return self.now(publication)

    def now(self, publication):
        """As it stands in the database."""
        with self.database.reading() as session:
            return session.get(Publication, publication.id)

    def job(self, publication):
        """Its job as it stands."""
        with self.database.reading() as session:
            return session.get(Job, publication.job_id)


@pytest.fixture
def hub(monkeypatch):
    """The Hub, which this process takes for the real one."""
    with serving() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.address)
        monkeypatch.setenv("HF_TOKEN", WRITE)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield found


@pytest.fixture
def room(database, settings, people, hub):
    """A version that can be published."""
    with database.writing() as session:
        fixed_set(session, people.project, people.annotator, people.reviewer)
    return Room(database, settings, people, hub)
