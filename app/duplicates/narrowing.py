"""Pairs narrowed by their score, without telling how near a prompt is that is kept out of sight."""

from sqlalchemy import ColumnElement, String, case, cast, literal, or_, select, union_all
from sqlalchemy.orm import Session

from app.duplicates.models import DuplicatePair
from app.duplicates.texts import Kind
from app.examples.sight import hidden_candidates, hidden_from, kept_person

# Scores are kept to six digits, so a threshold that is written with two must not miss them by a hair.
HAIR = 1e-6


def told_score(session: Session) -> ColumnElement[float]:
    """The score by which pairs are narrowed; 1 for one with a test prompt that this session's person may not read.

    So no threshold finds out how near a hidden prompt is.
    """
    person = kept_person(session)
    if person is None:
        return DuplicatePair.score.expression
    tests, candidates = hidden_from(person).subquery(), hidden_candidates(person).subquery()
    hidden = union_all(
        select(literal(f"{Kind.EXAMPLE}:").concat(cast(tests.c.id, String))),
        select(literal(f"{Kind.CANDIDATE}:").concat(candidates.c.site).concat("/").concat(candidates.c.external_id)),
    )
    member = or_(DuplicatePair.left_key.in_(hidden), DuplicatePair.right_key.in_(hidden))
    return case((member, 1.0), else_=DuplicatePair.score)


def at_least(session: Session, threshold: float) -> ColumnElement[bool]:
    """Pairs that reach a threshold."""
    return told_score(session) >= threshold - HAIR
