"""Posted data: typed, complete, nothing unknown."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from app.text.languages import code_of, is_known
from app.text.wellformed import require_wellformed


class Form(BaseModel):
    """A posted form or JSON body; an unknown field is refused, so that nothing can be assigned in passing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Form)

# Text that both databases can store: no NUL, no lone surrogate; browsers send CR LF, files have LF.
# Limits stand before it: after it they would count the blanks that are stripped.
Storable = AfterValidator(lambda text: require_wellformed(text.replace("\r\n", "\n")))
Text = Annotated[str, Storable]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), Storable]
SLUG_PATTERN = r"^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$"
SLUG_OR_EMPTY = r"^(?:[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?)?$"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN)]
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]

# In bytes: a text that is too long for an example is still read, so that it can be refused in words and handed back.
LARGEST_FIELD = 16_000_000

LANGUAGE_PATTERN = r"^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}$"
LANGUAGE_WORDS = "Name a language, such as German, or its code, as in en, de or pt-BR."


def _known_language(code: str) -> str:
    if not is_known(code):
        raise ValueError(LANGUAGE_WORDS)
    return code


# As in BCP 47, as far as texts need it: en, pt-BR, zh-Hant. Its English name does as well.
Language = Annotated[
    str,
    BeforeValidator(lambda typed: code_of(typed) if isinstance(typed, str) else typed),
    StringConstraints(strip_whitespace=True, pattern=LANGUAGE_PATTERN, max_length=16),
    AfterValidator(_known_language),
]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=1000), Storable]
Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=254), Storable]
MaybeAddress = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254), Storable]


# What people read instead of the library's words.
PLAIN_WORDS = {
    "extra_forbidden": "There is no such field here.",
    "missing": "This is needed.",
    "string_too_short": "At least {min_length} characters are needed.",
    "string_too_long": "At most {max_length} characters fit here.",
    "too_long": "At most {max_length} fit here.",
    "int_parsing": "This must be a whole number.",
    "float_parsing": "This must be a number.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than_equal": "This must be at most {le}.",
}
SLUG_WORDS = "Small letters, digits and hyphens only, with a letter or digit at both ends; at most 64."
PATTERN_WORDS = {
    LANGUAGE_PATTERN: LANGUAGE_WORDS,
    SLUG_PATTERN: SLUG_WORDS,
    SLUG_OR_EMPTY: SLUG_WORDS,
    NAME_PATTERN: "Letters, digits, dots, dashes and underscores only, with a letter or digit first; at most 64.",
}


class Posted(Generic[Model]):
    """What a browser posted: the checked value, or the sentences to show beside the fields, and the typed text."""

    def __init__(self, value: Model | None, typed: dict[str, str], errors: dict[str, str]) -> None:
        """Exactly one of value and errors is set."""
        self._value = value
        self.typed = typed
        self.errors = errors

    @property
    def value(self) -> Model:
        """The checked form; only where `errors` is empty."""
        assert self._value is not None
        return self._value


async def typed_fields(request: Request) -> dict[str, str]:
    """The text fields of a posted form as they were typed, with LF for line ends."""
    data = await request.form(max_part_size=LARGEST_FIELD)
    return {key: value.replace("\r\n", "\n") for key, value in data.multi_items() if isinstance(value, str)}


Typed = Annotated[dict[str, str], Depends(typed_fields)]


def posted(model: type[Model]) -> Callable[[Request], Awaitable[Posted[Model]]]:
    """A dependency that reads the form without raising, so that the page can be shown again with what was typed."""

    async def read(request: Request) -> Posted[Model]:
        return check(model, await typed_fields(request))

    return read


def check(model: type[Model], typed: dict[str, str]) -> Posted[Model]:
    """Check typed fields against a form."""
    try:
        return Posted(model.model_validate(typed), typed, {})
    except ValidationError as error:
        return Posted(None, typed, {field_of(item): sentence(item) for item in error.errors()})


def field_of(error: Mapping[str, Any]) -> str:
    """The field's name in a validation error."""
    return ".".join(str(part) for part in error["loc"] if part not in {"body", "query", "path"}) or "form"


def sentence(error: Mapping[str, Any]) -> str:
    """A validation error in words."""
    if error["type"] == "string_too_short" and error["ctx"]["min_length"] == 1:
        return PLAIN_WORDS["missing"]
    if error["type"] in PLAIN_WORDS:
        return PLAIN_WORDS[error["type"]].format(**error.get("ctx", {}))
    if error["type"] == "string_pattern_mismatch":
        return PATTERN_WORDS.get(error["ctx"]["pattern"], "This is not in the form that is asked for here.")
    words = str(error["msg"]).removeprefix("Value error, ")
    return words[0].upper() + words[1:] + ("" if words.endswith(".") else ".")
