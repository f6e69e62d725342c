"""The settings of a format's own on the set-up page: lists of names and boxes, and what a form says of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.sources.columnpage import columns_typed
from app.sources.formats import FORMATS, MIXED, known_settings, needs_site, settings_of
from app.sources.forms import SET
from app.sources.inputs import Input
from app.sources.models import ImportRun
from app.sources.readers.settings import Setting, Switch
from app.sources.records import BadInput


@dataclass(frozen=True)
class OwnSetting:
    """A setting of the format's own as the form shows it, a list of names; `changed` where it is not as it comes."""

    field: str
    label: str
    hint: str
    value: str
    changed: bool


@dataclass(frozen=True)
class OwnSwitch:
    """A setting of the format's own that is a box; one that this input gives nothing for cannot be ticked."""

    field: str
    label: str
    hint: str
    on: bool
    fits: bool


def format_of(run: ImportRun, typed: Mapping[str, str]) -> str:
    """The format to read as: what a person chose, where there is a choice."""
    chosen = typed.get("format")
    return chosen if chosen in FORMATS and not needs_site(run.format) else run.format


def settings_from(run: ImportRun, typed: Mapping[str, str]) -> dict[str, Any]:
    """The format's own settings as the form has them. Raises a Refusal (422) for a mapping that is none."""
    settings: dict[str, Any] = {key.removeprefix(SET): value for key, value in typed.items() if key.startswith(SET)}
    # What was asked for another format stays behind when a person chooses this one.
    others = set(known_settings(MIXED)) - set(known_settings(format_of(run, typed)))
    settings = {name: value for name, value in settings.items() if name not in others}
    if format_of(run, typed) == "table":
        settings["columns"] = columns_typed(typed).as_settings()
    asked = {one.name: one for one in settings_of(format_of(run, typed))}
    # Nothing left out is a choice too; a setting that is as it comes goes without saying.
    return {
        name: value
        for name, value in settings.items()
        if (asked[name].of(settings) != asked[name].default if name in asked else value)
    }


def own_settings(format: str, typed: Mapping[str, str]) -> tuple[OwnSetting, ...]:
    """The lists that a format asks for, as typed or as they come."""
    return tuple(_list(one, typed) for one in settings_of(format) if isinstance(one, Setting))


def _list(one: Setting, typed: Mapping[str, str]) -> OwnSetting:
    names = one.of(_chosen(typed, one.name))
    return OwnSetting(f"{SET}{one.name}", one.label, one.hint, "\n".join(names), names != one.default)


def own_switches(format: str, typed: Mapping[str, str], source: Input | None) -> tuple[OwnSwitch, ...]:
    """The boxes that a format asks for; the hint of one that this input gives nothing for says so."""
    return tuple(_box(one, typed, source) for one in settings_of(format) if isinstance(one, Switch))


def _box(one: Switch, typed: Mapping[str, str], source: Input | None) -> OwnSwitch:
    fits = source is None or one.needs(source.files)
    return OwnSwitch(f"{SET}{one.name}", one.label, one.hint if fits else one.missing, _is_on(one, typed), fits)


def _is_on(one: Switch, typed: Mapping[str, str]) -> bool:
    try:
        return one.of(_chosen(typed, one.name))
    except BadInput:
        return False


def _chosen(typed: Mapping[str, str], name: str) -> dict[str, str]:
    return {name: typed[f"{SET}{name}"]} if f"{SET}{name}" in typed else {}


def as_word(value: str | int) -> str:
    """A setting as a form has it: a box that is not ticked sends nothing."""
    return ("on" if value else "") if isinstance(value, bool) else str(value)
