"""/api/v1: the gates of what would be frozen now, what the project makes of them, and what settles them."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.datasets import gate_operations
from app.datasets.gate_documents import BenchmarkOut, gates_document
from app.datasets.gate_forms import GatesBody, LicenceForm
from app.datasets.gates import Compared, GateState, Policy
from app.examples import licensing
from app.projects.access import Annotator, Lead
from app.web.refusals import REFUSALS
from app.web.transactions import SessionDep

router = APIRouter(prefix="/api/v1/projects/{slug}", tags=["versions"], responses=REFUSALS)


class TextOut(BaseModel):
    """A text by its key among duplicates; `words` are the beginning of it, null where they are kept out of sight."""

    key: str
    split: str | None
    words: str | None
    prompt: int = Field(description="Which of a dialogue's prompts the words are, from 1.")


class FindingOut(BaseModel):
    """What was found, of which texts; what is only `noted` holds nobody up."""

    words: str
    noted: bool
    pair: int | None = Field(description="The pair's number among the duplicates, where it is one.")
    source: str | None = Field(description="The row of the composition target, where it is about one.")
    texts: list[TextOut]


class GateReport(BaseModel):
    """One gate: its verdict on what would be frozen now, what the project makes of a finding, and all findings."""

    gate: str
    state: GateState
    policy: Policy
    default: Policy
    detail: str
    meaning: Compared | None = Field(None, description="Of leakage, where some are trained on and others held out.")
    findings: list[FindingOut]
    lists: list[BenchmarkOut] = Field(description="Of leakage: the benchmarks that were compared with.")


class GatesOut(BaseModel):
    """All gates over the approved examples."""

    examples: int
    gates: list[GateReport]
    style_rules: list[str]


class PutUpOut(BaseModel):
    """The pairs that are among the duplicates now, by their numbers."""

    pairs: list[int]


class GivenOut(BaseModel):
    """How many examples got a licence, and how many an author to name."""

    licensed: int
    credited: int


@router.get("/gates", name="api:gates")
def gates(session: SessionDep, access: Annotator) -> GatesOut:
    """What stands between the approved examples and a freeze."""
    return GatesOut.model_validate(gates_document(session, access.project))


@router.put("/gates", name="api:set_gates")
def set_gates(session: SessionDep, access: Lead, body: GatesBody) -> GatesOut:
    """Set what findings mean: block, warn, or off; what is left out stays."""
    gate_operations.set_gates(session, access.user, access.project, body.policies, body.style_rules)
    return GatesOut.model_validate(gates_document(session, access.project))


@router.post("/gates/leakage/pairs", name="api:put_up_leaks", status_code=201)
def put_up_leaks(session: SessionDep, access: Annotator) -> PutUpOut:
    """Put all that stands between splits among the duplicates, where each pair is settled."""
    pairs = gate_operations.put_up_leaks(session, access.project)
    return PutUpOut(pairs=[pair.id for pair in pairs])


@router.post("/gates/licences", name="api:give_licence")
def give_licence(session: SessionDep, access: Lead, body: LicenceForm) -> GivenOut:
    """Put what has no licence under one, and name an author where nobody is named."""
    given = licensing.give_licence(session, access.user, access.project, licence=body.licence, author=body.author)
    return GivenOut(licensed=given.licensed, credited=given.credited)
