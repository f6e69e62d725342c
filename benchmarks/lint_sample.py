"""House style over files: remarks by rule, and a sample of them to be read and judged by a person.

    python benchmarks/lint_sample.py FILE|FOLDER[@SITE[:SCORE]]… [--sample 50] [--seed N] [--json]

Each input is read as an import would read it, before any rule; `@SITE` names the exchange of a dump and `:SCORE` keeps
its answers of at least that score. The sample is drawn over the remarks of all inputs together, by the seed.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.examples.style.counting import Linted, around, in_order, lint  # noqa: E402 - found once the folder above is
from app.examples.style.sheet import About, Sheet  # noqa: E402
from app.sources.formats import open_source  # noqa: E402


def texts_of(given: str) -> Iterator[Linted]:
    """The records of an input as texts."""
    path, _, rest = given.partition("@")
    site, _, score = rest.partition(":")
    reader = open_source(Path(path), "auto", site or None)
    reader.prepare()
    for record in reader.records():
        if not score or (record.score or 0) >= int(score):
            name = {"input": Path(path).name, "external_id": record.external_id}
            yield Linted(name, record.messages_as_json(), About(record.language or "en"))


def measured(given: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Counts of one input, and its remarks with the words around each."""
    texts = list(texts_of(given))
    words = {(text.name["external_id"], at): one["content"] for text in texts for at, one in enumerate(text.messages)}
    begun = time.perf_counter()
    report = lint(Sheet(), texts)
    seconds = time.perf_counter() - begun
    for item in report.items:
        whole = words[item["external_id"], item["message"]]
        item["around"] = around(whole, item["start"], item["end"], 90)
        item["prompt"] = " ".join(words.get((item["external_id"], item["message"] - 1), "").split())[:200]
    counts = {"input": Path(given.partition("@")[0]).name, "texts": report.texts, "remarks": in_order(report.counts)}
    return {**counts, "seconds": round(seconds, 2)}, report.items


def main() -> None:
    """Measure, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+")
    parser.add_argument("--sample", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = [measured(given) for given in chosen.inputs]
    items = [item for _, those in found for item in those]
    drawn = random.Random(chosen.seed).sample(items, min(chosen.sample, len(items)))  # noqa: S311 - a draw to read
    if chosen.json:
        print(json.dumps({"inputs": [counts for counts, _ in found], "seed": chosen.seed, "sample": drawn}))
        return
    for counts, _ in found:
        print(counts["input"], counts["texts"], "texts", counts["seconds"], "s", counts["remarks"])
    for number, item in enumerate(drawn, start=1):
        print(f"{number}. {item['input']} {item['external_id']} {item['rule']}: {item['around']}")
        print(f"   {item['words']}")


if __name__ == "__main__":
    main()
