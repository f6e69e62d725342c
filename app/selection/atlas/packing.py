"""A map as bytes for the browser: a head in JSON, then columns of numbers, little-endian, 13 bytes a candidate.

- "HPM1", and in 4 bytes the length of the head, so that what follows begins at a multiple of 4
- the head: n, own, first, sources, states, splits, regions
- 4 bytes each: the numbers of n candidates, beyond `first`; those of `own` examples, from 0
- 2 bytes each: x of the candidates, y of the candidates, x of the examples, y of the examples
- 1 byte each: source, state, split, region, near of the candidates; source, region of the examples
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row

from app.examples.labels import SourceLabels
from app.projects.models import Split
from app.selection.atlas.figures import OwnPoint
from app.selection.map_models import PoolMap
from app.sources.models import CandidateStatus

MARK = b"HPM1"
STATES = tuple(CandidateStatus)
SPLITS = tuple(Split)
# Knuth's multiplier: an order in which no import is drawn over another, the same each time.
SHUFFLE = 2_654_435_761


def packed(
    drawn: PoolMap, rows: Sequence[Row[*tuple[Any, ...]]], own: Sequence[OwnPoint], labels: SourceLabels,
    given: Mapping[int, str],
) -> bytes:  # fmt: skip
    """The map as this session shows it; `rows` are those of queries.seen_points, `given` what people call regions."""
    keys = labels.in_order({row.source or "" for row in rows} | {point.source for point in own})
    source_of = {key: number for number, key in enumerate(keys)}
    numbers = np.array([row[:5] for row in rows], dtype=np.int64).reshape(-1, 5)
    kinds = np.array(
        [(source_of[row.source or ""], STATES.index(row.status), SPLITS.index(row.split)) for row in rows],
        dtype=np.int64,
    ).reshape(-1, 3)
    order = np.argsort((numbers[:, 0] * SHUFFLE) % 2**32, kind="stable")
    numbers, kinds = numbers[order], kinds[order]
    first = int(numbers[:, 0].min()) if len(numbers) else 0
    head = {
        "n": len(numbers),
        "own": len(own),
        "first": first,
        "sources": [{"title": labels.of(key or None).title, "tint": labels.of(key or None).tint} for key in keys],
        "states": [state.value for state in STATES],
        "splits": [split.value for split in SPLITS],
        "regions": [{**one, "name": given.get(number, one["name"])} for number, one in enumerate(drawn.regions, 1)],
    }
    mine = np.array([(p.id, p.x, p.y, source_of[p.source], p.region) for p in own], dtype=np.int64).reshape(-1, 5)
    columns = (
        ("<u4", (numbers[:, 0] - first, mine[:, 0])),
        ("<u2", (numbers[:, 1], numbers[:, 2], mine[:, 1], mine[:, 2])),
        ("u1", (kinds[:, 0], kinds[:, 1], kinds[:, 2], numbers[:, 3], numbers[:, 4], mine[:, 3], mine[:, 4])),
    )
    return _headed(head) + b"".join(part.astype(kind).tobytes() for kind, parts in columns for part in parts)


def _headed(head: dict[str, Any]) -> bytes:
    words = json.dumps(head, ensure_ascii=True, separators=(",", ":")).encode()
    words += b" " * (-len(words) % 4)
    return MARK + len(words).to_bytes(4, "little") + words
