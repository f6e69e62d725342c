"""A prompt of group B is not saved where it says the same as a train prompt: it would be tested on what was trained on.

The same means word for word, or nearly so (nearness.WORDING): no model has a part in it, so nothing is ever under way.
What is alike in meaning only is told beside the desk and left to whoever writes.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.duplicates.dismissing import dismiss
from app.duplicates.encoding import lately_stale
from app.duplicates.lexical import PARTS, guessed, signature
from app.duplicates.means import Asking
from app.duplicates.models import ExampleText, Method
from app.duplicates.nearness import (
    GUESS,
    WORDING,
    Draft,
    Prompt,
    all_near,
    belongs_together,
    likeness,
    rows_of,
    settled,
)
from app.duplicates.operations import LeakNeedsReason
from app.errors import Refusal
from app.examples.messages import Message
from app.examples.models import Example
from app.examples.saving import Dismissals, looks_at_prompts
from app.projects.models import AuthorGroup, Project, Split
from app.text.dialogue import prompt_of


class TrainedOn(Refusal):
    """No prompt of group B may be trained on as well, and example {number} trains on {how}. Nothing was saved.

    Ask something else, or say beside the prompt why both may stay.
    """


@looks_at_prompts
def look(session: Session, actor: User, example: Example, words: Sequence[Message], dismissals: Dismissals) -> None:
    """Settle what the writer said is no duplicate; then refuse a prompt of group B that is a train prompt already."""
    draft = Draft(prompt_of(words), example.split.value, example.id)
    if dismissals:
        _settle(session, actor, example, draft, dismissals)
    if example.author_group is not AuthorGroup.B or not draft.prompt.strip():
        return
    allowed = settled(session, example.project_id, draft)
    for row, how in _same(session, example, draft):
        if not allowed.get(row.id):
            raise TrainedOn(how=how, number=row.id)


def _settle(session: Session, actor: User, example: Example, draft: Draft, dismissals: Dismissals) -> None:
    project = session.get_one(Project, example.project_id)
    for one in all_near(session, Asking.within(session), example.project_id, draft, list(dismissals))[0]:
        if not one.kept_out:
            # A leak without a reason stays open: the saved example's desk asks for one.
            with suppress(LeakNeedsReason):
                dismiss(session, actor, project, example, one, dismissals[one.example_id])


def _same(session: Session, example: Example, draft: Draft) -> Iterator[tuple[Any, str]]:
    ours = Prompt(draft.prompt, None)
    for row in rows_of(session, example.project_id, _candidates(session, example.project_id, draft.prompt)):
        if row.split is Split.TRAIN and not belongs_together(row, example, draft):
            method, _, counts = likeness(ours, prompt_of(row.messages), None, 1.0)
            if counts:
                yield row, "the same words" if method is Method.EXACT else "nearly the same words"


def _candidates(session: Session, project_id: int, prompt: str) -> list[int]:
    """The train prompts whose wording may be the same, and those of which no signature is kept yet."""
    kept = select(ExampleText.example_id, ExampleText.prompt_signature).join(
        Example, Example.id == ExampleText.example_id
    )
    rows = session.execute(kept.where(ExampleText.project_id == project_id, Example.split == Split.TRAIN)).all()
    found = set(session.scalars(lately_stale(project_id)))
    if rows:
        signatures = np.frombuffer(b"".join(row.prompt_signature for row in rows), dtype="<u4").reshape(-1, PARTS)
        likely = guessed(signatures, signature(prompt)) >= WORDING - GUESS
        found |= {row.example_id for row, may_be in zip(rows, likely, strict=True) if may_be}
    return sorted(found)
