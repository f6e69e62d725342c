"""A version's dataset card as pages, API and command line show it: with the example that an export's card shows."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from app.datasets import queries
from app.datasets.card.card import Shown, card
from app.datasets.formats import Format
from app.datasets.models import Version


def readme_of(session: Session, version: Version, form: Format) -> str:
    """README.md as an export of the version in that format has it."""
    return card(version.manifest, form, example_shown(session, version))


def example_shown(session: Session, version: Version) -> Mapping[str, Any] | None:
    """The example that its card shows: lines are offered in their order, and no further than one is found."""
    shown = Shown()
    for frozen in queries.frozen_lines(session, version):
        shown.offer(json.loads(frozen.line.text))
        if shown.found:
            break
    return shown.example
