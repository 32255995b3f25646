"""fsync: durable /count with `HAILWHALE_FSYNC=always` against the same with `everysec`.

What the default was chosen by. Two Valkeys and two hails run all the while; only one hail is loaded
at a time. First 32 connections send as fast as they can: one sync serves all hits that wait. Then
one connection sends a hit at a time, and each waits for a sync of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from statistics import median, quantiles

from benchmarks.load import Served, http_load, http_tool
from benchmarks.measuring import Effort, Row, alternate, number
from benchmarks.serving import HAIL, WebServer, answer, cpu_s, valkey, web_server
from benchmarks.traffic import count_paths
from hailwhale.store.embedded import EmbeddedValkey

_PATHS = 5_000
_SERVERS = ("gunicorn", "granian")
_SETTINGS = ("always", "everysec")
_YARDSTICK = "with everysec"


def run(effort: Effort) -> list[Row]:
    """Rates under load and latencies alone, under each server."""
    servers = effort.pick(_SERVERS, _SERVERS[:1])
    return [row for server in servers for row in _rows(server, effort)]


def _rows(server: str, effort: Effort) -> list[Row]:
    with ExitStack() as stack:
        always, everysec = (
            stack.enter_context(_deployed(fsync, server, effort)) for fsync in _SETTINGS
        )
        rates = alternate(effort.pick(9, 1), always.rate, everysec.rate)
        loads = [_of_a_hit(one) for one in (always, everysec)]
        for each in (always, everysec):
            each.clear()
        times = alternate(effort.pick(9, 1), always.latency_ms, everysec.latency_ms)
        alone = [_of_a_hit(one) for one in (always, everysec)]
        p99s = [quantiles(one.latencies_ms, n=100)[98] for one in (always, everysec)]
    return [
        Row(
            f"always, {server}, 32 connections",
            "req/s",
            rates[0],
            _YARDSTICK,
            rates[1],
            notes=(f"load by {http_tool()}; {loads[0]}; with everysec {loads[1]}",),
        ),
        Row(
            f"always, {server}, a hit alone, p50",
            "ms",
            times[0],
            _YARDSTICK,
            times[1],
            notes=(
                f"p99 {number(p99s[0])} ms, with everysec {number(p99s[1])} ms",
                f"{alone[0]}; with everysec {alone[1]}",
            ),
        ),
    ]


class _Deployed:
    """A hail over a Valkey with one setting, and what it has had to do."""

    def __init__(self, hail: WebServer, store: EmbeddedValkey, effort: Effort) -> None:
        self.latencies_ms: list[float] = []
        self._hail = hail
        self._valkey_pid = store.pid
        self._seconds = effort.pick(3, 1)
        self._hits_alone = effort.pick(200, 20)
        self._paths = count_paths(_PATHS)
        self.clear()

    def clear(self) -> None:
        """Forget what it had to do so far."""
        self.hits = 0
        self.latencies_ms.clear()
        self._began_s = (self._hail.cpu_s(), cpu_s(self._valkey_pid))

    def rate(self) -> float:
        """Load it for one round; requests a second."""
        served: Served = http_load(self._hail.port, self._paths, self._seconds)
        self.hits += served.requests
        return served.rate

    def latency_ms(self) -> float:
        """Count hits one after the other over one connection; the median of this round."""
        connection = HTTPConnection("127.0.0.1", self._hail.port, timeout=10)
        found = []
        for path in self._paths[: self._hits_alone]:
            began_s = time.perf_counter()
            answer(connection, path)
            found.append(1e3 * (time.perf_counter() - began_s))
        connection.close()
        self.hits += len(found)
        self.latencies_ms += found
        return median(found)

    def cpu_us(self) -> tuple[float, float]:
        """What the hail and the Valkey computed for a hit, in microseconds."""
        hail_s, valkey_s = self._began_s
        used = (self._hail.cpu_s() - hail_s, cpu_s(self._valkey_pid) - valkey_s)
        return 1e6 * used[0] / self.hits, 1e6 * used[1] / self.hits


def _of_a_hit(deployed: _Deployed) -> str:
    hail_us, valkey_us = deployed.cpu_us()
    return f"hail computed {number(hail_us)} us a hit, Valkey {number(valkey_us)}"


@contextmanager
def _deployed(fsync: str, server: str, effort: Effort) -> Iterator[_Deployed]:
    with valkey(fsync) as store, web_server(HAIL, store.url, "/healthz", server) as hail:
        yield _Deployed(hail, store, effort)
