"""How the Hub answers: its routes, one function each, as its client asks for them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from tests.hubkeep import Answer, Asked, Proposal, Repository, blob, refusal, reply

if TYPE_CHECKING:
    from tests.hubstand import HubStand


def _create(hub: HubStand, asked: Asked) -> Answer:
    wanted = json.loads(asked.body)
    name = f"{wanted['organization']}/{wanted['name']}"
    if not hub.tokens.get(asked.token or "", False):
        return refusal(403, message="Forbidden: you cannot create a repository here")
    if name in hub.repositories:
        return refusal(409, message="You already created this dataset repo")
    assert wanted["type"] == "dataset"
    hub.repository(name, private=wanted.get("visibility") == "private")
    return reply({"url": f"{hub.address}/datasets/{name}"})


def _about(hub: HubStand, asked: Asked, name: str, revision: str = "main") -> Answer:
    found = hub.seen(asked, name)
    if not isinstance(found, Repository):
        return found
    at = found.at(revision)
    if at is None:
        return refusal(404, "RevisionNotFound", "Invalid rev id")
    rows = [{"rfilename": path} for path in sorted(at.files)]
    return reply({
        "id": name, "_id": "1", "sha": at.id, "private": found.private, "siblings": rows, "tags": [], "downloads": 0,
        "likes": 0, "disabled": False, "gated": False,
    })  # fmt: skip


def _tree(hub: HubStand, asked: Asked, name: str, revision: str, below: str = "") -> Answer:
    found = hub.seen(asked, name)
    if not isinstance(found, Repository):
        return found
    at = found.at(revision)
    if at is None:
        return refusal(404, "RevisionNotFound", "Invalid rev id")
    top = f"{below}/" if below else ""
    inside = {path: body for path, body in sorted(at.files.items()) if path.startswith(top)}
    if asked.query.get("recursive") == "true":
        return reply([*_folders(inside), *(hub_file(hub, path, body) for path, body in inside.items())])
    here = {path: body for path, body in inside.items() if "/" not in path.removeprefix(top)}
    folders = [row for row in _folders(inside) if "/" not in row["path"].removeprefix(top) and row["path"] != below]
    return reply([*folders, *(hub_file(hub, path, body) for path, body in here.items())])


def _folders(files: dict[str, bytes]) -> list[dict[str, Any]]:
    parents = {parent.as_posix() for path in files for parent in PurePosixPath(path).parents} - {"."}
    return [{"type": "directory", "path": path, "size": 0, "oid": blob(path.encode())} for path in sorted(parents)]


def _paths(hub: HubStand, asked: Asked, name: str, revision: str) -> Answer:
    found = hub.seen(asked, name)
    if not isinstance(found, Repository):
        return found
    at = found.at(revision)
    assert at is not None
    wanted = parse_qs(asked.body.decode())["paths"]
    files = [hub_file(hub, path, at.files[path]) for path in wanted if path in at.files]
    return reply([*(row for row in _folders(at.files) if row["path"] in wanted), *files])


def hub_file(hub: HubStand, path: str, body: bytes) -> dict[str, Any]:
    """A file as the Hub lists it: a large one by a pointer that names its SHA-256."""
    if not is_large(hub, path, len(body)):
        return {"type": "file", "path": path, "size": len(body), "oid": blob(body)}
    oid = hashlib.sha256(body).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(body)}\n".encode()
    lfs = {"oid": oid, "size": len(body), "pointerSize": len(pointer)}
    return {"type": "file", "path": path, "size": len(body), "oid": blob(pointer), "lfs": lfs}


def is_large(hub: HubStand, path: str, size: int) -> bool:
    """Whether a file is stored by its hash."""
    return path.endswith(".parquet") or size > hub.large


def _commits(hub: HubStand, asked: Asked, name: str, revision: str) -> Answer:
    found = hub.seen(asked, name)
    if not isinstance(found, Repository):
        return found
    at = found.at(revision)
    if at is None:
        return refusal(404, "RevisionNotFound", "Invalid rev id")
    when = datetime(2026, 1, 1, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return reply([
        {"id": one.id, "title": one.title, "message": one.message, "authors": [{"user": "kitchen"}], "date": when}
        for one in at.line()
    ])  # fmt: skip


def _discussions(hub: HubStand, asked: Asked, name: str) -> Answer:
    found = hub.seen(asked, name)
    if not isinstance(found, Repository):
        return found
    rows = [
        {"title": one.title, "num": one.number, "author": {"name": "kitchen"}, "createdAt": "2026-01-01T00:00:00.000Z",
         "status": one.status, "repo": {"name": name, "type": "dataset"}, "isPullRequest": True}
        for one in reversed(found.proposals)
        if asked.query.get("status") in {None, one.status}
    ]  # fmt: skip
    return reply({"count": len(rows), "start": 0, "discussions": rows})


def _yaml(hub: HubStand, asked: Asked) -> Answer:
    wanted = json.loads(asked.body)
    assert wanted["repoType"] == "dataset"
    return reply({"errors": [], "warnings": []})


def _preupload(hub: HubStand, asked: Asked, name: str, revision: str) -> Answer:
    writing = "create_pr" not in asked.query
    found = hub.seen(asked, name, writing=writing)
    if not isinstance(found, Repository):
        return found
    at = found.at(revision)
    assert at is not None
    rows = []
    for one in json.loads(asked.body)["files"]:
        path, size = one["path"], one["size"]
        base64.b64decode(one["sample"])
        there = at.files.get(path)
        oid = None
        if there is not None:
            oid = hashlib.sha256(there).hexdigest() if is_large(hub, path, len(there)) else blob(there)
        mode = "lfs" if is_large(hub, path, size) else "regular"
        rows.append({"path": path, "uploadMode": mode, "shouldIgnore": path in hub.ignored, "oid": oid})
    return reply({"files": rows})


def _batch(hub: HubStand, asked: Asked, name: str) -> Answer:
    found = hub.seen(asked, name)
    if not isinstance(found, Repository):
        return found
    wanted = json.loads(asked.body)
    assert wanted["operation"] == "upload"
    rows = []
    for one in wanted["objects"]:
        row: dict[str, Any] = {"oid": one["oid"], "size": one["size"]}
        if one["oid"] not in found.stored:
            tell = f"{hub.verify_at or hub.address}/verify/{name}"
            row["actions"] = {"upload": _way_in(hub, name, one["oid"], one["size"]), "verify": {"href": tell}}
        rows.append(row)
    return reply({"transfer": "basic", "objects": rows})


def _way_in(hub: HubStand, name: str, oid: str, size: int) -> dict[str, Any]:
    if not hub.part:
        return {"href": f"{hub.address}/store/{name}/{oid}"}
    count = -(-size // hub.part)
    places = {str(number): f"{hub.address}/part/{name}/{oid}/{number}" for number in range(1, count + 1)}
    return {"href": f"{hub.address}/whole/{name}/{oid}", "header": {"chunk_size": str(hub.part), **places}}


def _part(hub: HubStand, asked: Asked, name: str, oid: str, number: str) -> Answer:
    hub.repositories[name].parts[oid, int(number)] = asked.body
    return 200, {"ETag": f'"{number}"'}, b""


def _whole(hub: HubStand, asked: Asked, name: str, oid: str) -> Answer:
    found = hub.repositories[name]
    listed = [row["partNumber"] for row in json.loads(asked.body)["parts"]]
    body = b"".join(found.parts[oid, number] for number in listed)
    if hashlib.sha256(body).hexdigest() != oid:
        return refusal(400, message="not what was announced")
    found.stored[oid] = body
    return 200, {}, b""


def _store(hub: HubStand, asked: Asked, name: str, oid: str) -> Answer:
    if asked.token is not None:
        return refusal(400, message="a signed address takes no token")
    if hashlib.sha256(asked.body).hexdigest() != oid:
        return refusal(400, message="not what was announced")
    hub.repositories[name].stored[oid] = asked.body
    return 200, {}, b""


def _verify(hub: HubStand, asked: Asked, name: str) -> Answer:
    wanted = json.loads(asked.body)
    stored = hub.repositories[name].stored.get(wanted["oid"])
    return reply({}) if stored is not None and len(stored) == wanted["size"] else refusal(404, message="not there")


def _commit(hub: HubStand, asked: Asked, name: str, revision: str) -> Answer:
    proposes = asked.query.get("create_pr") == "1"
    found = hub.seen(asked, name, writing=not proposes)
    if not isinstance(found, Repository):
        return found
    head = found.at(revision)
    assert head is not None
    lines = [json.loads(line) for line in asked.body.splitlines()]
    header = next(one["value"] for one in lines if one["key"] == "header")
    if header.get("parentCommit") not in {None, head.id}:
        return refusal(412, message="A commit has happened since. Please refresh and try again.")
    files = dict(head.files)
    for one in lines:
        value = one["value"]
        if one["key"] == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif one["key"] == "lfsFile":
            if value["oid"] not in found.stored:
                return refusal(400, message=f"the LFS file of {value['path']} is not there")
            files[value["path"]] = found.stored[value["oid"]]
        elif one["key"] == "deletedFile":
            del files[value["path"]]
    made = found.add(header["summary"], header["description"], files, head)
    document = {"success": True, "commitOid": made.id, "commitUrl": f"{hub.address}/datasets/{name}/commit/{made.id}"}
    if proposes:
        number = len(found.proposals) + 1
        found.proposals.append(Proposal(number, header["summary"], made))
        document["pullRequestUrl"] = f"{hub.address}/datasets/{name}/discussions/{number}"
    else:
        found.main = made
    return reply(document)


def _resolve(hub: HubStand, asked: Asked, name: str, revision: str, path: str) -> Answer:
    found = hub.seen(asked, name)
    if not isinstance(found, Repository):
        return found
    at = found.at(revision)
    if at is None or path not in at.files:
        return refusal(404, "EntryNotFound", "Entry not found")
    body = at.files[path]
    tag = hashlib.sha256(body).hexdigest() if is_large(hub, path, len(body)) else blob(body)
    headers = {"Content-Type": "application/octet-stream", "ETag": f'"{tag}"', "X-Repo-Commit": at.id}
    return 200, headers, body


NAME = r"([^/]+/[^/]+)"
ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("POST", "/api/repos/create", _create),
    ("POST", "/api/validate-yaml", _yaml),
    ("GET", f"/api/datasets/{NAME}", _about),
    ("GET", f"/api/datasets/{NAME}/revision/([^/]+)", _about),
    ("GET", f"/api/datasets/{NAME}/tree/([^/]+)", _tree),
    ("GET", f"/api/datasets/{NAME}/tree/([^/]+)/(.+)", _tree),
    ("POST", f"/api/datasets/{NAME}/paths-info/([^/]+)", _paths),
    ("GET", f"/api/datasets/{NAME}/commits/([^/]+)", _commits),
    ("GET", f"/api/datasets/{NAME}/discussions", _discussions),
    ("POST", f"/api/datasets/{NAME}/preupload/([^/]+)", _preupload),
    ("POST", f"/datasets/{NAME}.git/info/lfs/objects/batch", _batch),
    ("PUT", f"/store/{NAME}/([0-9a-f]+)", _store),
    ("PUT", f"/part/{NAME}/([0-9a-f]+)/([0-9]+)", _part),
    ("POST", f"/whole/{NAME}/([0-9a-f]+)", _whole),
    ("POST", f"/verify/{NAME}", _verify),
    ("POST", f"/api/datasets/{NAME}/commit/([^/]+)", _commit),
    ("GET", f"/datasets/{NAME}/resolve/([^/]+)/(.+)", _resolve),
    ("HEAD", f"/datasets/{NAME}/resolve/([^/]+)/(.+)", _resolve),
)
