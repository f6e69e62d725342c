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
    if "attribution" in extra:
        return dict(extra["attribution"])  # an export of our own, which says it in full
    known = {
        "author": origin.author,
        "author_url": origin.author_url,
        "url": origin.url,
        "site": origin.site,
        "date": date,
        **{key: extra.get(key) for key in OF_THE_QUESTION},
    }
    return {key: value for key, value in known.items() if value}


def credit_of_prompt(credit: Mapping[str, Any], *, answered: bool) -> dict[str, Any]:
    """What of a credit is left for the prompt alone, where somebody else writes the answer.

    `answered`: whether an answer came with the prompt. Then author and link are that answer's, and of the two only the
    link says where the prompt is from; else they are the prompt's own.
    """
    asked = {"question_url": credit.get("url")}
    if not answered:
        asked |= {"question_author": credit.get("author"), "question_author_url": credit.get("author_url")}
    asked |= {key: credit[key] for key in OF_THE_QUESTION if credit.get(key)}
    return {key: value for key, value in (asked | {"site": credit.get("site")}).items() if value}
