"""What a lead allows, and asking a model; nothing here writes into a text."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import Role, User
from app.db import now
from app.endpoints.models import Endpoint
from app.errors import Conflict, Denied, Refusal
from app.examples import style_queries
from app.examples.messages import Message
from app.examples.models import Suggestion, SuggestionKind
from app.examples.queries import head_revision
from app.examples.working_copies import Desk, copy_on
from app.jobs.models import Job, JobState, Lane
from app.jobs.operations import cancel_job, enqueue
from app.projects.limits import require_open
from app.projects.models import Project
from app.projects.queries import role_in
from app.runs.models import TrainingRun
from app.suggestions import queries
from app.suggestions.instructions import DEFAULTS, as_one, instructed, text_of
from app.suggestions.models import ModelHelp
from app.suggestions.queries import Helper, Place
from app.text.wellformed import require_wellformed

LONGEST_SENT = 60_000
LONGEST_INSTRUCTION = 8_000


class HelpIsOff(Conflict):
    """Nobody helps in this project: a lead has not allowed it, or its model is gone. Nothing was sent."""

    title = "Help is off"


class NothingToSend(Refusal):
    """There is no {what} yet, so there is nothing to ask about; nothing was sent."""


class TooLong(Refusal):
    """With its instruction the text has {size:,} characters and a model is sent at most {most:,}; nothing was sent."""


class NothingSaid(Conflict):
    """The model has said nothing here, so there is nothing to copy."""


def set_help(
    session: Session,
    actor: User,
    project: Project,
    *,
    endpoint: Endpoint | None = None,
    run: TrainingRun | None = None,
    critique: str | None = None,
    outline: str | None = None,
) -> ModelHelp:
    """Say who helps here: a server, a run, or with neither nobody. An instruction that is None stays as it was."""
    if role_in(session, project, actor) is not Role.ADMIN:
        raise Denied
    require_open(project)
    if endpoint is not None and run is not None:
        raise Refusal("Help comes from a model server or from a run, not from both; nothing was changed.")
    if run is not None and (run.project_id != project.id or queries.run_helper(session, run) is None):
        raise Refusal(f"Run {run.id} has no checkpoint that could answer; nothing was changed.")
    setting = queries.setting_of(session, project)
    if setting is None:
        setting = ModelHelp(project_id=project.id, critique="", outline="")
        session.add(setting)
    setting.endpoint_id, setting.run_id = endpoint.id if endpoint else None, run.id if run else None
    for kind, typed in ((SuggestionKind.CRITIQUE, critique), (SuggestionKind.OUTLINE, outline)):
        if typed is not None:
            setattr(setting, kind.value, _own(kind, typed))
    setting.changed_by, setting.changed_at = actor.id, now()
    source = f"endpoint:{endpoint.name}" if endpoint else f"run:{run.id}" if run else "no"
    record(session, actor, "set model help", f"project:{project.id}", project_id=project.id, source=source)
    session.flush()
    return setting


def _own(kind: SuggestionKind, typed: str) -> str:
    """An instruction as it is kept: empty where it is the product's own, so that a better one reaches the project."""
    text = require_wellformed(typed.strip(), "The instruction")
    if len(text) > LONGEST_INSTRUCTION:
        raise Refusal(f"An instruction has at most {LONGEST_INSTRUCTION:,} characters; nothing was changed.")
    return "" if text == DEFAULTS[kind] else text


def suggest(
    session: Session, actor: User, place: Place, kind: SuggestionKind, messages: Sequence[Message]
) -> Suggestion:
    """Ask the project's model about these words, by a job; asked again while it is being answered, it is the same.

    Raises HelpIsOff, NothingToSend, TooLong; then nothing was sent anywhere.
    """
    project = place.project
    require_open(project)
    # Two presses of a button come at the same moment; the second waits here until the first is written.
    session.execute(select(ModelHelp.project_id).where(ModelHelp.project_id == project.id).with_for_update())
    helper = queries.helper_of(session, project)
    if helper is None:
        raise HelpIsOff
    waiting = session.scalar(queries.waiting_at(place, actor, kind))
    if waiting is not None:
        return waiting
    suggestion = Suggestion(
        project_id=project.id,
        example_id=place.example.id if place.example else None,
        creation_key=None if place.example else place.creation_key,
        kind=kind,
        asker=actor,
        by=helper.by,
        model=helper.model,
        endpoint_id=helper.endpoint.id if helper.endpoint else None,
        checkpoint_id=helper.checkpoint.id if helper.checkpoint else None,
        sent=_sent(session, project, helper, kind, messages),
    )
    session.add(suggestion)
    session.flush()
    suggestion.job_id = _queued(session, actor, suggestion, helper).id
    subject = f"example:{place.example.id}" if place.example else f"suggestion:{suggestion.id}"
    detail = {"kind": kind.value, "by": helper.by, "model": helper.model, "suggestion": suggestion.id}
    record(session, actor, "ask model", subject, project_id=project.id, **detail)
    return suggestion


