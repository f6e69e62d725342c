"""API keys are sealed: the database holds them enciphered, the key to that lies in a file of the data folder.

XChaCha20-Poly1305, a fresh nonce each time, bound to the address that the secret is for: a stolen database or a copy of
it opens nothing, and a sealed key that somebody moves to another row opens nothing there.
"""

import base64
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from Cryptodome.Cipher import ChaCha20_Poly1305

from app.config import Settings
from app.errors import Refusal

FILE = "sealing.key"
_MARK = "x1:"
_NONCE, _TAG = 24, 16


class CannotOpen(Refusal):
    """The API key was sealed with another sealing.key than this machine's. Copy that file, or type the key anew."""


def seal(settings: Settings, secret: str, bound_to: str) -> str:
    """The secret as it may be stored; opens only with this installation's key file and the same address."""
    nonce = secrets.token_bytes(_NONCE)
    if not (settings.data_dir / FILE).exists():
        _make(settings.data_dir / FILE)
    cipher = ChaCha20_Poly1305.new(key=_key(settings), nonce=nonce)
    cipher.update(bound_to.encode())
    sealed, tag = cipher.encrypt_and_digest(secret.encode())
    return _MARK + base64.b64encode(nonce + tag + sealed).decode()


def unseal(settings: Settings, sealed: str, bound_to: str) -> str:
    """The secret again. Raises CannotOpen."""
    try:
        packed = base64.b64decode(sealed.removeprefix(_MARK), validate=True)
        cipher = ChaCha20_Poly1305.new(key=_key(settings), nonce=packed[:_NONCE])
        cipher.update(bound_to.encode())
        return cipher.decrypt_and_verify(packed[_NONCE + _TAG :], packed[_NONCE : _NONCE + _TAG]).decode()
    except (ValueError, FileNotFoundError) as error:
        raise CannotOpen from error


def _key(settings: Settings) -> bytes:
    return (settings.data_dir / FILE).read_bytes()


def _make(path: Path) -> None:
    """Write a new key, wholly or not at all; of two processes that do so at once the first one's counts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".sealing-")  # for its owner only, by itself
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(32))
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        Path(draft).unlink()
