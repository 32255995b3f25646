"""accept: durable /count on `hailwhale hail` against a constant GIF from the same kind of server.

Both servers run all the while, on the same gunicorn with the same workers and threads; only one is
loaded at a time. Each answer of hail means that the hit is in the embedded Valkey, which keeps its
log on disk; that nothing was lost is checked at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.load import http_load, http_tool
from benchmarks.measuring import Effort, Goal, Row, alternate
from benchmarks.serving import BARE, HAIL, store_on, valkey, web_server
from benchmarks.traffic import count_paths

_GOAL = Goal(at_least=0.5)
_PATHS = 5_000


def run(effort: Effort) -> list[Row]:
    """Requests a second of hail, and of the bare server."""
    seconds = effort.pick(5, 1)
    paths = count_paths(_PATHS)
    answered = 0

    def loaded(port: int) -> Callable[[], float]:
        def load() -> float:
            nonlocal answered
            served = http_load(port, paths, seconds)
            if port == hail:
                answered += served.requests
            return served.rate

        return load

    with ExitStack() as stack:
        server = stack.enter_context(valkey())
        hail = stack.enter_context(web_server(HAIL, server.url, "/healthz"))
        bare = stack.enter_context(web_server(BARE, server.url, "/count"))
        rates = alternate(effort.rounds, loaded(hail), loaded(bare))
        store = store_on(server.url)
        buffered = sum(load.buffered for load in store.loads())
        store.close()
    assert buffered >= answered, f"{answered} hits were answered, {buffered} are there"
    note = f"load by {http_tool()}; {answered:,} hits answered, {buffered:,} found in the buffer"
    return [Row("durable /count", "req/s", rates[0], "constant GIF", rates[1], _GOAL, (note,))]
