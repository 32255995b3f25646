"""The command `hailwhale`: combines the commands, and prints errors as one line with an exit code.

A command is a module of `hailwhale.commands` with `add_parser(subparsers)`, which sets `run`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from hailwhale import __version__
from hailwhale.commands import (
    alerts,
    completion,
    count,
    dead_letters,
    decisions,
    drain,
    export,
    forget,
    man,
    quantiles,
    query,
    statsd,
)
from hailwhale.commands.demo import command as demo
from hailwhale.commands.doctor import command as doctor
from hailwhale.commands.imports import command as imports
from hailwhale.commands.imports import tail
from hailwhale.commands.security import keys, sealed, tokens
from hailwhale.commands.serve import command as serve
from hailwhale.errors import HailWhaleError

_FIRST = (serve, drain, count, query, decisions)
COMMANDS = (
    *(*_FIRST, quantiles, demo, sealed, tokens, keys, doctor),
    *(imports, tail, export, alerts, statsd, dead_letters, forget, completion),
)

WRONG = 2  # the exit code for what the caller has to put right, as argparse's own
INTERRUPTED = 130
_METAVAR = "COMMAND [-h] ..."  # as long as the longest command: argparse gives each one line then


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="hailwhale",
        usage="hailwhale [-h] [--version] COMMAND ...",
        description="Real-time counting of rolled-up, multi-dimensional metrics.",
        epilog="Every setting is a HAILWHALE_* variable; `hailwhale doctor` shows them all.",
    )
    whole.add_argument("--version", action="version", version=f"hailwhale {__version__}")
    subparsers = whole.add_subparsers(
        title="commands", dest="command", metavar=_METAVAR, required=True, prog="hailwhale"
    )
    for command in COMMANDS:
        command.add_parser(subparsers)
    man.add_parser(subparsers, parser)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; usage errors and servers end by SystemExit."""
    whole = parser()
    completion.complete(whole)
    args = whole.parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except HailWhaleError as fault:
        print(f"hailwhale: {fault}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output (head, less) closed it; the flush at exit must not fail, either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
