"""What a checkpoint says to prompts: `python -m training.generate` as a child of the job that asks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.jobs.running import JobContext
from app.runs.children import run_child
from app.runs.decoding import Decoding
from app.runs.folders import run_folder
from app.runs.models import Checkpoint


@dataclass(frozen=True)
class Asked:
    """A conversation to answer, under a number of one's own."""

    id: int
    messages: Sequence[Mapping[str, Any]]


def generate(
    context: JobContext, checkpoint: Checkpoint, asked: Sequence[Asked], decoding: Decoding
) -> dict[int, Mapping[str, Any]]:
    """The answers by number, each `{"response", "stopped_by", "tokens", …}`, with one loading of the model."""
    folder = run_folder(context.settings, checkpoint.run_id).path
    work = folder / "answers" / str(context.job_id)
    work.mkdir(parents=True, exist_ok=True)
    prompts, out = work / "prompts.jsonl", work / "answers.jsonl"
    lines = [json.dumps({"id": one.id, "messages": list(one.messages)}) + "\n" for one in asked]
    prompts.write_text("".join(lines), "utf-8")
    run_child(
        context, "training.generate", str(folder), f"--checkpoint={checkpoint.name}", f"--prompts={prompts}",
        f"--out={out}", *decoding.options(), output=work / "log.txt",
    )  # fmt: skip
    said = out.read_text("utf-8").split("\n")  # not splitlines: U+2028 may stand in an answer
    return {line["id"]: line for line in map(json.loads, filter(None, said))}
