"""`handpicked gates`: what stands between a project's approved examples and a freeze."""

from typing import Annotated, Any

import typer

from app.accounts.models import Role
from app.cli.context import AsOption, House, JsonOption, SlugArgument, emit, project_for
from app.datasets import gate_operations
from app.datasets.gate_documents import gates_document
from app.duplicates.encoding import bring_up_to_date
from app.examples import licensing

SHOWN = 20

SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="GATE=block|warn|off", help="What a finding of this gate means; again for more."),
]
StyleOption = Annotated[
    str | None,
    typer.Option("--style", metavar="RULE,…", help="The rules of house style whose remarks count; empty for none."),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("gates")(gates)


def gates(  # noqa: PLR0913 - a command has that many options
    slug: SlugArgument,
    policy: SetOption = None,
    style: StyleOption = None,
    put_up: Annotated[
        bool, typer.Option("--put-up", help="Put leaks that the gate has found among the duplicates, to be settled.")
    ] = False,
    licence: Annotated[str, typer.Option(help="Put examples that have no licence under this one.")] = "",
    author: Annotated[str, typer.Option(help="Name this author where neither author nor link is known.")] = "",
    encode: Annotated[
        bool, typer.Option("--encode", help="First encode what has no vector yet, to be compared by meaning.")
    ] = False,
    as_email: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what each gate finds in the approved examples; set what findings mean; settle some of them."""
    policies = _policies(policy or [])
    rules = None if style is None else [name.strip() for name in style.split(",") if name.strip()]
    leads = bool(policies or rules is not None or licence or author)
    house = House(as_email)
    if encode:
        with house.writing() as (session, actor):
            project_id = project_for(session, actor, slug).id
        bring_up_to_date(house.database, house.settings, project_id)
    with house.writing() as (session, actor):
        project = project_for(session, actor, slug, Role.ADMIN if leads else Role.ANNOTATOR)
        if policies or rules is not None:
            gate_operations.set_gates(session, actor, project, policies, rules)
        if licence or author:
            licensing.give_licence(session, actor, project, licence=licence, author=author)
        if put_up:
            gate_operations.put_up_leaks(session, project)
        document = gates_document(session, project)
    emit(document, as_json, [line for gate in document["gates"] for line in _lines(gate)])


def _policies(given: list[str]) -> dict[str, str]:
    found = {}
    for one in given:
        gate, equals, policy = one.partition("=")
        if not equals:
            raise typer.BadParameter(f"{one} is not GATE=block, GATE=warn or GATE=off")
        found[gate.strip()] = policy.strip()
    return found


def _lines(gate: dict[str, Any]) -> list[str]:
    findings = gate["findings"]
    lines = [f"{gate['gate']:<12} {gate['state']:<10} {gate['detail']}"]
    lines += [f"  {_told(finding)}" for finding in findings[:SHOWN]]
    return lines + ([f"  and {len(findings) - SHOWN:,} more"] if len(findings) > SHOWN else [])


def _told(finding: dict[str, Any]) -> str:
    return " ".join(filter(None, [" and ".join(map(_text, finding["texts"])), finding["words"]]))


def _text(text: dict[str, Any]) -> str:
    split, words = text["split"], text["words"]
    later = f", prompt {text['prompt']}" if text["prompt"] > 1 else ""
    return f"{text['key']}" + (f" ({split})" if split else "") + later + (f" “{words}”" if words else "")
