"""The routes of Graphite's HTTP API: /render, /metrics/find and what else Grafana requests.

Defines their parameters and the formats of curves: JSON, CSV and raw lines. `core.graphite` defines
the meaning of paths and functions; docs/grafana.rst describes it in full.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import bottle

from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.events.paths import UNPRINTABLE
from hailwhale.core.graphite.curves import Curve
from hailwhale.core.graphite.functions import index
from hailwhale.core.graphite.times import parse_time
from hailwhale.core.numbers import as_number, decimal_text
from hailwhale.core.time.calendar_grid import Grid, parse_zone
from hailwhale.core.value_parsers import parse_bool, parse_enum, parse_int
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.services.query.csv_output import graphite_csv
from hailwhale.services.query.graphite import FoundSeries, GraphiteQuery, expanded
from hailwhale.web.request import BOUND, SizeLimits, listed_fields
from hailwhale.web.responses import csv_reply, json_reply, text_reply

_WITHOUT_EFFECT = ("cacheTimeout", "noCache", "meta")
RENDER_PARAMETERS = (
    *("target", "from", "until", "format", "maxDataPoints", "tz"),
    *_WITHOUT_EFFECT,
)
FIND_PARAMETERS = ("query", "format", "from", "until")
EXPAND_PARAMETERS = ("query", "leavesOnly", "from", "until")
VERSION = "1.1.10"  # of the Graphite whose API this follows
_FORMATS = ("json", "csv", "raw")
_DEFAULT_FROM = "-24h"


def add_graphite(app: bottle.Bottle, services: Services, sizes: SizeLimits) -> None:
    """Mount the routes of Graphite's API."""
    graphite, zone = services.graphite, services.settings.zone

    def render() -> bottle.HTTPResponse:
        fields = _asked(sizes, RENDER_PARAMETERS, several="target")
        form = _one(fields, "format", _FORMATS)
        grid = parse_zone(fields["tz"][0], "tz") if _given(fields, "tz") else None
        targets = [target for target in fields.get("target", ()) if target.strip()]
        if not targets or any(UNPRINTABLE.search(target) for target in targets):
            raise BadInput(
                "target", targets, "a path such as Shop.revenue, in printable characters"
            )
        asked = _span(fields, graphite.now_s(), grid or zone, graphite.max_points)
        curves = graphite.render(
            targets,
            GraphiteQuery(asked[0], asked[1], grid, asked[2]),
            roots_of(bottle.request.environ),
        )
        if form == "csv":
            return csv_reply(graphite_csv(curves, grid or zone))
        return text_reply(_raw(curves)) if form == "raw" else json_reply(_json(curves))

    def find() -> bottle.HTTPResponse:
        fields = _asked(sizes, FIND_PARAMETERS)
        _one(fields, "format", ("treejson",))
        found = graphite.find(_query(fields), roots_of(bottle.request.environ))
        return json_reply([_told(each) for each in found])

    def expand() -> bottle.HTTPResponse:
        fields = _asked(sizes, EXPAND_PARAMETERS)
        leaves_only = parse_bool(fields.get("leavesOnly", [None])[0], "leavesOnly")
        found = graphite.find(_query(fields), roots_of(bottle.request.environ))
        return json_reply({"results": expanded(found, leaves_only=leaves_only)})

    for path, answer in (
        ("/render", render),
        ("/render/", render),
        ("/metrics/find", find),
        ("/metrics/find/", find),
        ("/metrics/expand", expand),
    ):
        app.route(path, ["GET", "POST"], answer)
    app.route("/functions", "GET", lambda: json_reply(index()))
    app.route("/version", "GET", lambda: text_reply(VERSION))
    # Grafana's editor requests tags and shows an error without an answer: there are none.
    for path in ("/tags", "/tags/autoComplete/tags", "/tags/autoComplete/values"):
        app.route(path, "GET", lambda: json_reply([]))


def roots_of(environ: Mapping[str, object]) -> Collection[str] | None:
    """Return the root pks that a caller is limited to; None if there is no limit."""
    bound = environ.get(BOUND)
    return getattr(bound, "roots", None)


def _asked(sizes: SizeLimits, known: Sequence[str], several: str = "") -> dict[str, list[str]]:
    """Return the known parameters; each except `several` may be given once."""
    settled = normalize_names(listed_fields(bottle.request.environ, sizes), known)
    fields: dict[str, list[str]] = {}
    for name, values in settled.items():
        texts = [str(each) for each in values] if isinstance(values, list) else []
        if len(texts) > 1 and name != several:
            raise BadInput(name, texts, f"{name} only once")
        fields[name] = texts
    return fields


def _given(fields: Mapping[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[0].strip()


def _one(fields: Mapping[str, list[str]], name: str, words: Sequence[str]) -> str:
    return parse_enum(_given(fields, name), name, words)


def _query(fields: Mapping[str, list[str]]) -> str:
    query = _given(fields, "query")
    if not query or UNPRINTABLE.search(query):
        raise BadInput("query", query, "a path with * for all labels, such as Shop.*")
    return query


def _span(
    fields: Mapping[str, list[str]], now_s: int, grid: Grid, max_points: int
) -> tuple[int, int, int]:
    """Return the begin, the end, and the maximum number of points."""
    begin_s = parse_time(_given(fields, "from") or _DEFAULT_FROM, now_s, grid, "from")
    until = _given(fields, "until").rstrip("-") or "now"  # some clients send "-" for nothing
    # The span includes the current second, so that what was counted in it is visible.
    end_s = parse_time(until, now_s, grid, "until") + (until == "now")
    if end_s <= begin_s:
        raise BadInput("until", until, "a time after from")
    most = parse_int(
        _given(fields, "maxDataPoints"), "maxDataPoints", 1, 1_000_000, default=max_points
    )
    return begin_s, end_s, min(most, max_points)


def _json(curves: Sequence[Curve]) -> list[dict[str, object]]:
    return [
        {
            "target": curve.name,
            "tags": {"name": curve.path},
            "datapoints": [
                [None if value is None else as_number(value), at_s]
                for at_s, value in zip(curve.starts_s, curve.values, strict=True)
            ],
        }
        for curve in curves
    ]


def _raw(curves: Sequence[Curve]) -> str:
    """Format curves as `target,start,end,step|value,value,…`, one line each; a gap is `None`."""
    lines = []
    for curve in curves:
        ends_s = (*curve.starts_s[1:], curve.end_s)
        steps = {end - start for start, end in zip(curve.starts_s, ends_s, strict=True)}
        if len(steps) != 1:
            expected = "json or csv: raw requires buckets of one width, which these are not"
            raise BadInput("format", "raw", expected)
        values = ",".join("None" if v is None else decimal_text(v) for v in curve.values)
        span = f"{curve.starts_s[0]},{curve.end_s},{steps.pop()}"
        lines.append(f"{curve.name},{span}|{values}\n")
    return "".join(lines)


def _told(found: FoundSeries) -> dict[str, object]:
    """Format a node for Graphite's tree."""
    return {
        "id": found.path,
        "text": found.text,
        "leaf": int(found.leaf),
        "expandable": int(found.expandable),
        "allowChildren": int(found.expandable),
        "context": {},
    }
