"""A repository of the Hugging Face Hub as publishing needs it: looked at, written to once, compared.

What its client raises comes out as Refused or Trouble: without the token, and without addresses that would let in.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlsplit

from app.datasets.publication import words as publish_words
from app.datasets.publication.client import Offline, Refused, Trouble, endpoint_here, prepare, require_online
from app.datasets.publication.files import Held, Sent, differing
from app.errors import Refusal

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd
    from huggingface_hub.errors import HfHubHTTPError

PIECE = 1 << 20
# How many open proposals of the same title are looked into.
LOOKED_INTO = 20
DATASET = "dataset"
# A path, and how many bytes were sent in all.
Tell = Callable[[str, int], None]


@dataclass(frozen=True)
class Remote:
    """A repository that is there: who can read it, and where its main branch stands."""

    private: bool
    head: str


@dataclass(frozen=True)
class Landed:
    """The commit that holds what was sent, and the number of the pull request that it came by."""

    revision: str
    pull_request: int | None = None


def page_of(endpoint: str, repository: str, landed: Landed | None = None) -> str:
    """Where people read a repository, or what was sent to it."""
    place = f"{endpoint}/datasets/{repository}"
    if landed is None:
        return place
    return f"{place}/discussions/{landed.pull_request}" if landed.pull_request else f"{place}/commit/{landed.revision}"


class Hub:
    """One repository, by one token; `token_from` says whose it is, as part of a sentence."""

    def __init__(self, endpoint: str, repository: str, token: str, token_from: str) -> None:
        """Ask nothing yet. Raises Offline, BadEndpoint, and Refusal where this process speaks to another Hub."""
        from huggingface_hub import HfApi

        require_online()
        if endpoint != endpoint_here():
            raise Refusal(f"This is about {endpoint}, and HF_ENDPOINT names {endpoint_here()}; nothing was asked.")
        prepare()
        self.repository = repository
        self.api = HfApi(endpoint=endpoint, token=token, library_name="handpicked")
        self._endpoint, self._token, self._token_from = endpoint, token, token_from

    def look(self) -> Remote | None:
        """The repository, or None where there is none that the token may see."""
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

        with self.asking():
            try:
                found = self.api.dataset_info(self.repository)
            except RepositoryNotFoundError as error:
                if isinstance(error, GatedRepoError):
                    raise
                return None
        return Remote(bool(found.private), str(found.sha or ""))

    def create(self, *, private: bool) -> None:
        """Make the repository; one that somebody made meanwhile is as good."""
        with self.asking():
            self.api.create_repo(self.repository, private=private, repo_type=DATASET, exist_ok=True)

    def files(self, revision: str) -> dict[str, Held] | None:
        """Every file at a revision, by path; None where there is no such revision."""
        from huggingface_hub import RepoFile
        from huggingface_hub.errors import RevisionNotFoundError

        with self.asking():
            try:
                rows = list(
                    self.api.list_repo_tree(self.repository, repo_type=DATASET, revision=revision, recursive=True)
                )
            except RevisionNotFoundError:
                return None
        held = [
            Held(row.path, row.size, row.blob_id, row.lfs.sha256 if row.lfs else None)
            for row in rows
            if isinstance(row, RepoFile)
        ]
        return {one.path: one for one in held}

    def commit_with(self, mark: str) -> str | None:
        """The commit of main whose description has these words."""
        with self.asking():
            line = self.api.list_repo_commits(self.repository, repo_type=DATASET)
        return next((one.commit_id for one in line if mark in one.message), None)

    def proposal_with(self, title: str, files: Sequence[Sent]) -> Landed | None:
        """The open pull request of that title that holds these files already."""
        with self.asking():
            listed = self.api.get_repo_discussions(
                self.repository, repo_type=DATASET, discussion_type="pull_request", discussion_status="open"
            )
            alike = [one.num for one in listed if one.title == title][:LOOKED_INTO]
        for number in alike:
            revision = f"refs/pr/{number}"
            if not differing(files, self.files(revision) or {}):
                with self.asking():
                    found = self.api.dataset_info(self.repository, revision=revision)
                return Landed(str(found.sha), number)
        return None

    def text(self, path: str, revision: str, most: int) -> bytes:
        """The first bytes of a file, `most` of them."""
        body = b""
        for piece in self._pieces(path, revision):
            body += piece
            if len(body) >= most:
                break
        return body[:most]

    def sha256_of(self, path: str, revision: str, check: Callable[[], None]) -> str:
        """The SHA-256 of a file's bytes as anybody gets them; `check` may raise to stop."""
        digest = hashlib.sha256()
        for piece in self._pieces(path, revision):
            digest.update(piece)
            check()
        return digest.hexdigest()

    def _pieces(self, path: str, revision: str) -> Iterator[bytes]:
        from huggingface_hub import get_session, hf_raise_for_status

        address = f"{page_of(self._endpoint, self.repository)}/resolve/{quote(revision, safe='')}/{quote(path)}"
        headers = {"Authorization": f"Bearer {self._token}"}
        with self.asking(), get_session().stream("GET", address, headers=headers) as answer:
            if answer.is_error:
                answer.read()
            hf_raise_for_status(answer)
            yield from answer.iter_bytes(PIECE)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Turn what the client raises within the block into Refused and Trouble."""
        import httpx2

        try:
            yield
        except (httpx2.HTTPError, ValueError, RuntimeError, OSError) as error:
            inner = isinstance(error, RuntimeError) and error.__cause__  # the client's words around one file's fault
            raise self._meant(inner or error) from None

    def _meant(self, error: BaseException) -> BaseException:
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

        if isinstance(error, Refused | Trouble):
            return error
        if isinstance(error, OfflineModeIsEnabled):
            return Offline()
        if isinstance(error, HfHubHTTPError):
            return self._meant_by_the_hub(error)
        host = urlsplit(self._endpoint).netloc
        if isinstance(error, httpx2.HTTPError | OSError):
            return Trouble(f"{host} did not answer, or the connection broke off")
        if isinstance(error, ValueError):
            said = publish_words.plain(str(error), self._token)
            return Refused(f"{host} does not take it, or does not speak as the Hub does ({said})")
        return error

    def _meant_by_the_hub(self, error: HfHubHTTPError) -> BaseException:
        status, said = error.response.status_code, publish_words.plain(error.server_message, self._token)
        if status in {409, 412}:
            return Trouble(f"somebody else writes to {self.repository} at the same time")
        words = publish_words.why(
            status, error.response.headers, said, repository=self.repository, token_from=self._token_from
        )
        return Trouble(words) if status in {408, 429} or status >= 500 else Refused(words)


class _Watched(io.BufferedReader):
    """A file that says how far it was read, and lets whoever listens stop the reading."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        super().__init__(io.FileIO(path))
        self._told = tell

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self._told(self.tell())
        return piece


