"""The command that does from a shell what a page does."""

import shlex

from app.sources.rulesets import LIMA, NONE, Ruleset


def import_command(slug: str, file: str, site: str, source: str | None, into: str, ruleset: Ruleset) -> str:
    """Give `handpicked import …` over several lines; rules of one's own stand in a file."""
    rules = {LIMA.sha256: "lima", NONE.sha256: "none"}.get(ruleset.sha256, "rules.json")
    options = {"site": site, "source": source or "", "into": into if into != "pool" else "", "rules": rules}
    parts = [f"--{name} {shlex.quote(value)}" for name, value in options.items() if value]
    return " \\\n  ".join([f"handpicked import {slug}", shlex.quote(file), *parts])
