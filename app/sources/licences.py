"""Licences of Stack Exchange content, and the attribution they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from app.text.licences import licence_of

_VERSIONS = ((date(2011, 4, 8), "2.5"), (date(2018, 5, 2), "3.0"))


@dataclass(frozen=True)
class Attribution:
    """What must stand beside a reused answer: who, where, under which licence."""

    sentence: str
    question_url: str | None
    answer_url: str | None
    author: str | None
    author_url: str | None
    licence: str | None
    licence_url: str | None


def stackexchange_licence(posted: date | datetime, stated: str | None = None) -> str:
    """Give a post's licence: the one its row states, else the one of its date of contribution.

    CC BY-SA 2.5 before 2011-04-08, 3.0 before 2018-05-02, 4.0 from then on.
    """
    if stated and stated.strip():
        return stated.strip()
    day = posted.date() if isinstance(posted, datetime) else posted
    version = next((version for end, version in _VERSIONS if day < end), "4.0")
    return f"CC BY-SA {version}"


def licence_url(licence: str | None) -> str | None:
    """Give the address of a licence's text, however its name is written, if it is one that is well known."""
    return licence_of(licence).url if licence else None


def question_url(site: str, question: int | str) -> str:
    """Give the permanent link of a question."""
    return f"https://{site}/questions/{question}"


def answer_url(site: str, answer: int | str) -> str:
    """Give the permanent link of an answer."""
    return f"https://{site}/a/{answer}"


def user_url(site: str, user: int | str | None) -> str | None:
    """Give the link of a profile, None for an author without one."""
    return None if user is None else f"https://{site}/users/{user}"


def attribution(
    *,
    site: str,
    title: str | None,
    question: str | None,
    url: str | None,
    author: str | None,
    author_url: str | None,
    licence: str | None,
) -> Attribution:
    """Give the attribution of one record, as links and as one sentence."""
    name = author or (author_url and "the author named at the link") or "an author who is not named"
    where = f" on {site}" if site else ""
    what = f'"{title}"' if title else "This text"
    under = f", under {licence}" if licence else ", licence unknown"
    return Attribution(
        sentence=f"{what}, answered by {name}{where}{under}.",
        question_url=question_url(site, question) if question else None,
        answer_url=url,
        author=author,
        author_url=author_url,
        licence=licence,
        licence_url=licence_url(licence),
    )
