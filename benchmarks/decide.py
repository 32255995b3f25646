"""decide: the option for a visitor over HTTP, of 3 options, while evidence comes in.

The yardstick is the service's health answered on the same connection: what HTTP costs by itself.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from urllib.parse import urlencode

from benchmarks import serving
from benchmarks.measuring import Effort, Goal, Row, alternate, number
from hailwhale.services.container import Services

_GOAL = Goal(at_most=3, of_figure=True)
_COUNTRIES, _DEVICES, _OPTIONS = ("US", "UK", "DE", "FR", "BR"), ("mobile", "desktop"), "abc"
_EVERY = 20  # questions, after which something is counted


def run(effort: Effort) -> list[Row]:
    """The 99th percentile of /decide with its reasons, and of the same with a uid."""
    with ExitStack() as stack:
        server = stack.enter_context(serving.valkey())
        services = stack.enter_context(closing(serving.services_on(serving.store_on(server.url))))
        _fill(services, effort.pick(20_000, 500))
        web = stack.enter_context(serving.web_server(serving.SERVE, server.url, "/healthz"))
        connection = HTTPConnection("127.0.0.1", web.port, timeout=10)
        stack.enter_context(closing(connection))
        return [
            _row(effort, connection, "decide, 3 options, 2 dimensions, p99", lambda chance: {}),
            _row(
                effort,
                connection,
                "decide with a uid, p99",
                lambda chance: {"uid": f"visitor-{chance.randrange(1_000)}"},
            ),
        ]


def _row(
    effort: Effort,
    connection: HTTPConnection,
    work: str,
    more: Callable[[random.Random], dict[str, str]],
) -> Row:
    chance = random.Random(7)
    all_ms: list[float] = []

    def decide() -> float:
        times = []
        for number_ in range(effort.pick(2_000, 40)):
            if number_ % _EVERY == 0:
                serving.answer(connection, f"/count_decision?{urlencode(_exposure(chance))}")
            times.append(
                _one_ms(connection, f"/decide?{urlencode(_question(chance) | more(chance))}")
            )
        all_ms.extend(times)
        return _p99(times)

    def health() -> float:
        return _p99([_one_ms(connection, "/healthz") for _ in range(effort.pick(500, 20))])

    figures, yardsticks = alternate(effort.rounds, decide, health)
    note = f"p50 {number(sorted(all_ms)[len(all_ms) // 2])} ms of {len(all_ms):,} decisions"
    return Row(work, "ms", figures, "p99 of /healthz", yardsticks, _GOAL, (note,))


def _question(chance: random.Random) -> dict[str, str]:
    return {
        "pk": "Page",
        "options": "a,b,c",
        "by_metric": "earned/hits",
        "dimensions": _dimensions(chance),
    }


def _exposure(chance: random.Random) -> dict[str, str]:
    return {
        "pk": "Page",
        "option": chance.choice(_OPTIONS),
        "dimensions": _dimensions(chance),
        "metrics": '{"earned": 1}' if chance.random() < 0.1 else "{}",
    }


def _dimensions(chance: random.Random) -> str:
    country, device = chance.choice(_COUNTRIES), chance.choice(_DEVICES)
    return f'{{"country": "{country}", "device": "{device}"}}'


def _fill(services: Services, exposures: int) -> None:
    chance = random.Random(1)
    services.exposing_now.count_many(
        {
            "pk": "Page",
            "option": chance.choice(_OPTIONS),
            "dimensions": {"country": chance.choice(_COUNTRIES), "device": chance.choice(_DEVICES)},
            "metrics": {"earned": 1} if chance.random() < 0.1 else {},
        }
        for _ in range(exposures)
    )


def _one_ms(connection: HTTPConnection, path: str) -> float:
    start_s = time.perf_counter()
    serving.answer(connection, path)
    return 1_000 * (time.perf_counter() - start_s)


def _p99(times: list[float]) -> float:
    return sorted(times)[math.ceil(0.99 * len(times)) - 1]
