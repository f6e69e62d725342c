"""Lists and what is near to them as plain documents: the API and the command line print the same."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.duplicates.benchmarks import queries
from app.duplicates.benchmarks.models import BenchmarkList, BenchmarkMatch
from app.duplicates.benchmarks.near import NearBenchmark
from app.duplicates.benchmarks.queries import Tally
from app.duplicates.models import Method
from app.examples.sight import is_kept


class NearBenchmarkOut(BaseModel):
    """A benchmark that a prompt is near to; of a prompt that is kept out of sight only that there is one."""

    benchmark: str
    method: Method | None
    score: float | None
    line: int | None
    prompt: str | None
    kept_out: bool


def lists_document(session: Session, project_id: int) -> dict[str, Any]:
    """{"lists", "compared", "by_meaning", "examples"}: how many of train and dev were compared as they stand."""
    lists = session.scalars(queries.lists_of(project_id)).all()
    found, far = queries.tallies(session, project_id), queries.progress(session, project_id)
    shown = [list_document(one, found.get(one.id, Tally())) for one in lists]
    counts = {"compared": far.compared, "by_meaning": far.by_meaning} if lists else {"compared": 0, "by_meaning": 0}
    return {"lists": shown, **counts, "examples": far.total}


def list_document(benchmark: BenchmarkList, tally: Tally = Tally()) -> dict[str, Any]:
    """A list without its prompts, and how many examples are near to it: undecided, and kept for a reason."""
    return {
        "id": benchmark.id,
        "name": benchmark.name,
        "licence": benchmark.licence or None,
        "url": benchmark.url or None,
        "file_name": benchmark.file_name,
        "sha256": benchmark.sha256,
        "records": benchmark.records,
        "prompts": benchmark.prompts,
        "created_at": benchmark.created_at.isoformat(),
        "near": tally.open,
        "kept": tally.stays,
    }


def match_documents(session: Session, matches: Sequence[BenchmarkMatch]) -> list[dict[str, Any]]:
    """What is near to listed prompts; to whom these are kept out of sight neither words nor how near they are."""
    texts = queries.listed_texts(session, [one.prompt_id for one in matches])
    kept = is_kept(session)
    return [_match_document(one, None if kept else texts.get(one.prompt_id)) for one in matches]


def _match_document(match: BenchmarkMatch, listed: tuple[int, str] | None) -> dict[str, Any]:
    return {
        "id": match.id,
        "benchmark": match.benchmark.name,
        "example": match.example_id,
        "split": match.example.split.value,
        "turn": match.turn if listed else None,
        "method": match.method.value if listed else None,
        "score": match.score if listed else None,
        "line": listed[0] if listed else None,
        "prompt": listed[1] if listed else None,
        "verdict": match.verdict.value,
        "reason": match.reason or None,
        "decided_by": match.decider.name if match.decider else None,
        "decided_at": match.decided_at.isoformat() if match.decided_at else None,
    }


def near_benchmark_document(one: NearBenchmark) -> dict[str, Any]:
    """A benchmark that a text is near to; of what is kept out of sight only its name."""
    return {
        "benchmark": one.benchmark,
        "method": one.method.value if one.method else None,
        "score": one.score,
        "line": one.line,
        "prompt": one.listed,
        "kept_out": one.kept_out,
    }
