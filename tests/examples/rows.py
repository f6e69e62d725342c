"""Candidates and examples for tests, made as the product makes them."""

from typing import Any

from sqlalchemy.orm import Session

from app.accounts.models import User
from app.db import now
from app.examples import operations
from app.examples.models import Example
from app.projects.models import Project
from app.sources.models import Candidate, ImportRun, ImportState, Into
from app.text.canonical import content_hash


def pair(prompt: str = "How deep do roots go?", response: str = "Most stay in the top metre.") -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]


def example(session: Session, actor: User, project: Project, prompt: str = "", **more: Any) -> Example:
    messages = more.pop("messages", None) or pair(prompt or "How deep do roots go?")
    more = {"split": "train", "source": "wikihow", **more}
    return operations.create_example(session, actor, project, messages=messages, **more)


def submitted(session: Session, actor: User, project: Project, prompt: str = "", **more: Any) -> Example:
    made = example(session, actor, project, prompt, **more)
    operations.submit_example(session, actor, made)
    return made


def import_run(session: Session, project: Project, state: ImportState = ImportState.PUBLISHED) -> ImportRun:
    run = ImportRun(
        project_id=project.id, name="dump", path="", format="stackexchange", site="", into=Into.POOL, ruleset={},
        ruleset_hash="", state=state,
    )  # fmt: skip
    session.add(run)
    session.flush()
    return run


def candidate(session: Session, project: Project, run: ImportRun, number: int = 1, **more: Any) -> Candidate:
    title = more.pop("title", f"Question {number}?")
    messages = pair(title, f"Answer {number} says why.")
    values = {
        "project_id": project.id, "import_run_id": run.id, "site": "cooking.example.org", "external_id": str(number),
        "source": "stackexchange_other", "title": title, "messages": messages, "score": 10 + number,
        "author": "A. Writer", "author_url": "https://example.org/u/1", "url": f"https://example.org/a/{number}",
        "licence": "CC BY-SA 4.0", "posted_at": now(), "content_hash": content_hash(messages),
    }  # fmt: skip
    made = Candidate(**{**values, **more})
    session.add(made)
    session.flush()
    return made
