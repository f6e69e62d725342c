"""The lines by which the head of a card tells `datasets.load_dataset(FOLDER)` which files to read, and as what."""

import json
from collections.abc import Mapping
from typing import Any

from app.datasets.formats import Format
from app.datasets.told import has_columns
from app.projects.models import Split


def hub_lines(manifest: Mapping[str, Any], form: Format) -> list[str]:
    """Give the lines, YAML whose values are JSON.

    The columns have their types there: of JSON the library guesses them from the first rows of the first file, and
    stops at a row that says more.
    """
    layout = form.layout(told=has_columns(manifest))
    splits = [split for split in Split if manifest["examples"].get(split)]
    return [
        "configs:",
        "- config_name: default",
        *(f"  {name}: {json.dumps(value)}" for name, value in layout.reading.items()),
        "  data_files:",
        *(f"  - split: {split}\n    path: {layout.path_of(split)}" for split in splits),
        "dataset_info:",
        "  features:",
        *(f"  - {json.dumps({'name': column.name, **column.feature})}" for column in layout.columns),
    ]
