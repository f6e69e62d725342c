"""What the Hugging Face Hub means when it refuses, as a part of a sentence, and how long it asks to wait.

It says why in the header X-Error-Code, sometimes in X-Error-Message, and how long in RateLimit or Retry-After, as its
own client (huggingface_hub 2.4, utils/_http.py) reads them: a status alone says too little, for 401 stands for private,
gated and missing.
"""

import re
from dataclasses import dataclass
from email.message import Message

from app.web.words import plural

_RATE = re.compile(r'"\w+"\s*;\s*r\s*=\s*(?P<left>\d+)\s*;\s*t\s*=\s*(?P<seconds>\d+)')
DISABLED = "Access to this resource is disabled."
NO_SUCH_TOKEN = "Invalid credentials in Authorization header"  # noqa: S105 - what the Hub says of one


@dataclass(frozen=True)
class Asked:
    """What was asked for: a data set at a revision of a Hub, with or without a token."""

    endpoint: str
    name: str
    revision: str
    has_token: bool


def why(status: int, headers: Message, asked: Asked) -> str:
    """Say what an answer means and what to do."""
    code, message = headers.get("X-Error-Code", ""), headers.get("X-Error-Message", "")
    if code == "GatedRepo":
        return _gated(asked)
    known = {
        DISABLED: "the Hub has disabled it",
        NO_SUCH_TOKEN: "the Hub does not know the token in HF_TOKEN",
        "RevisionNotFound": f"it has no revision {asked.revision}; after @ stands a branch, a tag or a commit",
        "EntryNotFound": "a file went while it was fetched; try again",
    }
    if message in known or code in known:
        return known.get(message) or known[code]
    if status in {401, 403, 404}:
        return _hidden(status, code, asked)
    return _busy(headers) if status == 429 else f"the Hub answered with an error ({status}); try again later"


def _busy(headers: Message) -> str:
    seconds = seconds_to_wait(headers)
    when = "later" if seconds is None else f"in {plural(max(1, seconds), 'second')}"
    return f"the Hub answers no more requests from here for now; try again {when}"


def _gated(asked: Asked) -> str:
    page = f"{asked.endpoint}/datasets/{asked.name}"
    if asked.has_token:
        return f"its authors have not let in the account of the token in HF_TOKEN; ask them at {page}"
    return f"its authors let in those who ask; ask them at {page}, then set HF_TOKEN for this server or command"


def _hidden(status: int, code: str, asked: Asked) -> str:
    if status == 403:
        return "the Hub does not give it to the token in HF_TOKEN" if asked.has_token else "the Hub gives it to nobody"
    if asked.has_token and (status == 401 or code == "RepoNotFound"):
        return "it is not there, or the Hub does not give it to the token in HF_TOKEN"
    if status == 401 or code == "RepoNotFound":
        return "it is not there, or only for those who are signed in; set HF_TOKEN for this server or command"
    return "the Hub has no data set of that name and revision"


def seconds_to_wait(headers: Message) -> int | None:
    """How long the Hub wants to be left alone; None where it does not say."""
    rate = _RATE.search(headers.get("RateLimit", ""))
    # The header is in every answer: it is the reason only where nothing is left.
    if rate and int(rate["left"]) == 0:
        return int(rate["seconds"])
    after = headers.get("Retry-After", "").strip()
    return int(after) if after.isascii() and after.isdigit() else None
