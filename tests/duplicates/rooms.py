"""Candidates, examples and pairs for the tests of duplicates."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.db import Database
from app.duplicates import operations, queries
from app.duplicates.models import DuplicatePair, DuplicateScan, Method, On, Verdict
from app.examples import operations as examples
from app.examples.models import Example
from app.jobs.models import Job, JobState
from app.jobs.running import run_now
from app.projects.models import Split
from app.sources.models import Candidate, ImportRun, ImportState, Into
from app.text.canonical import content_hash
from tests.factories import People

SITE = "cooking.example.org"
KETTLE = "How do I get rid of limescale in my electric kettle?"
KETTLE_AGAIN = "How can I get rid of the limescale in an electric kettle?"
GIT = "How do I undo the last commit but keep my changes?"
ANSWER = "Fill it with water and a spoonful of citric acid, wait for half an hour, and rinse it twice."
OTHER_ANSWER = "Reset softly to the commit before; your files stay as they are and are staged again."


def messages(prompt: str, response: str = "") -> list[dict[str, str]]:
    said = [{"role": "user", "content": prompt}]
    return [*said, {"role": "assistant", "content": response}] if response else said


def import_run(session: Session, people: People, state: ImportState = ImportState.PUBLISHED) -> ImportRun:
    run = ImportRun(
        project_id=people.project.id, name="dump", path="dump", format="stackexchange", site=SITE,
        into=Into.POOL, ruleset={}, ruleset_hash="", state=state,
    )  # fmt: skip
    session.add(run)
    session.flush()
    return run


def candidate(
    session: Session, run: ImportRun, name: str, prompt: str, response: str = ANSWER, *,
    thread: str | None = None, split: Split = Split.TRAIN, url: str | None = None,
) -> Candidate:  # fmt: skip
    said = messages(prompt, response)
    row = Candidate(
        project_id=run.project_id, import_run_id=run.id, site=SITE, external_id=name, thread_id=thread, split=split,
        title=prompt[:80], messages=said, score=12, author="Ada", author_url="https://example.org/ada",
        url=url or f"https://{SITE}/a/{name}", licence="CC BY-SA 4.0", content_hash=content_hash(said),
        source="stackexchange_other", published=run.state is ImportState.PUBLISHED,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def example(
    session: Session, people: People, prompt: str, response: str = ANSWER, split: Split = Split.TRAIN
) -> Example:
    return examples.create_example(
        session, people.annotator, people.project, split=split, source="authors", messages=messages(prompt, response)
    )


def scan(
    database: Database, settings, people: People, *, methods: Sequence[Method] = tuple(Method),
    on: On = On.PROMPT, threshold: float = 0.9, wording: float = operations.WORDING,
) -> DuplicateScan:  # fmt: skip
    with database.writing() as session:
        started = operations.start_scan(
            session, people.annotator, people.project, methods=methods, on=on, threshold=threshold, wording=wording
        )
    state = run_now(database, settings, started.job_id, "test")
    with database.reading() as session:
        assert state is JobState.SUCCEEDED, session.get_one(Job, started.job_id).error
        return session.get_one(DuplicateScan, started.id)


def pairs(database: Database, people: People) -> list[DuplicatePair]:
    with database.reading() as session:
        return list(session.scalars(queries.pairs_of(people.project.id)))


def keys(database: Database, people: People) -> list[tuple[str, str]]:
    short = f"candidate:{SITE}/"
    return [(row.left_key.removeprefix(short), row.right_key.removeprefix(short)) for row in pairs(database, people)]


def known_pair(
    session: Session, people: People, left: str, right: str, *, score: float = 0.95, leak: bool = False,
    verdict: Verdict = Verdict.OPEN, method: Method = Method.EMBEDDING, on: On = On.PROMPT,
) -> DuplicatePair:  # fmt: skip
    """A pair as a scan writes it."""
    look = session.scalar(queries.scans_of(people.project.id))
    if look is None:
        look = operations.start_scan(session, people.annotator, people.project, methods=[method], on=on, threshold=0.9)
        # That look is over: a worker of the house under test would find pairs of its own.
        session.get_one(Job, look.job_id).state = JobState.SUCCEEDED
    pair = DuplicatePair(
        project_id=people.project.id, scan_id=look.id, left_key=left, right_key=right, on=on, method=method,
        score=score, leak=leak, verdict=verdict, effect={},
    )  # fmt: skip
    session.add(pair)
    session.flush()
    return pair
