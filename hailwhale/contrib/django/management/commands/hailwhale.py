"""`manage.py hailwhale …`: HailWhale's command line, with the settings of the project."""

from __future__ import annotations

import argparse
import os
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from hailwhale import cli
from hailwhale.contrib.django import conf


class Command(BaseCommand):
    """Hands all that follows to the command `hailwhale`: `serve`, `drain`, `doctor`, `keys`, …"""

    help = "HailWhale's command line with the settings of this project: serve, drain, doctor, …"
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Whatever follows is HailWhale's; `--help` alone is Django's, and names the commands."""
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.epilog = (
            f"{cli.parser().format_help()}\nmanage.py hailwhale COMMAND --help: its options"
        )
        parser.add_argument("args", metavar="COMMAND …", nargs=argparse.REMAINDER)

    def handle(self, *args: str, **_: Any) -> None:
        """Run it; what serves runs until a signal."""
        os.environ.update(conf.variables())
        code = cli.main(list(args))
        if code:
            raise SystemExit(code)
