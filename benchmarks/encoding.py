"""How fast texts become vectors: our engines beside SentenceTransformer.encode, in one run on the same texts.

    python benchmarks/encoding.py [--short 192] [--long 24] [--times 4] [--sample 0] [--pool 0] [--json]

Texts are docstrings of Python's own library: short ones, and long ones put together beyond the model's window. Every
way encodes them in turn, so often, so that what else the machine does falls on all of them; "times" is the ratio of the
best to the best of SentenceTransformer.encode as it comes, "median" that of the medians, "cpu" that of the processor
time, which other programs disturb least. "cosine" is the least one to its vectors, "mean" the mean. An engine that
this machine has not got is named with the reason. --sample N compares the vectors of so many more texts, of the engine
that was fastest of those that agree, and in 8 bits. --pool N times the first look at a pool of N vectors: from the
tables, and from the files.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from dedup import docstrings
from house import house, load, make_candidates, make_people
from sqlalchemy import insert

from app.db import Database
from app.embeddings import engines
from app.embeddings.encoder import EIGHT_BITS, TOKENS_A_BATCH, TransformerEncoder, batches, load_encoder
from app.embeddings.models import CandidateText, Embedding
from app.embeddings.pool_rows import PoolRows
from app.embeddings.vectors import STORED, Vectors, text_hash

Way = Callable[[Sequence[str]], Vectors]
LIBRARY = "SentenceTransformer.encode"
IN_EIGHT_BITS = "ours, 8 bits"
LONG = 1600
WIDTH = 384


def texts(short: int, long: int) -> dict[str, list[str]]:
    """Both kinds, always the same."""
    said = docstrings()
    together: list[str] = []
    for _ in range(long):
        parts: list[str] = []
        while sum(map(len, parts)) < LONG:
            parts.append(next(said))
        together.append("\n".join(parts))
    return {"short": list(islice(said, short)), "long": together}


def ways(encoder: TransformerEncoder) -> tuple[dict[str, Way], dict[str, str]]:
    """Every way to encode, and why some are missing."""

    def library(said: Sequence[str]) -> Vectors:
        rows: Vectors = encoder.model.encode(list(said), normalize_embeddings=True, show_progress_bar=False)
        return rows

    found: dict[str, Way] = {LIBRARY: library, "ours, plain": encoder.encode}
    missing = {}
    if not engines.multiplies_bfloat16():
        missing["bfloat16"] = "the processor has no instructions for it"
    for make in engines.others(encoder.model, encoder._light):  # noqa: SLF001 - as the encoder asks for them
        try:
            engine = make()
        except (ImportError, ValueError) as error:
            missing["OpenVINO" if isinstance(error, ImportError) else "whole numbers"] = str(error)
            continue
        found[f"ours, {engine.name}"] = by(encoder, engine)
    found[IN_EIGHT_BITS] = load_encoder(EIGHT_BITS).encode
    return found, missing


def by(encoder: TransformerEncoder, engine: engines.Engine) -> Way:
    """Encode by one engine, in the encoder's own batches."""

    def encode(said: Sequence[str]) -> Vectors:
        tokens = encoder._tokens(list(said))  # noqa: SLF001 - what the encoder does, by an engine of our choice
        rows: Vectors = np.zeros((len(said), encoder.dimensions), dtype=np.float32)
        for batch in batches([len(row) for row in tokens], TOKENS_A_BATCH):
            rows[batch] = engine.vectors([tokens[item] for item in batch])
        return rows

    return encode


def measure(kind: str, said: Sequence[str], found: dict[str, Way], times: int) -> list[dict[str, Any]]:
    """All ways in turn, so many times."""
    right = found[LIBRARY](said)
    near = {name: np.einsum("nd,nd->n", way(said), right) for name, way in found.items()}
    clock: dict[str, list[float]] = {name: [] for name in found}
    spent: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(times):
        for name, way in found.items():
            started, cpu = time.perf_counter(), time.process_time()
            way(said)
            clock[name].append(time.perf_counter() - started)
            spent[name].append(time.process_time() - cpu)
    return [
        {
            "texts": f"{len(said)} {kind}",
            "way": name,
            "a_second": round(len(said) / min(clock[name]), 1),
            "times": round(min(clock[LIBRARY]) / min(clock[name]), 2),
            "median": round(statistics.median(clock[LIBRARY]) / statistics.median(clock[name]), 2),
            "cpu": round(min(spent[LIBRARY]) / min(spent[name]), 2),
            "cosine": round(float(near[name].min()), 6),
            "mean": round(float(near[name].mean()), 6),
            "load": load(),
        }
        for name in found
    ]


