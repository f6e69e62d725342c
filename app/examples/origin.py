"""The post that an example came from, with its credit and how much of it was changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.examples.credit import FORMS, called
from app.examples.labels import diff_messages, shown_title, web_address
from app.examples.messages import Message
from app.examples.models import Example, Revision
from app.sources.models import Candidate, ImportRun
from app.text.counting import count_words


@dataclass(frozen=True)
class Origin:
    """The post that an example came from."""

    title: str
    messages: Sequence[Mapping[str, str]]
    url: str | None
    author: str | None
    author_url: str | None
    site: str | None
    licence: str | None
    changed: int | None


def origin_of(session: Session, example: Example, head: Revision) -> Origin | None:
    """Where an example came from; None where it was written from nothing."""
    candidate = session.get(Candidate, example.candidate_id) if example.candidate_id else None
    credit = example.attribution
    if candidate is None and not credit:
        return None
    author, site = credit.get("author"), credit.get("site")
    brought = candidate.import_run_id if candidate else example.import_run_id
    run = session.get(ImportRun, brought) if site in FORMS and brought else None
    return Origin(
        title=shown_title(candidate.title) if candidate else "",
        messages=candidate.messages if candidate else (),
        url=web_address(credit.get("url")),
        author=shown_title(author) if author else None,
        author_url=web_address(credit.get("author_url")),
        site=called(site, run),
        licence=example.licence,
        changed=_changed_share(candidate.messages, head.messages) if candidate else None,
    )


def _changed_share(old: Sequence[Message], new: Sequence[Message]) -> int:
    """How much of the new words is not in the old ones, in percent."""
    kept = added = 0
    for diff in diff_messages(old, new):
        kept += sum(count_words(change.text) for change in diff.changes if change.kind == "equal")
        added += sum(count_words(change.text) for change in diff.changes if change.kind == "insert")
    return round(100 * added / max(1, kept + added))
