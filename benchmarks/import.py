"""Times an import as people do it: a generated Stack Exchange dump and JSONL rows, through operations and job runner.

    python benchmarks/import.py [--mb 500] [--rows 200000] [--json] [--keep FOLDER]

Beside each time stands a bare expat pass over the same file in the same run (a handler that takes every row's
attributes and does nothing), a calibration loop and an fsync, so that the numbers of two machines can be told apart.
Every import runs in a process of its own, whose peak memory is its own too. The words come from the bundled sample,
by a seeded generator; the shares resemble a real dump: two answers a question, 7% of the answers best of their question
with a score of 10 or more, about half of those between 1,200 and 4,096 characters.
"""

import argparse
import json
import os
import platform
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from first_steps import calibration, fsync

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app import sample  # noqa: E402 - found once the folder above is

SEED = 1305
USERS = 5000
# Of answers: how many have a score of 10 and are the best; of those, how many are short, fit, or long.
GOOD = 0.07
LENGTHS = ((200, 1100), (1300, 3900), (4300, 7000))
WEIGHTS = (30, 50, 20)


def paragraphs() -> list[str]:
    """What the sample's posts say, a paragraph or a block each, as HTML."""
    found: list[str] = []

    def row(_name: str, attributes: dict[str, str]) -> None:
        found.extend(
            re.findall(
                r"<(?:p|pre|ul|ol|blockquote)>.*?</(?:p|pre|ul|ol|blockquote)>", attributes.get("Body", ""), re.DOTALL
            )
        )

    parser = expat.ParserCreate()
    parser.StartElementHandler = row
    parser.Parse((sample.dump_folder() / "Posts.xml").read_bytes(), True)
    return found


class Dump:
    """A generator of rows; the same seed gives the same bytes."""

    def __init__(self, seed: int = SEED) -> None:
        """Begin at the first Id."""
        self.random = random.Random(seed)  # noqa: S311 - the same bytes each time
        self.paragraphs = paragraphs()
        self.last_id = 0

    def body(self, low: int, high: int) -> str:
        """Some of the sample's paragraphs, that many characters in all; escaped for an attribute."""
        wanted, parts, length = self.random.randint(low, high), [], 0
        while length < wanted:
            parts.append(self.random.choice(self.paragraphs))
            length += len(re.sub(r"<[^>]*>", "", parts[-1]))
        return quoteattr("\n\n".join(parts))

    def post(self, kind: int, score: int, body: str, more: str) -> str:
        """One row."""
        self.last_id += 1
        when = (
            f"{self.random.randint(2010, 2024)}-0{self.random.randint(1, 9)}-1{self.random.randint(0, 9)}T10:00:00.000"
        )
        return (
            f'  <row Id="{self.last_id}" PostTypeId="{kind}" CreationDate="{when}" Score="{score}" Body={body} '
            f'OwnerUserId="{self.random.randint(1, USERS)}" ContentLicense="CC BY-SA 4.0" {more} />\n'
        )

    def thread(self) -> Iterator[str]:
        """A question with its answers."""
        title = f"How does part {self.last_id} of the workshop's press hold when it is warm?"
        about = f'Title="{title}" Tags="&lt;press&gt;&lt;heat&gt;" AnswerCount="2"'
        yield self.post(1, self.random.randint(-2, 30), self.body(300, 1800), about)
        question = self.last_id
        for number in range(self.random.choice((1, 2, 2, 3))):
            good = number == 0 and self.random.random() < 2 * GOOD
            lengths = self.random.choices(LENGTHS, WEIGHTS)[0] if good else (150, 1900)
            score = self.random.randint(10, 90) if good else self.random.randint(-3, 9)
            yield self.post(2, score, self.body(*lengths), f'ParentId="{question}"')

    def write(self, folder: Path, size: int) -> Path:
        """Write a dump of at least `size` bytes."""
        folder.mkdir(parents=True)
        names = (f'  <row Id="{number}" DisplayName="Member {number}" />\n' for number in range(1, USERS + 1))
        (folder / "Users.xml").write_text(f"<?xml version='1.0'?>\n<users>\n{''.join(names)}</users>\n", "utf-8")
        written = 0
        with (folder / "Posts.xml").open("w", encoding="utf-8") as file:
            file.write("<?xml version='1.0' encoding='utf-8'?>\n<posts>\n")
            while written < size:
                written += sum(file.write(row) for row in self.thread())
            file.write("</posts>\n")
        return folder


