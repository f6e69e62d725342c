"""What people see of help from a model: the panel of the desk, one suggestion with its trail, the setting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from app.accounts.models import Role
from app.endpoints import queries as endpoints
from app.examples import style_queries
from app.examples.models import Suggestion, SuggestionKind
from app.projects.access import ProjectAccess
from app.suggestions import queries
from app.suggestions.documents import state_of
from app.suggestions.instructions import DEFAULTS, instructed
from app.suggestions.queries import Helper, Place

TITLES = {SuggestionKind.CRITIQUE: "Critique", SuggestionKind.OUTLINE: "Outline"}
SAMPLE = (
    {"role": "user", "content": "(the prompt, as it is typed)"},
    {"role": "assistant", "content": "(the response, as it is typed)"},
)
SAMPLE_MARK = "0123456789abcdef"


@dataclass(frozen=True)
class SuggestionRow:
    """What a model said, or why it said nothing, or that it is being asked."""

    id: int
    title: str
    state: str
    words: str
    error: str
    by: str
    model: str
    asked_by: str
    asked_at: datetime
    seconds: float | None
    cut: bool
    copied: bool
    may_cancel: bool


@dataclass(frozen=True)
class PanelPage:
    """Help on the desk: who helps, what can be asked for, what was said; newest first."""

    slug: str
    example_id: int | None
    key: str
    helper: "HelperView | None"
    rows: Sequence[SuggestionRow]
    open: bool
    may_change: bool
    on_desk: bool
    problem: str = ""

    @property
    def waiting(self) -> bool:
        """Whether an answer may still come."""
        return any(row.state == "waiting" for row in self.rows)

    @property
    def shown(self) -> Sequence[SuggestionRow]:
        """What is worth reading: a failure only as long as nothing newer was asked for."""
        return [row for at, row in enumerate(self.rows) if row.state != "failed" or at == 0]

    @property
    def unfolded(self) -> int:
        """The newest answer stands open, the older ones are folded; 0 where there is none."""
        return next((row.id for row in self.rows if row.state == "answered"), 0)


@dataclass(frozen=True)
class HelperView:
    """Who helps and where texts go, in words."""

    by: str
    model: str
    goes: str


@dataclass(frozen=True)
class SentPart:
    """One message that was sent."""

    title: str
    text: str


@dataclass(frozen=True)
class TrailPage:
    """One suggestion: who asked whom, when, all that was sent, and the answer."""

    slug: str
    example_id: int | None
    row: SuggestionRow
    sent: Sequence[SentPart]
    copied_at: datetime | None


@dataclass(frozen=True)
class SourceOption:
    """Somebody who could help; `hint` says where texts would go."""

    value: str
    title: str
    hint: str


@dataclass(frozen=True)
class HelpPage:
    """The setting: who helps, the instructions, and what is sent word for word."""

    slug: str
    options: Sequence[SourceOption]
    chosen: str
    helper: HelperView | None
    critique: str
    outline: str
    own: Sequence[str]
    samples: Sequence[tuple[str, Sequence[SentPart]]]
    may_change: bool
    may_add: bool
    errors: Mapping[str, str]


def panel_page(
    session: Session, access: ProjectAccess, place: Place, problem: str = "", *, on_desk: bool = True
) -> PanelPage:
    """The panel of an example, or of one that is not made yet: a constant number of queries."""
    helper = queries.helper_of(session, access.project)
    rows = [suggestion_row(one, access) for one in session.scalars(queries.suggestions_at(place, access.user))]
    return PanelPage(
        slug=access.project.slug,
        example_id=place.example.id if place.example else None,
        key=place.creation_key or "",
        helper=_view(helper) if helper else None,
        rows=rows,
        open=access.project.archived_at is None,
        may_change=access.role is Role.ADMIN,
        on_desk=on_desk,
        problem=problem,
    )


def suggestion_row(one: Suggestion, access: ProjectAccess) -> SuggestionRow:
    """A suggestion in a list; `asker` has to be loaded."""
    return SuggestionRow(
        id=one.id,
        title=TITLES[one.kind],
        state=state_of(one),
        words=one.words or "",
        error=one.error or "",
        by=one.by,
        model=one.model,
        asked_by=one.asker.name if one.asker else "somebody who is gone",
        asked_at=one.asked_at,
        seconds=one.seconds,
        cut=one.cut,
        copied=one.copied_at is not None,
        may_cancel=one.waits and access.may_stop(one.asked_by),
    )


def _view(helper: Helper) -> HelperView:
    return HelperView(helper.by, helper.model, _goes(helper))


def _goes(helper: Helper) -> str:
    if not helper.host:
        return "nothing leaves this installation"
    return f"text goes to {helper.host}, {'in your own network' if helper.inside else 'outside of your network'}"


def trail_page(access: ProjectAccess, suggestion: Suggestion) -> TrailPage:
    """One suggestion with all that was sent."""
    row = suggestion_row(suggestion, access)
    return TrailPage(access.project.slug, suggestion.example_id, row, _parts(suggestion.sent), suggestion.copied_at)


def _parts(sent: Sequence[Mapping[str, str]]) -> list[SentPart]:
    titles = {"system": "Instruction", "user": "The text, as data" if len(sent) > 1 else "Instruction and text"}
    return [SentPart(titles.get(said["role"], said["role"]), said["content"]) for said in sent]


def help_page(
    session: Session,
    access: ProjectAccess,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> HelpPage:
    """The setting as it stands, or as it was typed."""
    project, setting = access.project, queries.setting_of(session, access.project)
    helper = queries.helper_of(session, project)
    texts = {kind: queries.instruction_of(setting, kind) for kind in SuggestionKind}
    rules = [(rule.title, rule.why) for rule in style_queries.sheet_of(session, project.id).rules]
    said = typed or {}
    chosen = f"endpoint-{helper.endpoint.id}" if helper and helper.endpoint else "no"
    if helper and helper.checkpoint:
        chosen = f"run-{helper.checkpoint.run_id}"
    return HelpPage(
        slug=project.slug,
        options=_options(session, access),
        chosen=said.get("source", chosen),
        helper=_view(helper) if helper else None,
        critique=said.get("critique", texts[SuggestionKind.CRITIQUE]),
        outline=said.get("outline", texts[SuggestionKind.OUTLINE]),
        own=[kind.value for kind in SuggestionKind if texts[kind] != DEFAULTS[kind]],
        samples=[
            (TITLES[kind], _parts(instructed(texts[kind], SAMPLE, rules=rules, guide=project.guide, mark=SAMPLE_MARK)))
            for kind in SuggestionKind
        ],
        may_change=access.role is Role.ADMIN and project.archived_at is None,
        may_add=access.user.role is Role.ADMIN,
        errors=errors or {},
    )


def _options(session: Session, access: ProjectAccess) -> list[SourceOption]:
    servers = [queries.endpoint_helper(one) for one in session.scalars(endpoints.endpoints())]
    listed = [
        SourceOption(f"endpoint-{one.endpoint.id}", f"From the {one.by}", f"{one.model}; {_goes(one)}.")
        for one in servers
        if one.endpoint
    ]
    for run in session.scalars(queries.runs_with_checkpoints(access.project).limit(10)):
        hint = (
            f"{run.base_model.name} trained on {run.version.name}, newest checkpoint; nothing leaves this installation."
        )
        listed.append(SourceOption(f"run-{run.id}", f"From run {run.id}", hint))
    return [SourceOption("no", "No", "Nobody is asked and nothing is sent."), *listed]
