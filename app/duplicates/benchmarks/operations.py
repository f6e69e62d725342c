"""What changes lists of benchmark prompts, and what is decided about examples that are near to one."""

import re
from collections.abc import Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.db import now
from app.duplicates.benchmarks import queries
from app.duplicates.benchmarks.models import (
    BenchmarkCheck,
    BenchmarkList,
    BenchmarkMatch,
    BenchmarkPrompt,
    MatchVerdict,
)
from app.duplicates.benchmarks.reading import Brought
from app.duplicates.sides import Side, locked_texts, put_back, take_out
from app.duplicates.texts import example_key
from app.errors import Conflict, NotFound, Refusal
from app.jobs.models import Job, JobState
from app.jobs.operations import enqueue
from app.jobs.queries import LIVE
from app.projects.limits import require_open
from app.projects.models import Project
from app.text.wellformed import require_wellformed

KIND = "compare_with_benchmarks"
# In a sentence of a card it is no mark and no link, whoever wrote it.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}[A-Za-z0-9]|[A-Za-z0-9]")
LONGEST_LICENCE, LONGEST_URL, LONGEST_REASON = 200, 1000, 1000


class BadListName(Refusal):
    """A list's name has 1 to 64 letters, digits, blanks, dots, dashes and underscores; nothing was kept."""


class BadListUrl(Refusal):
    """The address of a list begins with http:// or https:// and has at most 1,000 characters; nothing was kept."""


class BadListLicence(Refusal):
    """A licence has at most 200 characters; nothing was kept."""


class ListNameTaken(Conflict):
    """There is a list {name} already; nothing was kept. Remove it first, or choose another name."""


class SameFile(Conflict):
    """This file is the list {name} already, byte for byte; nothing was kept."""


class StaysForAReason(Refusal):
    """Say why it may stay although a benchmark asks the same, in at most 1,000 characters; nothing was decided."""


class AlreadySettled(Conflict):
    """This was settled in the meantime ({verdict}); that decision stands. Undo it first to decide anew."""


def add_list(
    session: Session, actor: User, project: Project, brought: Brought, *, name: str, licence: str = "", url: str = ""
) -> tuple[BenchmarkList, Job]:
    """Name a file's prompts as a benchmark; a job compares every example with them.

    Raises BadListName, BadListLicence, BadListUrl, ListNameTaken, SameFile; then nothing is kept.
    """
    require_open(project)
    checked = _about(name, licence, url)
    for one in session.scalars(queries.lists_of(project.id)):
        if one.name.casefold() == checked["name"].casefold():
            raise ListNameTaken(name=one.name)
        if one.sha256 == brought.sha256:
            raise SameFile(name=one.name)
    added = BenchmarkList(
        project_id=project.id, file_name=brought.file_name[:200], sha256=brought.sha256, records=brought.records,
        prompts=len(brought.prompts), created_by=actor.id, **checked,
    )  # fmt: skip
    session.add(added)
    session.flush()
    here = {"project_id": project.id, "list_id": added.id}
    session.execute(insert(BenchmarkPrompt), [here | {"line": line, "text": text} for line, text in brought.prompts])
    # Whatever was compared was not compared with these.
    session.execute(delete(BenchmarkCheck).where(BenchmarkCheck.project_id == project.id))
    _trail(session, actor, "add benchmark list", added)
    return added, start_comparing(session, actor, project)


def _about(name: str, licence: str, url: str) -> dict[str, str]:
    name, licence, url = (" ".join(require_wellformed(words).split()) for words in (name, licence, url))
    if not NAME.fullmatch(name):
        raise BadListName
    if len(licence) > LONGEST_LICENCE:
        raise BadListLicence
    if url and (not url.lower().startswith(("https://", "http://")) or len(url) > LONGEST_URL):
        raise BadListUrl
    return {"name": name, "licence": licence, "url": url}


def remove_list(session: Session, actor: User, project: Project, benchmark: BenchmarkList) -> None:
    """Take a list away with its prompts and all that was found near to them; the trail keeps its name and hash."""
    require_open(project)
    _trail(session, actor, "remove benchmark list", benchmark)
    session.delete(benchmark)
    session.flush()


