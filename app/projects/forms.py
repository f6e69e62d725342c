"""What people post about projects."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from app.accounts.models import Role, Scope
from app.projects.models import AuthorGroup, Split
from app.projects.operations import Target
from app.web.forms import SLUG_OR_EMPTY, Address, Form, Language, Line, MaybeAddress, Name, Secret, Slug, Text

MOST_ROWS = 64
COLOURS = 8

ShortLine = Annotated[Text, StringConstraints(strip_whitespace=True, max_length=64)]


class ProjectForm(Form):
    """A new project; without a short name it gets one from its name."""

    name: Annotated[Line, StringConstraints(max_length=120)]
    slug: Annotated[str, StringConstraints(strip_whitespace=True, pattern=SLUG_OR_EMPTY)] = ""
    composition: Annotated[str, StringConstraints(pattern="^(?:lima|empty)$")] = "lima"


class DescriptionForm(Form):
    """Name and style guide."""

    name: Annotated[Line, StringConstraints(max_length=120)]
    guide: Annotated[Text, StringConstraints(max_length=100_000)] = ""


class MemberForm(Form):
    """Whom to add or invite, as what; without an address anyone who has the link."""

    email: MaybeAddress = ""
    role: Role


class MemberRoleForm(Form):
    """A role in the project."""

    role: Role


class AuthorForm(Form):
    """In which group somebody writes, empty for none, and whether they read hidden tests."""

    group: Literal["", "A", "B"] = ""
    reads_tests: bool = False

    @property
    def as_group(self) -> AuthorGroup | None:
        """The group, or none."""
        return AuthorGroup(self.group) if self.group else None


class TestsForm(Form):
    """Whether test prompts are kept out of sight of those who write."""

    __test__: ClassVar[bool] = False  # no test class, whatever its name begins with
    hidden: bool = False


class LanguageForm(Form):
    """The language of a project's texts that state none; empty where it is not to be said."""

    language: Language | Literal[""] = ""


class FollowForm(Form):
    """Which project this one translates, into which language; without a project it follows none."""

    project: Annotated[str, StringConstraints(strip_whitespace=True, pattern=SLUG_OR_EMPTY)] = ""
    language: Language | Literal[""] = ""

    @model_validator(mode="after")
    def _language_with_project(self) -> Self:
        if self.project and not self.language:
            raise ValueError("Say into which language it is translated, such as de")
        return self


class MemberIn(Form):
    """Whom to add, as what; a group or a right to read tests that is not named stays as it is."""

    email: Address
    role: Role
    author_group: Literal["", "A", "B"] | None = None
    reads_tests: bool | None = None


class InvitationForm(Form):
    """Whom to invite, as what, to which project if to one."""

    email: MaybeAddress = ""
    role: Role
    project: Annotated[str, StringConstraints(max_length=64)] = ""


class AccountForm(Form):
    """What somebody with a link says of themselves: the e-mail where it names none, the name for a new account."""

    email: MaybeAddress = ""
    name: Line | Literal[""] = ""
    password: Secret


class TokenForm(Form):
    """A token's name, how far it reaches, for which project if for one, for how many days if not for ever."""

    name: Line
    scope: Scope
    project: Slug | None = None
    days: Annotated[int, Field(ge=1, le=3650)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty_is_none(cls, data: Any) -> Any:
        # A browser sends the empty choice of a list as an empty text.
        return {key: value for key, value in data.items() if value != ""} if isinstance(data, dict) else data


class TargetRow(Form):
    """One row of a composition target."""

    source: Name
    split: Split = Split.TRAIN
    title: Annotated[Line, StringConstraints(max_length=80)]
    short_title: Annotated[Line, StringConstraints(max_length=16)]
    target: Annotated[int, Field(ge=0, le=1_000_000)]
    colour: Annotated[int, Field(ge=1, le=COLOURS)] = 1

    @model_validator(mode="before")
    @classmethod
    def _fill_titles(cls, data: Any) -> Any:
        # A row is known by its source; its titles may follow from that.
        if isinstance(data, dict):
            title = data.get("title") or str(data.get("source", "")).replace("_", " ").capitalize()
            data = {**data, "title": title, "short_title": data.get("short_title") or title[:16].strip()}
        return data

    def as_target(self) -> Target:
        """The row as the project's operations take it."""
        return Target(self.source, self.split, self.title, self.short_title, self.target, self.colour)


class CompositionIn(Form):
    """A whole composition target, in its order."""

    rows: Annotated[list[TargetRow], Field(max_length=MOST_ROWS)]


class CompositionForm(Form):
    """The table as a browser posts it: one list a column; rows without a source are left out."""

    source: list[ShortLine] = Field(default_factory=list, max_length=MOST_ROWS)
    split: list[ShortLine] = Field(default_factory=list, max_length=MOST_ROWS)
    title: list[ShortLine | Line] = Field(default_factory=list, max_length=MOST_ROWS)
    short_title: list[ShortLine] = Field(default_factory=list, max_length=MOST_ROWS)
    target: list[ShortLine] = Field(default_factory=list, max_length=MOST_ROWS)
    colour: list[ShortLine] = Field(default_factory=list, max_length=MOST_ROWS)
    remove: list[int] = Field(default_factory=list, max_length=MOST_ROWS)

    @model_validator(mode="after")
    def _same_lengths(self) -> Self:
        columns = (self.source, self.split, self.title, self.short_title, self.target, self.colour)
        if len({len(column) for column in columns}) != 1:
            raise ValueError("Every row needs all its fields")
        return self

    def rows(self) -> list[dict[str, str]]:
        """The rows that stay, as typed."""
        names = ("source", "split", "title", "short_title", "target", "colour")
        columns = (self.source, self.split, self.title, self.short_title, self.target, self.colour)
        rows = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
        return [row for at, row in enumerate(rows) if at not in self.remove and row["source"]]
