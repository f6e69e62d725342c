"""How the commands of this package end: one sentence on standard error and a code."""

import sys
from collections.abc import Callable

from training.errors import Failure, classify

FAILED = 1


def ends(work: Callable[[], int]) -> int:
    """Run a command; an error becomes one sentence on standard error and exit code 1."""
    try:
        return work()
    except (Failure, ValueError, OSError, MemoryError, RuntimeError) as error:
        sys.stderr.write(sentence(error) + "\n")
        return FAILED


def sentence(error: BaseException) -> str:
    """An error for a person: the words of a known failure, else the error's own."""
    failure = classify(error)
    return str(error) if type(failure) is Failure else str(failure)
