"""A run under supervision: its trainer started or adopted, watched, stopped, and started again when it died.

Guarantee: at most one trainer works in a run's folder (the trainer holds a lock on it), whoever dies. When the
worker dies the trainer goes on, and the next worker adopts it; when the trainer dies it is started again and goes
on from its last whole checkpoint.
"""

import signal
import subprocess
import time
from typing import Any

from sqlalchemy.orm import Session

from app.datasets import operations as datasets
from app.errors import Refusal
from app.jobs.running import Cancelled, JobContext, ShuttingDown
from app.runs import operations, processes, queries
from app.runs.folders import cap, fill, last_words, run_folder
from app.runs.models import RunState, TrainingRun
from training.spec import (
    RunFolder,
    clear_stop,
    read_progress,
    read_result,
    request_stop,
    trainer_process,
    whole_checkpoints,
)

LOOK_EVERY = 0.5
# A trainer that died so often without taking a step in between is given up.
MOST_DEATHS = 3
KILLED = "It was killed from outside, which is how a system that runs out of memory ends a process"


class TrainerDied(Refusal):
    """The trainer died {times} times without getting any further; checkpoints are kept. {words}."""


def run_of_job(context: JobContext, session: Session) -> TrainingRun:
    """The run that a job works for, with version and base model."""
    run = queries.run_by_id(session, context.args["run_id"])
    if run is None:
        raise Refusal("The run is not there any more.")
    return run


def filled_folder(context: JobContext) -> RunFolder:
    """The folder of the job's run, with its settings and the rows of its version; their hash is recomputed first."""
    with context.reading() as session:
        run = run_of_job(context, session)
        folder = run_folder(context.settings, run.id)
        if not folder.spec.exists():
            settings = {"threads": str(context.settings.threads), **run.settings}
            spec = operations.checked_spec(run.recipe, settings, run.base_model.path)
            fill(folder, spec, datasets.training_rows(session, run.version))
    return folder


class Supervisor:
    """Carries one run from queued to its end."""

    def __init__(self, context: JobContext) -> None:
        """Look the run up and fill its folder."""
        context.heeds_cancel = False  # a stop ends with a checkpoint, so it is carried out here
        self.context = context
        self.folder = filled_folder(context)
        with context.reading() as session:
            self.token = run_of_job(context, session).token
        self.child: subprocess.Popen[bytes] | None = None
        self.offset = 0
        self.checkpoints: tuple[str, ...] | None = None
        self.deaths = 0
        self.furthest = -1
        self.stop_asked_at: float | None = None

    def carry(self) -> None:
        """Until the run has ended; raises ShuttingDown to leave a living trainer to the next worker."""
        self._begin()
        try:
            while not self._over():
                if self.context.shutting_down.wait(LOOK_EVERY):
                    raise ShuttingDown
        finally:
            if self.child is not None:
                processes.leave(self.child)

    def _begin(self) -> None:
        """A queued run starts afresh from whatever checkpoints it has: an older result and stop flag are void."""
        with self.context.writing() as session:
            run = run_of_job(self.context, session)
            if run.state is RunState.QUEUED:
                self.folder.result.unlink(missing_ok=True)
                clear_stop(self.folder.path)
            operations.note_launch(session, run)

    def _over(self) -> bool:
        self._look()
        if self._alive():
            self._insist()
            return False
        result = read_result(self.folder.path)
        if result is None or (result["state"] == "stopped" and self.stop_asked_at is None):
            # Nobody asked for this end: the machine was shutting down, or somebody sent the trainer a signal.
            self._start()
            return False
        processes.end_all(self.token, grace=1)
        self._end(result)
        return True

    def _look(self) -> None:
        """Carry what is new into the database, and notice whether somebody wants the run stopped."""
        cap(self.folder.log)
        progress = read_progress(self.folder.path, self.offset)
        found = whole_checkpoints(self.folder.path)
        names = tuple(one.name for one in found)
        if progress.steps or names != self.checkpoints:
            with self.context.writing() as session:
                run = run_of_job(self.context, session)
                if progress.steps:
                    operations.note_progress(session, run, progress.steps[-1])
                operations.note_checkpoints(session, run, found)
            self.checkpoints = names
        self.offset = progress.offset
        if progress.steps:
            last = progress.steps[-1]
            self.context.progress(last["step"], last["steps"], "steps", f"loss {last['loss']:.3f}")
        self._hear()

    def _hear(self) -> None:
        with self.context.reading() as session:
            stopping = run_of_job(self.context, session).state is RunState.STOPPING
        if (stopping or self.context.cancel_requested.is_set()) and self.stop_asked_at is None:
            self.stop_asked_at = time.monotonic()
            request_stop(self.folder.path)

    def _alive(self) -> bool:
        if self.child is not None and self.child.poll() is None:
            return True
        return trainer_process(self.folder.path) is not None

    def _insist(self) -> None:
        """End a trainer by force that does not heed a stop within its time."""
        asked = self.stop_asked_at
        if asked is not None and time.monotonic() - asked > self.context.settings.stop_grace_seconds:
            processes.end_all(self.token, grace=5)

    def _start(self) -> None:
        if self.stop_asked_at is not None:
            raise Cancelled
        self._count_death()
        with self.context.writing() as session:  # refused to a worker that lost its lease and does not know it yet
            operations.note_launch(session, run_of_job(self.context, session))
        # What a dead worker had just started has no name in the folder yet, and helpers may outlive a trainer.
        processes.end_all(self.token, grace=0)
        self.child = processes.start(
            "training.sft",
            str(self.folder.path),
            token=self.token,
            settings=self.context.settings,
            output=self.folder.log,
        )

    def _count_death(self) -> None:
        steps = read_progress(self.folder.path).steps
        reached = steps[-1]["step"] if steps else 0
        self.deaths = 0 if reached > self.furthest else self.deaths + 1
        self.furthest = max(self.furthest, reached)
        if self.deaths >= MOST_DEATHS:
            killed = self.child is not None and self.child.returncode == -signal.SIGKILL
            words = KILLED if killed else f"Its last words: {last_words(self.folder.log) or 'none'}"
            raise TrainerDied(times=self.deaths, words=words)

    def _end(self, result: dict[str, Any]) -> None:
        self._look()
        with self.context.writing() as session:
            operations.end_run(session, run_of_job(self.context, session), result)
        if result["state"] == "stopped":
            raise Cancelled
        if result["state"] == "failed":
            raise Refusal(str(result.get("message") or "The trainer failed; its log says why."))
