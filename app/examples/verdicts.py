"""How a verdict moves an example, in one statement that looks and writes."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.db import now
from app.examples.models import Example, ExampleState, Revision


def record_verdict(
    session: Session,
    example: Example,
    state: ExampleState,
    revision_number: int,
    *,
    judge: User | None = None,
    words: str = "",
) -> bool:
    """Move a reviewed example to `state`, if it is in review at that revision; False if it is not any more.

    One statement checks and writes, so of two reviewers exactly one moves it.
    """
    values: dict[str, Any] = {"state": state, "changed_at": now(), "verdict_words": words, "verdict_at": now()}
    values["verdict_by"] = judge.id if judge else None
    if state is ExampleState.APPROVED:
        values["approved_number"] = revision_number
    waiting = (Example.state == ExampleState.REVIEW, Example.revision_number == revision_number)
    moved = session.execute(
        update(Example)
        .where(Example.id == example.id, *waiting)
        .values(values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(example)
    return bool(moved.rowcount == 1)  # type: ignore[attr-defined]


def withdraw_verdict(
    session: Session, example: Example, state: ExampleState, revision_number: int, approved_before: int | None
) -> bool:
    """Put a judged example back into review, if nothing happened since; `approved_before` is what stood approved.

    It takes its place in the queue again: its newest words wait since they were written.
    """
    head = select(Revision.created_at).where(Revision.example_id == example.id, Revision.number == revision_number)
    values = {"state": ExampleState.REVIEW, "changed_at": head.scalar_subquery(), "approved_number": approved_before}
    unchanged = (Example.state == state, Example.revision_number == revision_number)
    moved = session.execute(
        update(Example)
        .where(Example.id == example.id, *unchanged)
        .values(values | {"verdict_words": "", "verdict_by": None})
        .execution_options(synchronize_session=False)
    )
    session.refresh(example)
    return bool(moved.rowcount == 1)  # type: ignore[attr-defined]
