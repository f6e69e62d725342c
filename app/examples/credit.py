"""Who is to be credited for the words that a candidate brought."""

from datetime import UTC
from typing import Any

from app.sources.models import Candidate


def attribution_of(candidate: Candidate) -> dict[str, Any]:
    """What giving credit needs: author, author_url, url, site and date, as far as they are known."""
    date = candidate.posted_at.astimezone(UTC).date().isoformat() if candidate.posted_at else None
    known = {
        "author": candidate.author,
        "author_url": candidate.author_url,
        "url": candidate.url,
        "site": candidate.site,
        "date": date,
    }
    return {key: value for key, value in known.items() if value}
