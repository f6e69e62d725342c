"""Expected failures: raised deep, rendered once, by pages, API and command line alike.

A subclass's docstring is its message; `{names}` in it are filled from keyword arguments.
"""

from typing import Any, ClassVar


class Refusal(Exception):
    """This cannot be done."""

    status: ClassVar[int] = 422
    # The heading of its page, where the status says too little.
    title: ClassVar[str | None] = None

    def __init__(self, message: str | None = None, **fields: Any) -> None:
        """Take the whole sentence, or the fields that the docstring names."""
        self.message = message or " ".join((type(self).__doc__ or "").split()).format(**fields)
        self.fields = fields
        super().__init__(self.message)


class NotFound(Refusal):
    """There is nothing here under that name, or it is not yours to see."""

    status = 404


class Conflict(Refusal):
    """Somebody changed this in the meantime; nothing was overwritten."""

    status = 409


class Denied(Refusal):
    """Your role does not allow this; nothing was changed. Ask an admin of the project."""

    status = 403


class NotSignedIn(Refusal):
    """Please sign in first; nothing was changed."""

    status = 401


class TooMany(Refusal):
    """Too many tries; wait a little and try again."""

    status = 429


class Gone(Refusal):
    """This was here once and is not any more."""

    status = 410
