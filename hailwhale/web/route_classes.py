"""The class of every route: what callers do there, and so the scopes that a token needs.

Defines the one table of routes; a route that is not in it is of the class that is hardest to use.
Knows nothing of who calls.
"""

from __future__ import annotations

from enum import Enum

from hailwhale.services.security.bearer_tokens import Scope

PIXEL = "/pixel/<token>.gif"


class RouteClass(Enum):
    """What a route is for; the value is the scopes that a token needs there."""

    PUBLIC = frozenset[Scope]()  # scripts, pages, static files, health: no numbers
    COUNT = frozenset({Scope.COUNT})  # adds to the counts
    READ = frozenset({Scope.READ})  # reveals numbers or labels
    DECIDE = frozenset({Scope.COUNT, Scope.READ})  # reveals numbers, and counts what was given
    OPERATE = frozenset({Scope.ADMIN})  # changes or erases what was counted


ROUTE_CLASSES: dict[str, RouteClass] = {
    **dict.fromkeys(("/", "/demo", "/static/<name:path>"), RouteClass.PUBLIC),
    **dict.fromkeys(("/static/jquery.hailwhale.js", "/static/vendor/<name>"), RouteClass.PUBLIC),
    **dict.fromkeys(("/graph.js", "/hailwhale.beacon.js", "/openapi.json"), RouteClass.PUBLIC),
    **dict.fromkeys(("/healthz", "/readyz"), RouteClass.PUBLIC),
    **dict.fromkeys(("/count", "/count.gif", "/count_now", "/count_now.gif"), RouteClass.COUNT),
    **dict.fromkeys(("/count_decision", "/count_decision.gif"), RouteClass.COUNT),
    **dict.fromkeys(("/tracker", PIXEL), RouteClass.COUNT),
    **dict.fromkeys(("/totals", "/plotpoints", "/rank", "/quantiles"), RouteClass.READ),
    **dict.fromkeys(("/subdimensions", "/pks", "/known", "/reasons", "/spy"), RouteClass.READ),
    **dict.fromkeys(("/graph.json", "/graph.svg", "/metrics", "/prometheus"), RouteClass.READ),
    **dict.fromkeys(("/render", "/render/", "/metrics/find", "/metrics/find/"), RouteClass.READ),
    **dict.fromkeys(("/metrics/expand", "/functions", "/version", "/tags"), RouteClass.READ),
    **dict.fromkeys(("/tags/autoComplete/tags", "/tags/autoComplete/values"), RouteClass.READ),
    "/decide": RouteClass.DECIDE,
    **dict.fromkeys(("/reset", "/flush_hail", "/update_count_to"), RouteClass.OPERATE),
}


def class_of(rule: str) -> RouteClass:
    """Return the class of a route; a route that is not in the table needs an admin."""
    return ROUTE_CLASSES.get(rule, RouteClass.OPERATE)
