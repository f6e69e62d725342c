"""What the door shows."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SignInPage:
    """The sign-in form; `email` is what was typed, `error` why it did not work."""

    next: str
    email: str = ""
    error: str = ""
