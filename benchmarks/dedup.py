"""All pairs of near vectors: ours beside SemHash and a blocked float32 product, in one run on the same vectors.

    python benchmarks/dedup.py [--sizes 10000,100000] [--threshold 0.9] [--texts 3000] [--times 2] [--vectors FILE]
    python benchmarks/dedup.py --real 20000        # so many real texts and nothing drawn
    python benchmarks/dedup.py --sizes 1000000     # ours alone, and whether a sample of rows has all its pairs
    python benchmarks/dedup.py --one [--sizes 100000,1000000]

Real texts, docstrings of Python's own library and of what is installed, are encoded by the bundled encoder (--vectors
keeps them in a file, and takes them from there the next time); as many vectors as asked for are drawn around them: half
of each is a real one, half noise of the same second moments, a fifth are near copies. "cpu" is the processor time and
"seconds" the clock's, of the best of so many times; "mb" is by how much memory grew. The product says what is right:
precision is that of pairs, recall that of the rows that are near to another, because SemHash names one pair for each
row that it drops. SemHash is no part of this project: without `pip install semhash` it is left out and named.
Ours is warm: what the compiler made is there from the last time (the first takes some seconds more). --one measures the
ten highest of one vector beside so many: the middle of the times, the one that 95 of 100 are below, and the best.
"""

import argparse
import ast
import json
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from house import load  # first: it finds the folder above

from app.duplicates.engine.forms import form_here
from app.duplicates.engine.searching import Search
from app.duplicates.matching import Pairs, pairs_at_least
from app.embeddings.encoder import load_encoder
from app.embeddings.matrix import GrowingRows, cosines, highest
from app.embeddings.vectors import Vectors
from app.jobs.memory import Peak

BLOCK = 1024
# Above so many rows the product of all takes too long, and its place is taken by that of a sample with all.
COMPARED, SAMPLED = 200_000, 300
DRAWN_AT_ONCE = 50_000
SHORTEST, LONGEST = 60, 300
KNOWN_AS = "SemHash"
Found = set[tuple[int, int]]


def docstrings() -> Iterator[str]:
    """The docstrings of Python's library and then of what is installed, each once."""
    seen = set()
    paths = sysconfig.get_paths()
    for folder in (paths["stdlib"], paths["purelib"]):
        for file in sorted(Path(folder).rglob("*.py")):
            if {"test", "tests"} & set(file.parts) or (folder == paths["stdlib"] and "site-packages" in file.parts):
                continue
            for text in _docstrings_of(file):
                if text not in seen:
                    seen.add(text)
                    yield text


def _docstrings_of(file: Path) -> Iterator[str]:
    try:
        tree = ast.parse(file.read_text("utf-8"))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            text = (ast.get_docstring(node) or "")[:LONGEST]
            if len(text) >= SHORTEST:
                yield text


