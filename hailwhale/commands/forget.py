"""`hailwhale forget`: erases the data of one visitor."""

from __future__ import annotations

import argparse

from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.services.container import open_services


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "forget",
        help="erase what is kept of one visitor",
        description="Erase a visitor from the spy logs, and the options that decisions gave to it. "
        "Sums have nothing of anybody in them, and how many visitors there were stays what it was: "
        "that cannot be traced back. With HAILWHALE_UID_SALT_DAYS what is older than the salt "
        "cannot be found any more, by nobody.",
    )
    parser.add_argument("--uid", required=True, help="the visitor, as it was given with the events")
    add_settings(parser, "redis_url", "data_dir")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Erase, and print how much was erased."""
    services = open_services(read_settings(args))
    try:
        erased = services.erasing.forget(args.uid)
    finally:
        services.close()
    print(f"erased {erased:,} events of the spy log")
    return 0