def sample(count: int, found: dict[str, Way], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How near the vectors of many texts are: by the fastest way of those that agree on the few, and in 8 bits."""
    agreeing = [row for row in rows if row["cosine"] >= engines.LEAST_COSINE and row["way"] != IN_EIGHT_BITS]
    fastest = str(max(agreeing, key=lambda row: row["times"])["way"])
    said = list(islice(docstrings(), count))
    right = found[LIBRARY](said)
    near = {name: np.einsum("nd,nd->n", found[name](said), right) for name in (fastest, IN_EIGHT_BITS)}
    return [
        {"texts": len(said), "way": name, "cosine": round(float(one.min()), 6), "mean": round(float(one.mean()), 6)}
        for name, one in near.items()
    ]


def first_look(count: int) -> dict[str, Any]:
    """Milliseconds until a process has the rows of a pool that it has not seen: from the tables, and from the files."""
    with house("sqlite") as settings:
        database = Database(settings)
        project_id = fill(database, count)
        taken = {}
        for name in ("tables", "files"):
            held = PoolRows(settings, project_id, "made@0", WIDTH)
            started, cpu = time.perf_counter(), time.process_time()
            with database.reading() as session:
                ids, rows = held.follow(session)
            rows.sum()
            taken[f"{name}_ms"] = round(1000 * (time.perf_counter() - started), 1)
            taken[f"{name}_cpu_ms"] = round(1000 * (time.process_time() - cpu), 1)
            assert len(ids) == count
        database.dispose()
        return {"pool": count, **taken}


def fill(database: Database, count: int) -> int:
    """A pool of so many candidates with random vectors."""
    draw = np.random.default_rng(7)
    with database.writing() as session:
        project, _, _ = make_people(session, 1)
        for _, numbers in make_candidates(session, project, count, _candidate):
            rows = draw.normal(size=(len(numbers), WIDTH)).astype(STORED)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            hashes = [text_hash(str(number)) for number in numbers]
            session.execute(insert(Embedding), [
                {"model": "made@0", "text_hash": one, "vector": row.tobytes()}
                for one, row in zip(hashes, rows, strict=True)
            ])  # fmt: skip
            session.execute(insert(CandidateText), [
                {"candidate_id": number, "project_id": project.id, "model": "made@0", "prompt_hash": one}
                for number, one in zip(numbers, hashes, strict=True)
            ])  # fmt: skip
        return project.id


def _candidate(number: int) -> dict[str, Any]:
    return {
        "id": number, "title": str(number), "messages": [], "score": 1, "content_hash": "",
        "source": "stackexchange_stem", "published": True,
    }  # fmt: skip


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, usual in (("short", 192), ("long", 24), ("times", 4), ("sample", 0), ("pool", 0)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    encoder = load_encoder()
    assert isinstance(encoder, TransformerEncoder)
    found, missing = ways(encoder)
    said = texts(options.short, options.long)
    rows = [row for kind in said if said[kind] for row in measure(kind, said[kind], found, options.times)]
    many = sample(options.sample, found, rows) if options.sample else []
    looks = [first_look(options.pool)] if options.pool else []
    if options.json:
        print(json.dumps({"rows": rows, "sample": many, "missing": missing, "looks": looks, "cores": os.cpu_count()}))
        return
    print(f"| {' | '.join(rows[0])} |\n|{' --- |' * len(rows[0])}")
    for row in rows:
        print(f"| {' | '.join(map(str, row.values()))} |")
    for name, reason in missing.items():
        print(f"{name} is missing: {reason}", file=sys.stderr)
    for one in many:
        print(f"Of {one['texts']:,} texts {one['way']}: least cosine {one['cosine']}, mean {one['mean']}.")
    for look in looks:
        print(
            f"A pool of {look['pool']:,}: {look['tables_ms']} ms from the tables, {look['files_ms']} ms from the files."
        )


if __name__ == "__main__":
    main()