def real_vectors(count: int, kept: Path | None) -> Vectors:
    """At most so many real texts encoded, or what a file has of them."""
    kept = kept and kept.with_suffix(".npy")
    if kept and kept.exists():
        found: Vectors = np.load(kept)[:count]
        return found
    texts = [text for text, _ in zip(docstrings(), range(4 * count), strict=False)]
    vectors = load_encoder("").encode(texts[:: max(1, len(texts) // count)][:count])
    if kept:
        np.save(kept, vectors)
    return vectors


def drawn(real: Vectors, count: int, folder: Path) -> Vectors:
    """So many unit rows around real ones, with their second moments; a fifth are near copies of others.

    Many lie in a mapped file, as those of an installation do.
    """
    random = np.random.default_rng(11)
    middle = real.mean(axis=0)
    _, shares, axes = np.linalg.svd(real - middle, full_matrices=False)
    spread = (shares / np.sqrt(len(real)))[:, None] * axes

    def noise(rows: int) -> Vectors:
        return random.normal(size=(rows, len(shares))).astype(np.float32) @ spread

    rows = np.lib.format.open_memmap(folder / f"{count}.npy", "w+", np.float32, (count, real.shape[1]))
    for start in range(0, count, DRAWN_AT_ONCE):
        part = rows[start : start + DRAWN_AT_ONCE]
        part[:] = 0.5 * real[random.integers(len(real), size=len(part))] + 0.5 * middle + 0.85 * noise(len(part))
    near = count // 5
    for start in range(0, near, DRAWN_AT_ONCE):
        part = rows[start : min(start + DRAWN_AT_ONCE, near)]
        wide = random.uniform(0.1, 0.8, size=(len(part), 1)).astype(np.float32)
        part[:] = rows[count - near + start :][: len(part)] + wide * noise(len(part))
    for start in range(0, count, DRAWN_AT_ONCE):
        rows[start : start + DRAWN_AT_ONCE] /= np.linalg.norm(
            rows[start : start + DRAWN_AT_ONCE], axis=1, keepdims=True
        )
    return np.asarray(rows) if count > COMPARED else np.array(rows)


def as_found(pairs: Pairs) -> Found:
    """Pairs as a set."""
    return set(zip(pairs["left"].tolist(), pairs["right"].tolist(), strict=True))


def ours(vectors: Vectors, threshold: float) -> Found:
    """What a look for duplicates does."""
    return as_found(pairs_at_least(vectors, threshold))


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


def sample_product(vectors: Vectors, threshold: float) -> Found:
    """The pairs of a sample of rows, by their product with all."""
    found: Found = set()
    rows = np.random.default_rng(3).choice(len(vectors), SAMPLED, replace=False)
    for column in range(0, len(vectors), DRAWN_AT_ONCE):
        cosines = vectors[rows] @ vectors[column : column + DRAWN_AT_ONCE].T
        left, right = np.nonzero(cosines >= np.float32(threshold))
        pairs = zip(rows[left].tolist(), (right + column).tolist(), strict=True)
        found.update((min(pair), max(pair)) for pair in pairs if pair[0] != pair[1])
    return found


def semhash(vectors: Vectors, threshold: float) -> Found:
    """SemHash's own comparison of a set with itself; of each row that it drops it names one that it is near to."""
    from semhash import SemHash

    records = [str(number) for number in range(len(vectors))]
    index = SemHash.from_embeddings(embeddings=np.asarray(vectors), records=records, model=None)
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
    spent, seconds = (min(side) for side in zip(*taken, strict=True))
    return {"found": found, "cpu": round(spent, 2), "seconds": round(seconds, 2), "mb": peak.grown_mb()}


def ways(size: int) -> dict[str, Callable[[Vectors, float], Found]]:
    """What is set side by side; large sets are for ours alone."""
    if size > COMPARED:
        return {"ours": ours}
    try:
        import semhash as _  # noqa: F401
    except ImportError:
        print("SemHash is not installed and left out: pip install semhash", file=sys.stderr)
        return {"float32 product": product, "ours": ours}
    return {"float32 product": product, "ours": ours, KNOWN_AS: semhash}


def measure(vectors: Vectors, threshold: float, times: int) -> list[dict[str, Any]]:
    """A row a way; the product says what there is to be found."""
    size = len(vectors)
    expected = sample_product(vectors, threshold) if size > COMPARED else None
    rows: list[dict[str, Any]] = []
    for name, work in ways(size).items():
        row = timed(work, vectors, threshold, times)
        found = row.pop("found")
        expected = found if expected is None else expected
        near = rows_of(expected)
        # Of a sample only its own pairs are known, so precision is left to the measure that every pair goes through.
        right = 1.0 if size > COMPARED else round(len(found & expected) / max(len(found), 1), 5)
        recall = len(found & expected) / max(len(expected), 1) if size > COMPARED else (
            len(rows_of(found) & near) / max(len(near), 1)
        )  # fmt: skip
        rows.append({"way": name, "vectors": size, "threshold": threshold, "pairs": len(found)} | row | {
            "recall": round(recall, 5), "precision": right, "load": load(),
        })  # fmt: skip
        print(f"{name}, {size:,}: {row['cpu']} s of processor", file=sys.stderr)
    return rows


def ratios(rows: list[dict[str, Any]], key: str) -> dict[str, float]:
    """How many times as fast ours is at the largest size that was compared, above 1 is faster."""
    compared = [row for row in rows if row["vectors"] <= COMPARED] or rows
    last = {row["way"]: row[key] for row in compared if row["vectors"] == compared[-1]["vectors"]}
    names = {"semhash": KNOWN_AS, "float32_product": "float32 product"}
    return {short: round(last[way] / max(last["ours"], 0.01), 2) for short, way in names.items() if way in last}


def measure_one(vectors: Vectors, times: int, folder: Path) -> dict[str, Any]:
    """The ten highest of one vector beside all, in memory as a shelf keeps them."""
    shelf = GrowingRows(folder, vectors.shape[1], np.float32)
    for start in range(0, len(vectors), DRAWN_AT_ONCE):
        shelf.append(vectors[start : start + DRAWN_AT_ONCE])
    taken, spent = [], []
    for number in range(times + 1):
        unit = np.array(vectors[number * 7919 % len(vectors)])
        before, started = time.process_time(), time.perf_counter()
        highest(cosines(shelf.rows, unit), 10)
        taken.append(1000 * (time.perf_counter() - started))
        spent.append(1000 * (time.process_time() - before))
    # The first reads the map in.
    middle, late = np.percentile(taken[1:], [50, 95])
    numbers = {"ms": middle, "p95_ms": late, "best_ms": min(taken[1:]), "cpu_ms": np.median(spent[1:])}
    return {
        "way": "one beside all", "vectors": len(vectors), "load": load(),
        **{name: round(float(number), 1) for name, number in numbers.items()},
    }  # fmt: skip


def tell(rows: list[dict[str, Any]]) -> None:
    """A table."""
    print(f"| {' | '.join(rows[0])} |\n|{' --- |' * len(rows[0])}")
    for row in rows:
        print(f"| {' | '.join(str(value) for value in row.values())} |")


def asked() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--threshold", type=float, default=0.9)
    parser.add_argument("--texts", type=int, default=3000)
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--real", type=int, default=0)
    parser.add_argument("--one", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Measure at each size, and a table of it."""
    options = asked()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="handpicked-bench-") as name:
        folder = Path(name)
        real = real_vectors(options.real or options.texts, options.vectors)
        sizes = [len(real)] if options.real else [int(size) for size in options.sizes.split(",")]
        for size in sizes:
            vectors = real if options.real else drawn(real, size, folder)
            if options.one:
                rows.append(measure_one(vectors, max(100, options.times), folder))
                continue
            # A worker that has looked before has the compiler's work in memory.
            for _ in Search(vectors[:4000], options.threshold, 32, form_here()).pieces():
                pass
            rows += measure(vectors, options.threshold, options.times)
            (folder / f"{size}.npy").unlink(missing_ok=True)
    compared = {} if options.one else {"ratios": ratios(rows, "seconds"), "ratios_cpu": ratios(rows, "cpu")}
    if options.json:
        print(json.dumps({"rows": rows, "form": form_here().value, **compared}))
        return
    tell(rows)
    if compared:
        print(f"\nours, {form_here().value}, against: {compared['ratios']} by the clock, "
              f"{compared['ratios_cpu']} by processor time.")  # fmt: skip


if __name__ == "__main__":
    main()