def _trail(session: Session, actor: User, action: str, benchmark: BenchmarkList) -> None:
    detail = {name: getattr(benchmark, name) for name in ("name", "file_name", "sha256", "prompts", "licence", "url")}
    subject = f"benchmark_list:{benchmark.id}"
    record(session, actor, action, subject, project_id=benchmark.project_id, **detail)


def start_comparing(session: Session, actor: User, project: Project) -> Job:
    """Have what is new compared with the project's lists; where that waits to begin, what waits.

    What is under way already has read the lists and examples as they were.
    """
    require_open(project)
    waiting = _job(session, project.id, (JobState.QUEUED,))
    title = "Compare with benchmark prompts"
    return waiting or enqueue(session, actor, KIND, title=title, project_id=project.id, project=project.id)


def live_comparing(session: Session, project_id: int) -> Job | None:
    """The project's job that compares, if one waits or is under way."""
    return _job(session, project_id, LIVE)


def _job(session: Session, project_id: int, states: Sequence[JobState]) -> Job | None:
    here = (Job.kind == KIND, Job.project_id == project_id, Job.state.in_(states))
    return session.scalars(select(Job).where(*here).order_by(Job.id).limit(1)).first()


def settle(
    session: Session, actor: User, project: Project, match: BenchmarkMatch, verdict: MatchVerdict, reason: str = ""
) -> BenchmarkMatch:
    """Reject the example, which an undo puts back, or say why it may stay, which gate, manifest and card print.

    Deciding the same again changes nothing. Raises StaysForAReason, AlreadySettled, NotFound.
    """
    require_open(project)
    why = " ".join(require_wellformed(reason).split())
    if verdict is MatchVerdict.OPEN:
        raise Refusal("Open is no decision; undo a decision to open a match again.")
    if len(why) > LONGEST_REASON or (verdict is MatchVerdict.STAYS and not why):
        raise StaysForAReason
    side, held = _held(session, project, match)
    if held.verdict is verdict and held.reason == why:
        return held
    if held.verdict is not MatchVerdict.OPEN:
        raise AlreadySettled(verdict=held.verdict.value)
    held.effect = take_out(side, f"near a prompt of {held.benchmark.name}") if verdict is MatchVerdict.REJECTED else {}
    held.verdict, held.reason, held.decided_by, held.decided_at = verdict, why, actor.id, now()
    _record(session, actor, "settle benchmark match", held)
    return held


def undo(session: Session, actor: User, project: Project, match: BenchmarkMatch) -> BenchmarkMatch:
    """Open a match again and put exactly that back which its decision changed; an open one stays as it is."""
    require_open(project)
    side, held = _held(session, project, match)
    if held.verdict is MatchVerdict.OPEN:
        return held
    _record(session, actor, "undo benchmark decision", held)
    put_back([side], held.effect)
    held.verdict, held.reason, held.effect, held.decided_by, held.decided_at = MatchVerdict.OPEN, "", {}, None, None
    session.flush()
    return held


def _held(session: Session, project: Project, match: BenchmarkMatch) -> tuple[Side, BenchmarkMatch]:
    """The example and the match as they are now, held so that two who decide at once come one after the other.

    The example first, as whoever compares holds them.
    """
    key = example_key(match.example_id)
    side = locked_texts(session, project.id, [key])[key]
    query = queries.match_in(project.id, match.id).execution_options(populate_existing=True)
    held = session.scalar(query.with_for_update(of=BenchmarkMatch))
    if held is None:
        raise NotFound("This is not near to a benchmark any more, so there is nothing to settle; nothing was changed.")
    return side, held


def _record(session: Session, actor: User, action: str, match: BenchmarkMatch) -> None:
    session.flush()
    detail = {"verdict": match.verdict.value, "example": match.example_id, "list": match.benchmark.name}
    detail |= {"reason": match.reason} if match.reason else {}
    record(session, actor, action, f"benchmark_match:{match.id}", project_id=match.project_id, **detail)
