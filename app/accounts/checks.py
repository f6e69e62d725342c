"""What an address, a name and a password have to be like."""

import re

from app.errors import Refusal

SHORTEST_PASSWORD = 10
EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class PasswordTooShort(Refusal):
    """The password needs at least {least} characters; a few plain words make a good one."""


class NotAnEmail(Refusal):
    """“{text}” is not an e-mail address."""


def checked_email(email: str) -> str:
    """The address in lower case, or a refusal."""
    email = email.strip().lower()
    if not EMAIL.fullmatch(email) or len(email) > 254:
        raise NotAnEmail(text=email[:80])
    return email


def checked_name(name: str) -> str:
    """A display name without controls or look-alike tricks, or a refusal."""
    name = " ".join(name.split())
    if not name or len(name) > 80 or not name.isprintable():
        raise Refusal("A name has 1 to 80 visible characters; invisible and direction marks are not taken.")
    return name


def checked_password(password: str) -> str:
    """The password if it is long enough, or a refusal."""
    if len(password) < SHORTEST_PASSWORD:
        raise PasswordTooShort(least=SHORTEST_PASSWORD)
    return password
