"""What several verdicts on one revision come to."""

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from app.reviews.models import Review, ReviewVerdict

# Of two different verdicts the stricter one counts.
STRICTNESS = (ReviewVerdict.APPROVED, ReviewVerdict.RETURNED, ReviewVerdict.REJECTED)


def stricter(one: ReviewVerdict, other: ReviewVerdict) -> ReviewVerdict:
    """The verdict that counts where two second persons differ."""
    return max(one, other, key=STRICTNESS.index)


def standing(newest_first: Sequence[Review]) -> list[Review]:
    """The verdicts that nobody has taken back, the newest first; what takes one back is none itself."""
    taken_back: Counter[int | None] = Counter()
    found = []
    for review in newest_first:
        if review.verdict is ReviewVerdict.WITHDRAWN:
            taken_back[review.reviewer_id] += 1
        elif taken_back[review.reviewer_id]:
            taken_back[review.reviewer_id] -= 1
        else:
            found.append(review)
    return found


def waiting(newest_first: Sequence[Review], revision_number: int) -> list[Review]:
    """The verdicts on this revision that decided nothing yet and stand: they wait for another one."""
    stand = standing(newest_first)
    return list(takewhile(lambda one: one.outcome is None and one.revision_number == revision_number, stand))
