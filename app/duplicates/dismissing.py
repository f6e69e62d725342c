"""Two examples are said to be no duplicates by whoever writes one of them: the same decision as in the inbox of pairs.

A pair that no scan has found yet is written down for it, so that the next scan finds it decided.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.models import User
from app.duplicates import operations
from app.duplicates.models import DuplicatePair, On, Verdict
from app.duplicates.nearness import Near
from app.duplicates.texts import example_key, place
from app.examples.models import Example
from app.projects.models import Project
from app.sources.bulk import insert_ignoring


def dismiss(
    session: Session, actor: User, project: Project, example: Example, near: Near, reason: str = ""
) -> DuplicatePair:
    """Keep both an example and one whose prompt is near; both of a leak only for a reason, which stands with it.

    Raises LeakNeedsReason, DecidedOtherwise, and TestKeptOut for what this session's person may not read.
    """
    left, right = sorted((example_key(example.id), example_key(near.example_id)), key=place)
    values = {
        "project_id": project.id, "left_key": left, "right_key": right, "on": On.PROMPT, "method": near.method,
        "score": round(near.score, 6), "leak": near.leak, "verdict": Verdict.OPEN, "effect": {},
    }  # fmt: skip
    session.execute(insert_ignoring(session, DuplicatePair), [values])
    named = (DuplicatePair.project_id == project.id, DuplicatePair.on == On.PROMPT)
    pair = session.scalars(
        select(DuplicatePair).where(*named, DuplicatePair.left_key == left, DuplicatePair.right_key == right)
    ).one()
    pair.leak = pair.leak or near.leak
    if pair.leak and pair.verdict is Verdict.KEEP_BOTH and not pair.kept_because:
        operations.undo(session, actor, project, pair)  # it was decided about prompts of one split
    return operations.decide(session, actor, project, pair, Verdict.KEEP_BOTH, reason)
