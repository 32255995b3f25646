"""`hailwhale doctor`: shows every setting with its source, and reports problems."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import fields

from hailwhale.commands.doctor import memory
from hailwhale.commands.doctor.checks import CheckResult, Level, check
from hailwhale.commands.options import (
    Subparsers,
    add_settings,
    default_text,
    environment,
    given_variables,
    read_settings,
    shown_value,
    source_of,
)
from hailwhale.commands.table import table
from hailwhale.errors import BadSetting
from hailwhale.settings import Settings

SICK = 1  # the exit code if a check fails


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "doctor",
        help="show every setting, check the store, and report problems",
        description="Print the effective settings. Check them, the store and its buffers. Change "
        "no data. Exit with 1 if a check fails.",
    )
    add_settings(parser, "redis_url", "data_dir", "host", "port", "open_to_all")
    memory.add_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print settings and results; return 1 when a check failed. With --memory, the store's size."""
    if args.memory:
        return memory.run(args)
    print(settings_table(args))
    print()
    failed = False
    for finding in _findings(args):
        print(finding, flush=True)
        failed = failed or finding.level is Level.FAIL
    return SICK if failed else 0


def settings_table(args: argparse.Namespace) -> str:
    """Format each setting: its variable, its effective value as text, its source, its purpose."""
    given, environ = given_variables(args), environment(args)
    return table(
        ["variable", "value", "source", "description"],
        [
            (
                variable,
                shown_value(variable, environ.get(variable, default_text(setting))),
                source_of(variable, given),
                setting.metadata["doc"],
            )
            for setting in fields(Settings)
            for variable in [setting.metadata["variable"]]
        ],
    )


def _findings(args: argparse.Namespace) -> Iterator[CheckResult]:
    try:
        settings = read_settings(args)
    except BadSetting as fault:
        yield CheckResult(Level.FAIL, "settings", str(fault))
        return
    yield CheckResult(Level.OK, "settings", "all are valid")
    yield from check(settings)
