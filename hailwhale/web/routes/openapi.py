"""/openapi.json: every route and every parameter, made of what validates the requests.

Owns what is said of each route. Its parameters are the very names that its parser knows, the scopes
those that `access` asks for, the bounds those of the settings; so there is nothing here that could
say otherwise than the service does.
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
from hailwhale.core.events.event import EVENT_PARAMETERS
from hailwhale.core.events.param_names import singular_of
from hailwhale.core.graph.options import GRAPH_PARAMETERS
from hailwhale.core.query.parameters import (
    BELOW_PARAMETERS,
    CHILDREN_PARAMETERS,
    PLOT_PARAMETERS,
    RANK_PARAMETERS,
    RESET_PARAMETERS,
    TOTALS_PARAMETERS,
)
from hailwhale.services.container import Services
from hailwhale.services.ingest.spy_log import SPY_PARAMETERS
from hailwhale.services.query.quantiles import QUANTILES_PARAMETERS
from hailwhale.web.openapi_parameters import Parameter, described, parameters
from hailwhale.web.plugins.auth import NEEDS, PUBLIC, SEALABLE
from hailwhale.web.responses import json_reply
from hailwhale.web.routes.graphite import EXPAND_PARAMETERS, FIND_PARAMETERS, RENDER_PARAMETERS
from hailwhale.web.routes.prometheus import PROMETHEUS_PARAMETERS

JSON, LINES, FORM = "application/json", "application/x-ndjson", "application/x-www-form-urlencoded"
TEXT, GIF, SVG, CSV = "text/plain", "image/gif", "image/svg+xml", "text/csv"
SCRIPT, HTML, ANY = "text/javascript", "text/html", "*/*"
METRICS, STREAM = "application/openmetrics-text", "text/event-stream"

_REFUSALS = {
    "400": "A wrong value: the error names the parameter",
    "401": "A token is needed",
    "403": "Not with this token, or this seal",
    "404": "There is no such thing",
    "413": "Over a size limit",
    "429": "Over a rate limit",
    "503": "The store is away, or the buffer is full",
}
_PLACEHOLDER = re.compile(r"<([a-z]+)(?::[a-z]+)?>")


@dataclass(frozen=True, slots=True)
class Operation:
    """What a route does, the names that its parser takes, and the media types of its answers.

    With `many` a POST takes many events.
    """

    summary: str
    takes: Sequence[str] = ()
    answers: Sequence[str] = (JSON,)
    many: bool = False


_COUNTED = (TEXT, GIF, JSON)
OPERATIONS: dict[str, Operation] = {
    "/count": Operation("Count events", EVENT_PARAMETERS, _COUNTED, many=True),
    "/count.gif": Operation("Count, by a pixel", EVENT_PARAMETERS, (GIF, JSON), many=True),
    "/count_now": Operation("Count at once", EVENT_PARAMETERS, _COUNTED, many=True),
    "/count_now.gif": Operation("Count at once", EVENT_PARAMETERS, (GIF, JSON), many=True),
    "/count_decision": Operation("Count an option", EXPOSURE_PARAMETERS, _COUNTED, many=True),
    "/count_decision.gif": Operation(
        "Count an option, by a pixel", EXPOSURE_PARAMETERS, (GIF, JSON), many=True
    ),
    "/pixel/<token>.gif": Operation("Count what was sealed", (), (GIF,)),
    "/tracker": Operation("Count a visit; the visitor's uid", EVENT_PARAMETERS, (TEXT,)),
    "/update_count_to": Operation("Make totals equal to values", EVENT_PARAMETERS),
    "/totals": Operation("Sums over periods", TOTALS_PARAMETERS, (JSON, CSV)),
    "/quantiles": Operation("Quantiles of timings", QUANTILES_PARAMETERS, (JSON, CSV)),
    "/plotpoints": Operation("Sums by bucket", PLOT_PARAMETERS, (JSON, CSV)),
    "/rank": Operation("What is below, in order", RANK_PARAMETERS, (JSON, CSV)),
    "/subdimensions": Operation("The dimensions known below", CHILDREN_PARAMETERS),
    "/pks": Operation("The pks known below", BELOW_PARAMETERS),
    "/known": Operation("What there is to ask about", BELOW_PARAMETERS),
    "/graph.json": Operation("The numbers of a graph", PLOT_PARAMETERS),
    "/graph.js": Operation("A graph in the page's place", GRAPH_PARAMETERS, (SCRIPT,)),
    "/graph.svg": Operation("A graph as a picture", GRAPH_PARAMETERS, (SVG,)),
    "/decide": Operation("The option for a visitor", (*DECIDE_PARAMETERS, "format"), (JSON, TEXT)),
    "/reasons": Operation("What is known of options", REASONS_PARAMETERS),
    "/spy": Operation("The last events", SPY_PARAMETERS, (JSON, STREAM)),
    "/flush_hail": Operation("Count what is buffered", BELOW_PARAMETERS),
    "/reset": Operation("Erase a pk or a dimension", RESET_PARAMETERS),
    "/prometheus": Operation("Chosen totals, for Prometheus", PROMETHEUS_PARAMETERS, (METRICS,)),
    "/render": Operation("Graphite's render", RENDER_PARAMETERS, (JSON, CSV, TEXT)),
    "/render/": Operation("Graphite's render", RENDER_PARAMETERS, (JSON, CSV, TEXT)),
    "/metrics/find": Operation("Graphite's paths", FIND_PARAMETERS),
    "/metrics/find/": Operation("Graphite's paths", FIND_PARAMETERS),
    "/metrics/expand": Operation("Graphite's paths alone", EXPAND_PARAMETERS),
    "/functions": Operation("The functions of /render"),
    "/version": Operation("Whose API this is as Graphite's", (), (TEXT,)),
    "/tags": Operation("Graphite's tags, of which there are none"),
    "/tags/autoComplete/tags": Operation("Graphite's tags, of which there are none"),
    "/tags/autoComplete/values": Operation("Graphite's tags, of which there are none"),
    "/healthz": Operation("Alive"),
    "/readyz": Operation("Fit to be asked"),
    "/metrics": Operation("For Prometheus", (), (METRICS,)),
    "/openapi.json": Operation("This"),
    "/": Operation("The front page", (), (HTML, JSON)),
    "/demo": Operation("The demo", (), (HTML,)),
    "/static/<name:path>": Operation("Files of the pages", (), (ANY,)),
    "/static/jquery.hailwhale.js": Operation("The widget", (), (SCRIPT,)),
    "/hailwhale.beacon.js": Operation("The beacon", (), (SCRIPT,)),
    "/static/vendor/<name>": Operation("Libraries of the widget", (), (ANY,)),
}


def add_openapi(app: bottle.Bottle, services: Services) -> None:
    """Mount /openapi.json, which tells of every route that the app has when it is asked."""
    known = parameters(services.settings.limits)

    def openapi() -> bottle.HTTPResponse:
        return json_reply(document(app.routes, known))

    app.route("/openapi.json", "GET", openapi)


def document(routes: Iterable[bottle.Route], known: dict[str, Parameter]) -> dict[str, Any]:
    """The description of routes, as OpenAPI 3.1 has it."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.method in ("GET", "POST"):
            operation = OPERATIONS.get(route.rule, Operation(route.rule))
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
    rule: str, method: str, operation: Operation, known: dict[str, Parameter]
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


def _bodies(taken: dict[str, Parameter], *, many: bool) -> dict[str, Any]:
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


def _responses(rule: str, operation: Operation) -> dict[str, Any]:
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


def _refused(operation: Operation) -> dict[str, Any]:
    """How an error looks: of a batch that was all wrong, too, and in a graph's place as a graph."""
    error: dict[str, Any] = {"$ref": "#/components/schemas/Error"}
    if operation.many:
        error = {"anyOf": [error, {"$ref": "#/components/schemas/Batch"}]}
    pictured = {kind: {"schema": {"type": "string"}} for kind in operation.answers}
    shown = pictured if operation.answers in ((SCRIPT,), (SVG,)) else {}
    return {JSON: {"schema": error}, **shown}


def _security(rule: str) -> dict[str, Any]:
    """Public, or what a token has to be allowed where the settings ask for one."""
    needs = NEEDS.get(rule)
    if needs == PUBLIC:
        return {"security": []}
    scopes = ["admin"] if needs is None else sorted(scope.value for scope in needs)
    words = f"Where the settings ask for a token: one that may {' and '.join(scopes)}."
    return {"security": [{"token": []}, {}], "description": words}
