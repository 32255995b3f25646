"""CORS: lets pages of the origins in the settings read answers, and no others.

Defines the CORS headers. Routes that change things for everybody stay closed to other sites' pages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import bottle

READABLE = (
    *("/totals", "/plotpoints", "/rank", "/subdimensions", "/pks", "/known", "/graph.json"),
    *("/decide", "/reasons", "/count", "/count_now", "/count_decision"),
)


_SENT = re.compile(r"[!-~]{1,512}")  # what a browser may send as an origin


class Cors:
    """A Bottle plugin that lets pages of the given origins read the answers of `READABLE` routes.

    Installed before the plugin that turns exceptions into responses, so those can be read, too.
    Without origins it does nothing.
    """

    name = "cors"
    api = 2

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origins)

    def apply(self, callback: Callable[..., Any], route: bottle.Route) -> Callable[..., Any]:
        if not self._origins or route.rule not in READABLE:
            return callback

        def answered(*args: Any, **kwargs: Any) -> Any:
            reply = callback(*args, **kwargs)
            self.allow(reply)
            return reply

        return answered

    def allow(self, reply: bottle.HTTPResponse) -> bool:
        """Add the headers that let the requesting page read a reply; return whether it may."""
        reply.add_header("Vary", "Origin")
        origin = bottle.request.environ.get("HTTP_ORIGIN", "")
        allowed = bool(_SENT.fullmatch(origin)) and not self._origins.isdisjoint(("*", origin))
        if allowed:
            reply.set_header("Access-Control-Allow-Origin", origin)
            reply.set_header("Access-Control-Expose-Headers", "Retry-After")
        return allowed

    def add_preflights(self, app: bottle.Bottle) -> None:
        """Answer the preflight that a browser sends before a request with a token or JSON."""
        if not self._origins:
            return

        def preflight() -> bottle.HTTPResponse:
            reply = bottle.HTTPResponse("", 204)
            if self.allow(reply):
                reply.set_header("Access-Control-Allow-Methods", "GET, POST")
                reply.set_header("Access-Control-Allow-Headers", "Authorization, Content-Type")
                reply.set_header("Access-Control-Max-Age", "600")
            return reply

        there = {route.rule for route in app.routes}
        for path in READABLE:
            if path in there:
                app.route(path, "OPTIONS", preflight)
