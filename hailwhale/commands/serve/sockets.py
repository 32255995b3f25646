"""Listening sockets, opened before any server process, so that a wrong address is reported once.

A server gets its socket as a file descriptor. The process that opened it can restart the server
while connections wait in the backlog: `hailwhale serve` does so, and service managers do.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from hailwhale.errors import BadSetting
from hailwhale.services.security.bind_check import refuse_unsafe
from hailwhale.settings import Settings

BACKLOG = 2048
_RELEASE_S = 1.0  # a server that was just killed may hold its port a little longer
_LOOK_S = 0.05
_SYSTEMD_FD = 3  # the first that systemd passes: sd_listen_fds(3)


class ServingSocket(NamedTuple):
    """A socket to serve on, and the settings with its address."""

    listener: socket.socket
    settings: Settings


class InheritedSocket(NamedTuple):
    """An inherited socket, None if there is none, and the settings with its address."""

    listener: socket.socket | None
    settings: Settings


def opened(settings: Settings, environ: Mapping[str, str], fd: int | None = None) -> ServingSocket:
    """Return the socket to serve on, and the settings with its address.

    It is the one that `inherited` finds, or else a new one on the settings' host and port. Raises
    `BadSetting` when no socket can be opened, or not safely.
    """
    listener, found = inherited(settings, environ, fd)
    return ServingSocket(listener or listen(found.host, found.port), found)


def inherited(
    settings: Settings, environ: Mapping[str, str], fd: int | None = None
) -> InheritedSocket:
    """Return the inherited socket, if there is one, and the settings with its address.

    It is `fd`, or the one that systemd passed on (`LISTEN_FDS`). No socket is opened, so errors in
    the settings are reported before the port is opened. Raises `BadSetting` when serving on the
    address is not allowed, whether it is the socket's or the settings' own.
    """
    if fd is None and environ.get("LISTEN_PID") == str(os.getpid()):
        if environ.get("LISTEN_FDS") != "1":
            raise BadSetting(
                f"LISTEN_FDS: got {environ.get('LISTEN_FDS')} sockets; expected a socket unit with "
                "one ListenStream"
            )
        fd = _SYSTEMD_FD
    if fd is None:
        refuse_unsafe(settings)
        return InheritedSocket(None, settings)
    listener = _listener_of(fd)
    host, port = listener.getsockname()[:2]
    found = replace(settings, host=host, port=port)
    try:
        refuse_unsafe(found)
    except BadSetting:
        listener.close()
        raise
    return InheritedSocket(listener, found)


def _listener_of(fd: int) -> socket.socket:
    try:
        listener = socket.socket(fileno=fd)
    except OSError as fault:
        raise BadSetting(f"LISTEN_FDS: {fd} is not a socket: {fault}") from fault
    listens = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if not listens or listener.family not in (socket.AF_INET, socket.AF_INET6):
        listener.close()
        raise BadSetting(
            "LISTEN_FDS: expected a listening TCP socket, such as ListenStream=127.0.0.1:8085"
        )
    listener.set_inheritable(False)
    return listener


def listen(host: str, port: int, option: str = "") -> socket.socket:
    """Open a socket that listens; port 0 takes a free one.

    Raises `BadSetting` on failure. It names `option` when the address came from there, and
    otherwise the settings of the address.
    """
    deadline_s = time.monotonic() + _RELEASE_S
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
                    f"{option or 'HAILWHALE_PORT'}: another program listens on "
                    f"{netloc(host, port)}: stop it, or choose another port with "
                    f"{option or '--port or HAILWHALE_PORT'}"
                ) from fault
            raise BadSetting(
                f"{option or 'HAILWHALE_HOST'}: cannot listen on {netloc(host, port)}: {fault}"
            ) from fault


def _bound(host: str, port: int) -> socket.socket:
    listener = bound(host, port, socket.SOCK_STREAM)
    try:
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def bound(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """Return a bound socket of a kind; raise `OSError` on failure."""
    found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)
    # IPv4 first: `localhost` may resolve to both, and most clients try 127.0.0.1.
    family, kind, protocol, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    made = socket.socket(family, kind, protocol)
    try:
        if kind is socket.SOCK_STREAM:  # two UDP sockets could share the port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def netloc(host: str, port: int) -> str:
    """Format host and port as in a URL.

    >>> netloc("127.0.0.1", 8085), netloc("::1", 8085)
    ('127.0.0.1:8085', '[::1]:8085')
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
