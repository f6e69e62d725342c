"""Canonical JSON and content hashes: equal values give equal bytes, everywhere and for ever."""

from __future__ import annotations

import hashlib
import json
from json.encoder import encode_basestring, encode_basestring_ascii
from typing import Any

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
_NESTED = (dict, list, tuple)


def canonical_json(value: Any) -> bytes:
    """Give the one JSON text of `value`: keys sorted by code point, no blanks, UTF-8 without escapes.

    Raises ValueError for NaN, infinities and lone surrogates, TypeError for keys that are not strings.
    """
    _require_string_keys(value)
    return _ENCODER.encode(value).encode("utf-8")


def _require_string_keys(value: Any) -> None:
    # json.dumps would turn 1 and True into "1" and "true", so that two different values share a hash.
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"canonical JSON has only strings as keys, not {key!r}")
            if isinstance(item, _NESTED):
                _require_string_keys(item)
    elif isinstance(value, _NESTED):
        for item in value:
            if isinstance(item, _NESTED):
                _require_string_keys(item)


def is_plain(text: str) -> bool:
    """Whether JSON with escapes for all but ASCII writes a text as canonical JSON does."""
    return text.isascii() and "\x7f" not in text


def quoted(text: str) -> str:
    """Give the canonical JSON of one string, as text; where both encoders agree, by the one that is faster by far."""
    return encode_basestring_ascii(text) if is_plain(text) else encode_basestring(text)


def sha256_hex(data: bytes | str) -> str:
    """Give the SHA-256 of bytes, or of a string's UTF-8, as 64 lower-case hex digits."""
    return hashlib.sha256(data.encode("utf-8") if isinstance(data, str) else data).hexdigest()


def content_hash(value: Any) -> str:
    """Give the SHA-256 (hex) of a value's canonical JSON."""
    return sha256_hex(canonical_json(value))
