"""A data set of the Hugging Face Hub brought in as files: its tables and lines only, within limits, from one host.

Guarantee: nothing is asked but HF_ENDPOINT (and, for huggingface.co, the hosts below it and hf.co that it leads on to);
a token comes from HF_TOKEN, goes to that host alone, and is written nowhere. What breaks off leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener
from uuid import uuid4

from app.config import Settings
from app.errors import Refusal
from app.sources.hubwords import Asked, seconds_to_wait, why

THE_HUB = "https://huggingface.co"
ENDINGS = (".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv")
# Of these endings, but about the data set and no part of it.
NO_DATA = {"dataset_infos.json", "dataset_info.json", "state.json", "config.json", "croissant.json"}
MOST_FILES = 1_000
LARGEST_LIST = 20_000_000
PIECE = 1 << 20
PATIENCE = 30.0
# How long and how often the Hub may ask to wait before it is taken at its word that it will not answer.
LONGEST_WAIT, MOST_WAITS = 60, 5

_ID = re.compile(
    r"(?:hf:(?://)?)?(?:datasets/)?(?P<name>[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?)"
    r"(?:@(?P<revision>[\w][\w./-]{0,199}))?",
    re.ASCII,
)
Tell = Callable[[str, int, int], None]


class NoHubId(Refusal):
    """{typed} names no data set of the Hugging Face Hub; write it as hf://owner/name or hf://owner/name@revision."""


class NotFetched(Refusal):
    """The data set {name} could not be fetched: {why}. Nothing was kept."""


@dataclass(frozen=True)
class HubId:
    """A data set by owner and name, at a revision: a branch, a tag or a commit."""

    name: str
    revision: str = "main"

    def __str__(self) -> str:
        """As people write it."""
        return f"hf://{self.name}" + (f"@{self.revision}" if self.revision != "main" else "")


def is_hub_id(typed: str) -> bool:
    """Whether somebody means the Hub and no path."""
    return typed.startswith("hf:")


def hub_id(typed: str) -> HubId:
    """Read `hf://owner/name[@revision]`, with or without what stands before the owner. Raises NoHubId (422)."""
    found = _ID.fullmatch(typed.strip())
    if found is None or ".." in typed:
        raise NoHubId(typed=repr(typed.strip()[:80]))
    return HubId(found["name"], found["revision"] or "main")


def new_folder(settings: Settings) -> Path:
    """Where a data set is going to lie: a folder of its own among the uploads; nothing is made yet."""
    return (settings.data_dir / "uploads").absolute() / uuid4().hex


