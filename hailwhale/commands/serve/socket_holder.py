"""Holds the socket of `hailwhale hail` and `hailwhale whale` while their server is replaced.

The server is a child process. On SIGHUP it answers the requests in flight and ends. A new one, with
the code and packages installed by then, goes on with the connections that waited. So a restart
loses no connection.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from hailwhale.commands.serve.child_process import ChildProcess
from hailwhale.commands.serve.signals import GRACE_S

_PATIENCE_S = GRACE_S + 5
_TICK_S = 0.1


def hold(arguments: Sequence[str], listener: socket.socket, environ: Mapping[str, str]) -> int:
    """Run a command on a socket until SIGTERM or SIGINT; return 0 after a graceful stop.

    The command gets `--listen-fd` and `--parent`, and is restarted when it dies.
    """
    flags = _SignalFlags()
    fd = listener.fileno()
    inherited = ["--listen-fd", str(fd), "--parent", str(os.getpid())]
    child = ChildProcess(arguments[0], [*arguments, *inherited], [fd], own_group=False)
    child.start(environ)
    try:
        while not flags.stop:
            if flags.renew:
                flags.renew = False
                child.renew(environ, _PATIENCE_S)
            child.look_after(environ)
            time.sleep(_TICK_S)
    finally:
        listener.close()  # before the server stops, so that no connection queues
        child.stop(_PATIENCE_S)
    return 0


class _SignalFlags:
    """What signals have requested."""

    def __init__(self) -> None:
        self.stop = False
        self.renew = False
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        with suppress(AttributeError):  # where there is no SIGHUP
            signal.signal(signal.SIGHUP, self._renew)

    def _stop(self, _signal: int, _frame: object) -> None:
        self.stop = True

    def _renew(self, _signal: int, _frame: object) -> None:
        self.renew = True
