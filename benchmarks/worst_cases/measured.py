"""Sends requests to a server and measures what they cost it and its store.

Of a request that has a size, finds the largest that is let in.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import serving
from benchmarks.measuring import aligned

_TIMEOUT_S = 300
_IDLE_S = 0.3
_RESET_PEAK = "5"  # see proc(5), clear_refs


@dataclass(frozen=True, slots=True)
class Request:
    """One request; a `body` makes it a POST."""

    path: str
    body: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of request: `make` returns the one of a size, from 1 to `most`.

    Some that are refused are sent on purpose; the largest that is answered is measured.
    """

    route: str
    what: str
    make: Callable[[int], Request]
    most: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """What a request cost: seconds of processor and the growth of the server's memory."""

    route: str
    what: str
    size: int
    status: int
    server_s: float
    store_s: float
    memory_mb: float
    answer_mb: float

    def cells(self) -> tuple[str, ...]:
        """Return the row as the table has it."""
        return (
            self.route,
            self.what.format(size=f"{self.size:,}"),
            f"{self.server_s:.2f}",
            f"{self.store_s:.2f}",
            f"{self.memory_mb:.0f}",
            f"{self.answer_mb:.1f}",
        )


_COLUMNS = ("route", "request", "server s", "store s", "memory MB", "answer MB")


def table(rows: Sequence[Measured]) -> str:
    """Return the rows as text."""
    return "\n".join(aligned([_COLUMNS, *(row.cells() for row in rows)]))


def costliest(case: Case, web: serving.WebServer, store: int) -> Measured:
    """Return the costliest of a kind that is let in, of the largest and those tried to find it.

    `store` is the process of the store. A first request loads what the server loads late.
    """
    _sent(web.port, Request("/totals?pk=warm"))
    idle = {pid: _kb(pid, "VmRSS") for pid in web.processes()}
    low, high = 1, case.most
    found = _measured(case, high, web, idle, store)
    if found.status == http.client.OK:
        return found
    best = None
    while low <= high:
        size = (low + high) // 2
        found = _measured(case, size, web, idle, store)
        if found.status == http.client.OK:
            if best is None or _seconds(found) > _seconds(best):
                best = found
            low = size + 1
        else:
            high = size - 1
    return best or found


def _seconds(found: Measured) -> float:
    return found.server_s + found.store_s


def _measured(
    case: Case, size: int, web: serving.WebServer, idle: dict[int, int], store: int
) -> Measured:
    for pid in idle:
        Path(f"/proc/{pid}/clear_refs").write_text(_RESET_PEAK)
    start_s, store_start_s = web.cpu_s(), serving.cpu_s(store)
    status, length = _sent(web.port, case.make(size))
    time.sleep(_IDLE_S)  # what goes on after the answer counts, too
    server_s, store_s = web.cpu_s() - start_s, serving.cpu_s(store) - store_start_s
    grown_kb = max(_kb(pid, "VmHWM") - before_kb for pid, before_kb in idle.items())
    return Measured(
        case.route, case.what, size, status, server_s, store_s, grown_kb / 1_000, length / 1e6
    )


def _sent(port: int, request: Request) -> tuple[int, int]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    try:
        if request.body:
            headers = {"Content-Type": request.content_type}
            connection.request("POST", request.path, request.body, headers)
        else:
            connection.request("GET", request.path)
        response = connection.getresponse()
        return response.status, len(response.read())
    finally:
        connection.close()


def _kb(pid: int, name: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name))
