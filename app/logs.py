"""Log lines: one event a line, whatever people typed."""

import logging
import sys
from typing import TextIO


class OneLine(logging.Formatter):
    """Escapes control characters, so that no text can forge a line or drive a terminal; tracebacks keep their lines."""

    def format(self, record: logging.LogRecord) -> str:
        """The message escaped; the traceback below it indented, so that no line of it looks like an event."""
        text, *rest = super().format(record).split("\n") if record.exc_info else [super().format(record)]
        return "\n".join([escaped(text), *(f"    {escaped(line)}" for line in rest)])


def escaped(text: str) -> str:
    r"""The text with control and format characters as \\xNN or \\uNNNN."""
    return "".join(one if one.isprintable() or one == " " else _code(one) for one in text)


def _code(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def set_up(level: int, stream: TextIO | None = None) -> None:
    """Send log lines to standard error in this form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