class Upload:
    """Files on their way into one commit: sent first, then committed, so that work can be stopped until the last."""

    def __init__(self, hub: Hub, folder: Path, files: Sequence[Sent], tell: Tell) -> None:
        """Open nothing yet."""
        self._hub, self._folder, self._files, self._tell = hub, folder, files, tell
        self._opened = ExitStack()
        self._far: dict[str, int] = {}
        self._sending = False

    def __enter__(self) -> Self:
        """Open the files."""
        with self._opened:
            self._adding = [self._added(one) for one in self._files]
            self._opened = self._opened.pop_all()
        return self

    def _added(self, one: Sent) -> CommitOperationAdd:
        from huggingface_hub import CommitOperationAdd

        # An open file and no path: so the client sends it by HTTP, where it can be watched, stopped and guarded.
        file = self._opened.enter_context(_Watched(self._folder / one.path, lambda at: self._reached(one.path, at)))
        return CommitOperationAdd(one.path, file)

    def _reached(self, path: str, at: int) -> None:
        if self._sending:
            self._far[path] = max(at, self._far.get(path, 0))
            self._tell(path, sum(self._far.values()))

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self._opened.close()

    def send(self, *, pull_request: bool) -> None:
        """Send the large files, one after the other; what the Hub has already is not sent again.

        Raises Refused, Trouble, and whatever `tell` raises.
        """
        self._sending = True
        with self._hub.asking():
            self._hub.api.preupload_lfs_files(
                self._hub.repository, self._adding, repo_type=DATASET, create_pr=pull_request, num_threads=1
            )
        self._sending = False

    def land(self, title: str, description: str, *, parent: str, removed: Sequence[str], pull_request: bool) -> Landed:
        """Commit them on `parent` and no other, without the files of `removed`. Raises Refused and Trouble."""
        from huggingface_hub import CommitOperationDelete

        gone = [CommitOperationDelete(path) for path in removed]
        with self._hub.asking():
            done = self._hub.api.create_commit(
                self._hub.repository, [*self._adding, *gone], commit_message=title, commit_description=description,
                repo_type=DATASET, create_pr=pull_request, parent_commit=parent or None, num_threads=1,
            )  # fmt: skip
        return Landed(done.oid, done.pr_num)
