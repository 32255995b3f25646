"""The listening socket: opened before any server process, so that a wrong address is said once.

It is handed to the server as a file descriptor. Whoever opened it may start the server anew while
connections wait in its backlog.
"""

from __future__ import annotations

import errno
import socket
import time

from hailwhale.errors import BadSetting

BACKLOG = 2048
_LET_GO_S = 1.0  # a server that was just killed may hold its port a moment longer
_LOOK_S = 0.05


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one. Raises `BadSetting` when it cannot."""
    deadline_s = time.monotonic() + _LET_GO_S
    while True:
        try:
            return _bound(host, port)
        except (OSError, UnicodeError, OverflowError) as fault:
            in_use = isinstance(fault, OSError) and fault.errno == errno.EADDRINUSE
            if in_use and time.monotonic() < deadline_s:
                time.sleep(_LOOK_S)
                continue
            if in_use:
                raise BadSetting(
                    f"HAILWHALE_PORT: another program listens on {netloc(host, port)}: stop it, or "
                    "choose another port with --port or HAILWHALE_PORT"
                ) from fault
            raise BadSetting(
                f"HAILWHALE_HOST: cannot listen on {netloc(host, port)}: {fault}"
            ) from fault


def _bound(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # IPv4 first: `localhost` may be both, and most clients try 127.0.0.1.
    family, kind, protocol, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def netloc(host: str, port: int) -> str:
    """Host and port as a URL has them.

    >>> netloc("127.0.0.1", 8085), netloc("::1", 8085)
    ('127.0.0.1:8085', '[::1]:8085')
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
