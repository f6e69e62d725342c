"""A lease that cannot be renewed is one line in the log, and is tried again."""

import logging
import sqlite3
import threading
from types import SimpleNamespace

from sqlalchemy.exc import OperationalError

from app.jobs.operations import LeaseLost
from app.jobs.running import _beat


class Failing:
    """Fails once as a locked database does, then has lost its lease."""

    job_id = 7
    settings = SimpleNamespace(lease_seconds=0.04)

    def __init__(self):
        self.lease_lost = threading.Event()
        self.errors = [
            OperationalError("UPDATE job\nSET …", {}, sqlite3.OperationalError("database is\nlocked")),
            LeaseLost(),
        ]

    def heartbeat(self):
        raise self.errors.pop(0)


def test_a_failed_beat_is_one_line_without_a_traceback(caplog):
    failing = Failing()
    with caplog.at_level(logging.WARNING):
        _beat(failing, threading.Event())
    assert failing.lease_lost.is_set()
    (line,) = caplog.records
    assert line.getMessage() == "job 7: lease not renewed (OperationalError: database is locked), trying again"
    assert line.exc_info is None
