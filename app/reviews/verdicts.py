"""What several verdicts on one revision come to."""

from collections import Counter
from collections.abc import Sequence

from app.reviews.models import Review, ReviewVerdict

# Of two different verdicts the stricter one counts.
STRICTNESS = (ReviewVerdict.APPROVED, ReviewVerdict.RETURNED, ReviewVerdict.REJECTED)


def stricter(one: ReviewVerdict, other: ReviewVerdict) -> ReviewVerdict:
    """The verdict that counts where two second persons differ."""
    return max(one, other, key=STRICTNESS.index)


def waiting(newest_first: Sequence[Review], revision_number: int) -> list[Review]:
    """The verdicts on this revision that decided nothing yet and were not taken back: they wait for another one."""
    taken_back: Counter[int | None] = Counter()
    found = []
    for review in newest_first:
        if review.verdict is ReviewVerdict.WITHDRAWN:
            taken_back[review.reviewer_id] += 1
        elif taken_back[review.reviewer_id]:
            taken_back[review.reviewer_id] -= 1
        elif review.outcome is not None or review.revision_number != revision_number:
            break
        else:
            found.append(review)
    return found
