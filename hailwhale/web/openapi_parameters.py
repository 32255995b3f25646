"""Describes each parameter for /openapi.json: its format, its bounds, an example.

Defines the descriptions and the schemas by name. The parser of a route defines which parameters it
takes: the tuples of names that validate a request. Knows nothing of the routes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hailwhale.core.decisions.parameters import GOALS, MAX_OPTIONS
from hailwhale.core.events.limits import Limits
from hailwhale.core.graph.options import THEMES, VIEWS
from hailwhale.core.query.parameters import DEFAULT_LIMIT, MAX_ROWS, MAX_SPY_LIMIT
from hailwhale.core.query.ranking import COLUMNS
from hailwhale.core.value_parsers import MAX_TEXT_CHARS

Schema = dict[str, Any]

_FIND = ("/metrics/find", "/metrics/find/")
_FLAG: Schema = {"type": "string", "enum": ["0", "1", "true", "false"]}


@dataclass(frozen=True, slots=True)
class ApiParameter:
    """A parameter: its schema in a URL, its schema in JSON (None: the same), and its meaning."""

    doc: str
    in_url: Schema
    in_json: Schema | None = None


def _text(doc: str, example: str | None = None) -> ApiParameter:
    return ApiParameter(doc, {"type": "string", **({"examples": [example]} if example else {})})


def _whole(doc: str, least: int, most: int) -> ApiParameter:
    return ApiParameter(doc, {"type": "integer", "minimum": least, "maximum": most})


def _word(doc: str, *words: str) -> ApiParameter:
    return ApiParameter(doc, {"type": "string", "enum": list(words)})


def _number(doc: str, least: float, most: float) -> ApiParameter:
    return ApiParameter(doc, {"type": "number", "minimum": least, "maximum": most})


def _flag(doc: str) -> ApiParameter:
    return ApiParameter(doc, _FLAG, {"type": "boolean"})


def parameters(limits: Limits) -> dict[str, ApiParameter]:
    """Return every parameter by name, the plural if there are two; bounds are the settings'."""
    label: Schema = {"type": ["string", "number", "boolean"]}
    labels: Schema = {"type": "array", "items": label, "maxItems": limits.depth}
    nested: Schema = {"type": ["string", "number", "boolean", "array", "object"]}
    by_name: Schema = {"type": ["string", "array", "object"]}
    texts: Schema = {"type": ["string", "array"], "items": {"type": "string"}}
    shares: Schema = {"type": ["number", "object"], "additionalProperties": {"type": "number"}}

    def written(doc: str, example: str, in_json: Schema) -> ApiParameter:
        """Describe a value that a URL contains as JSON, if it is more than a text."""
        return ApiParameter(doc, {"type": "string", "examples": [example]}, in_json)

    found = {
        "pk": written(
            "What is counted: a label or a path of labels",
            '["Shop","7"]',
            {"oneOf": [label, labels]},
        ),
        "dimensions": written(
            "Dimensions that split the pk: paths of labels", '{"country":"US"}', nested
        ),
        "metrics": written(
            "Metric names, an object of numbers by name, or formulas", "dollars/hits", by_name
        ),
        "at": _text(
            "Time of the event: ISO 8601, epoch seconds or milliseconds, a date or a year",
            "2026-01-31T12:00Z",
        ),
        "id": _text("Idempotency key: an event with the same id counts once within 24 hours"),
        "uid": _text("The visitor; stored only as a keyed hash"),
        "option": _text("The option that was shown"),
        "decision": _text("The decision id that /decide returned with log=1"),
        "periods": written(
            "Period: interval:length, a name such as today, or dates", "1d:1mo", texts
        ),
        "tz": _text("IANA time zone", "Europe/Berlin"),
        "tzoffset": _text("Offset from UTC", "-0800"),
        "format": _word("Format of the response", "json", "csv"),
        "shares": written(
            "Shares of the values, each above 0 and at most 1; 0.5 is the median",
            "0.5,0.99",
            {"type": ["string", "number", "array"], "items": {"type": ["string", "number"]}},
        ),
        "depth": _whole("Levels of children to include", 0, limits.depth),
        "threshold": _number("Minimum share of the parent", 0, 1),
        "limit": _whole(f"Maximum number of children; {DEFAULT_LIMIT} by default", 0, MAX_ROWS),
        "sort": _text(
            "Metric or formula to sort by; a leading minus puts the largest first", "-dollars"
        ),
        "other": _flag("1: combine the children left out into one"),
        "of": _word("Whether dimensions or pks are ranked", "dimensions", "pks"),
        "by": _word("The column that gives the order", *COLUMNS),
        "live": _flag("1: keep the connection open and stream new events"),
        "options": written(f"At most {MAX_OPTIONS} options", "a,b,c", texts),
        "known_data": written(
            "What is known of the visitor; the same as dimensions", '{"country":"US"}', nested
        ),
        "by_metric": _text("The metric or formula to decide by", "earned/spent"),
        "goal": _word("max, or min when less is better", *GOALS),
        "weights": written("Weights of options among random choices", '{"a":3}', shares),
        "holdout": _number("Share of visitors who always get a random option", 0, 1),
        "minimum": written("Minimum share of options", "0.05", shares),
        "maximum": written("Maximum share of options", "0.5", shares),
        "half_life": _text("Time in which evidence loses half its weight", "14d"),
        "delay": _text("How long after an exposure its results may arrive", "2d"),
        "explore": _flag("0: always the best-known option"),
        "slots": _whole("Number of options to choose at once", 1, MAX_OPTIONS),
        "reasons": _flag("0: leave out the options' estimates and verdicts"),
        "log": _flag("1: write the decision to the decision log"),
        "title": ApiParameter(
            "Title above the graph", {"type": "string", "maxLength": MAX_TEXT_CHARS}
        ),
        "view": _word("Type of graph", *VIEWS),
        "area": _flag("1: fill the area under lines"),
        "height": _whole("Height in CSS pixels", 40, 4000),
        "width": _whole("Width in CSS pixels", 100, 4000),
        "theme": _word("Colour theme", *THEMES),
        "table": _flag("1: show a table"),
        "controls": _flag("1: show controls"),
        "legend": _flag("1: show a legend"),
        "interval": _whole("Seconds between two updates", 1, 86_400),
        "axis2": _text("A metric drawn on a second axis"),
        "compare": _text("The period to compare with"),
        "locale": _text("Locale in which numbers are formatted", "de-DE"),
        "hwurl": _text("URL of the service", "https://hw.example.com"),
        "target": _text("The id of the element that the graph is drawn into"),
        "token": _text("Token of a sealed graph, instead of the other parameters"),
        "query": _text("Dotted path; * ? [] {} match several", "Shop.by.country.*"),
        "from": _text("Start of the range, as in Graphite", "-1h"),
        "until": _text("End of the range, as in Graphite", "now"),
        "maxDataPoints": _whole("Maximum points of a series", 1, 1_000_000),
        "leavesOnly": _flag("1: only paths of series"),
        "cacheTimeout": _text("Accepted and ignored"),
        "noCache": _text("Accepted and ignored"),
        "meta": _text("Accepted and ignored"),
    }
    targets: Schema = {"type": "array", "items": {"type": "string"}}
    render = {
        "target": ApiParameter("Paths, or functions of paths", targets),
        "format": _word("Format of the response", "json", "csv", "raw"),
        "tz": _text("Time zone of days, and of times in CSV", "Europe/Berlin"),
    }
    found |= {
        f"{name} of {route}": each
        for route in ("/render", "/render/")
        for name, each in render.items()
    }
    found |= {f"format of {route}": _word("treejson", "treejson") for route in _FIND}
    spied = ApiParameter(
        "Maximum number of events", {"type": "integer", "minimum": 1, "maximum": MAX_SPY_LIMIT}
    )
    as_text = _word("Format of the response", "json", "text")
    return {**found, "limit of /spy": spied, "format of /decide": as_text}


def described(name: str, known: dict[str, ApiParameter], route: str = "") -> ApiParameter:
    """Return the parameter of a name, as this route takes it."""
    return known.get(f"{name} of {route}", known[name])
