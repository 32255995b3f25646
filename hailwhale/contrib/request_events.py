"""Events of HTTP requests, from any server: their route, method, status and duration.

Defines the pk, dimensions and metrics of requests. Limits the number of labels, and keeps the app
running when counting fails. Knows nothing of WSGI or ASGI, or of how the counter counts.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Protocol

from hailwhale.types import DimensionsLike, MetricsLike, PathLike

log = logging.getLogger("hailwhale.contrib")

UNROUTED = "_unrouted"  # what no route was found for, mostly a 404
OTHER = "_other"  # a route past the number that is kept apart

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
_PAUSE_S = 30.0
_PLACEHOLDER = re.compile(r"<[^<>]*>|\{[^{}]*\}")


class EventCounter(Protocol):
    """Accepts events: a `Client`, a `Hail`, or anything else with such a `count`."""

    def count(
        self,
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: MetricsLike | None = None,
    ) -> object: ...


class RequestEvents:
    """Counts requests under `pk`, distinguishing at most `max_routes` routes.

    Each request is `requests 1`, `duration_s` seconds and, if its status is 500 or more, `errors
    1`, by `route`, `method` and `status` (`5xx > 503`). After a failure the counter is not called
    for half a minute, so that the app does not wait for it with every request.
    """

    def __init__(self, counter: EventCounter, pk: PathLike, max_routes: int) -> None:
        self._counter = counter
        self._pk = pk
        self._max_routes = max_routes
        self._routes: set[str] = set()
        self._paused_until_s = 0.0

    def route(self, tell: Callable[[], str | None]) -> str:
        """Return the label of the route that `tell` finds; raise nothing, even if it fails."""
        try:
            route = tell()
        except Exception:
            log.warning("cannot determine the route of a request", exc_info=True)
            return UNROUTED
        if not route:
            return UNROUTED
        if route not in self._routes:
            if len(self._routes) >= self._max_routes:
                return OTHER
            self._routes.add(route)
        return route

    def count(self, route: str, method: str, status: int, duration_s: float) -> None:
        """Count a request; raise nothing, even if the counter fails."""
        now_s = time.monotonic()
        if now_s < self._paused_until_s:
            return
        dimensions: DimensionsLike = {
            "route": route,
            "method": method if method in _METHODS else OTHER,
            "status": {f"{status // 100}xx": str(status)},
        }
        metrics: MetricsLike = {
            "requests": 1,
            "duration_s": round(duration_s, 6),
            "errors": int(status >= 500),
        }
        try:
            self._counter.count(self._pk, dimensions, metrics)
        except Exception:
            self._paused_until_s = now_s + _PAUSE_S
            log.warning("cannot count requests; trying again in %d s", _PAUSE_S, exc_info=True)


def templates(*routes: str) -> Callable[[str], str | None]:
    """Return a function that finds the first template a path matches, where routes are unknown.

    A placeholder, `<id>` or `{id}`, stands for anything without a slash.

    >>> route_of = templates("/products/<id>", "/products/<id>/reviews")
    >>> route_of("/products/7"), route_of("/products/7/reviews"), route_of("/wp-login.php")
    ('/products/<id>', '/products/<id>/reviews', None)
    """
    patterns = [(_pattern(route), route) for route in routes]

    def route_of(path: str) -> str | None:
        return next((route for pattern, route in patterns if pattern.fullmatch(path)), None)

    return route_of


def _pattern(route: str) -> re.Pattern[str]:
    """Compile a template: each placeholder but the last commits to the first text that fits.

    So two of them in one segment, as in `/<from>-<to>`, take no more than linear time.
    """
    first, *others = map(re.escape, _PLACEHOLDER.split(route))
    if not others:
        return re.compile(first)
    *between, last = others
    committed = "".join(f"(?>[^/]+?{each})" for each in between)
    return re.compile(f"{first}{committed}[^/]+{last}")
