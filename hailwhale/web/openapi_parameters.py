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
            "What is counted: a label or a path", '["Shop","7"]', {"oneOf": [label, labels]}
        ),
        "dimensions": written("What splits it: paths of labels", '{"country":"US"}', nested),
        "metrics": written("Names, numbers by name, or formulas", "dollars/hits", by_name),
        "at": _text(
            "When it happened: epoch seconds, milliseconds or ISO 8601", "2026-01-31T12:00Z"
        ),
        "id": _text("An idempotency key: counts once in 24 hours"),
        "uid": _text("Who it was; kept as a keyed hash alone"),
        "option": _text("The option that was shown"),
        "decision": _text("The id that /decide answered with log=1"),
        "periods": written("interval:length, a nickname or dates", "1d:1mo", texts),
        "tz": _text("An IANA time zone", "Europe/Berlin"),
        "tzoffset": _text("An offset from UTC", "-0800"),
        "format": _word("How the answer is written", "json", "csv"),
        "shares": written(
            "Of the values, each above 0 and at most 1",
            "0.5,0.99",
            {"type": ["string", "number", "array"], "items": {"type": ["string", "number"]}},
        ),
        "depth": _whole("Levels down", 0, limits.depth),
        "threshold": _number("The least share of the parent", 0, 1),
        "limit": _whole(f"The most of them; {DEFAULT_LIMIT} where nothing is said", 0, MAX_ROWS),
        "sort": _text("A formula, with a minus for the largest first", "-dollars"),
        "other": _flag("Fold what is not shown into one"),
        "of": _word("What is ranked", "dimensions", "pks"),
        "by": _word("Which number orders", *COLUMNS),
        "live": _flag("Go on with what comes"),
        "options": written(f"At most {MAX_OPTIONS} options", "a,b,c", texts),
        "known_data": written("As dimensions", '{"country":"US"}', nested),
        "by_metric": _text("What to decide by", "earned/spent"),
        "goal": _word("Whether more is better, or less", *GOALS),
        "weights": written("Shares of what is given at random", '{"a":3}', shares),
        "holdout": _number("The share that always gets a random option", 0, 1),
        "minimum": written("The least share of options", "0.05", shares),
        "maximum": written("The most share of options", "0.5", shares),
        "half_life": _text("In which evidence loses half its weight", "14d"),
        "delay": _text("How long results may take", "2d"),
        "explore": _flag("0: the option that looks best, always"),
        "slots": _whole("So many options at once", 1, MAX_OPTIONS),
        "reasons": _flag("0: leave them out"),
        "log": _flag("Write the decision into the journal"),
        "title": ApiParameter("A line above", {"type": "string", "maxLength": MAX_TEXT_CHARS}),
        "view": _word("How it is drawn", *VIEWS),
        "area": _flag("Filled lines"),
        "height": _whole("In CSS pixels", 40, 4000),
        "width": _whole("In CSS pixels", 100, 4000),
        "theme": _word("Light or dark", *THEMES),
        "table": _flag("With a table"),
        "controls": _flag("With controls"),
        "legend": _flag("With a legend"),
        "interval": _whole("Seconds between two looks", 1, 86_400),
        "axis2": _text("A metric with an axis of its own"),
        "compare": _text("What to compare with"),
        "locale": _text("How numbers are written", "de-DE"),
        "hwurl": _text("The service's address", "https://hw.example.com"),
        "target": _text("Where it goes: the id of an element"),
        "token": _text("A sealed graph, in place of a question"),
        "query": _text("A dotted path, with * ? [] {} for several", "Shop.by.country.*"),
        "from": _text("When the span begins, as Graphite says it", "-1h"),
        "until": _text("When it ends", "now"),
        "maxDataPoints": _whole("The most points of a series", 1, 1_000_000),
        "leavesOnly": _flag("Series alone"),
        "cacheTimeout": _text("Without effect"),
        "noCache": _text("Without effect"),
        "meta": _text("Without effect"),
    }
    targets: Schema = {"type": "array", "items": {"type": "string"}}
    render = {
        "target": ApiParameter("Paths, or functions of them", targets),
        "format": _word("How the answer is written", "json", "csv", "raw"),
        "tz": _text("The time zone of days, and of times in CSV", "Europe/Berlin"),
    }
    found |= {
        f"{name} of {route}": each
        for route in ("/render", "/render/")
        for name, each in render.items()
    }
    found |= {f"format of {route}": _word("treejson", "treejson") for route in _FIND}
    spied = ApiParameter(
        "The most events", {"type": "integer", "minimum": 1, "maximum": MAX_SPY_LIMIT}
    )
    as_text = _word("How the answer is written", "json", "text")
    return {**found, "limit of /spy": spied, "format of /decide": as_text}


def described(name: str, known: dict[str, ApiParameter], route: str = "") -> ApiParameter:
    """Return the parameter of a name, as this route takes it."""
    return known.get(f"{name} of {route}", known[name])
