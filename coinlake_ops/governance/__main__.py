"""`python -m coinlake_ops.governance render|access|diff|apply --environment dev`, and `lineage` for a local lake."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from coinlake import runtime
from coinlake.errors import CoinlakeError
from coinlake_ops.deploy import facts, run
from coinlake_ops.deploy.cloud import Cloud
from coinlake_ops.deploy.parts.governance import CREDENTIALS
from coinlake_ops.governance import access, lineage, model, statements


def main(arguments: list[str] | None = None, connect: Callable[..., Cloud] = Cloud) -> int:
    """Run a command; returns the exit code: 0 done, 1 `diff` found drift, 2 cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        return options.function(options, connect)
    except CoinlakeError as error:
        print(error, file=sys.stderr)
        return 2


def script(setting: model.Setting) -> str:
    """Everything as one SQL script, for reading and for an empty metastore."""
    parts = []
    for item in model.desired(setting):
        if item.kind in CREDENTIALS:
            identity = item.content["access_connector"]
            parts.append(f"-- The {item.kind} {item.name} is made through the API, for {identity}.")
        parts += [f"{statement};" for statement in statements.put(item, None)]
    return "\n\n".join(parts) + "\n"


def matrix(setting: model.Setting) -> Iterator[tuple[str, str, list[str]]]:
    """(principal, schema, actions) of everyone who may do anything to all of a schema."""
    items = model.desired(setting)
    granted, owned = access.grants(items), access.owners(items)
    schemas = [item.name for item in items if item.kind == "schema"]
    for principal in setting.principals.values():
        for schema in schemas:
            anything = f"{schema}.anything"
            allowed = [
                action for action in access.ACTIONS if access.may(granted, owned, principal, action, anything)
            ]
            if allowed:
                yield principal, schema, allowed


def _access(options, _connect) -> int:
    for principal, schema, allowed in matrix(_setting(options.environment)):
        print(f"{principal:44} {schema:32} {', '.join(allowed)}")
    return 0


def _render(options, _connect) -> int:
    print(script(_setting(options.environment)), end="")
    return 0


def _setting(name: str) -> model.Setting:
    """The setting of an environment, with placeholders for what only the cloud knows."""
    environment, parameters = facts.load(name, placeholders=True)
    connector = (
        f"{environment.group_id}/providers/Microsoft.Databricks/accessConnectors/{environment.access_connector}"
    )
    pipeline = environment.factory_application_id or f"<application id of {environment.factory}>"
    return model.setting(environment, parameters, connector, pipeline)


def _diff(options, connect) -> int:
    count = run.plan(_part(options, connect), print)
    print(f"\n{count} differences between {model.PATH.name} and the catalog." if count else "\nNo drift.")
    return 1 if count else 0


def _apply(options, connect) -> int:
    run.apply(_part(options, connect), print)
    return 0


def _lineage(options, _connect) -> int:
    lake = Path(runtime.resolve_path(options.lake))
    run_id, events = lineage.events(lake, options.run)
    target = options.out or lake / "lineage" / f"{run_id}.html"
    target.write_text(lineage.page(run_id, events), encoding="utf-8")
    print(f"{target}: {len(events)} notebooks of run {run_id}")
    return 0


def _part(options, connect):
    return run.parts(connect(*facts.load(options.environment)), ["governance"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m coinlake_ops.governance", description="Unity Catalog as code."
    )
    commands = parser.add_subparsers(required=True)
    for name, function, help_ in (
        ("render", _render, "print everything as SQL; asks nobody"),
        ("access", _access, "print who may do what to all of a layer; asks nobody"),
        ("diff", _diff, "compare with the catalog; fails when anything differs"),
        ("apply", _apply, "bring the catalog to what it should be"),
    ):
        command = commands.add_parser(name, help=help_)
        command.add_argument("--environment", required=True, metavar="dev|prod")
        command.set_defaults(function=function)
    command = commands.add_parser("lineage", help="draw the lineage of a local run as one page")
    command.add_argument("--lake", default="lake/simulated", help="folder of the lake")
    command.add_argument("--run", default="", help="run id; the newest run when left out")
    command.add_argument("--out", type=Path, help="file to write")
    command.set_defaults(function=_lineage)
    return parser


if __name__ == "__main__":
    sys.exit(main())
