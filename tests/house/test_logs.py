"""A29: no text can forge a log line or drive a terminal."""

import io
import logging

from app import logs


def _logged(message: str, *arguments: object, error: Exception | None = None) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.OneLine("%(levelname)s %(message)s"))
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    logger.error(message, *arguments, exc_info=error)
    logger.removeHandler(handler)
    return stream.getvalue()


def test_a29_line_ends_and_escapes_in_names_are_shown_as_codes():
    said = _logged("person %s", "eve\r\n2026-01-01 ERROR forged \x1b[31mred\x1b[0m \u202eevil")
    assert said.count("\n") == 1
    assert "\x1b" not in said
    assert r"eve\r\n2026-01-01 ERROR forged \x1b[31mred" in said
    assert r"\u202e" in said


def test_a29_the_lines_of_a_traceback_never_look_like_events():
    said = _logged("failed", error=ValueError("one\nERROR two\x1b[2J"))
    assert not any(line.startswith("ERROR") for line in said.splitlines()[1:])
    assert "\x1b" not in said


def test_ordinary_text_stays_as_it_is():
    assert _logged("Größe, naïve – 日本") == "ERROR Größe, naïve – 日本\n"
