"""`python -m coinlake_ops.deploy plan|apply|destroy --environment dev [--only PART …]`, and `bundle`, `versions`."""

import argparse
import sys
from collections.abc import Callable

from coinlake.errors import CoinlakeError
from coinlake_ops import runtime
from coinlake_ops.deploy import bundle, facts, run
from coinlake_ops.deploy.cloud import Cloud


def main(arguments: list[str] | None = None, connect: Callable[..., Cloud] = Cloud) -> int:
    """Run a command; returns the exit code: 0 done, 1 a runtime or a bundle that differs, 2 cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        return options.function(options, connect)
    except CoinlakeError as error:
        print(error, file=sys.stderr)
        return 2


def _plan(options, connect) -> int:
    count = run.plan(_parts(options, connect), print)
    print(
        f"\n{count} changes. Apply them: python -m coinlake_ops.deploy apply --environment {options.environment}"
    )
    return 0


def _apply(options, connect) -> int:
    count = run.apply(_parts(options, connect), print)
    print(f"\n{count} changes made." if count else "\nEverything is as it should be.")
    return 0


def _destroy(options, connect) -> int:
    parts = _parts(options, connect)
    if options.confirm == options.environment:
        print(f"\n{run.destroy(parts, print)} removed. The resource group stays.")
        return 0
    count = run.plan_destruction(parts, print)
    print(
        f"\n{count} things would be removed, all data with them. Nothing was. To remove them: "
        f"python -m coinlake_ops.deploy destroy --environment {options.environment} --confirm {options.environment}"
    )
    return 0


def _bundle(options, _connect) -> int:
    if options.check:
        return bundle.check()
    bundle.write()
    return 0


def _versions(_options, _connect) -> int:
    found = list(runtime.findings())
    for package, here, shipped, judgement in found:
        print(f"{package:16} here {here:10} {runtime.SPARK_VERSION} {shipped:10} {judgement}")
    print(f"installed besides: {', '.join(runtime.dependencies())}")
    return 1 if any(package in runtime.EXACT and judgement == "differs" for package, *_, judgement in found) else 0


def _parts(options, connect):
    environment, parameters = facts.load(options.environment)
    return run.parts(connect(environment, parameters), options.only)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m coinlake_ops.deploy", description="Brings an environment to Azure."
    )
    commands = parser.add_subparsers(required=True)
    known = ", ".join(part.name for part in run.PARTS)
    for name, function, help_ in (
        ("plan", _plan, "print what would change; changes nothing"),
        ("apply", _apply, "print the plan and carry it out"),
        ("destroy", _destroy, "print what would be removed; with --confirm, remove it"),
    ):
        command = commands.add_parser(name, help=help_)
        command.add_argument("--environment", required=True, metavar="dev|prod")
        command.add_argument("--only", nargs="+", default=[], metavar="PART", help=known)
        if name == "destroy":
            command.add_argument(
                "--confirm", default="", metavar="ENVIRONMENT", help="the environment's name again"
            )
        command.set_defaults(function=function)
    command = commands.add_parser("bundle", help="write databricks.yml, the same job as a Databricks Asset Bundle")
    command.add_argument("--check", action="store_true", help="only say whether it is up to date")
    command.set_defaults(function=_bundle)
    command = commands.add_parser("versions", help="compare the target runtime with our pins")
    command.set_defaults(function=_versions)
    return parser


if __name__ == "__main__":
    sys.exit(main())
