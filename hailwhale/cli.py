"""The command `hailwhale`: combines the commands, and prints errors as one line with an exit code.

A command is a module of `hailwhale.commands` with `add_parser(subparsers)`, which sets `run`. Each
call imports only the module of its command: to import all takes longer than most commands do.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from hailwhale import __version__
from hailwhale.commands import completion, man
from hailwhale.errors import HailWhaleError

# The modules, in the order of the help, with the names of the commands that each adds.
MODULES = {
    "serve.command": ("serve", "hail", "whale"),
    "drain": ("drain",),
    "count": ("count",),
    "query": ("totals", "plotpoints", "rank", "subdimensions"),
    "decisions": ("decide", "reasons", "journal", "evaluate"),
    "quantiles": ("quantiles",),
    "demo.command": ("demo",),
    "security.sealed": ("pixel", "graph"),
    "security.tokens": ("tokens",),
    "security.keys": ("keys",),
    "doctor.command": ("doctor",),
    "imports.command": ("import",),
    "imports.tail": ("tail",),
    "export": ("export",),
    "alerts": ("alerts", "report"),
    "statsd": ("statsd",),
    "dead_letters": ("dead-letters",),
    "forget": ("forget",),
    "completion": ("completion",),
}

WRONG = 2  # the exit code for errors that the caller must correct, like argparse's own
INTERRUPTED = 130
_METAVAR = (
    "COMMAND [-h] ..."  # as long as the longest command, so that argparse puts each on one line
)


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the whole command line, or of the module of one command."""
    whole = argparse.ArgumentParser(
        prog="hailwhale",
        usage="hailwhale [-h] [--version] COMMAND ...",
        description="Real-time counting of rolled-up, multi-dimensional metrics.",
        epilog="Each setting is a HAILWHALE_* environment variable; `hailwhale doctor` lists all.",
    )
    whole.add_argument("--version", action="version", version=f"hailwhale {__version__}")
    subparsers = whole.add_subparsers(
        title="commands", dest="command", metavar=_METAVAR, required=True, prog="hailwhale"
    )
    for module, names in MODULES.items():
        if command is None or command in names:
            import_module(f"hailwhale.commands.{module}").add_parser(subparsers)
    man.add_parser(subparsers, parser)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; usage errors and servers end by SystemExit."""
    os.environ.setdefault(
        "OPENBLAS_NUM_THREADS", "1"
    )  # more only wait for each other: fits are small
    arguments = sys.argv[1:] if argv is None else argv
    named = any(arguments[:1] == [name] for names in MODULES.values() for name in names)
    whole = parser(arguments[0] if named and not completion.asked() else None)
    completion.complete(whole)
    args = whole.parse_args(arguments)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except HailWhaleError as fault:
        print(f"hailwhale: {fault}", file=sys.stderr)
        return WRONG
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of the output (head, less) closed it; the flush at exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


if __name__ == "__main__":
    sys.exit(main())
