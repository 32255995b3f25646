"""`hailwhale tail`: follows a log and counts each new line exactly once.

Defines the options, the lock that keeps a second process off the log, and the polling interval.
"""

from __future__ import annotations

import argparse
import fcntl
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

from hailwhale.commands.imports.command import importing_over
from hailwhale.commands.imports.mapping_options import LOG_EPILOG, add_mapping, line_reading_of
from hailwhale.commands.options import Subparsers, add_settings, read_settings
from hailwhale.commands.serve.log_setup import log_to_stderr
from hailwhale.commands.serve.signals import stop_on_signals
from hailwhale.errors import BadInput, StoreUnavailable
from hailwhale.services.container import Services, open_services
from hailwhale.services.imports.tail import QUIET_S, LogTailer
from hailwhale.services.ingest.retries import Retries
from hailwhale.settings import Settings

log = logging.getLogger("hailwhale.tail")

_LOOK_S = 0.5
_EPILOG = """\
  hailwhale tail /var/log/nginx/pixels.log --pixels

This counts every pixel that nginx served, from the beginning of the file. It survives rename,
copytruncate, compression and crashes: each line counts once. The exit code after SIGTERM is 0.

"""


def add_parser(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "tail",
        help="follow a log file and count each line exactly once",
        description="Count the lines of a log file as they are written, until SIGTERM.",
        epilog=_EPILOG + LOG_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="path of the log file")
    add_mapping(parser, ("ndjson",), "nginx")
    parser.add_argument(
        "--once", action="store_true", help="count the lines that are there now, then exit"
    )
    parser.add_argument("--name", default="", help="distinguishes hosts that use the same log path")
    parser.add_argument(
        "--quiet", type=float, default=QUIET_S, metavar="SECONDS", help=argparse.SUPPRESS
    )
    add_settings(parser, "redis_url", "data_dir")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Follow the log until a signal, or read it once; return 1 when that rejected a line."""
    settings = read_settings(args)
    reading = line_reading_of(args, "nginx")
    if not args.file.parent.is_dir():
        raise BadInput("file", str(args.file), "a file in an existing directory")
    log_to_stderr(settings.log_format)
    stop = Event() if args.once else stop_on_signals()
    services = _opened(settings, stop, once=args.once)
    if services is None:
        return 0
    with closing(services):
        importing = importing_over(services)
        following = LogTailer(
            path=args.file,
            reading=reading,
            importing=importing,
            clock_s=time.time,
            label=args.name,
            quiet_s=args.quiet,
        )
        with _locked(settings, following.name, args.file), closing(following):
            if args.once:
                while following.look():
                    pass
            else:
                _follow(following, stop)
        tally = following.tally
    print(f"{args.file}: {tally.counted:,} counted, {tally.rejected:,} rejected", file=sys.stderr)
    return 1 if args.once and tally.rejected else 0


def _follow(following: LogTailer, stop: Event) -> None:
    retries = Retries(log, stop)
    while not stop.is_set():
        try:
            found = following.look()
        except StoreUnavailable as fault:
            retries.failed(fault)
        else:
            retries.succeeded()
            if not found:
                stop.wait(_LOOK_S)


def _opened(settings: Settings, stop: Event, *, once: bool) -> Services | None:
    """Return the services once the store answers; None when asked to stop before that."""
    retries = Retries(log, stop)
    while not stop.is_set():
        try:
            return open_services(settings)
        except StoreUnavailable as fault:
            if once:
                raise
            retries.failed(fault)
    return None


@contextmanager
def _locked(settings: Settings, name: str, file: Path) -> Iterator[None]:
    """Keep other processes of this machine off the log; the lock ends with the process."""
    path = settings.data_dir.expanduser() / f"{name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = path.open("w")
    except OSError as fault:
        why = f"a directory in which a lock file can be written ({fault.strerror})"
        raise BadInput("data-dir", str(path.parent), why) from fault
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise BadInput("file", str(file), "a log that no other process follows") from fault
        yield
