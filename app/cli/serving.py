"""`handpicked serve` and `handpicked worker`."""

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Annotated

import typer
from fastapi import FastAPI

from app import worker as worker_process
from app.accounts.operations import renew_setup_link
from app.cli.address import told
from app.cli.context import House
from app.config import ROOT, Settings
from app.errors import Refusal


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(serve)
    app.command()(worker)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8000,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Serve pages only; a worker runs elsewhere.")] = False,
) -> None:
    """Database, migrations, web and a worker in one command."""
    listening = _listening(host, port)  # before anything is said or changed: what cannot serve leaves no trace
    from app.main import create_app  # all routes: a second of work that no other command has to do

    house = House()
    pages = create_app(house.settings, house.database)
    shown = f"[{host}]" if ":" in host else host
    address = house.settings.base_url or f"http://{shown}:{port}"
    with house.database.writing() as session:
        token = renew_setup_link(session, house.settings)
    print(f"Handpicked is at {address}", flush=True)
    if token:
        print(f"Nobody administers it yet. Make the first admin here, once: {address}/invitations/{token}", flush=True)
    keeper = None if no_worker else WorkerKeeper()
    # uvicorn raises the signal again once it has shut down; with its default action the worker would be left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with told(house.settings, address):
            _serve_pages(house.settings, pages, listening)
    finally:
        if keeper:
            keeper.stop()


def _listening(host: str, port: int) -> socket.socket:
    """The socket to serve on, open already. Raises Refusal when it cannot be opened."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise Refusal(_why_not(error, host, port)) from error


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken on this machine; choose another with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} may not be opened by this account; choose one above 1023 with --port."
    return f"This machine cannot listen on {host}, port {port}; choose an address of its own with --host."


def _serve_pages(settings: Settings, pages: FastAPI, listening: socket.socket) -> None:
    """Serve until a signal ends it."""
    import uvicorn

    proxies = settings.trusted_proxies
    config = uvicorn.Config(
        pages,
        log_level="warning",
        log_config=None,  # ours: one event a line, whatever people typed
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        server_header=False,
        timeout_graceful_shutdown=10,
    )
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):  # Ctrl-C is how one ends it at a terminal
        server.run(sockets=[listening])
    if not server.started:
        raise Refusal("The web server did not start; the lines above say why.")


def worker() -> None:
    """One more worker on this machine, in the foreground."""
    worker_process.main()


class WorkerKeeper:
    """Keeps one worker process alive beside the web server; a worker that dies is started again after a second."""

    def __init__(self) -> None:
        """Start it."""
        self._stopping = threading.Event()
        self._process = self._start()
        self._thread = threading.Thread(target=self._keep, name="worker-keeper", daemon=True)
        self._thread.start()

    def _start(self) -> "subprocess.Popen[bytes]":
        # PYTHONPATH: the checkout need not be installed for `python -m app.worker` to find it from anywhere.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
        return subprocess.Popen([sys.executable, "-m", "app.worker", str(os.getpid())], env=environment)

    def _keep(self) -> None:
        while not self._stopping.wait(1):
            if self._process.poll() is not None:
                self._process = self._start()

    def stop(self) -> None:
        """End the worker: gently, then by force; what it held is taken up again at the next start."""
        self._stopping.set()
        self._thread.join()
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
