"""`handpicked demo`: the whole path on the bundled sample, unattended."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from app.cli.context import House, fail
from app.datasets import operations as datasets
from app.datasets import queries as versions
from app.datasets.canonical import set_sha256
from app.datasets.formats import Format
from app.datasets.material_queries import approved_items
from app.datasets.models import Version
from app.datasets.verify import verify_folder
from app.duplicates import operations as duplicates
from app.duplicates import queries as pairs
from app.duplicates.models import DuplicateScan, Method, On, Verdict
from app.home.demo import SLUG, plans
from app.projects.models import Project, Split
from app.projects.operations import create_project
from app.projects.queries import project_by_slug
from app.reviews.operations import approve_imported
from app.runs import operations as runs
from app.runs import queries as run_queries
from app.runs.decoding import Decoding
from app.runs.models import ModelKind, RunState
from app.runs.registering import add_model
from app.selection.operations import use_candidates
from app.selection.queries import PoolFilter, pool_candidates
from app.sources.models import CandidateStatus, ImportRun
from app.sources.operations import start_import
from app.sources.rulesets import LIMA

REASON = "The bundled sample: written and approved with the product."
MODEL = "tiny"
ASKED = Decoding(max_new_tokens=60)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo() -> None:
    """The whole path on the bundled sample: import, deduplicate, approve, freeze, train, answer. Repeatable."""
    started = time.monotonic()
    house = House()
    project = _project(house)
    said = [*_import(house, project), _match(house, project), _approve(house, project)]
    version, frozen = _freeze(house, project)
    said += [frozen, _prove(house, version), *_train_and_ask(house, project, version)]
    print(f"\nDone in {time.monotonic() - started:.0f} s, in the project {SLUG}:")
    for line in said:
        print(f"  {line}")
    print(f"{SLUG}@{version.name}\nsha256:{version.sha256}")


@contextmanager
def _step(words: str) -> Iterator[None]:
    started = time.monotonic()
    print(f"{words} …", end="", flush=True)
    yield
    print(f" {time.monotonic() - started:.1f} s")


def _project(house: House) -> Project:
    with house.writing() as (session, actor):
        standing = project_by_slug(session, SLUG)
        return standing or create_project(session, actor, slug=SLUG, name="Workshop demo")


def _import(house: House, project: Project) -> Iterator[str]:
    for plan in plans():
        with _step(f"Importing {plan.name}"):
            with house.writing() as (session, actor):
                run = start_import(session, actor, project, plan)
                house.take(session, run.job_id)
            assert run.job_id is not None
            house.run_or_fail(run.job_id)
        with house.reading() as session:
            result = session.get_one(ImportRun, run.id).result
        drops = ", ".join(f"{row['dropped']} by {row['rule']}" for row in result["funnel"] if row["dropped"])
        dropped = f"dropped {drops}" if plan.ruleset is LIMA else "nothing dropped"
        counts = f"{result['created']} new, {result['unchanged']} there already"
        yield f"imported  {plan.name}: {result['records']} read, {dropped}; {counts}"


def _match(house: House, project: Project) -> str:
    """Find duplicates and keep the left one of each pair, as somebody in a hurry would."""
    with _step("Matching duplicates"):
        with house.writing() as (session, actor):
            scan = duplicates.start_scan(
                session, actor, project, methods=(Method.EXACT, Method.EMBEDDING), on=On.RESPONSE, threshold=0.9
            )
            house.take(session, scan.job_id)
        assert scan.job_id is not None
        house.run_or_fail(scan.job_id)
        settled = 0
        with house.writing() as (session, actor):
            for pair in session.scalars(pairs.pairs_of(project.id)).all():
                if pair.verdict is Verdict.OPEN:
                    duplicates.decide(session, actor, project, pair, Verdict.KEEP_LEFT)
                    settled += 1
    with house.reading() as session:
        result = session.get_one(DuplicateScan, scan.id).result
    found = result["pairs"]
    return (
        f"matched   {result['texts']} texts: {found['exact']} exact and {found['embedding']} embedding pairs, "
        f"{result['leaks']} leaks; {settled} settled"
    )


def _approve(house: House, project: Project) -> str:
    with _step("Picking and approving"), house.writing() as (session, actor):
        picked = session.scalars(pool_candidates(project.id, PoolFilter(status=CandidateStatus.OPEN))).all()
        use_candidates(session, actor, picked, submit=True)
        approved = approve_imported(session, actor, project, REASON)
    with house.reading() as session:
        standing = len(approved_items(session, project))
    return f"approved  {approved} now, {standing} in all, as an imported set: {REASON}"


def _freeze(house: House, project: Project) -> tuple[Version, str]:
    """The version that holds what is approved now, if there is one, else a new one."""
    with _step("Freezing"), house.writing() as (session, actor):
        lines = sorted(item.line for item in approved_items(session, project))
        sha256 = set_sha256(line.text for line in lines)
        standing = list(session.scalars(versions.versions_of(project)))
        same = next((one for one in standing if one.sha256 == sha256), None)
        version = same or datasets.freeze_version(session, actor, project, name=f"v{len(standing) + 1}")
    counts = ", ".join(f"{n} {split}" for split, n in datasets.freeze_document(version)["examples"].items())
    verb = "the same as before," if same else "frozen as"
    return version, f"frozen    {counts}: {verb} {SLUG}@{version.name}"


def _prove(house: House, version: Version) -> str:
    folder = Path(tempfile.mkdtemp(prefix="handpicked-demo-"))
    try:
        with _step("Exporting and verifying"), house.reading() as session:
            frozen = session.get_one(Version, version.id)
            datasets.export_version(session, frozen, Format.LIMA, folder / "export")
            found = verify_folder(folder / "export", f"sha256:{version.sha256}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not found["ok"]:
        fail(f"The export does not verify: {found['problems']}")
    return "verified  an export in LIMA's form; every hash was recomputed"


def _train_and_ask(house: House, project: Project, version: Version) -> Iterator[str]:
    _model(house)
    with _step("Training a small model on the CPU"):
        with house.writing() as (session, actor):
            frozen = session.get_one(Version, version.id)
            run = runs.start_run(session, actor, project, frozen, model_name=MODEL, recipe="smoke", overrides={})
            house.take(session, run.job_id)
        assert run.job_id is not None
        house.run_or_fail(run.job_id)
    with house.reading() as session:
        done = run_queries.run_by_id(session, run.id)
        assert done is not None
        last = run_queries.checkpoint_of(session, done)
    if done.state is not RunState.SUCCEEDED:
        fail(done.reason or "The run did not succeed.")
    losses = f"loss {done.result['first_loss']:.4f} at the first step, {done.result['last_loss']:.4f} at the last"
    yield f"trained   run {done.id}, {done.step} steps: {losses}"
    with _step("Asking it"):
        with house.writing() as (session, actor):
            prompts = [row["messages"] for row in datasets.training_rows(session, frozen, Split.TEST)]
            asked = runs.ask(session, actor, project, last, prompts, ASKED)
            house.take(session, asked[0].job_id)
        assert asked[0].job_id is not None
        house.run_or_fail(asked[0].job_id)
    with house.reading() as session:
        answers = session.scalars(run_queries.answers_of_job(asked[0].job_id)).all()
    first = " ".join((answers[0].response or "").split())[:90]
    yield f"answered  {len(answers)} test prompts; the first: “{first}…” (a model this small only babbles)"


def _model(house: House) -> None:
    with house.reading() as session:
        model = run_queries.model_by_name(session, MODEL)
    if model is not None and model.ready_at is not None:
        return
    with _step("Making a small base model"):
        with house.writing() as (session, actor):
            model = add_model(session, actor, name=MODEL, kind=ModelKind.TINY)
            house.take(session, model.job_id)
        assert model.job_id is not None
        house.run_or_fail(model.job_id)
