"""The work of a publication: lay the files out, send them, commit them once, look whether all of them are there.

Guarantee: one commit, however often a worker dies over it. The repository is looked at before anything is sent, and a
commit names the one that it stands on, so of two that are made at once one is refused.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.datasets.canonical import version_id
from app.datasets.formats import Format
from app.datasets.manifest import SUMS
from app.datasets.models import Version
from app.datasets.operations import export_version
from app.datasets.publication.checking import Findings, compare
from app.datasets.publication.client import Refused, Trouble
from app.datasets.publication.files import Held, Sent, as_rows, differing, from_rows, hash_of, sent_files
from app.datasets.publication.hub import Hub, Landed, Remote, Upload, page_of
from app.datasets.publication.models import Publication, PublicationState, Visibility, Way
from app.datasets.publication.operations import token_for
from app.datasets.publication.preview import scratch
from app.datasets.verify import SUM_LINE
from app.db import now
from app.errors import Conflict, Gone, Refusal
from app.jobs.running import JobContext
from app.projects.models import Project
from app.web.words import plural

TELL_EVERY = 0.3
# Seconds after each failure that may pass; one more try than there are pauses.
PAUSES = (2, 4, 8, 15, 30, 60, 60)
# What the Hub may ask to wait before it is taken at its word that it will not answer.
LONGEST_WAIT = 600
LARGEST_SUMS = 10_000_000
Done = TypeVar("Done")


class NotPublished(Refusal):
    """{version} was not published to {repository}: {why}. {kept}"""  # noqa: D400 - the last field ends it


class NotCompared(Refusal):
    """{repository} could not be compared: {why}. What was found before stays; try again."""


class NotWhatWasShown(Conflict):
    """Handpicked would write these files otherwise now than when somebody looked at them; nothing was sent.

    Look at what will be sent once more, and publish that.
    """


class OtherVisibility(Refusal):
    """{repository} is {held} on the Hub, and this was to be {wanted}, so nothing was sent.

    Publish it as {held}, take another repository, or change that one at the Hub.
    """


NOTHING_SENT = "Nothing was committed there; what the Hub took in is not sent again. The version is as it was."
NOT_KNOWN = "Whether its commit came through is not known: publish it again, which finds it if it did."


@dataclass(frozen=True)
class Task:
    """A publication as its work needs it."""

    reference: str
    version: str
    sha256: str
    rows: int
    repository: str
    endpoint: str
    private: bool
    pull_request: bool
    mark: str
    shown: str | None

    @property
    def title(self) -> str:
        """Of the commit, and of the pull request."""
        return f"{self.reference}: {plural(self.rows, 'example')}, frozen with Handpicked"

    def description(self, files: tuple[Sent, ...]) -> str:
        """What stands below it; the mark is how a second worker knows that nothing is left to do."""
        return (
            f"Identity: {version_id(self.sha256)}\nFiles: sha256:{hash_of(files)}\nPublication: {self.mark}\n\n"
            f"`handpicked verify . --id {version_id(self.sha256)}` proves a copy."
        )


def publish(context: JobContext) -> None:
    """Do one publication; a restart finds what there is of it and goes on."""
    publication, version, project = _rows(context)
    task = Task(
        f"{project.slug}@{version.name}", version.name, version.sha256, version.row_count, publication.repository,
        publication.endpoint, publication.visibility is Visibility.PRIVATE, publication.way is Way.PULL_REQUEST,
        publication.mark, publication.shown,
    )  # fmt: skip
    hub = _hub(context, publication, project)
    if publication.state is not PublicationState.PUBLISHED:
        with scratch(context.settings) as folder:
            files = _laid_out(context, version, Format(publication.format), folder)
            _note_files(context, task, files)
            landed = _Sending(context, hub, task, folder, files).to_the_end()
        with context.writing() as session:
            _note_landed(session, context.args["publication_id"], version, landed)
    context.heeds_cancel = False  # it is there: what is left is to look at it
    context.progress(0, 0, note="looking whether all of it is there")
    found = _found(context, hub)
    words = found.words if found else "Published; the Hub could not be asked yet whether all of it is there."
    context.progress(0, 0, note=words)


def check(context: JobContext) -> None:
    """Compare what the Hub holds with what was sent; a restart looks again."""
    publication, _, project = _rows(context)
    hub = _hub(context, publication, project)
    try:
        found = _patiently(context, lambda: _compared(context, hub))
    except (Refused, Trouble) as no:
        raise NotCompared(repository=publication.repository, why=no) from None
    context.progress(0, 0, note=found.words)


def _rows(context: JobContext) -> tuple[Publication, Version, Project]:
    with context.reading() as session:
        publication = session.get(Publication, context.args["publication_id"])
        if publication is None:
            raise Gone
        version = session.get_one(Version, publication.version_id)
        return publication, version, session.get_one(Project, version.project_id)


def _hub(context: JobContext, publication: Publication, project: Project) -> Hub:
    with context.reading() as session:
        token = token_for(session, context.settings, project)
    return Hub(publication.endpoint, publication.repository, token.value, token.source)


def _laid_out(context: JobContext, version: Version, form: Format, folder: Path) -> tuple[Sent, ...]:
    context.progress(0, 0, note="writing the files")
    with context.reading() as session:
        export_version(session, version, form, folder)
    return sent_files(folder)


def _note_files(context: JobContext, task: Task, files: tuple[Sent, ...]) -> None:
    """Keep the list; refuse to send another than was confirmed."""
    if task.shown is not None and task.shown != hash_of(files):
        raise NotWhatWasShown
    with context.writing() as session:
        publication = session.get_one(Publication, context.args["publication_id"])
        publication.files, publication.shown = as_rows(files), hash_of(files)


def _note_landed(session: Session, publication_id: int, version: Version, landed: Landed) -> None:
    publication = session.get_one(Publication, publication_id)
    publication.state, publication.published_at, publication.error = PublicationState.PUBLISHED, now(), None
    publication.revision, publication.pull_request = landed.revision, landed.pull_request
    publication.url = page_of(publication.endpoint, publication.repository, landed)
    actor = session.get(User, publication.created_by) if publication.created_by else None
    record(
        session, actor, "version is published", f"version:{version.name}", project_id=version.project_id,
        repository=publication.repository, revision=landed.revision, pull_request=landed.pull_request,
        url=publication.url,
    )  # fmt: skip


def _found(context: JobContext, hub: Hub) -> Findings | None:
    try:
        return _compared(context, hub)
    except (Refused, Trouble):
        return None


def _compared(context: JobContext, hub: Hub) -> Findings:
    publication, version, _ = _rows(context)
    landed = Landed(str(publication.revision), publication.pull_request)
    found = compare(hub, landed, from_rows(publication.files or ()), version.sha256, context.check)
    with context.writing() as session:
        kept = session.get_one(Publication, publication.id)
        kept.checked_at, kept.holds, kept.found = now(), found.holds, found.words
        kept.problems = list(found.problems)
    return found


def _patiently(context: JobContext, work: Callable[[], Done]) -> Done:
    """Do it again after each trouble that may pass; raises Refused, and the last Trouble."""
    for pause in PAUSES:
        try:
            return work()
        except Trouble as trouble:
            seconds = pause if trouble.seconds is None else trouble.seconds
            if seconds > LONGEST_WAIT:
                raise Trouble(f"{trouble}; it asks to wait {seconds:,} seconds") from None
            _wait(context, seconds, str(trouble))
    return work()


def _wait(context: JobContext, seconds: int, why: str) -> None:
    context.progress(0, 0, note=f"{why}; tries again in {plural(max(1, seconds), 'second')}")
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        context.go_on()
        threading.Event().wait(min(0.5, left))


class _Sending:
    """One publication on its way."""

    def __init__(self, context: JobContext, hub: Hub, task: Task, folder: Path, files: tuple[Sent, ...]) -> None:
        self._context, self._hub, self._task, self._folder, self._files = context, hub, task, folder, files
        self._total = sum(one.bytes for one in files)
        self._told = 0.0
        self._asked_to_commit = False

    def to_the_end(self) -> Landed:
        """Try until it is there. Raises NotPublished with what was kept and what to do."""
        task = self._task
        try:
            return _patiently(self._context, self._once)
        except (Refused, Trouble) as no:
            kept = NOT_KNOWN if self._asked_to_commit and isinstance(no, Trouble) else NOTHING_SENT
            raise NotPublished(version=task.version, repository=task.repository, why=no, kept=kept) from None

    def _once(self) -> Landed:
        self._context.progress(0, self._total // 1000, "kB", "looking at the repository")
        remote = self._repository()
        there = self._hub.files(remote.head) if remote.head else {}
        landed = self._landed(remote, there or {})
        # From a commit on nobody can stop it; where a try is known to have committed nothing, somebody can again.
        self._context.heeds_cancel, self._asked_to_commit = landed is None, False
        self._context.check()
        return landed or self._sent(remote, there or {})

    def _repository(self) -> Remote:
        """The repository, made if it is not there. Raises OtherVisibility."""
        remote = self._hub.look()
        if remote is None:
            self._hub.create(private=self._task.private)
            remote = self._hub.look()
        if remote is None:
            raise Refused(f"{self._task.repository} was made, and the Hub does not show it")
        if remote.private != self._task.private:
            held, wanted = ("private", "public") if remote.private else ("public", "private")
            raise OtherVisibility(repository=self._task.repository, held=held, wanted=wanted)
        return remote

    def _landed(self, remote: Remote, there: dict[str, Held]) -> Landed | None:
        """Where it is already, by an earlier worker, or because somebody sent the same files before."""
        own = self._hub.commit_with(self._task.mark) if remote.head else None
        if own is not None:
            return Landed(own)
        if not differing(self._files, there):
            return Landed(remote.head)
        return self._hub.proposal_with(self._task.title, self._files) if self._task.pull_request else None

    def _sent(self, remote: Remote, there: dict[str, Held]) -> Landed:
        task = self._task
        stale = self._stale(remote, there)
        with Upload(self._hub, self._folder, self._files, self._tell) as upload:
            upload.send(pull_request=task.pull_request)
            self._context.go_on()
            # The last moment to stop, and a look whether another worker has this now.
            self._context.progress(self._total // 1000, self._total // 1000, "kB", "committing")
            self._context.check()
            self._context.heeds_cancel, self._asked_to_commit = False, True
            return upload.land(
                task.title, task.description(self._files), parent=remote.head, removed=stale,
                pull_request=task.pull_request,
            )  # fmt: skip

    def _stale(self, remote: Remote, there: dict[str, Held]) -> list[str]:
        """Files of an earlier version that this one has not; whatever else people put there stays."""
        if SUMS not in there:
            return []
        text = self._hub.text(SUMS, remote.head, LARGEST_SUMS).decode("utf-8", "replace")
        ours = {path for _, path in SUM_LINE.findall(text)} & set(there)
        return sorted(ours - {one.path for one in self._files})

    def _tell(self, path: str, done: int) -> None:
        self._context.go_on()
        if time.monotonic() - self._told >= TELL_EVERY:
            self._told = time.monotonic()
            self._context.progress(min(done, self._total) // 1000, self._total // 1000, "kB", f"sending {path}")
