"""read: totals and plotpoints of one series, against the same reads made by hand.

Measured in the library and over HTTP, in a store with many other series; and, for growth, against
the same question to a store with few.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from benchmarks import serving
from benchmarks.bare_server import by_hand
from benchmarks.measuring import Effort, Goal, Row, alternate, number
from benchmarks.stored import days, fill, reads_behind
from hailwhale.core.query.parameters import parse_plot, parse_totals
from hailwhale.services.container import Services

_GOAL = Goal(at_most=3)
_FLAT = Goal(at_most=1.2)
_DAYS = 31  # the most that 1d:1mo shows
_QUERY = {"pk": '["Shop","1"]', "metrics": "hits,revenue", "period": "1d:1mo"}
_FIELDS = {**_QUERY, "pk": ["Shop", "1"]}

Ask = Callable[[Services], object]
_QUESTIONS: dict[str, Ask] = {
    "totals": lambda services: services.reporting.totals(parse_totals(_FIELDS)),
    "plotpoints": lambda services: services.reporting.plotpoints(parse_plot(_FIELDS)),
}


def run(effort: Effort) -> list[Row]:
    """Rows for the library, for HTTP and for growth."""
    few, many = effort.pick(1_000, 10), effort.pick(100_000, 100)
    with ExitStack() as stack:
        small, large = stack.enter_context(serving.valkey()), stack.enter_context(serving.valkey())
        beside_few = stack.enter_context(closing(_filled(small.url, few)))
        beside_many = stack.enter_context(closing(_filled(large.url, many)))
        return [
            *(
                _library(effort, name, ask, beside_many, large.url)
                for name, ask in _QUESTIONS.items()
            ),
            *(_http(effort, name, ask, beside_many, large.url) for name, ask in _QUESTIONS.items()),
            _growth(effort, beside_many, beside_few, f"{many:,} series", f"{few:,}"),
        ]


def _filled(url: str, others: int) -> Services:
    """Return services on a store with a month of one series, and `others` more series."""
    services = serving.services_on(serving.store_on(url))
    one = {"pk": ["Shop", "1"], "metrics": {"revenue": "19.99"}}
    fill(services, [{**one, "at": at_s} for at_s in days(_DAYS, int(time.time()))])
    fill(services, ({"pk": ["Other", place], "metrics": "sales"} for place in range(others)))
    return services


def _library(effort: Effort, name: str, ask: Ask, services: Services, url: str) -> Row:
    reads = reads_behind(services, ask)
    with closing(serving.client_on(url)) as client:
        times = alternate(
            effort.rounds,
            lambda: _call_us(effort, lambda: ask(services)),
            lambda: _call_us(effort, lambda: by_hand(client, reads)),
        )
    return Row(f"{name}, library", "us", times[0], "same reads by hand", times[1], _GOAL)


def _http(effort: Effort, name: str, ask: Ask, services: Services, url: str) -> Row:
    reads = reads_behind(services, ask)
    path = f"/{name}?{urlencode(_QUERY)}"
    with ExitStack() as stack:
        listed = Path(stack.enter_context(TemporaryDirectory())) / "reads.json"
        listed.write_text(json.dumps(reads))
        client = stack.enter_context(closing(serving.client_on(url)))
        ours = stack.enter_context(_connected(stack, serving.SERVE, url, path))
        bare = stack.enter_context(_connected(stack, (*serving.BARE, str(listed)), url, "/reads"))
        times = alternate(
            effort.rounds,
            lambda: _call_us(effort, lambda: serving.answer(ours, path)),
            lambda: _call_us(effort, lambda: by_hand(client, reads)),
        )
        bare_us = median(
            _call_us(effort, lambda: serving.answer(bare, "/reads")) for _ in range(effort.rounds)
        )
    note = (
        f"{number(median(times[0]) / bare_us)} x the {number(bare_us)} us of the same reads by "
        "hand in a bare Bottle route on the same server"
    )
    return Row(f"{name}, HTTP", "us", times[0], "same reads by hand", times[1], _GOAL, (note,))


def _connected(
    stack: ExitStack, program: tuple[str, ...], url: str, path: str
) -> closing[HTTPConnection]:
    server = stack.enter_context(serving.web_server(program, url, path))
    return closing(HTTPConnection("127.0.0.1", server.port, timeout=10))


def _growth(effort: Effort, many: Services, few: Services, many_text: str, few_text: str) -> Row:
    ask = _QUESTIONS["plotpoints"]
    times = alternate(
        effort.rounds,
        lambda: _call_us(effort, lambda: ask(many)),
        lambda: _call_us(effort, lambda: ask(few)),
    )
    return Row(
        f"plotpoints beside {many_text}", "us", times[0], f"beside {few_text}", times[1], _FLAT
    )


def _call_us(effort: Effort, call: Callable[[], object]) -> float:
    """The median time of a call, in microseconds."""
    return median(_one_us(call) for _ in range(effort.pick(300, 20)))


def _one_us(call: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    call()
    return (time.perf_counter() - start_s) * 1e6
