"""`hailwhale drain`: moves buffered hits into the counts."""

from __future__ import annotations

import argparse
import logging
from threading import Event

from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.commands.serve.log_setup import log_to_stderr
from hailwhale.commands.serve.signals import end_with_parent, stop_on_signals
from hailwhale.commands.serve.store_findings import log_findings
from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services, open_services
from hailwhale.services.ingest.drain import devote_process
from hailwhale.services.ingest.retries import Retries
from hailwhale.settings import Settings

log = logging.getLogger("hailwhale.drain")


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "drain",
        help="count buffered hits until stopped (or --once)",
        description="Move buffered hits into the counts until SIGTERM, each exactly once. Several "
        "drains may run on one store.",
    )
    parser.add_argument(
        "--once", action="store_true", help="count the hits that are buffered now, then exit"
    )
    add_settings(parser, "redis_url", "data_dir")
    parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Drain until a signal, finishing the current step; or once."""
    if args.parent is not None:
        end_with_parent(args.parent)
    settings = read_settings(args)
    log_to_stderr(settings.log_format)
    if args.once:
        services = open_services(settings)
        try:
            print(f"counted {services.drain.flush():,} buffered hits")
        finally:
            services.close()
        return 0
    stop = stop_on_signals()
    opened = _opened(settings, stop)
    if opened is not None:
        try:
            if args.parent is None:  # else the supervisor has checked the store
                log_findings(settings)
            devote_process()
            opened.drain.run(stop, settings.drain_idle_s)
        finally:
            opened.close()
    return 0


def _opened(settings: Settings, stop: Event) -> Services | None:
    """Return the services once the store answers; None when asked to stop before that."""
    retries = Retries(log, stop)
    while not stop.is_set():
        try:
            services = open_services(settings)
        except StoreUnavailable as fault:
            retries.failed(fault)
        else:
            retries.succeeded()
            return services
    return None
