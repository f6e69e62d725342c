"""A stand-in of the Hugging Face Hub: an HTTP server that speaks its API to its real client and notes what is asked.

It keeps repositories of data sets with commits, branches and pull requests, stores large files by their hash as the
Hub's LFS does, and misbehaves when it is told to: refuses, asks to wait, cuts a connection half way through a body.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from tests.hubanswers import ROUTES
from tests.hubkeep import Answer, Asked, Commit, Repository, refusal

WRITE, READ = "hf_write_canary_token", "hf_read_canary_token"
ATTRIBUTES = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"
NO_TOKEN = "Invalid credentials in Authorization header"

# Looks at a request by method and path before its body is read: gives an answer in place of the usual one, the word
# "cut" to read half of the body and hang up, "lose" to do what is asked and hang up, or None.
Fault = Callable[[str, str], "Answer | str | None"]


@dataclass
class HubStand:
    """The Hub; `asked` is what it was asked, in order. Files above `large` bytes and Parquet are stored by hash."""

    large: int = 10_000_000
    # Where set, large files are asked for in parts of so many bytes.
    part: int = 0
    asked: list[Asked] = field(default_factory=list)
    repositories: dict[str, Repository] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    tokens: dict[str, bool] = field(default_factory=lambda: {WRITE: True, READ: False})
    # Where uploaded files are to be told of; another host is a Hub that would lead the token astray.
    verify_at: str = ""
    address: str = ""
    ignored: tuple[str, ...] = ()
    lock: threading.RLock = field(default_factory=threading.RLock)

    def repository(self, name: str, *, private: bool = True, files: dict[str, bytes] | None = None) -> Repository:
        """Make a repository."""
        empty = Commit("", "", "", {})
        made = Repository(private, empty)
        made.main = made.add("initial commit", "", {".gitattributes": ATTRIBUTES, **(files or {})}, None)
        self.repositories[name] = made
        return made

    def once(self, method: str, ending: str, what: "Answer | str", times: int = 1) -> None:
        """Misbehave at the next requests whose path has these words."""
        left = [times]

        def fault(asked_by: str, path: str) -> "Answer | str | None":
            if left[0] and asked_by == method and ending in path:
                left[0] -= 1
                return what
            return None

        self.faults.append(fault)

    def fault(self, method: str, path: str) -> "Answer | str | None":
        """What goes wrong with this request."""
        return next((found for found in (one(method, path) for one in self.faults) if found is not None), None)

    def answer(self, asked: Asked) -> Answer:
        """Answer as the Hub does."""
        if asked.token is not None and asked.token not in self.tokens:
            return refusal(401, message=NO_TOKEN)
        for method, pattern, act in ROUTES:
            found = re.fullmatch(pattern, asked.path)
            if found and method == asked.method:
                with self.lock:
                    return act(self, asked, *map(unquote, found.groups()))
        return refusal(404, message=f"no such route: {asked.method} {asked.path}")

    def seen(self, asked: Asked, name: str, *, writing: bool = False) -> "Repository | Answer":
        """The repository as far as the token may see and change it."""
        found = self.repositories.get(name)
        if found is None or (found.private and asked.token is None):
            status = 404 if asked.token else 401
            return refusal(status, "RepoNotFound", "Repository not found")
        if writing and not self.tokens.get(asked.token or "", False):
            return refusal(403, message="Forbidden: you need a token with write access")
        return found


class _Handler(BaseHTTPRequestHandler):
    """Reads a request, or half of it, and gives the Hub's answer, or none."""

    protocol_version = "HTTP/1.1"
    hub: HubStand

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        fault = self.hub.fault(self.command, parts.path)
        announced = int(self.headers.get("Content-Length") or 0)
        if fault == "cut":
            self._note(parts, self.rfile.read(announced // 2))
            return self._hang_up()
        asked = self._note(parts, self.rfile.read(announced))
        answer = fault if isinstance(fault, tuple) else self.hub.answer(asked)
        return self._hang_up() if fault == "lose" else self._send(*answer)

    def _note(self, parts: SplitResult, body: bytes) -> Asked:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        asked = Asked(self.command, parts.path, query, token, len(body), body)
        with self.hub.lock:
            self.hub.asked.append(asked)
        return asked

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = _serve  # noqa: N815 - the library's names

    def log_message(self, *_: object) -> None:
        """Nothing is written beside the test's own words."""


@contextmanager
def serving(hub: HubStand | None = None, port: int = 0) -> Iterator[HubStand]:
    """Serve until the end of the block."""
    hub = hub or HubStand()
    server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
