"""What an example is for: its split, source, language and flags."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from app.accounts.audit import record
from app.accounts.models import User
from app.db import now
from app.examples import queries, tongues
from app.examples.messages import checked_source, validate_messages
from app.examples.models import Example, ExampleState
from app.projects.limits import require_open
from app.projects.models import Project, Split
from app.text.canonical import sha256_hex
from app.text.languages import code_of


@dataclass(frozen=True)
class Purpose:
    """What an example is for, as it stands, as a page showed it or as somebody typed it."""

    split: str
    source: str
    language: str
    flags: tuple[str, ...]

    @property
    def texts(self) -> dict[str, str]:
        """The same as the fields of a desk."""
        return {**asdict(self), "flags": ", ".join(self.flags)}

    @property
    def canonical(self) -> str:
        """The same as one text, by which a page remembers what it showed."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def mark(self) -> str:
        """A short sign by which a later request knows whether it is the same still."""
        return sha256_hex(self.canonical)[:16]

    @property
    def posted(self) -> "Purpose":
        """The same as a desk that shows it posts it."""
        flags = flags_in(", ".join(self.flags))
        return Purpose(self.split, self.source.strip(), code_of(self.language), flags)


_remembered = TypeAdapter(Purpose)


def purpose_of(example: Example) -> Purpose:
    """What an example is for now."""
    return Purpose(example.split.value, example.source, example.language, tuple(example.flags))


def purpose_in(was: str) -> Purpose | None:
    """What a page remembers to have shown; None where it says nothing of that."""
    try:
        return _remembered.validate_json(was)
    except ValidationError:
        return None


def wished(present: Purpose, was: str, typed: Purpose) -> Purpose:
    """What was typed, but as it is at present where somebody left what their page showed: that is no wish.

    A page that does not say what it showed wishes all that was typed.
    """
    shown = purpose_in(was)
    if shown is None:
        return typed
    touched = differences(typed, shown)
    left = [one.name for one in fields(Purpose) if one.name not in touched]
    return replace(typed, **{name: getattr(present, name) for name in left})


def differences(one: Purpose, other: Purpose) -> dict[str, str]:
    """What `one` says by the fields of a desk that `other` says otherwise; how it is written is no difference."""
    said = other.posted.texts
    return {name: text for name, text in one.posted.texts.items() if text != said[name]}


def flags_in(typed: str) -> tuple[str, ...]:
    """The flags that are typed with commas between them, each once."""
    return tuple(dict.fromkeys(flag.strip()[:40] for flag in typed.split(",") if flag.strip()))


def describe_example(
    session: Session,
    actor: User,
    example: Example,
    *,
    split: Split | str,
    source: str,
    language: str,
    flags: Sequence[str],
) -> bool:
    """Say what an example is for; whether anything changed; another split, source or language reopens an approval.

    Raises BadMessages where it waits for review and is no whole example of the other split, and LinkedInThatLanguage.
    """
    require_open(session.get_one(Project, example.project_id))
    before = (example.split, example.source, example.language, list(example.flags))
    after = (Split(split), checked_source(source), language, list(flags))
    if before == after:
        return False
    if before[1] != after[1]:
        queries.require_source(session, session.get_one(Project, example.project_id), after[1])
    if before[0] is not after[0] and example.state is ExampleState.REVIEW:
        validate_messages(queries.head_revision(session, example).messages, after[0])
    tongues.require_other(session, example, language)
    if before[:3] != after[:3] and example.state is ExampleState.APPROVED:
        example.state = ExampleState.DRAFT
    example.split, example.source, example.language, example.flags = after
    example.changed_at = now()
    session.flush()
    detail = {"split": after[0].value, "source": after[1], "language": language, "flags": after[3]}
    record(session, actor, "describe example", f"example:{example.id}", project_id=example.project_id, **detail)
    return True
