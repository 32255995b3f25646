"""A WSGI app under Granian, which does the HTTP in Rust: configured here alone, without a file.

It is optional (`pip install 'hailwhale[fast]'`): only `servers` imports this, and only if it is to
serve. Granian binds its ports itself; ours is listened on before any server starts, so what Granian
would bind is replaced by that one socket, and connections wait in it while workers change.
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

_CONNECTIONS = 1_000  # of one worker; those that are kept open and idle are among them
_IDLE_THREAD_S = 600
_LONGEST_HEAD_BYTES = 131_072  # of a request, its URL included; that itself has at most 65,534
# What it logs goes where our own log goes, not to stdout.
_LOGGERS = {name: {"handlers": [], "propagate": True} for name in ("_granian", "granian.access")}
_LOGGING = {"formatters": {}, "handlers": {}, "loggers": _LOGGERS}


class _GranianServer(MPServer):
    """Granian's master and worker processes, over a socket that is open already."""

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
    """Serve until SIGTERM, then answer what is in flight.

    Takes the listener over. `ready` is called when it is listened on.
    """
    master = os.getpid()

    def load() -> LazyApp:
        """Called in each worker after the fork."""
        end_with_parent(master)
        # Ctrl-C in a terminal is for the master, which stops its workers in order.
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
        # Now and then a worker misses its runtime's word that all is answered: the wait has an end.
        workers_kill_timeout=GRACE_S,
        log_level=LogLevels.error,
        log_dictconfig=_LOGGING,
    )
    server.on_startup(ready)
    try:
        server.serve(target_loader=load, wrap_loader=False)
    except SystemExit:
        if not server.interrupt_signal:  # workers that were told to end, as we were, did not fail
            raise
