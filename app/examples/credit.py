"""Who is to be credited for the words that a candidate or an import brought."""

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from app.sources.models import Candidate
from app.sources.records import Record

# A question has a writer of its own, and its words are the prompt.
OF_THE_QUESTION = ("question_url", "question_author", "question_author_url", "question_licence")


def attribution_of(origin: Candidate | Record) -> dict[str, Any]:
    """What giving credit needs: author, author_url, url, site, date and the question's own, as far as known."""
    date = origin.posted_at.astimezone(UTC).date().isoformat() if origin.posted_at else None
    extra: Mapping[str, Any] = origin.extra
    known = {
        "author": origin.author,
        "author_url": origin.author_url,
        "url": origin.url,
        "site": origin.site,
        "date": date,
        **{key: extra.get(key) for key in OF_THE_QUESTION},
    }
    return {key: value for key, value in known.items() if value}
