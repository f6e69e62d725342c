"""A model server of the test's own: real HTTP on 127.0.0.1, which says what it is told to and remembers the rest."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Handler = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


@dataclass
class ModelServer:
    """`answer` speaks for the model, None for the usual words; `asked` are the bodies that came, with `headers`."""

    words: str = "- Say why: the reason for the salt is missing.\n- The last step does not follow."
    answer: Handler | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    # Set it to let a held answer go; `hold` waits for it.
    let_go: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        outer = self

        class Handling(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.asked.append(body)
                outer.headers.append({key.lower(): value for key, value in self.headers.items()})
                outer.paths.append(self.path)
                outer.begun.set()
                (outer.answer or outer.say)(self, body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handling)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def say(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        """Answer with the words, as such servers do."""
        choice = {"index": 0, "message": {"role": "assistant", "content": self.words}, "finish_reason": "stop"}
        send(handler, 200, {"model": body["model"], "choices": [choice], "usage": {"completion_tokens": 21}})

    def hold(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        """Answer once it is let go."""
        self.let_go.wait(30)
        self.say(handler, body)


def send(handler: BaseHTTPRequestHandler, status: int, body: Any, **headers: str) -> None:
    """Send JSON, or bytes as they are; whoever asked may be gone."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
    except OSError:
        handler.close_connection = True


def refusing(status: int, body: Any = None, **headers: str) -> Handler:
    """A server that refuses in one way."""
    return lambda handler, _: send(handler, status, body if body is not None else {}, **headers)
