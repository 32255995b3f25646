"""`manage.py hailwhale …`: HailWhale's command line, with the settings of the project."""

from __future__ import annotations

import argparse
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hailwhale import cli
from hailwhale.contrib.django import conf


class Command(BaseCommand):
    """Passes its arguments to the command `hailwhale`: `serve`, `drain`, `doctor`, `keys`, …"""

    help = "Run HailWhale's commands (serve, drain, doctor, …) with the settings of this project."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Pass all arguments to HailWhale; only `--help` is Django's, and it lists the commands."""
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = (
            f"{cli.parser().format_help()}\n"
            "manage.py hailwhale COMMAND --help shows the options of a command"
        )
        parser.add_argument("args", metavar="COMMAND …", nargs=argparse.REMAINDER)

    def handle(self, *args: str, **_: Any) -> None:
        """Run the command; a server runs until a signal."""
        os.environ.update(conf.variables())
        code = cli.main(list(args))
        if code:
            raise SystemExit(code)
