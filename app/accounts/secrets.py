"""Random tokens and password hashes; the database never holds what a thief could use."""

import hashlib
import secrets
import threading
from functools import cache

from pwdlib import PasswordHash

_passwords = PasswordHash.recommended()
# Argon2 is heavy by design: a burst of sign-ins must not take every thread and all memory.
_slots = threading.BoundedSemaphore(2)


def new_token() -> str:
    """256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password: str) -> str:
    """An Argon2 hash."""
    with _slots:
        return _passwords.hash(password)


def password_matches(password: str, stored: str | None) -> bool:
    """Whether the password is right; as slow for unknown people as for known ones."""
    with _slots:
        nobody = _nobodys()  # for everybody, or the first unknown person after a start would take twice as long
        matches = _passwords.verify(password, stored or nobody)
    return matches and stored is not None


@cache
def _nobodys() -> str:
    # Made when it is first needed: a tenth of a second on all cores, which no command has to spend.
    return _passwords.hash(secrets.token_hex(16))
