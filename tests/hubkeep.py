"""What a stand-in of the Hub keeps: repositories with commits and proposals, large files by their hash; requests."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True)
class Commit:
    """A state of a repository; files by path."""

    id: str
    title: str
    message: str
    files: dict[str, bytes]
    parent: "Commit | None" = None

    def line(self) -> "Iterator[Commit]":
        """This commit and those before it."""
        at: Commit | None = self
        while at is not None:
            yield at
            at = at.parent


@dataclass
class Proposal:
    """A pull request."""

    number: int
    title: str
    head: Commit
    status: str = "open"


@dataclass
class Repository:
    """A data set on the Hub."""

    private: bool
    main: Commit
    proposals: list[Proposal] = field(default_factory=list)
    stored: dict[str, bytes] = field(default_factory=dict)
    parts: dict[tuple[str, int], bytes] = field(default_factory=dict)
    history: dict[str, Commit] = field(default_factory=dict)

    def at(self, revision: str) -> Commit | None:
        """The commit of a branch, a pull request or a commit's hash."""
        if revision == "main":
            return self.main
        found = re.fullmatch(r"refs/pr/(\d+)", revision)
        if found:
            return next((one.head for one in self.proposals if one.number == int(found[1])), None)
        return self.history.get(revision)

    def add(self, title: str, message: str, files: dict[str, bytes], parent: Commit | None) -> Commit:
        """A commit of these files."""
        said = json.dumps([title, message, parent.id if parent else "", len(self.history)])
        content = "".join(hashlib.sha1(body).hexdigest() for body in files.values())  # noqa: S324 - as git does
        made = Commit(hashlib.sha1((said + content).encode()).hexdigest(), title, message, files, parent)  # noqa: S324
        self.history[made.id] = made
        return made


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    token: str | None
    sent: int
    body: bytes


def refusal(status: int, code: str = "", message: str = "", **headers: str) -> Answer:
    """An answer that refuses, as the Hub words it."""
    said = {"X-Error-Code": code, "X-Error-Message": message, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return status, {key: value for key, value in said.items() if value}, json.dumps({"error": message}).encode()


def reply(document: Any) -> Answer:
    """A JSON answer."""
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


def blob(body: bytes) -> str:
    """The name that git gives to a file's bytes."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()  # noqa: S324 - as git does
