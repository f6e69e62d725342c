"""A small server that speaks the parts of the Hub's API which fetching needs, on a port of its own."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """The data sets that it has, what it was asked for with which token, and how it misbehaves."""

    def __init__(self, files: dict[str, bytes]) -> None:
        """Take the files of `somebody/questions`."""
        self.files = files
        self.asked: list[tuple[str, str | None]] = []
        self.needs_token = False
        self.leads_to: str | None = None
        self.cuts_off = False
        self.lies_about_sizes = False
        # What it answers next, one after the other: status and headers, in place of what it has.
        self.refuses: list[tuple[int, dict[str, str]]] = []
        self.after_the_list: list[tuple[int, dict[str, str]]] = []
        self.listed: dict[str, object] | None = None
        self.address = ""

    def answer(self, path: str, token: str | None) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for a path."""
        self.asked.append((path, token))
        if self.refuses:
            return *self.refuses.pop(0), b"{}"
        if self.needs_token and token != "Bearer secret-token":
            return 401, {}, b"{}"
        if path in {f"/api/datasets/somebody/questions/revision/{one}" for one in ("main", "v1", COMMIT)}:
            rows = [
                {"rfilename": name, "size": 1 if self.lies_about_sizes else len(body)}
                for name, body in self.files.items()
            ]
            self.refuses += self.after_the_list
            listed = self.listed or {"id": "somebody/questions", "sha": COMMIT, "siblings": rows}
            return 200, {}, json.dumps(listed).encode()
        name = unquote(path.removeprefix(f"/datasets/somebody/questions/resolve/{COMMIT}/"))
        if name.removeprefix("elsewhere/") not in self.files:
            return 404, {}, b"{}"
        if self.leads_to is not None and not name.startswith("elsewhere/"):
            to = f"{self.leads_to}/datasets/somebody/questions/resolve/{COMMIT}/elsewhere/{name}"
            return 302, {"Location": to}, b""
        return 200, {}, self.files[name.removeprefix("elsewhere/")]


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = hub.answer(urlsplit(self.path).path, self.headers.get("Authorization"))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if hub.cuts_off and status == 200 else body)

        def log_message(self, *_: object) -> None:
            """Nothing is written beside the test's own words."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
