"""What is compared: a candidate's or an example's words, under a key that outlives every import."""

from dataclasses import dataclass
from enum import StrEnum

from app.duplicates.models import On

NONE = ""


class Kind(StrEnum):
    """What a key names."""

    CANDIDATE = "candidate"
    EXAMPLE = "example"


@dataclass(frozen=True)
class Text:
    """One candidate or example. `thread` names the question that it answers; answers to one question share it.

    `made_from` is the key of the candidate that an example was made from, `says` the number of the example that it
    says in its own language: an original's own, and the original's for its translations, which have its thread too.
    """

    key: str
    prompt: str
    response: str
    split: str
    thread: tuple[str, str] | None = None
    made_from: str | None = None
    says: int | None = None

    def words(self, on: On) -> str:
        """The text in which exact duplicates are alike; empty where there is nothing to compare."""
        if on is On.PROMPT:
            return self.prompt
        if on is On.RESPONSE or not self.prompt.strip():
            return self.response
        return f"{self.prompt}\n\n{self.response}"


def candidate_key(site: str, external_id: str) -> str:
    """candidate:SITE/ID; a site is a host name or the name of a set, without a slash."""
    return f"{Kind.CANDIDATE}:{site}/{external_id}"


def example_key(example_id: int) -> str:
    """example:ID."""
    return f"{Kind.EXAMPLE}:{example_id}"


def parsed(key: str) -> tuple[Kind, str, str]:
    """Give (kind, site, id) of a key; an example has no site."""
    kind, _, rest = key.partition(":")
    if kind == Kind.EXAMPLE:
        return Kind.EXAMPLE, NONE, rest
    site, _, external_id = rest.partition("/")
    return Kind.CANDIDATE, site, external_id


def place(key: str) -> tuple[str, str, int, int, str]:
    """Where a key stands: candidates before examples, by site, numbers by their size; decides left and right."""
    kind, site, name = parsed(key)
    number = int(name) if name.isascii() and name.isdigit() else -1
    return kind.value, site, 0 if number >= 0 else 1, number, name
