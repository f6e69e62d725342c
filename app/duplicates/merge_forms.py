"""What people post to merge two texts."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from app.duplicates.forms import Percent, Reason
from app.duplicates.gathering import Cluster
from app.duplicates.merging import Merging
from app.duplicates.models import Verdict
from app.duplicates.parts import Part, Take, composed
from app.examples.forms import MOST_TURNS, TAKE, TURN, Messages, turns_in
from app.examples.merging import Turns
from app.web.forms import Form, Text

Kept = Literal[Verdict.KEEP_LEFT, Verdict.KEEP_RIGHT]
Seen = Annotated[str, StringConstraints(max_length=16)]
Revision = Annotated[int, Field(ge=0, le=10**9)]


class MergeForm(Form):
    """Which side stays, and what is taken of each part: take_0 of the system message, take_1 and on of the turns.

    What is written anew comes as system, turn_1, turn_2, …; `left_at` and `right_at` are the revisions that were shown.
    """

    keep: Kept
    takes: dict[int, Take] = Field(default_factory=dict)
    system: Text = ""
    turns: tuple[Text, ...] = Field((), max_length=MOST_TURNS)
    left_at: Revision
    right_at: Revision
    reason: Reason = ""
    whole: bool = False
    seen: Seen = ""
    t: Percent = 0

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        rest = {key: value for key, value in data.items() if not TURN.fullmatch(key) and not _takes(key)}
        return {**rest, "turns": turns_in(data), "takes": takes_in(data)}

    def merging(self, parts: Sequence[Part], cluster: Cluster | None) -> Merging:
        """The same for the operation, of these two texts; `cluster` only where all of it is to go."""
        return Merging(
            keep=self.keep,
            messages=composed(parts, self.takes, Turns(self.system, self.turns)),
            reason=self.reason,
            seen=(self.left_at, self.right_at),
            cluster=cluster,
            cluster_seen=self.seen,
        )


def takes_in(typed: Mapping[str, Any]) -> dict[int, Any]:
    """What is taken of each part, by its number."""
    return {int(key.removeprefix("take_")): value for key, value in typed.items() if _takes(key)}


def _takes(key: str) -> bool:
    return key == "take_0" or bool(TAKE.fullmatch(key))


class MergeIn(Form):
    """Which side of a pair stays, with which words."""

    keep: Kept
    messages: Messages
    left_revision: Revision | None = Field(None, description="As the two texts were read: refused if one has changed.")
    right_revision: Revision | None = Field(None, description="0 of a candidate.")
    cluster: bool = Field(False, description="Whether the other texts of its cluster are rejected with it.")
    seen: Seen | None = Field(None, description="As the list of clusters gave it: refused if it changed.")
    reason: Reason = Field("", description="Kept with the decision and in the note of the revision.")

    def merging(self, cluster: Cluster | None) -> Merging:
        """The same for the operation; `cluster` only where all of it is to go."""
        return Merging(
            keep=self.keep,
            messages=[message.model_dump() for message in self.messages],
            reason=self.reason,
            seen=(self.left_revision, self.right_revision),
            cluster=cluster,
            cluster_seen=self.seen or "",
        )
