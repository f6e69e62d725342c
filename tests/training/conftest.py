"""The tiny model once a session, and run folders made of it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from training.folder import RunFolder
from training.sft import StopFlag, train_folder
from training.spec import spec_from
from training.tiny import WORDS, make_tiny

LINES = WORDS.splitlines()
TOPICS = ("coffee", "tea", "lists", "mass", "answers", "machines", "bread", "tests", "the moon", "plants")


def pair(number: int) -> dict[str, Any]:
    """One row: a question about a topic, and two lines about it."""
    topic = TOPICS[number % len(TOPICS)]
    answer = f"{LINES[number % len(LINES)]} {LINES[(number * 5 + 2) % len(LINES)]}"
    messages = [{"role": "user", "content": f"What about {topic}?"}, {"role": "assistant", "content": answer}]
    return {"id": f"row-{number}", "messages": messages}


def turns(*texts: str) -> dict[str, Any]:
    """A row of user and assistant in turn."""
    roles = ("user", "assistant")
    return {"messages": [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]}


@pytest.fixture(autouse=True)
def _torch_as_before() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny base model."""
    return make_tiny(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def make_run(tiny: Path, tmp_path: Path) -> Callable[..., RunFolder]:
    """Build a run folder: `make_run("name", rows, key="value", …)`."""

    def make(name: str, rows: list[dict[str, Any]], base: Path = tiny, **settings: str) -> RunFolder:
        folder = RunFolder(tmp_path / name)
        folder.train.parent.mkdir(parents=True)
        quick = {"epochs": "2", "batch_size": "4", "micro_batch": "4", "threads": "1", "device": "cpu", **settings}
        folder.spec.write_text(spec_from("smoke", quick, base_model=str(base)).to_json())
        folder.train.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
        return folder

    return make


def train(folder: RunFolder) -> int:
    """Train in this process; gives the exit code back."""
    return train_folder(folder, StopFlag(folder.stop))


def losses(folder: RunFolder) -> list[float]:
    """The loss of each step, exactly as written."""
    return [json.loads(line)["loss"] for line in folder.progress.read_text().splitlines()]


def steps(folder: RunFolder) -> list[dict[str, Any]]:
    """All lines of progress.jsonl."""
    return [json.loads(line) for line in folder.progress.read_text().splitlines()]


def result(folder: RunFolder) -> dict[str, Any]:
    """result.json."""
    return dict(json.loads(folder.result.read_text()))