def write_rows(path: Path, count: int) -> Path:
    """Write that many LIMA rows, about 1,500 characters each."""
    chance = random.Random(SEED)  # noqa: S311 - the same bytes each time
    words = [re.sub(r"<[^>]*>", "", one) for one in paragraphs()]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            response = "\n\n".join(chance.choices(words, k=6))[:1500]
            row = {"conversations": [f"Question {number}: {chance.choice(words)[:200]}", response]}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def bare_pass(path: Path) -> dict[str, float]:
    """Seconds of an expat pass whose handler takes the attributes and does nothing."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda _name, _attributes: None
    started, worked = time.perf_counter(), time.process_time()
    with path.open("rb") as file:
        parser.ParseFile(file)
    return {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - worked}


class Split:
    """Processor seconds of this thread that an import spends in each of its parts."""

    def __init__(self) -> None:
        """Put a clock round each part."""
        from app.sources import importing, publishing

        self.seconds: dict[str, float] = {}
        # By name, past mypy: a clock looks like what it is put round.
        inside: Any = vars(importing)
        self._batches: Callable[..., Iterator[Any]] = inside["_batches"]
        inside["_batches"] = self._reading
        inside["_decided"] = self._timed("rules", inside["_decided"])
        inside["_write"] = self._timed("insertion", inside["_write"])
        publishing.publish_part = self._timed("publishing", publishing.publish_part)

    def _timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            began = time.thread_time()
            try:
                return work(*arguments)
            finally:
                self.seconds[part] = self.seconds.get(part, 0.0) + time.thread_time() - began

        return timed

    def _reading(self, reader: Any) -> Iterator[Any]:
        step = self._timed("reading", next)
        batches = self._batches(reader)
        while (batch := step(batches, None)) is not None:
            yield batch


def import_once(data: Path, path: Path, format: str, rules: str) -> dict[str, object]:
    """Import in this process, into the database of that folder, and say what it took: what --one does."""
    from app import handlers  # noqa: F401 - registers the handlers of jobs
    from app.accounts import operations as accounts
    from app.accounts.models import Role, User
    from app.config import Settings
    from app.db import Database
    from app.jobs.running import run_now
    from app.projects import operations as projects
    from app.projects.models import Project
    from app.sources import operations
    from app.sources.models import ImportRun
    from app.sources.rulesets import ruleset_from

    settings = Settings(data_dir=data)
    database = Database(settings)
    database.migrate()
    site = sample.SITE if format == "stackexchange" else ""
    plan = operations.ImportPlan(path, path.name, format, ruleset_from(rules), site, source=None)
    with database.writing() as session:
        person = session.get(User, 1) or accounts.create_user(
            session, None, email="a@example.org", name="A", role=Role.ADMIN, password=None
        )
        project = session.get(Project, 1) or projects.create_project(session, person, slug="bench", name="Bench")
        run = operations.start_import(session, person, project, plan)
    assert run.job_id is not None
    split = Split()
    started, worked = time.perf_counter(), time.process_time()
    run_now(database, settings, run.job_id, "benchmark")
    times = {"seconds": time.perf_counter() - started, "cpu_seconds": time.process_time() - worked}
    with database.reading() as session:
        done = session.get_one(ImportRun, run.id)
    database.dispose()
    if not done.result:
        raise SystemExit(f"the import ended as {done.state}: {done.error}")
    kept = {key: done.result[key] for key in ("records", "funnel", "created", "unchanged")}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**kept, **times, "split_cpu_seconds": split.seconds, "peak_rss_mb": peak}


def in_a_process(*arguments: str | Path) -> dict[str, Any]:
    """The same in a process of its own."""
    command = [sys.executable, __file__, "--one", *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure(folder: Path, megabytes: int, rows: int) -> dict[str, Any]:
    """All of it, in one run."""
    dump = Dump().write(folder / f"dump-{megabytes}", megabytes * 1_000_000)
    posts = dump / "Posts.xml"
    lines = write_rows(folder / "rows.jsonl", rows)
    passes = [bare_pass(posts)]
    first = in_a_process(folder / "data", dump, "stackexchange", "lima")
    passes.append(bare_pass(posts))
    second = in_a_process(folder / "data", dump, "stackexchange", "lima")
    passes.append(bare_pass(posts))
    plain = in_a_process(folder / "data-rows", lines, "lima", "none")
    # The middle of three, before, between and after: other work on the machine is in all of them.
    bare = {key: statistics.median(one[key] for one in passes) for key in passes[0]}
    return {
        "dump_megabytes": round(posts.stat().st_size / 1e6),
        "bare_pass": bare,
        "first_import": first,
        "second_import": second,
        "jsonl": {**plain, "records_per_second": plain["records"] / plain["seconds"], **_rates(plain)},
        "ratios": {
            "first": first["seconds"] / bare["seconds"],
            "second": second["seconds"] / bare["seconds"],
            "first_cpu": first["cpu_seconds"] / bare["cpu_seconds"],
            "second_cpu": second["cpu_seconds"] / bare["cpu_seconds"],
        },
        "calibration_seconds": calibration(),
        "fsync_ms": fsync(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _rates(plain: dict[str, Any]) -> dict[str, Any]:
    """What a record takes of the processor in each part, and how many a second rules and insertion alone would do."""
    split, count = plain["split_cpu_seconds"], plain["records"]
    return {
        "microseconds": {part: 1e6 * seconds / count for part, seconds in split.items()},
        "rules_and_insertion_per_second": count / (split["rules"] + split["insertion"]),
    }


def table(found: dict[str, Any]) -> str:
    """The same for people."""
    bare, first, second, plain = (found[key] for key in ("bare_pass", "first_import", "second_import", "jsonl"))
    rows = (
        (f"bare expat pass, {found['dump_megabytes']} MB", bare),
        (f"import, {first['records']:,} answers, {first['created']:,} kept", first),
        (f"the same again, {second['created']} new", second),
        (f"JSONL, {plain['records']:,} rows, {plain['records_per_second']:,.0f} a second", plain),
    )
    lines = ["| what | seconds | bare passes | of processor | bare passes | peak MB |", "| --- |" + " --- |" * 5]
    lines += [_line(what, times, bare) for what, times in rows]
    parts = ", ".join(f"{part} {micros:.1f}" for part, micros in plain["microseconds"].items())
    words = (
        f"\nJSONL, microseconds of the processor a record: {parts}; "
        f"{plain['rules_and_insertion_per_second']:,.0f} records a second of rules and insertion.\n"
        f"{found['system']}, {found['cores']} cores, Python {found['python']}; ten million additions in "
        f"{found['calibration_seconds']:.3f} s, an fsync in {found['fsync_ms']:.3f} ms."
    )
    return "\n".join([*lines, words])


def _line(what: str, times: dict[str, float], bare: dict[str, float]) -> str:
    cells = [f"{times[key]:.1f} | {times[key] / bare[key]:.2f}" for key in ("seconds", "cpu_seconds")]
    return f"| {what} | {' | '.join(cells)} | {times.get('peak_rss_mb', 0):.0f} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=500)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", type=Path, help="An empty folder for the files, which stay.")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        data, path, format, rules = options.one
        print(json.dumps(import_once(Path(data), Path(path), format, rules)))
        return
    with tempfile.TemporaryDirectory(prefix="handpicked-import-") as temporary:
        found = measure(options.keep or Path(temporary), options.mb, options.rows)
    print(json.dumps(found) if options.json else table(found))


if __name__ == "__main__":
    main()
