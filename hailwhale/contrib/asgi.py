"""Counts the requests of any ASGI application: FastAPI, Starlette, …

Determines when a request begins and ends under ASGI. `request_events` defines what is counted.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from hailwhale.contrib.request_events import EventCounter, RequestEvents
from hailwhale.types import PathLike

ASGIScope = MutableMapping[str, Any]
ASGIMessage = MutableMapping[str, Any]
ASGIReceive = Callable[[], Awaitable[ASGIMessage]]
ASGISend = Callable[[ASGIMessage], Awaitable[None]]
ASGIApp = Callable[[ASGIScope, ASGIReceive, ASGISend], Awaitable[None]]


class CountRequests:
    """An ASGI application that wraps `app` and counts its HTTP requests.

    `counter` is a `hailwhale.client.Client` or `AsyncClient`, or anything whose `count` returns at
    once, because the event loop waits for it. `route_of` returns the route of a request's scope, or
    None. Without it the templates of FastAPI and Starlette are used. A raw path is never a route.
    At most `max_routes` routes are distinguished.
    """

    def __init__(
        self,
        app: ASGIApp,
        counter: EventCounter,
        *,
        route_of: Callable[[ASGIScope], str | None] | None = None,
        pk: PathLike = "Requests",
        max_routes: int = 200,
    ) -> None:
        self._app = app
        self._route_of = route_of or framework_route
        self._requests = RequestEvents(counter, pk, max_routes)

    async def __call__(self, scope: ASGIScope, receive: ASGIReceive, send: ASGISend) -> None:
        """Serve a request, and count it when the application has finished."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        status = 500

        async def noticed(message: ASGIMessage) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noticed)
        finally:
            took_s = time.perf_counter() - began_s
            route = self._requests.route(lambda: self._route_of(scope))
            self._requests.count(route, scope["method"], status, took_s)


def framework_route(scope: ASGIScope) -> str | None:
    """Return the template that FastAPI or Starlette stored in the scope of a served request."""
    return getattr(scope.get("route"), "path", None)
