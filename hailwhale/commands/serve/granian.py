"""Runs a WSGI app under Granian, a server in Rust; all of its configuration is here.

Granian is optional (`pip install 'hailwhale[fast]'`). Only `wsgi_servers` imports this module, and
only if Granian is to serve. Granian normally binds its own ports. Here the socket is open before
any server starts, and replaces the one that Granian would bind. Connections wait in it while
workers are replaced.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.mp import MPServer

from hailwhale.commands.serve.signals import GRACE_S, end_with_parent
from hailwhale.commands.serve.sockets import BACKLOG
from hailwhale.settings import Settings
from hailwhale.web.lazy_app import LazyApp

_CONNECTIONS = 1_000  # of one worker, including idle ones
_IDLE_THREAD_S = 600
_LONGEST_HEAD_BYTES = 131_072  # of a request, including its URL, which has at most 65,534
# Granian's log goes to HailWhale's log, not to stdout.
_LOGGERS = {name: {"handlers": [], "propagate": True} for name in ("_granian", "granian.access")}
_LOGGING = {"formatters": {}, "handlers": {}, "loggers": _LOGGERS}


class _GranianServer(MPServer):
    """Granian's master and worker processes, on a socket that is already open."""

    def __init__(self, listener: socket.socket, **options: Any) -> None:
        super().__init__("hailwhale", **options)
        self._listener = listener

    def _init_shared_socket(self) -> None:
        holder: Any = SocketHolder
        backlog = () if sys.platform == "darwin" else (BACKLOG,)
        self._shd = holder(self._listener.fileno(), False, *backlog)
        self._sso = None

    def _drop_shared_socket(self) -> None:
        self._listener.close()


def run(
    app: LazyApp,
    settings: Settings,
    listener: socket.socket,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM, then answer the requests in flight.

    Takes ownership of the listener. Calls `ready` once the server listens on it.
    """
    master = os.getpid()

    def load() -> LazyApp:
        """Return the app; called in each worker after the fork."""
        end_with_parent(master)
        # Only the master handles Ctrl-C in a terminal; it stops its workers in order.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        app.prepare()
        return app

    multiprocessing.set_start_method("fork", force=True)  # workers inherit the socket and the app
    server = _GranianServer(
        listener,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=_LONGEST_HEAD_BYTES),
        workers=settings.workers,
        blocking_threads=settings.threads,
        blocking_threads_idle_timeout=_IDLE_THREAD_S,
        backlog=BACKLOG,
        backpressure=_CONNECTIONS,
        respawn_failed_workers=True,
        # A worker can miss the signal of its runtime that it is idle, so the wait is limited.
        workers_kill_timeout=GRACE_S,
        log_level=LogLevels.error,
        log_dictconfig=_LOGGING,
    )
    server.on_startup(ready)
    try:
        server.serve(target_loader=load, wrap_loader=False)
    except SystemExit:
        if not server.interrupt_signal:  # workers that a signal ended did not fail
            raise
