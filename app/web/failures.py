"""Refusals and invalid input, rendered once: as a page for people, as JSON below /api/."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.errors import Conflict, NotSignedIn, Refusal
from app.web.forms import field_of, sentence, typed_fields
from app.web.security import local_path
from app.web.templating import render
from app.web.transactions import SAFE_METHODS

log = logging.getLogger(__name__)

# A form larger than this is not read only to be handed back.
KEPT_BYTES = 1_000_000
SECRETS = ("password", "token", "secret", "api_key")

TITLES = {
    400: "That request could not be read",
    401: "Please sign in",
    403: "Not allowed",
    404: "Nothing here",
    405: "Not possible here",
    409: "Somebody was faster",
    410: "Not any more",
    413: "Too large",
    422: "Something is not right yet",
    429: "Too many tries",
    500: "Something broke",
    503: "Busy for a moment",
}


@dataclass(frozen=True)
class ErrorPage:
    """What happened, what was kept, what to do."""

    status: int
    title: str
    message: str
    problems: Sequence[str]
    typed: Mapping[str, str]
    came_from: str
    request_id: str


def install(app: FastAPI) -> None:
    """Register one handler for each kind of failure."""
    app.add_exception_handler(Refusal, _refusal)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _busy)
    app.add_exception_handler(IntegrityError, _collision)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _broken)


async def _refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    typed = await _typed_words(request) if isinstance(error, NotSignedIn) else {}
    return await run_in_threadpool(_refused, request, error, typed)


async def _typed_words(request: Request) -> dict[str, str]:
    """What somebody wrote into a plain form, to hand it back; a field of one word is chosen, or typed again at once."""
    kind = request.headers.get("content-type", "").partition(";")[0]
    size = request.headers.get("content-length", "")
    if kind != "application/x-www-form-urlencoded" or not size.isdecimal() or int(size) > KEPT_BYTES:
        return {}
    typed = await typed_fields(request)
    return {name: text for name, text in typed.items() if len(text.split()) > 1 and not _is_secret(name)}


def _is_secret(name: str) -> bool:
    return any(word in name for word in SECRETS)


def _refused(request: Request, error: Refusal, typed: Mapping[str, str]) -> Response:
    if error.status in {401, 403}:
        request.app.state.note_refusal(request, error)
    wants_page = not request.url.path.startswith("/api/") and "hx-request" not in request.headers
    if isinstance(error, NotSignedIn) and wants_page and request.method in SAFE_METHODS:
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(here, safe='')}", status_code=303)
    return answer(request, error.status, error.message, typed=typed, title=error.title)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    problems = [f"{field_of(item)}: {sentence(item)}" for item in error.errors()]
    body = error.body if isinstance(error.body, Mapping) else {}
    typed = {key: value for key, value in body.items() if isinstance(value, str) and not _is_secret(key)}
    return answer(request, 422, "Nothing was changed: some of what was sent does not fit.", problems, typed)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = "There is nothing here under that name." if error.status_code == 404 else str(error.detail)
    response = answer(request, error.status_code, words)
    response.headers.update(error.headers or {})
    return response


def _busy(request: Request, error: Exception) -> Response:
    log.error("request %s: %s", request.state.request_id, error)
    response = answer(request, 503, "The database did not answer in time, so nothing was saved. Try again in a moment.")
    response.headers["Retry-After"] = "5"
    return response


def _collision(request: Request, error: Exception) -> Response:
    log.warning("request %s: %s", request.state.request_id, error)
    return answer(request, 409, Conflict().message)


def _gone(_request: Request, _error: Exception) -> Response:
    # The browser went on before it had sent everything; nobody reads the answer, and nothing is broken.
    return Response(status_code=400)


def _broken(request: Request, error: Exception) -> Response:
    log.error("request %s", request.state.request_id, exc_info=error)
    words = "Something went wrong on the server; what you sent was not saved. Tell an admin the request id."
    return answer(request, 500, words)


def answer(
    request: Request,
    status: int,
    message: str,
    problems: Sequence[str] = (),
    typed: Mapping[str, str] | None = None,
    title: str | None = None,
) -> Response:
    """The failure as JSON below /api/, else as a page that keeps what was typed."""
    request_id = request.state.request_id
    if request.url.path.startswith("/api/"):
        body: dict[str, Any] = {"error": {"message": message, "problems": list(problems), "request_id": request_id}}
        return JSONResponse(body, status)
    heading = title or TITLES.get(status, "That did not work")
    page = ErrorPage(status, heading, message, problems, typed or {}, _came_from(request), request_id)
    return render(request, "layout/error.html", page, status=status, fragments=("error",))


def _came_from(request: Request) -> str:
    """The page of this server that the request was sent from, to go back to after signing in."""
    came = urlsplit(request.headers.get("referer", ""))
    if came.netloc.lower() != request.headers.get("host", "").lower():
        return "/"
    return local_path(came.path + (f"?{came.query}" if came.query else ""))
