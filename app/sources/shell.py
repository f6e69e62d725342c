"""The command that does from a shell what a page does."""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from app.sources.rulesets import PRESETS, Ruleset


def import_command(  # noqa: PLR0913 - a command has that many options
    slug: str,
    file: str,
    site: str,
    source: str | None,
    into: str,
    ruleset: Ruleset,
    settings: Mapping[str, Any],
    *,
    encoding: str = "auto",
    skip_bad: bool = False,
) -> str:
    """Give `handpicked import …` over several lines; rules of one's own stand in a file."""
    rules = {one.sha256: name for name, one in PRESETS.items()}.get(ruleset.sha256, "rules.toml")
    options = {"site": site, "source": source or "", "into": into if into != "pool" else "", "rules": rules}
    options |= {"encoding": encoding} if encoding != "auto" else {}
    parts = [f"--{name} {shlex.quote(value)}" for name, value in options.items() if value]
    parts += [*_settings(settings), *(["--skip-bad"] if skip_bad else [])]
    return " \\\n  ".join([f"handpicked import {slug}", shlex.quote(file), *parts])


def _settings(settings: Mapping[str, Any]) -> Iterator[str]:
    for role, paths in settings.get("columns", {}).items():
        for path in [paths] if isinstance(paths, str) else paths:
            yield f"--map {shlex.quote(f'{role}={path}')}"
    for name, value in settings.items():
        if name != "columns":
            words = ",".join(map(str, value)) if isinstance(value, list | tuple) else value
            yield f"--set {shlex.quote(f'{name}={words}')}"
