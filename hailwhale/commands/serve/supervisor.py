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
import time
from collections.abc import Mapping
from contextlib import ExitStack

from hailwhale.commands.options import shown_store
from hailwhale.commands.serve.child_process import ChildProcess
from hailwhale.commands.serve.signals import GRACE_S
from hailwhale.commands.serve.sockets import inherited, listen, netloc
from hailwhale.commands.serve.store_keeper import StoreKeeper
from hailwhale.commands.serve.wsgi_servers import server_name
from hailwhale.errors import HailWhaleError
from hailwhale.settings import Settings
from hailwhale.store.open import check_store_settings

_TICK_S = 0.05
_READY_S = 60.0
_ANSWER_S = 5.0  # longer than a store that hangs keeps the first request
_WEB_PATIENCE_S = GRACE_S + 3.0
_DRAIN_PATIENCE_S = 10.0
_WRONG = 2  # the exit code of a command that cannot run with these settings
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104

log = logging.getLogger("hailwhale.serve")


class Supervisor:
    """Runs the whole service on one machine until SIGTERM, SIGINT or SIGHUP."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        """Take the settings and the `environ` they were read from, which the children read, too."""
        self._settings = settings
        self._environ = dict(environ)
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
            keeper = StoreKeeper(self._settings)
            stack.callback(keeper.close)
            keeper.start(lambda: self._stopping)
            self._environ["HAILWHALE_REDIS_URL"] = keeper.url
            fd, parent = listener.fileno(), ["--parent", str(os.getpid())]
            web = ChildProcess(
                "web", ["whale", "--buffered", "--quiet", "--listen-fd", str(fd), *parent], [fd]
            )
            drain = ChildProcess("drain", ["drain", *parent])
            stack.callback(keeper.drain_rest)
            drain.start(self._environ)
            stack.callback(drain.stop, _DRAIN_PATIENCE_S)
            web.start(self._environ)
            stack.callback(web.stop, _WEB_PATIENCE_S)
            stack.callback(listener.close)  # before the web process, so no connection queues
            self._announce(listener, keeper, (web, drain))
            while not self._stopping:
                self._look_after(keeper, (web, drain))
                time.sleep(_TICK_S)

    def _stop_on_signals(self) -> None:
        def stop(_signal: int, _frame: object) -> None:
            self._stopping = True

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                signal.signal(number, stop)

    def _announce(
        self, listener: socket.socket, keeper: StoreKeeper, children: tuple[ChildProcess, ...]
    ) -> None:
        """Print the address once the service answers; restart what dies before that."""
        host, port = self._settings.host, listener.getsockname()[1]
        deadline_s = time.monotonic() + _READY_S
        while not self._stopping and not _answers(_ANYWHERE.get(host, host), port):
            for child in children:
                if child.exit_code == _WRONG:
                    raise HailWhaleError(
                        f"the {child.name} process {child.ended()} at startup: see its error above"
                    )
            if time.monotonic() > deadline_s:
                raise HailWhaleError(
                    f"the web process did not answer /healthz within {_READY_S:.0f} s"
                )
            self._look_after(keeper, children)
            time.sleep(_TICK_S)
        if not self._stopping:
            where = shown_store(self._settings)
            print(f"HailWhale on http://{netloc(host, port)} (data in {where})", flush=True)

    def _look_after(self, keeper: StoreKeeper, children: tuple[ChildProcess, ...]) -> None:
        """Restart what died; restart the children if the store's address has changed."""
        keeper.look_after()
        if keeper.url != self._environ["HAILWHALE_REDIS_URL"]:
            self._environ["HAILWHALE_REDIS_URL"] = keeper.url
            for child in children:  # they restart with the new address
                child.terminate()
        for child in children:
            child.look_after(self._environ)


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status in (200, 429)  # there may be a rate limit
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
