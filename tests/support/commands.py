"""Reads what somebody types after `coinlake` as the command does, and calls nothing."""

import argparse

import pytest
import typer.core

from coinlake_ops import cli, factory


class Parsed(Exception):
    """A command line was read to its end and is right."""


def _parse_and_stop(parse):
    def stop(parser, arguments=None, namespace=None):
        parse(parser, arguments, namespace)
        raise Parsed

    return stop


def parse(words: list[str], monkeypatch) -> str:
    """The command's name, such as `tape add`; fails with what the command says when it refuses the words."""
    found = []
    with monkeypatch.context() as patch:
        patch.setattr(typer.core.TyperCommand, "invoke", lambda self, context: found.append(context))
        code = cli.main(words)
        assert code == cli.DONE, f"coinlake {' '.join(words)} ends with {code}"
        [context] = found
        if context.info_name == "factory":
            patch.setattr(
                argparse.ArgumentParser, "parse_args", _parse_and_stop(argparse.ArgumentParser.parse_args)
            )
            with pytest.raises(Parsed):
                factory.main(context.args)
    return context.command_path.removeprefix("coinlake ")