def fetch(wanted: HubId, folder: Path, settings: Settings, tell: Tell | None = None) -> str:
    """Bring the files of a data set into `folder`, which is there wholly or not at all; give the commit they are of.

    Raises NotFetched (422) with what to do. `tell` is told the phase, bytes and bytes in all, and may raise to stop.
    """
    half = folder.with_suffix(".part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    try:
        commit = _Fetching(wanted, half, settings, tell).all()
        half.rename(folder)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    return commit


class _Fetching:
    """One data set on its way."""

    def __init__(self, wanted: HubId, folder: Path, settings: Settings, tell: Tell | None) -> None:
        self._wanted, self._folder, self._tell = wanted, folder, tell
        self._most = settings.max_hub_mb * 1_000_000
        self._endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or THE_HUB
        self._done = self._total = self._waits = 0
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}:
            raise self._refusal("HF_HUB_OFFLINE is set, so nothing is asked of the Hub; bring its files in instead")
        if urlsplit(self._endpoint).scheme not in {"http", "https"}:
            raise self._refusal("HF_ENDPOINT is no http or https address")

    def all(self) -> str:
        """Fetch all of it and give its commit."""
        opener = build_opener(_Redirects(self._endpoint))
        about = self._about(opener)
        commit = str(about.get("sha") or "")
        if not re.fullmatch("[0-9a-f]{6,64}", commit):
            raise self._refusal(f"{urlsplit(self._endpoint).netloc} does not speak as the Hub does")
        files = self._files(about)
        self._total = sum(size for _, size in files)
        for number, (name, _) in enumerate(files):
            path = self._folder / _safe(name)
            if path.exists():  # two names that are one in our letters
                path = self._folder / f"{number}" / _safe(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fetch(opener, commit, name, path)
        return commit

    def _about(self, opener: OpenerDirector) -> dict[str, Any]:
        address = f"/api/datasets/{self._wanted.name}/revision/{quote(self._wanted.revision, safe='')}?blobs=true"
        text = b"".join(self._pieces(opener, address, LARGEST_LIST))
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        return found if isinstance(found, dict) else {}

    def _files(self, about: dict[str, Any]) -> list[tuple[str, int]]:
        """The files that are read, with their sizes in bytes, against the limits."""
        listed = [one for one in about.get("siblings") or [] if isinstance(one, dict)]
        data = [(str(one["rfilename"]), _whole(one.get("size"))) for one in listed if _is_data(one.get("rfilename"))]
        if not data:
            raise self._refusal(f"it holds no file of a kind that is read ({', '.join(ENDINGS)})")
        if len(data) > MOST_FILES:
            raise self._refusal(f"it holds {len(data):,} files, and {MOST_FILES:,} are fetched at most")
        if (total := sum(size for _, size in data)) > self._most:
            raise self._refusal(f"it holds {total / 1e6:,.0f} MB; {_LIMIT.format(limit=self._most // 1_000_000)}")
        return sorted(data)

    def _fetch(self, opener: OpenerDirector, commit: str, name: str, path: Path) -> None:
        address = f"/datasets/{self._wanted.name}/resolve/{commit}/{quote(name)}"
        with path.open("xb") as out:
            for piece in self._pieces(opener, address, self._most - self._done):
                out.write(piece)
                self._done += len(piece)
                if self._tell is not None:
                    self._tell("fetching", self._done, max(self._total, self._done))

    def _pieces(self, opener: OpenerDirector, address: str, most: int) -> Iterator[bytes]:
        """What an address answers, at most so many bytes of it. Raises NotFetched for everything else."""
        got, host = 0, urlsplit(self._endpoint).netloc
        try:
            with self._opened(opener, address) as answer:
                expected = answer.headers.get("Content-Length")
                while piece := answer.read(PIECE):
                    got += len(piece)
                    if got > most:
                        raise self._refusal(_LIMIT.format(limit=self._most // 1_000_000))
                    yield piece
        except (URLError, OSError, HTTPException) as error:
            raise self._refusal(
                f"{host} did not answer ({getattr(error, 'reason', error)}); try again where there is a network"
            ) from None
        if expected is not None and expected.isdecimal() and got < int(expected):
            raise self._refusal("the connection broke off; try again")

    def _opened(self, opener: OpenerDirector, address: str) -> Any:
        """The answer from an address, after a while where the Hub asks to wait one. Raises NotFetched and URLError."""
        token = os.environ.get("HF_TOKEN", "").strip()
        headers = {"User-Agent": "handpicked"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = Request(self._endpoint + address, headers=headers)  # noqa: S310 - http or https, see __init__
        asked = Asked(self._endpoint, self._wanted.name, self._wanted.revision, bool(token))
        while True:
            try:
                return opener.open(request, timeout=PATIENCE)
            except HTTPError as error:
                error.close()
                wait = seconds_to_wait(error.headers) if error.code in {429, 503} else None
                if wait is None or wait > LONGEST_WAIT or self._waits >= MOST_WAITS:
                    raise self._refusal(why(error.code, error.headers, asked)) from None
            self._wait(wait)

    def _wait(self, seconds: int) -> None:
        """Wait as long as the Hub asks to; who watches is told each second, and may stop it."""
        self._waits += 1
        for _ in range(seconds):
            if self._tell is not None:
                self._tell("waiting for the Hub", self._done, max(self._total, self._done))
            time.sleep(1)

    def _refusal(self, why: str) -> NotFetched:
        return NotFetched(name=self._wanted.name, why=why)


_LIMIT = "data sets of up to {limit:,} MB are fetched; an operator can raise HANDPICKED_MAX_HUB_MB"


def _is_data(name: object) -> bool:
    last = str(name or "").rsplit("/", 1)[-1]
    return last.lower().endswith(ENDINGS) and last not in NO_DATA and not last.startswith(".")


def _whole(size: object) -> int:
    return size if isinstance(size, int) else 0


def _safe(name: str) -> Path:
    """A file's place in our folder: folders tell splits, so they stay, in letters of ours."""
    steps = [re.sub(r"[^A-Za-z0-9.-]+", "_", step)[-80:].lstrip(".") or "_" for step in name.split("/") if step]
    return Path(*steps[-6:])


class _Redirects(HTTPRedirectHandler):
    """Follows the Hub to where its files lie, and nowhere else; the token stays with the Hub."""

    def __init__(self, endpoint: str) -> None:
        self._home = urlsplit(endpoint)

    def redirect_request(  # the arguments are urllib's
        self,
        req: Request,
        fp: Any,
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: Any,  # noqa: ARG002
        newurl: str,
    ) -> Request | None:
        """Give the next request. Raises URLError where it would go to another host."""
        fp.close()
        to = urlsplit(newurl)
        at_home = (to.scheme, to.netloc) == (self._home.scheme, self._home.netloc)
        if not at_home and not self._is_its_own(to.scheme, to.hostname or ""):
            raise URLError(f"it leads on to {to.hostname or 'nowhere'}, which is not asked")
        kept = dict(req.header_items()) if at_home else {"User-Agent": "handpicked"}
        return Request(newurl, headers=kept)  # noqa: S310 - a host that was just looked at

    def _is_its_own(self, scheme: str, host: str) -> bool:
        below: Sequence[str] = (".huggingface.co", ".hf.co")
        return scheme == "https" and self._home.hostname == "huggingface.co" and f".{host}".endswith(tuple(below))
