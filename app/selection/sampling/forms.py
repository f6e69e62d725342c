"""What people send to a sampling plan."""

from typing import Annotated

from pydantic import Field, StringConstraints

from app.selection.sampling.plans import PLANS, BadPlan, Plan, plan_from_text
from app.web.forms import Form, Text


class SampleForm(Form):
    """A plan by name or as a document, and the seed."""

    plan: Annotated[Text, StringConstraints(strip_whitespace=True, max_length=60)] = "lima"
    document: Annotated[Text, StringConstraints(max_length=100_000)] = Field(
        "", description="A plan as TOML or JSON, instead of a named one."
    )
    seed: int = Field(0, ge=0, le=2**53 - 1)

    def as_plan(self) -> Plan:
        """The plan that is meant. Raises BadPlan."""
        if self.document.strip():
            return plan_from_text(self.document)
        if self.plan not in PLANS:
            raise BadPlan(why=f"there is no plan {self.plan}")
        return PLANS[self.plan]
