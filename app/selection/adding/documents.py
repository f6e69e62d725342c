"""What to add next, and a selection, as one JSON document each: the same for the API and the command line."""

from typing import Any

from app.selection.adding.advising import Answer
from app.selection.adding.asked import Request
from app.selection.adding.choosing import Selected
from app.selection.adding.suggesting import Suggestion
from app.sources.models import Candidate


def next_document(answer: Answer) -> dict[str, Any]:
    """Advice with what it rests on; its keys are a contract. `near` is None where there is no advice."""
    advice = answer.advice
    return {
        "encoded": answer.encoded,
        "pool": answer.total,
        "under_way": answer.under_way,
        "problem": answer.problem,
        "near": round(advice.near, 4) if advice else None,
        "begun": advice.needs.begun if advice else 0,
        "short": advice.needs.short if advice else 0,
        "eligible": advice.eligible if advice else 0,
        "put_off": advice.put_off if advice else 0,
        "widened": advice.widened if advice else False,
        "area": answer.area,
        "requests": [request_document(one) for one in answer.requests],
        "needs": [
            {"source": row.source.key, "title": row.source.title, "target": row.target, "begun": row.begun,
             "short": row.short}
            for row in (advice.needs.rows if advice else ())
        ],
        "suggestions": [
            _suggestion(candidate, one)
            for candidate, one in zip(answer.candidates, advice.suggestions if advice else (), strict=True)
        ],
        "thin": [
            {"name": one.name, "candidate": one.candidate_id, "candidates": one.candidates, "examples": one.examples,
             "bare": one.bare, "region": one.within}
            for one in answer.thin
        ],
    }  # fmt: skip


def _suggestion(candidate: Candidate, one: Suggestion) -> dict[str, Any]:
    return {
        "id": candidate.id,
        "site": candidate.site,
        "external_id": candidate.external_id,
        "title": candidate.title,
        "source": candidate.source,
        "score": candidate.score,
        "reason": one.reason,
        "nearest_example": one.nearest_example,
        "nearest": None if one.facts.nearest is None else round(one.facts.nearest, 4),
        "alike": one.facts.alike,
        "bare": one.facts.bare,
        "region": one.facts.region,
        "request": one.request,
    }


def request_document(request: Request) -> dict[str, Any]:
    """What somebody asked for more of; `candidates` counts those of the pool that are about it."""
    return {
        "id": request.id,
        "words": request.words,
        "by": request.by,
        "at": request.at.isoformat(),
        "candidates": request.candidates,
    }


def selection_document(selected: Selected, kept: int | None = None) -> dict[str, Any]:
    """A selection in its order; `kept` says how many were marked as kept, None where nothing was to be."""
    return {
        "method": selected.method.value,
        "seed": selected.seed,
        "of": selected.of,
        "count": len(selected.chosen),
        "lowest": round(selected.lowest, 4),
        "mean": round(selected.mean, 4),
        "kept": kept,
        "candidates": [
            {"id": one.id, "site": one.site, "external_id": one.external_id, "title": one.title}
            for one in selected.chosen
        ],
    }
