"""Supervisor of `hailwhale serve`: runs an embedded Valkey, a web process and a drain.

Defines the order of start and stop. Start: the settings, the address, the store, the children, and
the message that it serves once a request was answered. Stop: no new connections, the requests in
flight, the drain's step, the buffered hits, the store. Knows nothing of what the children do with a
request or a hit.
"""

from __future__ import annotations

import http.client
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import replace

from hailwhale.commands.options import shown_store
from hailwhale.commands.serve.child_process import ChildProcess
from hailwhale.commands.serve.signals import GRACE_S, end_with_parent
from hailwhale.commands.serve.sockets import inherited, listen, netloc
from hailwhale.commands.serve.wsgi_servers import server_name
from hailwhale.errors import HailWhaleError, StoreUnavailable
from hailwhale.services.container import Services, open_services
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.open import check_store_settings

_TICK_S = 0.05
_READY_S = 60.0
_DRAINING_S = 4.0
_WEB_PATIENCE_S = GRACE_S + 3.0
_DRAIN_PATIENCE_S = 10.0
_REVIVE_AGAIN_S = 1.0
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104

log = logging.getLogger("hailwhale.serve")


class Supervisor:
    """Runs the whole service on one machine until SIGTERM, SIGINT or SIGHUP."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        """Take the settings and the `environ` they were read from, which the children read, too."""
        self._settings = settings
        self._environ = dict(environ)
        self._server: EmbeddedValkey | None = None
        self._look_at_server_s = 0.0
        self._stopping = False

    def run(self) -> None:
        """Serve until a signal.

        Raises `HailWhaleError` when it cannot start: an address or data directory is in use, or the
        store was created with other settings. Processes that die later are restarted.
        """
        listener, self._settings = inherited(self._settings, self._environ)
        server_name(self._settings)  # report a server that is not installed now, not in the child
        check_store_settings(self._settings)
        self._stop_on_signals()
        with ExitStack() as stack:  # unwound in reverse, which is the order of the stop
            if listener is None:
                listener = listen(self._settings.host, self._settings.port)
            stack.callback(listener.close)
            services = self._open_store(stack)
            fd, parent = listener.fileno(), ["--parent", str(os.getpid())]
            web = ChildProcess(
                "web", ["whale", "--buffered", "--quiet", "--listen-fd", str(fd), *parent], [fd]
            )
            drain = ChildProcess("drain", ["drain", *parent])
            stack.callback(_drain_rest, services)
            drain.start(self._environ)
            stack.callback(drain.stop, _DRAIN_PATIENCE_S)
            web.start(self._environ)
            stack.callback(web.stop, _WEB_PATIENCE_S)
            stack.callback(listener.close)  # before the web process, so no connection queues
            self._announce(listener, (web, drain))
            while not self._stopping:
                self._look_after_store((web, drain))
                web.look_after(self._environ)
                drain.look_after(self._environ)
                time.sleep(_TICK_S)

    def _stop_on_signals(self) -> None:
        def stop(_signal: int, _frame: object) -> None:
            self._stopping = True

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, stop)

    def _open_store(self, stack: ExitStack) -> Services:
        """Open the store, starting an embedded one; pass its URL to the children."""
        if not self._settings.redis_url:
            self._server = EmbeddedValkey(
                self._settings.data_dir, self._settings.fsync, _ending_with(os.getpid())
            )
            self._server.start()
            stack.callback(self._server.stop)
            self._environ["HAILWHALE_REDIS_URL"] = self._server.url
        url = self._environ["HAILWHALE_REDIS_URL"]
        services = open_services(replace(self._settings, redis_url=url))
        stack.callback(services.close)
        return services

    def _announce(self, listener: socket.socket, children: tuple[ChildProcess, ...]) -> None:
        """Print the address once the service answers."""
        host, port = self._settings.host, listener.getsockname()[1]
        deadline_s = time.monotonic() + _READY_S
        while not self._stopping and not _answers(_ANYWHERE.get(host, host), port):
            for child in children:
                if child.exit_code is not None:
                    raise HailWhaleError(
                        f"the {child.name} process {child.ended()} at startup: see its error above"
                    )
            if time.monotonic() > deadline_s:
                raise HailWhaleError(
                    f"the web process did not answer /healthz within {_READY_S:.0f} s"
                )
            time.sleep(_TICK_S)
        if not self._stopping:
            where = shown_store(self._settings)
            print(f"HailWhale on http://{netloc(host, port)} (data in {where})", flush=True)

    def _look_after_store(self, children: tuple[ChildProcess, ...]) -> None:
        """Restart the embedded Valkey if it died."""
        if self._server is None or time.monotonic() < self._look_at_server_s:
            return
        try:
            if not self._server.revive():
                return
        except (StoreUnavailable, OSError) as fault:
            log.error("%s; retrying in %.0f s", fault, _REVIVE_AGAIN_S)
            self._look_at_server_s = time.monotonic() + _REVIVE_AGAIN_S
            return
        log.warning("the embedded Valkey had died and was restarted with its data")
        if self._server.url != self._environ["HAILWHALE_REDIS_URL"]:
            self._environ["HAILWHALE_REDIS_URL"] = self._server.url
            for child in children:  # they restart with the new address
                child.terminate()


def _drain_rest(services: Services) -> None:
    """Count the hits still buffered, for a few seconds at most; the rest waits in the store."""
    deadline_s = time.monotonic() + _DRAINING_S
    with suppress(StoreUnavailable):
        while waiting := services.store.stats.loads():
            for load in waiting:
                if time.monotonic() > deadline_s:
                    return
                services.drain.step(load.shard)


def _ending_with(parent_pid: int) -> Callable[[], None] | None:
    """Return a hook for Valkey's process: on Linux it ends gracefully when this one is killed.

    Elsewhere nothing stops it, until the next owner of the directory does.
    """
    if sys.platform != "linux":
        return None
    return lambda: end_with_parent(parent_pid, signal.SIGTERM)


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
