"""The gates as JSON, for the API and the command line."""

from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from app.datasets import material_queries
from app.datasets.gate_queries import chosen_of, visible
from app.datasets.gates import BY_NAME, Finding, Gate, masked
from app.projects.models import Project


class BenchmarkOut(BaseModel):
    """A benchmark that the gate of leakage compared with, and how many examples were compared, near to it, and kept."""

    name: str
    sha256: str
    prompts: int
    licence: str
    url: str
    compared: int
    matched: int
    kept: int


def gates_document(session: Session, project: Project) -> dict[str, Any]:
    """{"examples", "gates": [{"gate", "state", "policy", "detail", "findings": […]}], "style_rules"}.

    Of a test prompt that this session's person may not read its number is told, and none of its words; of a pair with
    one neither side's words, nor how alike they are.
    """
    material = material_queries.material_of(session, project)
    seen = visible(session, [finding for gate in material.gates for finding in gate.findings])
    gates = [masked(gate, seen) for gate in material.gates]
    return {
        "examples": len(material.items),
        "gates": [_gate(gate, seen) for gate in gates],
        "style_rules": list(chosen_of(session, project.id).style_rules),
    }


def _gate(gate: Gate, seen: set[int] | None) -> dict[str, Any]:
    shown = gate.document() | {"default": BY_NAME[gate.gate].default.value, "lists": list(gate.lists)}
    return shown | {"findings": [_finding(finding, seen) for finding in gate.findings]}


def _finding(found: Finding, seen: set[int] | None) -> dict[str, Any]:
    hidden = found.hidden_from(seen)
    texts = [
        {"key": side.key, "split": side.split,
         "words": side.words if _reads(side.example_id, seen) and not hidden else None, "prompt": side.turn}
        for side in found.sides
    ]  # fmt: skip
    return {"words": found.words, "noted": found.noted, "pair": found.pair, "source": found.source, "texts": texts}


def _reads(number: int | None, seen: set[int] | None) -> bool:
    return seen is None or number is None or number in seen
