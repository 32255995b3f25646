"""Processes that benches measure: a Valkey of their own, our server, and a bare server.

Everything started here ends with its `with` block. Nothing is measured here.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from hailwhale.services.container import Services, assemble
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.protocol import Store
from hailwhale.store.redis.client import connect
from hailwhale.store.redis.keys import Keys
from hailwhale.store.redis.store import RedisStore

NAMESPACE = "hw"
FSYNC = Settings().fsync  # of every Valkey that a bench does not set up otherwise
NO_LIMIT = 10_000_000  # of buffers and of labels below a path: a bench fills more than a service
HAIL = ("hailwhale.cli", "hail")
SERVE = ("hailwhale.cli", "serve")
BARE = ("benchmarks.bare_server",)

_START_S = 30.0
_STOP_S = 15.0
_TIMEOUT_S = 60.0
_POLL_S = 0.05


@contextmanager
def valkey(fsync: str = FSYNC) -> Iterator[EmbeddedValkey]:
    """A fresh embedded Valkey, set up as the product sets it up: with its log synced to disk."""
    # A short path, for the server's socket lies in it.
    with TemporaryDirectory(prefix="hwb") as folder, EmbeddedValkey(Path(folder), fsync) as server:
        yield server


def client_on(url: str) -> Any:
    """A plain client; its answers are bytes, whatever its types say."""
    return connect(url, _TIMEOUT_S)


def store_on(url: str) -> RedisStore:
    """A store over connections of its own, with no limits in the way."""
    return RedisStore(client_on(url), Keys(NAMESPACE), buffer_limit=NO_LIMIT, max_children=NO_LIMIT)


def services_on(
    store: Store, clock: Callable[[], float] = time.time, rollups: str = ""
) -> Services:
    """Services over a store, with the default rollups or others."""
    environ = {"HAILWHALE_ROLLUPS": rollups} if rollups else {}
    return assemble(Settings.from_env(environ), store, clock)


@dataclass(frozen=True, slots=True)
class WebServer:
    """A server that answers on `port` of 127.0.0.1, and the process at its head."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """Seconds that its processes have computed, those that still run."""
        return sum(self.processes().values()) / os.sysconf("SC_CLK_TCK")

    def processes(self) -> dict[int, int]:
        """The processes below the one at its head, with the ticks that each has computed."""
        by_parent: dict[int, list[tuple[int, int]]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # a process that has just ended
                parent, ticks = _parent_and_ticks(stat)
                by_parent.setdefault(parent, []).append((int(stat.parent.name), ticks))
        found: dict[int, int] = {}
        parents = [self.pid]
        while parents:
            children = dict(by_parent.get(parents.pop(), []))
            parents += children
            found |= children
        return found


def cpu_s(pid: int) -> float:
    """Seconds that a process has computed, without its children."""
    return _parent_and_ticks(Path(f"/proc/{pid}/stat"))[1] / os.sysconf("SC_CLK_TCK")


def _parent_and_ticks(stat: Path) -> tuple[int, int]:
    """Whose child a process is, and the ticks that it has computed."""
    fields = stat.read_text().rpartition(")")[2].split()
    return int(fields[1]), int(fields[11]) + int(fields[12])


@contextmanager
def web_server(
    program: Sequence[str],
    valkey_url: str,
    path: str,
    server: str = "auto",
    threads: int = 0,
    variables: Mapping[str, str] | None = None,
) -> Iterator[WebServer]:
    """Run a program that serves on a free port of 127.0.0.1; yield it when it answers `path`.

    All programs get the same settings, so all run as many workers and threads (`threads` in each
    worker, or the default). `server` is the WSGI server to run, `variables` are further settings.
    """
    port = _free_port()
    ours = {key: text for key, text in os.environ.items() if not key.startswith("HAILWHALE_")}
    environ = ours | {
        "HAILWHALE_REDIS_URL": valkey_url,
        "HAILWHALE_NAMESPACE": NAMESPACE,
        "HAILWHALE_PORT": str(port),
        "HAILWHALE_SERVER": server,
        "HAILWHALE_BUFFER_LIMIT": str(NO_LIMIT),
    }
    environ |= variables or {}
    if threads:
        environ["HAILWHALE_THREADS"] = str(threads)
    command = [sys.executable, "-m", *program]
    with TemporaryFile() as log:
        process = subprocess.Popen(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            _await_answer(process, port, path)
        except RuntimeError as fault:
            process.kill()
            log.seek(0)
            raise RuntimeError(f"{fault}: {log.read().decode(errors='replace')}") from fault
        try:
            yield WebServer(port, process.pid)
        finally:
            _stop(process)


def _await_answer(process: subprocess.Popen[bytes], port: int, path: str) -> None:
    deadline_s = time.monotonic() + _START_S
    while time.monotonic() < deadline_s:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with suppress(OSError, http.client.HTTPException):
            if fetched(port, path):
                return
        time.sleep(_POLL_S)
    raise RuntimeError(f"{process.args!r} does not answer {path}")


def fetched(port: int, path: str) -> bytes:
    """One answer over a connection of its own; raises `HTTPException` unless its status is 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        return answer(connection, path)
    finally:
        connection.close()


def answer(connection: http.client.HTTPConnection, path: str) -> bytes:
    """One answer over an open connection; raises `HTTPException` unless its status is 200."""
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != http.client.OK:
        raise http.client.HTTPException(f"{path}: {response.status} {body[:200]!r}")
    return body


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
