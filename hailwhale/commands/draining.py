"""`hailwhale drain`: moves buffered hits into the counts."""

from __future__ import annotations

import argparse

from hailwhale.commands.logs import log_to_stderr
from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.commands.processes import end_with_parent, stop_on_signals
from hailwhale.services.assembly import open_services
from hailwhale.services.drain import devote_process


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "drain",
        help="count what is buffered, until it is stopped (or --once)",
        description="Move buffered hits into the counts until SIGTERM, each exactly once. Any "
        "number may run on one store.",
    )
    parser.add_argument("--once", action="store_true", help="count what is buffered now, and end")
    add_settings(parser, "redis_url", "data_dir")
    parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Drain until a signal, the step at hand finished; or once."""
    if args.parent is not None:
        end_with_parent(args.parent)
    settings = read_settings(args)
    log_to_stderr(settings.log_format)
    services = open_services(settings)
    try:
        if args.once:
            print(f"counted {services.drain.flush():,} buffered hits")
        else:
            devote_process()
            services.drain.run(stop_on_signals(), settings.drain_idle_s)
    finally:
        services.close()
    return 0
