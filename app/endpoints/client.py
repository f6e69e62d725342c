"""One question to a model server that speaks as OpenAI's does: `POST …/chat/completions`, without streaming.

Guarantee: only the registered address is called, redirects are not followed, no proxy or credential of the environment
is used, and neither time nor size can grow beyond what is stated here. A refusal never holds the API key.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

from app.endpoints.addresses import NotReached, resolved
from app.endpoints.answers import Answered, Unfit, read_answer, said_by_server
from app.errors import Refusal

# An answer is a few thousand characters; a server that sends more than this is not answering.
LARGEST = 2_000_000
CONNECT_SECONDS = 10.0
POLL_SECONDS = 0.1


class NoAnswer(Refusal):
    """{name} gave no answer: {why}."""


class _Why(Exception):
    """The end of that sentence."""


@dataclass(frozen=True)
class Server:
    """Whom to ask, and how long to wait in all."""

    name: str
    base_url: str
    model: str
    inside: bool
    seconds: float
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Reply:
    """What the model said; `cut` if it was stopped at the limit of tokens, `seconds` as one waited for it."""

    words: str
    model: str
    cut: bool
    tokens: int | None
    seconds: float


def ask(
    server: Server,
    messages: Sequence[Mapping[str, str]],
    *,
    most_tokens: int,
    check: Callable[[], None] = lambda: None,
) -> Reply:
    """The model's answer. Raises NoAnswer with the reason; `check` is called all the while and may raise to stop."""
    began = time.monotonic()
    answered = asyncio.run(_watched(_in_time(server, messages, most_tokens), check))
    model = answered.model or server.model
    return Reply(answered.words, model, answered.cut, answered.tokens, time.monotonic() - began)


async def _watched(asking: Coroutine[Any, Any, Answered], check: Callable[[], None]) -> Answered:
    """Ask while looking whether somebody wants it stopped; then the connection is cut at once."""
    task = asyncio.ensure_future(asking)
    try:
        while not task.done():
            check()
            await asyncio.wait({task}, timeout=POLL_SECONDS)
        return task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, NoAnswer):
            await task


async def _in_time(server: Server, messages: Sequence[Mapping[str, str]], most_tokens: int) -> Answered:
    host = urlsplit(server.base_url).netloc
    try:
        async with asyncio.timeout(server.seconds):
            return await _answered(server, messages, most_tokens)
    except TimeoutError as error:
        raise NoAnswer(name=server.name, why=f"{host} did not answer within {server.seconds:g} s") from error
    except (_Why, Unfit, NotReached) as error:
        raise NoAnswer(name=server.name, why=str(error)) from error
    except httpx2.ConnectError as error:
        raise NoAnswer(name=server.name, why=_no_connection(host, error)) from error
    except httpx2.TimeoutException as error:
        raise NoAnswer(name=server.name, why=f"no connection to {host} within {CONNECT_SECONDS:g} s") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise NoAnswer(name=server.name, why=f"the connection to {host} broke off ({type(error).__name__})") from error


def _no_connection(host: str, error: Exception) -> str:
    words = str(error)
    if "certificate" in words.lower() or "SSL" in words:
        return f"the certificate of {host} is not one that this machine trusts"
    return f"{host} refuses connections; look whether the model server runs there"


async def _answered(server: Server, messages: Sequence[Mapping[str, str]], most_tokens: int) -> Answered:
    body: dict[str, Any] = {"model": server.model, "messages": list(messages), "stream": False}
    status, headers, data = await _post(server, {**body, "max_tokens": most_tokens})
    if status == 400 and b"max_completion_tokens" in data:  # newer models of OpenAI's know the limit by that name only
        status, headers, data = await _post(server, {**body, "max_completion_tokens": most_tokens})
    if status != 200:
        raise _Why(_refusal(server, status, headers, data))
    return read_answer(data)


async def _post(server: Server, body: Mapping[str, Any]) -> tuple[int, httpx2.Headers, bytes]:
    """Status, headers and body from the first of the server's addresses that takes the connection."""
    numbers = await resolved(server.base_url, inside=server.inside)
    for number in numbers[:-1]:
        with suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
            return await _post_to(server, number, body)
    return await _post_to(server, numbers[-1], body)


async def _post_to(server: Server, number: str, body: Mapping[str, Any]) -> tuple[int, httpx2.Headers, bytes]:
    parts = urlsplit(f"{server.base_url}/chat/completions")
    host = f"[{number}]" if ":" in number else number
    url = parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host).geturl()
    headers = {"Host": parts.netloc, "Accept": "application/json", "Accept-Encoding": "identity"}
    headers["Content-Type"] = "application/json"
    if server.key:
        headers["Authorization"] = f"Bearer {server.key}"
    timeout = httpx2.Timeout(server.seconds, connect=min(CONNECT_SECONDS, server.seconds))
    async with (
        httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=timeout) as client,
        client.stream(
            "POST", url, headers=headers, content=json.dumps(body).encode(),
            extensions={"sni_hostname": parts.hostname} if parts.scheme == "https" else {},
        ) as response,
    ):  # fmt: skip
        return response.status_code, response.headers, await _bounded(response)


async def _bounded(response: httpx2.Response) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise _Why("it sends packed answers, which were not asked for")
    data = bytearray()
    async for piece in response.aiter_raw():
        data += piece
        if len(data) > LARGEST:
            raise _Why(f"its answer is larger than {LARGEST // 1_000_000} MB; the rest was not read")
    return bytes(data)


def _refusal(server: Server, status: int, headers: Mapping[str, str], data: bytes) -> str:
    said = said_by_server(data, hide=server.key)
    if status in {401, 403}:
        key = "the API key is not one that it takes" if server.key else "it asks for an API key"
        return f"{key} ({status})"
    if status == 404:
        return f"it knows no model “{server.model}”, or its address ends otherwise, mostly with /v1 (404{said})"
    if status == 429:
        return f"it has too much to do (429{said}); try again {_wait(headers)}"
    if 300 <= status < 400:
        return f"it sends on to another address, which is not followed ({status}); register that one"
    if status >= 500:
        return f"it failed itself ({status}{said})"
    return f"it refused the question ({status}{said})"


def _wait(headers: Mapping[str, str]) -> str:
    wait = headers.get("retry-after", "").strip()
    return f"in {int(wait):,} s" if re.fullmatch("[0-9]{1,5}", wait) else "in a while"
