"""`handpicked endpoint`: model servers that projects may get help from."""

import sys
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from app.cli.context import AsOption, House, JsonOption, emit
from app.endpoints import operations, queries
from app.endpoints.forms import ChangeForm, EndpointForm
from app.endpoints.operations import endpoint_document
from app.web.forms import Model, field_of, sentence

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The name that leads choose it by.")]
KeyOption = Annotated[
    bool, typer.Option("--key-stdin", help="Read its API key from standard input; kept sealed, never printed.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    endpoints = typer.Typer(no_args_is_help=True, help="Model servers that projects may get help from.")
    endpoints.command("add")(add)
    endpoints.command("list")(list_endpoints)
    endpoints.command("test")(try_out)
    endpoints.command("edit")(edit)
    endpoints.command("key")(key)
    endpoints.command("remove")(remove)
    app.add_typer(endpoints, name="endpoint")


def add(
    name: NameArgument,
    url: Annotated[str, typer.Option(help="Its base address, mostly …/v1.")],
    model: Annotated[str, typer.Option(help="The model, as the server calls it.")],
    key_stdin: KeyOption = False,
    inside: Annotated[
        bool, typer.Option("--inside", help="It stands in our own network; only then may its address be private.")
    ] = False,
    timeout: Annotated[int, typer.Option(min=1, max=600, help="Seconds to wait for an answer, in all.")] = 60,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register a model server; admins only."""
    typed = {"name": name, "url": url, "model": model, "api_key": _key() if key_stdin else "", "inside": inside}
    form = _checked(EndpointForm, {**typed, "timeout_seconds": timeout})
    house = House(as_email)
    with house.writing() as (session, actor):
        document = endpoint_document(operations.add_endpoint(session, house.settings, actor, form.as_wanted()))
    emit(document, as_json, [f"{name} is registered: {model} at {document['host']}. `handpicked endpoint test {name}`"])


def _checked(model: type[Model], typed: dict[str, Any]) -> Model:
    try:
        return model.model_validate(typed)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        raise typer.BadParameter(f"{field_of(fault)}: {sentence(fault)}") from None


def _key() -> str:
    return sys.stdin.readline().strip()


def list_endpoints(as_json: JsonOption = False) -> None:
    """The registered model servers, with what their last tests came to."""
    with House().reading() as session:
        rows = [endpoint_document(endpoint) for endpoint in session.scalars(queries.endpoints())]
    words = [f"{row['name']:<16} {row['model']:<32} {row['host']:<28} {_said(row)}" for row in rows]
    emit({"endpoints": rows}, as_json, words or ["No model server yet; see `handpicked endpoint add --help`."])


def _said(row: dict[str, Any]) -> str:
    if row["state"] == "answers":
        return f"answered in {row['seconds']:.1f} s"
    return str(row["error"] or {"untested": "not tested yet", "testing": "being asked"}[row["state"]])


def try_out(name: NameArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Ask it one word and say how long the answer took; exit 1 where there is none."""
    house = House(as_email)
    with house.writing() as (session, actor):
        job = operations.test_endpoint(session, actor, queries.named_endpoint(session, name))
        house.take(session, job.id)
    house.run_or_fail(job.id)
    with house.reading() as session:
        document = endpoint_document(queries.named_endpoint(session, name))
    emit(document, as_json, [f"{name} {_said(document)}."])


def edit(
    name: NameArgument,
    model: Annotated[str | None, typer.Option(help="The model, as the server calls it.")] = None,
    timeout: Annotated[int | None, typer.Option(min=1, max=600, help="Seconds to wait for an answer, in all.")] = None,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask another model at the same address, or wait another time; its key stays."""
    if (model, timeout) == (None, None):
        raise typer.BadParameter("say --model or --timeout")
    wanted = _checked(ChangeForm, {"model": model, "timeout_seconds": timeout})
    with House(as_email).writing() as (session, actor):
        endpoint = queries.named_endpoint(session, name)
        operations.edit_endpoint(session, actor, endpoint, **wanted.model_dump())
        document = endpoint_document(endpoint)
    words = (
        f"{name} asks {document['model']} and waits {document['timeout_seconds']} s. `handpicked endpoint test {name}`"
    )
    emit(document, as_json, [words])


def key(name: NameArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Put the API key on standard input in place of the one that is there; an empty line takes it away."""
    house = House(as_email)
    with house.writing() as (session, actor):
        endpoint = queries.named_endpoint(session, name)
        operations.set_key(session, house.settings, actor, endpoint, _key())
        document = endpoint_document(endpoint)
    if not document["with_key"] and not as_json:
        sys.stderr.write("handpicked: there was no key on standard input, so it is asked without one now.\n")
    emit(document, as_json, [f"{name} is asked {'with the new key' if document['with_key'] else 'without a key'}."])


def remove(name: NameArgument, as_email: AsOption = None, as_json: JsonOption = False) -> None:
    """Forget it and its key; what it suggested stays."""
    with House(as_email).writing() as (session, actor):
        operations.remove_endpoint(session, actor, queries.named_endpoint(session, name))
    emit({"name": name, "removed": True}, as_json, [f"{name} and its key are gone."])
