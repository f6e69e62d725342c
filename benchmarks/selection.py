"""Selecting many of a large pool: by coverage and k-center, beside chance, length, score and DEITA's filter.

    .venv/bin/python benchmarks/selection.py --rows 100000 --count 1000

Rows are drawn around the vectors of real texts where a data folder is given (--texts FOLDER of .txt, .md or .py files,
encoded by the bundled model), else around made-up middles. Plain greed is run beside the lazy one on 2,000 of them, and
the picks have to be equal to the index. Seconds are of one run, warm, on all cores.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.embeddings.vectors import Vectors
from app.selection.coverage.baselines import by_chance, filtered, highest_first
from app.selection.coverage.centres import farthest_first
from app.selection.coverage.facility import Greed, ground_of, most_served
from app.selection.coverage.whole import Places, Whole, measured, whole

DIMENSIONS = 384
# About so near two texts of one middle stand: as answers to questions about one thing do.
SPREAD = 0.75
MOST_TEXTS = 2000


def middles(count: int, folder: Path | None, draw: np.random.Generator) -> Vectors:
    """What rows are drawn around: real vectors, or made-up ones whose numbers fall off as those of real ones do."""
    if folder is not None:
        from app.embeddings.operations import light_encoder_within

        encoder = light_encoder_within(60)
        assert encoder is not None
        files = sorted(one for one in folder.rglob("*") if one.suffix in {".txt", ".md", ".py"})
        texts = [one.read_text(errors="replace")[:400] for one in files[:MOST_TEXTS]]
        return encoder.encode([text for text in texts if text.strip()])
    made = draw.standard_normal((count, DIMENSIONS)) * np.linspace(2, 0.3, DIMENSIONS)
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def rows(count: int, folder: Path | None, seed: int) -> Vectors:
    """Unit rows around middles, some of which draw many and most few."""
    draw = np.random.default_rng(seed)
    around = middles(max(10, count // 50), folder, draw)
    weights = 1 / np.arange(1, len(around) + 1) ** 0.7
    which = draw.choice(len(around), count, p=weights / weights.sum())
    noise = draw.standard_normal((count, around.shape[1])).astype(np.float32) / np.float32(around.shape[1] ** 0.5)
    found = around[which] + np.float32(SPREAD) * noise
    unit: Vectors = found / np.linalg.norm(found, axis=1, keepdims=True)
    return unit


def timed(what: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it gives, the seconds that it takes, and the processor's on all cores, which a busy machine changes less."""
    start, worked = time.perf_counter(), time.process_time()
    found = what()
    return found, time.perf_counter() - start, time.process_time() - worked


def plain(pool: Whole, count: int) -> list[int]:
    """Facility location by plain greed: what every row would add, summed anew for every pick."""
    ground = ground_of(pool)
    greed, picks = Greed(ground), []
    for _ in range(count):
        adds = greed.all_add()
        adds[picks] = -1
        best = int(adds.argmax())
        if adds[best] <= 0:
            break
        greed.take(best)
        picks.append(best)
    return picks


def coverage(pool: Whole, count: int) -> Places:
    """Facility location by lazy greed, the pool measured first."""
    return np.array(most_served(Greed(ground_of(pool)), count, np.arange(len(pool))), dtype=np.int64)


def measure(given: Vectors, count: int, seed: int) -> dict[str, Any]:
    """Every method with its seconds and what it covers; and whether lazy greed and plain greed agree."""
    draw = np.random.default_rng(seed)
    lengths, scores = draw.lognormal(6, 1, len(given)).tolist(), draw.lognormal(2, 1, len(given)).tolist()
    pool, rounding, _ = timed(lambda: whole(given))
    ways: dict[str, Callable[[], Places]] = {
        "coverage": lambda: coverage(pool, count),
        "k-center": lambda: farthest_first(pool, count),
        "random": lambda: by_chance([str(row) for row in range(len(pool))], count, seed),
        "longest": lambda: highest_first(lengths)[:count],
        "score": lambda: highest_first(scores)[:count],
        "deita": lambda: filtered(pool, highest_first(scores), count),
    }
    found = {}
    for name, way in ways.items():
        picks, seconds, worked = timed(way)
        lowest, mean = measured(pool, picks)
        found[name] = {
            "seconds": round(seconds, 3), "processor": round(worked, 3), "radius": round(lowest, 4),
            "mean": round(mean, 4),
        }  # fmt: skip
    few = whole(given[:2000])
    alike = plain(few, min(count, 200)) == coverage(few, min(count, 200)).tolist()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {
        "pool": len(given), "count": count, "rounding": round(rounding, 3), "methods": found, "lazy_is_plain": alike,
        "peak_rss_mb": peak,
    }  # fmt: skip


def main() -> None:
    """Print a table, or one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(rows(asked.rows, asked.texts, asked.seed), asked.count, asked.seed)
    if asked.json:
        print(json.dumps(found))
        return
    print(f"{found['count']:,} of {found['pool']:,}; rounded in {found['rounding']} s; peak {found['peak_rss_mb']} MB")
    print(f"{'method':<10} {'seconds':>8} {'processor':>9} {'radius':>8} {'mean':>8}   (cosines to the nearest chosen)")
    for name, one in found["methods"].items():
        print(f"{name:<10} {one['seconds']:>8.2f} {one['processor']:>9.2f} {one['radius']:>8.4f} {one['mean']:>8.4f}")
    print(f"lazy greed is plain greed on 2,000 rows: {'yes' if found['lazy_is_plain'] else 'NO'}")


if __name__ == "__main__":
    main()
