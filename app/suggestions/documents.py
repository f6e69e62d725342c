"""Suggestions and what a project allows, as the command line and the API show them."""

from typing import Any

from sqlalchemy.orm import Session

from app.examples.models import Suggestion, SuggestionKind
from app.projects.models import Project
from app.suggestions import queries


def state_of(suggestion: Suggestion) -> str:
    """Waiting, answered or failed."""
    return "waiting" if suggestion.waits else "failed" if suggestion.words is None else "answered"


def suggestion_document(suggestion: Suggestion) -> dict[str, Any]:
    """A suggestion with all that was sent; `asker` has to be loaded."""
    return {
        "id": suggestion.id,
        "example": suggestion.example_id,
        "kind": suggestion.kind.value,
        "state": state_of(suggestion),
        "words": suggestion.words,
        "error": suggestion.error,
        "by": suggestion.by,
        "model": suggestion.model,
        "asked_by": suggestion.asker.email if suggestion.asker else None,
        "asked_at": suggestion.asked_at.isoformat(),
        "seconds": suggestion.seconds,
        "tokens": suggestion.tokens,
        "cut": suggestion.cut,
        "copied": suggestion.copied_at is not None,
        "sent": suggestion.sent,
        "job": suggestion.job_id,
    }


def help_document(session: Session, project: Project) -> dict[str, Any]:
    """Who helps, where texts go, and the instructions in force."""
    helper, setting = queries.helper_of(session, project), queries.setting_of(session, project)
    return {
        "endpoint": helper.endpoint.name if helper and helper.endpoint else None,
        "run": setting.run_id if helper and helper.checkpoint and setting else None,
        "by": helper.by if helper else None,
        "model": helper.model if helper else None,
        "host": helper.host if helper else None,
        "critique": queries.instruction_of(setting, SuggestionKind.CRITIQUE),
        "outline": queries.instruction_of(setting, SuggestionKind.OUTLINE),
    }
