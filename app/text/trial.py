"""`python -m app.text.trial`: a tokenizer.json that a person brings, read and tried in a process of its own.

The library that reads it panics on some files, and a few lines of normalizer can make a text as long as memory is
large. Here that ends a child with limits, and not the server.
"""

import json
import resource
import subprocess
import sys
from math import prod
from typing import Any

from app.text.counting import read_tokenizer

MOST_MEMORY = 4_000_000_000
MOST_SECONDS = 30
# How much longer all replacements of a normalizer together may make a text: those of real ones two to eight times.
MOST_GROWTH = 256
# Each sign below U+3000, where nearly all scripts that have cases and marks are, and a few from above.
SAMPLE = "A text, and  another.\n" + " ".join(map(chr, range(0x20, 0x3000))) + "東京 🥖 👩‍🔬"


def fault_of(data: bytes) -> str:
    """Why these bytes are no tokenizer that can count, in words; empty where they are one."""
    command = [sys.executable, "-m", "app.text.trial"]
    try:
        tried = subprocess.run(command, input=data, capture_output=True, timeout=2 * MOST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "it takes too long to read"
    said = tried.stdout.decode("utf-8", "replace").strip()
    return said or ("it takes too much memory or time to count by" if tried.returncode else "")


def main() -> int:
    """Read standard input within limits; print what is wrong with it."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write(_fault(sys.stdin.buffer.read()))
    return 0


def _fault(data: bytes) -> str:
    try:
        read = json.loads(data)
    except (ValueError, RecursionError):
        return "it is not JSON"
    if not isinstance(read, dict) or not isinstance(read.get("model"), dict):
        return "it is JSON, but has no model of a tokenizer"
    if _growth(read.get("normalizer")) > MOST_GROWTH:
        return "its normalizer makes texts too long"
    try:
        read_tokenizer(data, SAMPLE)
    except ValueError as error:
        return str(error)
    return ""


def _growth(normalizer: Any) -> int:
    """How many times as long its replacements can make a text, one after the other."""
    if not isinstance(normalizer, dict):
        return 1
    inside = prod(map(_growth, normalizer.get("normalizers") or ()))
    return inside * (1 + len(normalizer.get("content") or ""))


if __name__ == "__main__":
    sys.exit(main())
