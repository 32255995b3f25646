"""Ports of 127.0.0.1 for servers that a test starts."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

_NEVER_GIVEN_OUT = (20_000, 30_000)


def free_port() -> int:
    """A port of 127.0.0.1 that is free now, and that no outgoing connection will be given.

    A server that is killed must find its port free when it starts again, and who tries to reach it
    meanwhile must not be connected to himself.
    """
    while True:
        port = random.randrange(*_NEVER_GIVEN_OUT)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
