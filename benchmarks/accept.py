"""accept: durable /count on `hailwhale hail` against a constant GIF from the same kind of server.

A row for each WSGI server. Both programs run all the while, under the same server with the same
workers and threads; only one is loaded at a time. Each answer of hail means that the hit is in the
embedded Valkey, which keeps its log on disk; that nothing was lost is checked at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, closing
from statistics import median

from benchmarks.load import Served, http_load, http_tool
from benchmarks.measuring import Effort, Goal, Row, alternate, number
from benchmarks.serving import BARE, HAIL, WebServer, store_on, valkey, web_server
from benchmarks.traffic import count_paths

_GOAL = Goal(at_least=0.5)
_PATHS = 5_000
SERVERS = ("gunicorn", "granian")


def run(effort: Effort) -> list[Row]:
    """Requests a second of hail, and of the bare program, under each server."""
    return [accept_row(server, effort, _GOAL) for server in SERVERS]


def accept_row(server: str, effort: Effort, goal: Goal, threads: int = 0) -> Row:
    """The row of one server, with so many threads in each worker or as many as by default."""
    with ExitStack() as stack:
        url = stack.enter_context(valkey()).url

        def loaded(program: Sequence[str], path: str) -> _Loaded:
            return _Loaded(
                stack.enter_context(web_server(program, url, path, server, threads)), effort
            )

        hail, bare = loaded(HAIL, "/healthz"), loaded(BARE, "/count")
        # Which worker a connection reaches is chance: many short rounds with new connections.
        rates = alternate(effort.pick(9, 1), hail.rate, bare.rate)
        with closing(store_on(url)) as store:
            buffered = sum(load.buffered for load in store.stats.loads())
    answered = sum(served.requests for served in hail.rounds)
    assert buffered >= answered, f"{answered} hits were answered, {buffered} are there"
    notes = (
        f"load by {http_tool()}; {answered:,} hits answered, {buffered:,} found in the buffer",
        f"the servers computed {number(hail.us_a_request())} us a hit, "
        f"{number(bare.us_a_request())} us a GIF",
    )
    work = f"durable /count, {server}" + (f", {threads} threads" if threads else "")
    return Row(work, "req/s", rates[0], "constant GIF", rates[1], goal, notes)


class _Loaded:
    """A server, and the rounds of load it has had."""

    def __init__(self, server: WebServer, effort: Effort) -> None:
        self.rounds: list[Served] = []
        self._cpu_s: list[float] = []
        self._server = server
        self._seconds = effort.pick(3, 1)
        self._paths = count_paths(_PATHS)

    def rate(self) -> float:
        """Load the server for one round; requests a second."""
        before_s = self._server.cpu_s()
        self.rounds.append(http_load(self._server.port, self._paths, self._seconds))
        self._cpu_s.append(self._server.cpu_s() - before_s)
        return self.rounds[-1].rate

    def us_a_request(self) -> float:
        """What its processes computed for a request, in microseconds; the median round."""
        return 1e6 * median(
            cpu_s / served.requests for cpu_s, served in zip(self._cpu_s, self.rounds, strict=True)
        )
