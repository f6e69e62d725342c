"""Approved examples for tests of versions."""

from typing import Any

from sqlalchemy.orm import Session

from app.accounts.models import User
from app.datasets.gate_models import GateSettings
from app.datasets.gates import GateState
from app.datasets.material_queries import material_of
from app.examples.models import Example, ExampleState, Revision
from app.projects.models import Project, Split
from app.reviews.models import Review, ReviewVerdict
from app.text.canonical import content_hash

LICENSED = {
    "author": "A. Baker",
    "author_url": "https://cooking.stackexchange.com/users/7",
    "url": "https://cooking.stackexchange.com/a/11",
    "site": "cooking.stackexchange.com",
    "date": "2016-03-04",
}


def dialogue(question: str, answer: str | None = "Slowly, and with butter.") -> list[dict[str, str]]:
    said = [{"role": "user", "content": question}]
    return said + ([{"role": "assistant", "content": answer}] if answer is not None else [])


def reasons_for(session: Session, project: Project, words: str = "a trial") -> dict[str, str]:
    """A reason for each gate that blocks: what does not block is not overridden."""
    return {gate.gate: words for gate in material_of(session, project).gates if gate.state is GateState.BLOCK}


def approve(
    session: Session,
    project: Project,
    writer: User | None,
    reviewer: User | None,
    messages: list[dict[str, str]],
    *,
    split: Split = Split.TRAIN,
    source: str = "stackexchange_other",
    licence: str | None = "CC BY-SA 3.0",
    attribution: dict[str, Any] | None = None,
    verdict: ReviewVerdict = ReviewVerdict.APPROVED,
    words: str = "",
) -> Example:
    """An example approved by a second person."""
    example = Example(
        project_id=project.id, split=split, source=source, state=ExampleState.APPROVED, revision_number=1,
        approved_number=1, licence=licence, attribution=LICENSED if attribution is None else attribution,
        created_by=writer.id if writer else None,
    )  # fmt: skip
    session.add(example)
    session.flush()
    add_revision(session, example, writer, messages)
    reviewer_id = reviewer.id if reviewer else None
    session.add(Review(example_id=example.id, revision_number=1, reviewer_id=reviewer_id, verdict=verdict, words=words))
    session.flush()
    return example


def add_revision(
    session: Session, example: Example, writer: User | None, messages: list[dict[str, str]], number: int = 1
) -> Revision:
    revision = Revision(
        example_id=example.id, number=number, messages=messages, title=messages[0]["content"][:200],
        content_hash=content_hash(messages), author_id=writer.id if writer else None,
    )  # fmt: skip
    session.add(revision)
    session.flush()
    return revision


# The fixed set whose id is pinned: every script, a dialogue, a system message, prompts without a response, twins.
FIXED: list[dict[str, Any]] = [
    {"messages": dialogue("How do I keep rice from sticking?")},
    {
        "messages": dialogue("Wie koche ich Spätzle? 🍜", "Mit „viel“ Wasser.\n\n1. Salzen\n2. Schaben"),
        "licence": "CC BY-SA 4.0",
    },
    {
        "messages": [
            {"role": "system", "content": "Answer in one line."},
            *dialogue("What is a roux?", "Flour and fat."),
            *dialogue("And a blond one?", "The same, cooked longer."),
        ],
        "source": "authors",
        "licence": None,
        "attribution": {},
    },
    {"messages": dialogue("A twin", "The same words."), "source": "authors", "licence": None, "attribution": {}},
    {"messages": dialogue("A twin", "The same words."), "source": "authors", "licence": None, "attribution": {}},
    {
        "messages": dialogue("Write a poem about leeks.", None),
        "split": Split.TEST,
        "source": "authors_b",
        "attribution": {},
    },
    {"messages": dialogue("Name three cheeses.", None), "split": Split.DEV, "source": "authors", "attribution": {}},
]


def only_warn(session: Session, project: Project, *names: str) -> None:
    """What these gates find holds no freeze up: the fixed set has rows without a licence on purpose."""
    session.merge(GateSettings(project_id=project.id, policies=dict.fromkeys(names, "warn"), style_rules=[]))
    session.flush()


def fixed_set(session: Session, project: Project, writer: User, reviewer: User, *, backwards: bool = False) -> None:
    only_warn(session, project, "licences")
    for row in reversed(FIXED) if backwards else FIXED:
        approve(session, project, writer, reviewer, **row)
