"""Where words came from: what a model had said of an example when a revision was saved, and what of it stands there.

Each revision carries, for every suggestion that was answered by then, its number, kind and model, whether somebody
copied it by its button, and how many words of the revision stand in runs of eight or more that the suggestion has and
the text sent to it had not (`app.text.overlap`). Docs: help.md; why so: decision 10.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.examples.messages import Message
from app.examples.models import Example, Suggestion, SuggestionKind
from app.text.overlap import own_runs, shared_words


def adopt(session: Session, example: Example) -> None:
    """Give an example that was just made what was suggested for it before it was."""
    unmade = (Suggestion.project_id == example.project_id, Suggestion.creation_key == example.creation_key)
    session.execute(
        update(Suggestion)
        .where(*unmade, Suggestion.example_id.is_(None))
        .values(example_id=example.id)
        .execution_options(synchronize_session=False)
    )


def help_in(session: Session, example: Example, words: Sequence[Message]) -> list[dict[str, Any]] | None:
    """What a revision of these words carries; None where no model has said anything."""
    answered = select(Suggestion).where(Suggestion.example_id == example.id, Suggestion.words.is_not(None))
    texts = [str(message["content"]) for message in words]
    marks = [_mark(one, texts) for one in session.scalars(answered.order_by(Suggestion.id))]
    return marks or None


def _mark(suggestion: Suggestion, texts: Sequence[str]) -> dict[str, Any]:
    given = [str(message["content"]) for message in suggestion.sent]
    return {
        "suggestion": suggestion.id,
        "kind": suggestion.kind.value,
        "by": suggestion.by,
        "model": suggestion.model,
        "copied": suggestion.copied_at is not None,
        "words": shared_words(texts, own_runs(suggestion.words or "", given)),
    }


def has_words(marks: Iterable[Mapping[str, Any]]) -> bool:
    """Whether these marks make a revision one "with words of a model": words of one stand in it, or one was copied."""
    return any(mark["copied"] or mark["words"] for mark in marks)


def was_critiqued(marks: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a model had criticised the example by then."""
    return any(mark["kind"] == SuggestionKind.CRITIQUE for mark in marks)


def was_outlined(marks: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a model had outlined the example by then."""
    return any(mark["kind"] == SuggestionKind.OUTLINE for mark in marks)


def told(marks: Sequence[Mapping[str, Any]]) -> str:
    """What a reader of a revision should know of these marks: “12 words of a model”; empty where there is nothing."""
    words = max((mark["words"] for mark in marks), default=0)
    if words:
        return f"{words:,} words of a model"
    return "copied words of a model" if has_words(marks) else ""
