"""A training command run to its end by a job, and never left behind."""

import hashlib
from pathlib import Path

from app.errors import Refusal
from app.jobs.running import JobContext, ShuttingDown
from app.runs import processes
from app.runs.folders import last_words


def run_child(context: JobContext, module: str, *arguments: str, output: Path) -> None:
    """Run a training command to its end, its words appended to `output`; raises with its last words if it fails."""
    # Two installations on one machine have jobs of the same number: the file of its words tells them apart.
    token = f"job-{context.job_id}-{hashlib.sha256(str(output.absolute()).encode()).hexdigest()[:16]}"
    processes.end_all(token, grace=0)  # a child that an earlier worker left behind would write to the same files
    child = processes.start(module, *arguments, token=token, settings=context.settings, output=output)
    try:
        while child.poll() is None:
            context.check()
            if context.shutting_down.wait(0.1):
                raise ShuttingDown
    finally:
        if child.poll() is None:
            processes.end_all(token, grace=2)
            child.wait()
    if child.returncode:
        raise Refusal(last_words(output) or f"{module} ended with code {child.returncode}.")
