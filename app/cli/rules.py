"""`handpicked rules`: what a rules file may say, and what one says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.context import JsonOption, emit
from app.sources.rulefiles import rules_as_toml, ruleset_from_file
from app.sources.rulesets import PRESET_WORDS, PRESETS, described


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("rules")(rules)


def rules(
    chosen: Annotated[
        str, typer.Argument(metavar="[PRESET|FILE]", help="Print this set as a rules file, checked.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """List the rules of an import with their parameters; or print a set of them, to begin a rules file from."""
    if not chosen:
        known = described()
        emit(known, as_json, _listed(known["rules"]))
        return
    ruleset = PRESETS.get(chosen) or ruleset_from_file(Path(chosen))
    emit({**ruleset.as_dict(), "sha256": ruleset.sha256}, as_json, rules_as_toml(ruleset).splitlines())


def _listed(known: list[dict[str, Any]]) -> Iterator[str]:
    for rule in known:
        settings = ", ".join(f"{one['name']} = {_shown(one['default'])}" for one in rule["parameters"])
        yield f"{rule['rule']}{f' ({settings})' if settings else ''}"
        yield f"    {rule['sentence']} Looks at {rule['applies']}."
    yield ""
    yield from (f"preset {name}: {words}" for name, words in PRESET_WORDS.items())
    yield "A rules file to begin from: handpicked rules lima > rules.toml"


def _shown(value: Any) -> str:
    if isinstance(value, list) and len(value) > 3:
        return f"{len(value)} phrases"
    return ", ".join(value) if isinstance(value, list) else str(value)
