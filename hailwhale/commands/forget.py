"""`hailwhale forget`: erases the data of one visitor."""

from __future__ import annotations

import argparse

from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.services.container import open_services


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "forget",
        help="erase the data of one visitor",
        description="Erase a visitor's events from the spy logs, and the options that decisions "
        "assigned to it. Sums contain no personal data and stay as they are. So do numbers of "
        "visitors, which cannot be traced back. With HAILWHALE_UID_SALT_DAYS, nobody can find data "
        "that is older than the salt.",
    )
    parser.add_argument("--uid", required=True, help="visitor id, as sent with the events")
    add_settings(parser, "redis_url", "data_dir")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Erase, and print how much was erased."""
    services = open_services(read_settings(args))
    try:
        erased = services.erasing.forget(args.uid)
    finally:
        services.close()
    print(f"erased {erased:,} events from the spy log")
    return 0