def kept_words(session: Session, actor: User, place: Place) -> Sequence[Message]:
    """What a person has kept here while typing, else what is saved; nothing where there is neither."""
    copy = copy_on(session, Desk(actor, place.project, place.example, place.creation_key))
    if copy is not None:
        return copy.messages
    return head_revision(session, place.example).messages if place.example else ()


def _sent(
    session: Session, project: Project, helper: Helper, kind: SuggestionKind, messages: Sequence[Message]
) -> list[dict[str, str]]:
    """All that goes to the model, word for word."""
    words = [{"role": str(one["role"]), "content": require_wellformed(str(one["content"]))} for one in messages]
    _require_words(kind, words)
    setting = queries.setting_of(session, project)
    sent = instructed(
        queries.instruction_of(setting, kind), words,
        rules=[(rule.title, rule.why) for rule in style_queries.sheet_of(session, project.id).rules],
        guide=project.guide,
    )  # fmt: skip
    if text_of(sent) > LONGEST_SENT:
        raise TooLong(size=text_of(sent), most=LONGEST_SENT)
    return as_one(sent) if helper.checkpoint else sent


def _require_words(kind: SuggestionKind, words: Sequence[Message]) -> None:
    written = {str(one["role"]) for one in words if str(one["content"]).strip()}
    if "user" not in written:
        raise NothingToSend(what="prompt")
    if kind is SuggestionKind.CRITIQUE and "assistant" not in written:
        raise NothingToSend(what="response")


def _queued(session: Session, actor: User, suggestion: Suggestion, helper: Helper) -> Job:
    # A server is waited for; a checkpoint takes this machine's processors, as all quick work does.
    lane = Lane.ASKING if helper.endpoint else Lane.QUICK
    about = f"example {suggestion.example_id}" if suggestion.example_id else "a new example"
    title = f"{suggestion.kind.value.capitalize()} of {about}"
    return enqueue(
        session, actor, "suggest", title=title, project_id=suggestion.project_id, lane=lane,
        suggestion_id=suggestion.id,
    )  # fmt: skip


def note_answer(
    session: Session,
    suggestion_id: int,
    words: str,
    *,
    model: str = "",
    cut: bool = False,
    tokens: int | None = None,
    seconds: float,
) -> None:
    """Write down what the model said, and under which name it said so."""
    suggestion = session.get_one(Suggestion, suggestion_id)
    suggestion.words, suggestion.cut, suggestion.tokens, suggestion.seconds = words, cut, tokens, seconds
    suggestion.model = model or suggestion.model
    suggestion.answered_at = now()


def fail_suggestion(session: Session, args: dict[str, Any], error: str, state: JobState) -> None:
    """Say why there is no answer."""
    suggestion = session.get(Suggestion, args["suggestion_id"])
    if suggestion is not None and suggestion.waits:
        suggestion.error = "Stopped; nothing of an answer was kept." if state is JobState.CANCELLED else error
        suggestion.answered_at = now()


def cancel(session: Session, actor: User, role: Role, suggestion: Suggestion) -> None:
    """Stop waiting for an answer; the connection is cut. Where it is there already, nothing changes."""
    job = session.get(Job, suggestion.job_id) if suggestion.job_id else None
    if suggestion.waits and job is not None and not job.state.over:
        cancel_job(session, actor, role, job)


def note_copied(session: Session, actor: User, suggestion: Suggestion) -> None:
    """Write down that somebody copied the words by their button; the next revision says so. Twice changes nothing."""
    require_open(session.get_one(Project, suggestion.project_id))
    if suggestion.words is None:
        raise NothingSaid
    if suggestion.copied_at is None:
        suggestion.copied_at, suggestion.copied_by = now(), actor.id
        subject = f"example:{suggestion.example_id}" if suggestion.example_id else f"suggestion:{suggestion.id}"
        detail = {"kind": suggestion.kind.value, "suggestion": suggestion.id}
        record(session, actor, "copy suggestion", subject, project_id=suggestion.project_id, **detail)
