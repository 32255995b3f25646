"""`hailwhale serve`, `hailwhale hail` and `hailwhale whale`: the HTTP services."""

from __future__ import annotations

import argparse
import logging
import os
from functools import partial

from hailwhale.commands.options import Subparsers, add_settings, environment, read_settings
from hailwhale.commands.serve.log_setup import log_to_stderr
from hailwhale.commands.serve.signals import end_with_parent
from hailwhale.commands.serve.socket_holder import hold
from hailwhale.commands.serve.sockets import inherited, listen, netloc, opened
from hailwhale.commands.serve.store_findings import log_findings
from hailwhale.commands.serve.wsgi_servers import server, server_name
from hailwhale.errors import BadSetting, StoreUnavailable
from hailwhale.services.container import open_services
from hailwhale.settings import Settings
from hailwhale.store.open import check_store_settings
from hailwhale.web.apps import hail_app, whale_app
from hailwhale.web.lazy_app import LazyApp

log = logging.getLogger("hailwhale.web")

_SERVING = ("host", "port", "workers", "threads", "server", "open_to_all")


def add_parser(subparsers: Subparsers) -> None:
    """Add the three commands."""
    serve = subparsers.add_parser(
        "serve",
        help="run everything on one machine: web, drain, embedded Valkey",
        description="Serve hail and whale on one port, count buffered hits, and keep the data in "
        "an embedded Valkey (or in HAILWHALE_REDIS_URL). Restart each process that dies. On "
        "SIGTERM, answer the requests in flight, count the buffered hits, save the data and exit.",
    )
    add_settings(serve, *_SERVING, "data_dir", "redis_url")
    serve.set_defaults(run=run_serve)

    hail = subparsers.add_parser(
        "hail",
        help="run only the app that accepts events, on a shared store",
        description="Accept events at /count into the buffer in HAILWHALE_REDIS_URL. `hailwhale "
        "drain` counts them.",
    )
    add_settings(hail, *_SERVING, "redis_url")
    _add_hidden(hail)
    hail.set_defaults(run=run_web, buffered=True)

    whale = subparsers.add_parser(
        "whale",
        help="run only the app that counts and answers, on a shared store",
        description="Answer queries and count events at once, in HAILWHALE_REDIS_URL.",
    )
    add_settings(whale, *_SERVING, "redis_url")
    whale.add_argument(
        "--buffered",
        action="store_true",
        help="/count writes to the buffer, for a `hailwhale drain` on the same store",
    )
    _add_hidden(whale)
    whale.set_defaults(run=run_web)


def _add_hidden(parser: argparse.ArgumentParser) -> None:
    """Add the options that `hold` and `hailwhale serve` pass to their child server."""
    parser.add_argument("--listen-fd", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--quiet", action="store_true", help=argparse.SUPPRESS)


def run_serve(args: argparse.Namespace) -> int:
    """Supervise the whole service until a signal; return 0 after a graceful stop."""
    from hailwhale.commands.serve.supervisor import Supervisor

    environ = environment(args)
    settings = Settings.from_env(environ)
    log_to_stderr(settings.log_format)
    Supervisor(settings, environ).run()
    return 0


def run_web(args: argparse.Namespace) -> int:
    """Serve one app until a signal.

    Checks the settings first, then the store, and opens the port last. If several things are wrong,
    errors in the settings are reported before a port that is in use.
    """
    if args.parent is not None:
        return _serve_for_parent(args)
    settings = read_settings(args)
    log_to_stderr(settings.log_format)
    server_name(settings)  # report a server that is not installed now, not in the child
    listener, settings = inherited(settings, os.environ)
    if not settings.redis_url:
        raise BadSetting(
            f"HAILWHALE_REDIS_URL: `hailwhale {args.command}` needs a store that several processes "
            "share: set the URL of a Valkey or Redis, or run `hailwhale serve`, which starts one"
        )
    check_store_settings(settings)
    try:
        open_services(settings).close()  # report errors here, not in every worker
    except StoreUnavailable as fault:
        if not _spooled(args, settings):
            raise
        log.warning("%s; starting anyway", fault)
    else:
        log_findings(settings)
    if listener is None:
        listener = listen(settings.host, settings.port)
    buffered = ["--buffered"] if args.command == "whale" and args.buffered else []
    return hold([args.command, *buffered], listener, environment(args))


def _serve_for_parent(args: argparse.Namespace) -> int:
    """Serve on the parent's socket; the parent has checked everything else."""
    end_with_parent(args.parent)
    environ = environment(args)
    settings = Settings.from_env(environ)
    log_to_stderr(settings.log_format)
    listener, settings = opened(settings, environ, args.listen_fd)
    make_app = hail_app if args.command == "hail" else partial(whale_app, buffered=args.buffered)
    app = LazyApp(make_app, settings, spooled=_spooled(args, settings))
    where = netloc(settings.host, settings.port)

    def ready() -> None:
        if not args.quiet:
            print(f"{args.command} on http://{where}", flush=True)

    server(settings)(app, settings, listener, ready)
    return 0


def _spooled(args: argparse.Namespace, settings: Settings) -> bool:
    return bool(args.buffered) and settings.spool_bytes > 0
