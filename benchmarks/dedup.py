"""All pairs of near vectors: ours beside SemHash and a blocked float32 product, in one run on the same vectors.

    python benchmarks/dedup.py [--sizes 10000,100000] [--threshold 0.9] [--texts 3000] [--times 2] [--vectors FILE]

Real texts, docstrings of Python's own library, are encoded by the bundled encoder (--vectors keeps them in a file, and
takes them from there the next time); as many vectors as asked for are drawn around them: half of each is a real one,
half noise of the same second moments, a fifth are near copies. "cpu" is the processor time and "seconds" the clock's,
of the best of so many times; "mb" is by how much memory grew. The product says what is right: precision is that of
pairs, recall that of the rows that are near to another, because SemHash names one pair for each row that it drops.
SemHash is no part of this project: without `pip install semhash` it is left out and named.
"""

import argparse
import ast
import json
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from house import load  # first: it finds the folder above

from app.duplicates.engine.integers import worth_while
from app.duplicates.matching import pairs_at_least
from app.embeddings.encoder import load_encoder
from app.embeddings.vectors import Vectors
from app.jobs.memory import Peak

BLOCK = 1024
SHORTEST, LONGEST = 60, 300
KNOWN_AS = "SemHash"
Found = set[tuple[int, int]]


def docstrings() -> Iterator[str]:
    """The docstrings of Python's library, each once."""
    seen = set()
    for file in sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py")):
        if {"site-packages", "test", "tests"} & set(file.parts):
            continue
        try:
            tree = ast.parse(file.read_text("utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                text = (ast.get_docstring(node) or "")[:LONGEST]
                if len(text) >= SHORTEST and text not in seen:
                    seen.add(text)
                    yield text


def real_vectors(count: int, kept: Path | None) -> Vectors:
    """At most so many real texts encoded, or what a file has of them."""
    if kept and kept.exists():
        found: Vectors = np.load(kept)[:count]
        return found
    texts = list(docstrings())
    vectors = load_encoder("").encode(texts[:: max(1, len(texts) // count)][:count])
    if kept:
        np.save(kept, vectors)
    return vectors


def drawn(real: Vectors, count: int) -> Vectors:
    """So many unit rows around real ones, with their second moments; a fifth are near copies of others."""
    random = np.random.default_rng(11)
    middle = real.mean(axis=0)
    _, shares, axes = np.linalg.svd(real - middle, full_matrices=False)
    noise = random.normal(size=(count, len(shares))).astype(np.float32) * (shares / np.sqrt(len(real)))
    rows = 0.5 * real[random.integers(len(real), size=count)] + 0.5 * middle + 0.85 * noise @ axes
    near = count // 5
    wide = random.uniform(0.1, 0.8, size=(near, 1)).astype(np.float32)
    rows[:near] = rows[count - near :] + wide * (random.permutation(noise)[:near] @ axes)
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def ours(vectors: Vectors, threshold: float) -> Found:
    """What a look for duplicates does."""
    pairs = pairs_at_least(vectors, threshold)
    return set(zip(pairs["left"].tolist(), pairs["right"].tolist(), strict=True))


def product(vectors: Vectors, threshold: float) -> Found:
    """The plain way that is quick: blocks of a float32 product of everything with everything."""
    found: Found = set()
    for row in range(0, len(vectors), BLOCK):
        for column in range(row, len(vectors), BLOCK):
            cosines = vectors[row : row + BLOCK] @ vectors[column : column + BLOCK].T
            if cosines.max() >= threshold:
                left, right = np.nonzero(cosines >= np.float32(threshold))
                ahead = left + row < right + column
                found.update(zip((left[ahead] + row).tolist(), (right[ahead] + column).tolist(), strict=True))
    return found


def semhash(vectors: Vectors, threshold: float) -> Found:
    """SemHash's own comparison of a set with itself; of each row that it drops it names one that it is near to."""
    from semhash import SemHash

    records = [str(number) for number in range(len(vectors))]
    index = SemHash.from_embeddings(embeddings=vectors, records=records, model=None)
    dropped = index.self_deduplicate(threshold=threshold).filtered
    pairs = [sorted((int(one.record), int(one.duplicate_of))) for one in dropped]
    return {(left, right) for left, right in pairs}


def rows_of(found: Found) -> set[int]:
    """The rows that stand in any of these pairs."""
    return {row for pair in found for row in pair}


def timed(work: Callable[[Vectors, float], Found], vectors: Vectors, threshold: float, times: int) -> dict[str, Any]:
    """What it found, and the best of so many times."""
    taken, peak = [], Peak()
    for _ in range(times):
        before, started = time.process_time(), time.perf_counter()
        found = work(vectors, threshold)
        taken.append((time.process_time() - before, time.perf_counter() - started))
    spent, seconds = min(taken)
    return {"found": found, "cpu": round(spent, 2), "seconds": round(seconds, 2), "mb": peak.grown_mb()}


def measure(real: Vectors, size: int, threshold: float, times: int) -> list[dict[str, Any]]:
    """A row a way, the product first: it says what there is to be found."""
    vectors = drawn(real, size)
    ways = {"float32 product": product, "ours": ours}
    try:
        import semhash as _  # noqa: F401

        ways[KNOWN_AS] = semhash
    except ImportError:
        print("SemHash is not installed and left out: pip install semhash", file=sys.stderr)
    rows: list[dict[str, Any]] = []
    for name, work in ways.items():
        row = timed(work, vectors, threshold, times)
        found = row.pop("found")
        if not rows:
            expected = found
        rows.append({"way": name, "vectors": size, "threshold": threshold, "pairs": len(found)} | row | {
            "recall": round(len(rows_of(found) & rows_of(expected)) / max(len(rows_of(expected)), 1), 5),
            "precision": round(len(found & expected) / max(len(found), 1), 5), "load": load(),
        })  # fmt: skip
        print(f"{name}, {size:,}: {row['cpu']} s of processor", file=sys.stderr)
    return rows


def ratios(rows: list[dict[str, Any]], key: str) -> dict[str, float]:
    """How many times as fast ours is at the largest size, above 1 is faster."""
    last = {row["way"]: row[key] for row in rows if row["vectors"] == rows[-1]["vectors"]}
    names = {"semhash": KNOWN_AS, "float32_product": "float32 product"}
    return {short: round(last[way] / max(last["ours"], 0.01), 2) for short, way in names.items() if way in last}


def main() -> None:
    """Measure at each size, and a table of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--threshold", type=float, default=0.9)
    parser.add_argument("--texts", type=int, default=3000)
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    real = real_vectors(options.texts, options.vectors)
    worth_while()  # a worker that has encoded has torch loaded
    rows = [
        row for size in options.sizes.split(",") for row in measure(real, int(size), options.threshold, options.times)
    ]
    if options.json:
        print(json.dumps({"rows": rows, "ratios": ratios(rows, "seconds"), "ratios_cpu": ratios(rows, "cpu")}))
        return
    print(f"| {' | '.join(rows[0])} |\n|{' --- |' * len(rows[0])}")
    for row in rows:
        print(f"| {' | '.join(str(value) for value in row.values())} |")
    print(f"\nours against: {ratios(rows, 'seconds')} by the clock, {ratios(rows, 'cpu')} by processor time.")


if __name__ == "__main__":
    main()
