"""The Hub's own client, set up for work that can be stopped and a token that goes to one host.

Guarantee: the token goes to the host of HF_ENDPOINT alone, whatever that host leads on to. The client gives up in time,
and leaves waiting to us.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.errors import Refusal
from app.sources.hub import THE_HUB
from app.sources.hubwords import seconds_to_wait

if TYPE_CHECKING:
    import httpx2

# Seconds: to be let in, and between two pieces of an answer or of what is sent.
LET_IN, SILENCE = 20.0, 120.0


class Offline(Refusal):
    """HF_HUB_OFFLINE is set here, so nothing was asked of the Hub and nothing was sent.

    Where there is a network, start the server or the command with HF_HUB_OFFLINE=0.
    """


class BadEndpoint(Refusal):
    """HF_ENDPOINT is no http or https address, so nothing was sent. An operator sets it for server and worker."""


# Both are OSErrors for the sake of whoever else uses the client of this process: there they mean that nobody answered.
class Refused(OSError):
    """The Hub says no, for good; the words are a part of a sentence."""


class Trouble(OSError):
    """It may go well a moment later: nobody answered, or somebody else wrote at the same time."""

    def __init__(self, why: str, seconds: int | None = None) -> None:
        """Say why, and how long the Hub asks to be left alone, if it does."""
        super().__init__(why)
        self.seconds = seconds


def endpoint_here() -> str:
    """The Hub that this process speaks to. Raises BadEndpoint (422)."""
    found = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or THE_HUB
    parts = urlsplit(found)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or len(found) > 200:
        raise BadEndpoint
    return found


def offline() -> bool:
    """Say whether an operator wants the Hub to be left alone."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def require_online() -> None:
    """Raise Offline (422) where an operator wants the Hub to be left alone."""
    if offline():
        raise Offline


_turn = threading.Lock()
_done: list[bool] = []


def prepare() -> None:
    """Once a process: the client's settings are global, and both logs have addresses by which anybody could upload."""
    from huggingface_hub import logging as hub_logging
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    with _turn:
        if not _done:
            set_client_factory(_client)
            disable_progress_bars()
            hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
            logging.getLogger("httpx2").setLevel(logging.WARNING)
            _done.append(True)


def _client() -> httpx2.Client:
    import httpx2

    timeout = httpx2.Timeout(SILENCE, connect=LET_IN)
    hooks: dict[str, list[Callable[..., Any]]] = {"request": [_guard], "response": [_heed]}
    return httpx2.Client(event_hooks=hooks, follow_redirects=True, timeout=timeout)


def _guard(request: httpx2.Request) -> None:
    from huggingface_hub.errors import OfflineModeIsEnabled

    if offline():
        raise OfflineModeIsEnabled(f"{request.url.host} was not asked: HF_HUB_OFFLINE is set")
    home, to = urlsplit(endpoint_here()), request.url
    at_home = (to.scheme, to.netloc.decode()) == (home.scheme, home.netloc)
    if "authorization" in request.headers and not at_home:
        raise Refused(f"the Hub leads on to {to.host}, which is not given the token")


def _heed(response: httpx2.Response) -> None:
    """Leave it alone as long as it asks to: by itself the client would sleep through a request to stop."""
    if response.status_code in {429, 503} and (seconds := _seconds(response)) is not None:
        raise Trouble("the Hub answers no more requests from here for now", seconds)


def _seconds(response: httpx2.Response) -> int | None:
    said = Message()
    for name, value in response.headers.items():
        said[name] = value
    return seconds_to_wait(said)
