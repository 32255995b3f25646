"""/openapi.json: every route and every parameter, generated from what validates the requests.

Defines the description of each route. Its parameters are the names that its parser knows, its
scopes those that `auth` requires, and its bounds those of the settings. So the document cannot
differ from the service.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import bottle

from hailwhale import __version__
from hailwhale.core.decisions.exposure import EXPOSURE_PARAMETERS
from hailwhale.core.decisions.parameters import DECIDE_PARAMETERS, REASONS_PARAMETERS
from hailwhale.core.events.event import EVENT_PARAMETERS, TOTAL_PARAMETERS
from hailwhale.core.events.param_names import singular_of
from hailwhale.core.graph.options import GRAPH_PARAMETERS
from hailwhale.core.query.parameters import (
    BELOW_PARAMETERS,
    CHILDREN_PARAMETERS,
    PLOT_PARAMETERS,
    QUANTILES_PARAMETERS,
    RANK_PARAMETERS,
    RESET_PARAMETERS,
    SPY_PARAMETERS,
    TOTALS_PARAMETERS,
)
from hailwhale.services.container import Services
from hailwhale.web.openapi_parameters import ApiParameter, described, parameters
from hailwhale.web.plugins.auth import SEALABLE, scopes_text
from hailwhale.web.responses import json_reply
from hailwhale.web.route_classes import class_of
from hailwhale.web.routes.graphite import EXPAND_PARAMETERS, FIND_PARAMETERS, RENDER_PARAMETERS
from hailwhale.web.routes.prometheus import PROMETHEUS_PARAMETERS

JSON, LINES, FORM = "application/json", "application/x-ndjson", "application/x-www-form-urlencoded"
TEXT, GIF, SVG, CSV = "text/plain", "image/gif", "image/svg+xml", "text/csv"
SCRIPT, HTML, ANY = "text/javascript", "text/html", "*/*"
METRICS, STREAM = "application/openmetrics-text", "text/event-stream"

_REFUSALS = {
    "400": "Invalid parameter: the error names it",
    "401": "A token is required",
    "403": "Forbidden with this token or sealed URL, or for this host or site",
    "404": "Not found",
    "413": "A size limit is exceeded",
    "429": "A rate limit is exceeded",
    "503": "The store is unavailable or the buffer is full",
}
_PLACEHOLDER = re.compile(r"<([a-z]+)(?::[a-z]+)?>")


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """A route's summary, the names its parser takes, and the media types of its answers.

    With `many` a POST takes many events.
    """

    summary: str
    takes: Sequence[str] = ()
    answers: Sequence[str] = (JSON,)
    many: bool = False


_COUNTED = (TEXT, GIF, JSON)
OPERATIONS: dict[str, ApiOperation] = {
    "/count": ApiOperation("Count events", EVENT_PARAMETERS, _COUNTED, many=True),
    "/count.gif": ApiOperation("Count events by a pixel", EVENT_PARAMETERS, (GIF, JSON), many=True),
    "/count_now": ApiOperation("Count events at once", EVENT_PARAMETERS, _COUNTED, many=True),
    "/count_now.gif": ApiOperation(
        "Count events at once", EVENT_PARAMETERS, (GIF, JSON), many=True
    ),
    "/count_decision": ApiOperation(
        "Count exposures and results of options", EXPOSURE_PARAMETERS, _COUNTED, many=True
    ),
    "/count_decision.gif": ApiOperation(
        "Count exposures and results of options by a pixel",
        EXPOSURE_PARAMETERS,
        (GIF, JSON),
        many=True,
    ),
    "/pixel/<token>.gif": ApiOperation("Count the event of a sealed pixel", (), (GIF,)),
    "/tracker": ApiOperation(
        "Count a visit and return the visitor's uid", EVENT_PARAMETERS, (TEXT,)
    ),
    "/update_count_to": ApiOperation("Set totals to values", TOTAL_PARAMETERS),
    "/totals": ApiOperation("Sums over periods", TOTALS_PARAMETERS, (JSON, CSV)),
    "/quantiles": ApiOperation(
        "Quantiles of timings over periods", QUANTILES_PARAMETERS, (JSON, CSV)
    ),
    "/plotpoints": ApiOperation("Sums for each bucket of a period", PLOT_PARAMETERS, (JSON, CSV)),
    "/rank": ApiOperation("Children of a pk or a dimension, ranked", RANK_PARAMETERS, (JSON, CSV)),
    "/subdimensions": ApiOperation("Known dimensions below a path", CHILDREN_PARAMETERS),
    "/pks": ApiOperation("Known pks below a path", BELOW_PARAMETERS),
    "/known": ApiOperation("Known pks, dimensions and metrics", BELOW_PARAMETERS),
    "/graph.json": ApiOperation("The data of a graph", PLOT_PARAMETERS),
    "/graph.js": ApiOperation("A script that draws a graph in a page", GRAPH_PARAMETERS, (SCRIPT,)),
    "/graph.svg": ApiOperation("A graph as an SVG image", GRAPH_PARAMETERS, (SVG,)),
    "/decide": ApiOperation(
        "Choose an option for a visitor", (*DECIDE_PARAMETERS, "format"), (JSON, TEXT)
    ),
    "/reasons": ApiOperation("Estimates and verdicts of options", REASONS_PARAMETERS),
    "/spy": ApiOperation("The newest events of a root pk", SPY_PARAMETERS, (JSON, STREAM)),
    "/flush_hail": ApiOperation("Count all buffered hits", BELOW_PARAMETERS),
    "/reset": ApiOperation("Erase a pk or a dimension", RESET_PARAMETERS),
    "/prometheus": ApiOperation(
        "Selected totals for Prometheus", PROMETHEUS_PARAMETERS, (METRICS,)
    ),
    "/render": ApiOperation("Graphite: render series", RENDER_PARAMETERS, (JSON, CSV, TEXT)),
    "/render/": ApiOperation("Graphite: render series", RENDER_PARAMETERS, (JSON, CSV, TEXT)),
    "/metrics/find": ApiOperation("Graphite: find paths", FIND_PARAMETERS),
    "/metrics/find/": ApiOperation("Graphite: find paths", FIND_PARAMETERS),
    "/metrics/expand": ApiOperation("Graphite: expand patterns to paths", EXPAND_PARAMETERS),
    "/functions": ApiOperation("Graphite: functions of /render"),
    "/version": ApiOperation("Graphite: the version whose API this follows", (), (TEXT,)),
    "/tags": ApiOperation("Graphite: tags, always empty"),
    "/tags/autoComplete/tags": ApiOperation("Graphite: tags, always empty"),
    "/tags/autoComplete/values": ApiOperation("Graphite: tags, always empty"),
    "/healthz": ApiOperation("Liveness, and the state of the store"),
    "/readyz": ApiOperation("Readiness: whether requests can be sent here"),
    "/metrics": ApiOperation("HailWhale's own metrics for Prometheus", (), (METRICS,)),
    "/openapi.json": ApiOperation("This description of the API"),
    "/": ApiOperation("The dashboard", (), (HTML, JSON)),
    "/demo": ApiOperation("The demo page", (), (HTML,)),
    "/static/<name:path>": ApiOperation("Static files of the pages", (), (ANY,)),
    "/static/jquery.hailwhale.js": ApiOperation("The script of the widget", (), (SCRIPT,)),
    "/hailwhale.beacon.js": ApiOperation("The script of the beacon", (), (SCRIPT,)),
    "/static/vendor/<name>": ApiOperation("Libraries of the widget", (), (ANY,)),
}


def add_openapi(app: bottle.Bottle, services: Services) -> None:
    """Mount /openapi.json, which describes every route of the app at the time of a request."""
    known = parameters(services.settings.limits)

    def openapi() -> bottle.HTTPResponse:
        return json_reply(document(app.routes, known))

    app.route("/openapi.json", "GET", openapi)


def document(routes: Iterable[bottle.Route], known: dict[str, ApiParameter]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of routes."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.method in ("GET", "POST"):
            operation = OPERATIONS.get(route.rule, ApiOperation(route.rule))
            path = _PLACEHOLDER.sub(r"{\1}", route.rule)
            described = _described(route.rule, route.method, operation, known)
            paths.setdefault(path, {})[route.method.lower()] = described
    return {
        "openapi": "3.1.0",
        "info": {"title": "HailWhale", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR, "Batch": _BATCH},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["parameter", "message"],
            "properties": {
                "parameter": {"type": ["string", "null"]},
                "message": {"type": "string"},
            },
        }
    },
}


_BATCH: dict[str, Any] = {
    "type": "object",
    "required": ["accepted", "rejected"],
    "properties": {
        "accepted": {"type": "integer"},
        "rejected": {
            "type": "array",
            "items": {
                **_ERROR,
                "properties": {"index": {"type": "integer"}, **_ERROR["properties"]},
            },
        },
        "duplicates": {"type": "integer"},
        "unbuffered": {"type": "array", "items": {"type": "integer"}},
    },
}


def _described(
    rule: str, method: str, operation: ApiOperation, known: dict[str, ApiParameter]
) -> dict[str, Any]:
    taken = {
        each: described(name, known, rule)
        for name in (*operation.takes, *(("token",) if rule in SEALABLE else ()))
        for each in dict.fromkeys((name, singular_of(name)))
    }
    found: dict[str, Any] = {
        "operationId": f"{method.lower()} {rule}",
        "summary": operation.summary,
        "responses": _responses(rule, operation),
        **_security(rule),
    }
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PLACEHOLDER.findall(rule)
    ]
    if method == "GET":
        in_query = [
            {"name": name, "in": "query", "description": each.doc, "schema": each.in_url}
            for name, each in taken.items()
        ]
        found["parameters"] = [*in_path, *in_query]
    else:
        found["requestBody"] = {"content": _bodies(taken, many=operation.many)}
    return found


def _bodies(taken: dict[str, ApiParameter], *, many: bool) -> dict[str, Any]:
    one: dict[str, Any] = {
        "type": "object",
        "properties": {
            name: {"description": each.doc, **(each.in_json or each.in_url)}
            for name, each in taken.items()
        },
    }
    form: dict[str, Any] = {
        "type": "object",
        "properties": {name: each.in_url for name, each in taken.items()},
    }
    bodies: dict[str, Any] = {
        JSON: {"schema": {"oneOf": [one, {"type": "array", "items": one}]} if many else one},
        FORM: {"schema": form},
    }
    if many:
        bodies[LINES] = {"schema": {"type": "string"}}
    return bodies


def _responses(rule: str, operation: ApiOperation) -> dict[str, Any]:
    content = {
        kind: {"schema": {} if kind == JSON else {"type": "string"}} for kind in operation.answers
    }
    refused = _refused(operation)
    refusals = {
        status: {"description": text, "content": refused}
        for status, text in _REFUSALS.items()
        if status != "404" or "<" in rule
    }
    return {"200": {"description": operation.summary, "content": content}, **refusals}


def _refused(operation: ApiOperation) -> dict[str, Any]:
    """Return the content of an error; also of a batch that was all wrong, and as a graph."""
    error: dict[str, Any] = {"$ref": "#/components/schemas/Error"}
    if operation.many:
        error = {"anyOf": [error, {"$ref": "#/components/schemas/Batch"}]}
    pictured = {kind: {"schema": {"type": "string"}} for kind in operation.answers}
    shown = pictured if operation.answers in ((SCRIPT,), (SVG,)) else {}
    return {JSON: {"schema": error}, **shown}


def _security(rule: str) -> dict[str, Any]:
    """Return no security if the route is public, else the scopes that a token needs."""
    needs = class_of(rule).value
    if not needs:
        return {"security": []}
    words = f"If the settings require a token, it must have {scopes_text(needs)}."
    return {"security": [{"token": []}, {}], "description": words}
