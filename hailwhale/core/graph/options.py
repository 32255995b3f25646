"""Parameters of a graph: its query and its appearance.

Defines their names, defaults and bounds, for the embed line and for the SVG image.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.param_names import Fields, normalize_names
from hailwhale.core.query.parameters import PLOT_PARAMETERS, PlotQuery, plot_query
from hailwhale.core.value_parsers import (
    is_absent,
    parse_bool,
    parse_enum,
    parse_int,
    parse_pattern,
    parse_text,
)

VIEWS = ("line", "area", "stacked", "bar", "table", "number")
THEMES = ("auto", "light", "dark")
_ASKING = tuple(name for name in PLOT_PARAMETERS if name != "format")
LOOKING_PARAMETERS = (
    *("title", "view", "area", "height", "width", "theme", "table", "controls", "legend"),
    *("live", "interval", "axis2", "compare", "locale", "hwurl", "target"),
)
GRAPH_PARAMETERS = (*_ASKING, *LOOKING_PARAMETERS)

DEFAULT_HEIGHT = 240
DEFAULT_WIDTH = 720
_URL = re.compile(r"https?://[^\s\"'<>\\]+|/[^\s\"'<>\\]*", re.ASCII)
_LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class GraphAppearance:
    """Describe how a graph is drawn. Sizes are in CSS pixels."""

    title: str = ""
    view: str = VIEWS[0]
    height: int = DEFAULT_HEIGHT
    width: int = DEFAULT_WIDTH
    theme: str = THEMES[0]


@dataclass(frozen=True, slots=True)
class Graph:
    """A plot query and its appearance. `options` are the parameters in the widget's form."""

    plot: PlotQuery
    look: GraphAppearance = GraphAppearance()
    options: Fields = field(default_factory=dict)


def parse_graph(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> Graph:
    """Parse the parameters of a graph; see `GRAPH_PARAMETERS`.

    >>> parse_graph({"pk": "Shop", "metric": "dollars", "area": 1}).look.view
    'area'
    """
    found = normalize_names(fields, GRAPH_PARAMETERS)
    plot = plot_query({name: found[name] for name in _ASKING if name in found}, limits)
    look = _look(found)
    for name in ("live", "table", "controls", "legend"):
        parse_bool(found.get(name), name)
    for name in ("axis2", "compare", "target"):
        parse_text(found.get(name), name)
    parse_int(found.get("interval"), "interval", 1, 86_400, default=1)
    parse_pattern(
        found.get("hwurl"), "hwurl", _URL, "the URL of the service, such as https://hw.example.com"
    )
    parse_pattern(found.get("locale"), "locale", _LOCALE, "a language tag such as de-DE")
    options = {name: value for name, value in found.items() if not is_absent(value)}
    if "periods" in options:
        options["period"] = plot.period.text
        del options["periods"]
    return Graph(plot, look, options)


def _look(found: Fields) -> GraphAppearance:
    view = parse_enum(found.get("view"), "view", VIEWS)
    return GraphAppearance(
        title=parse_text(found.get("title"), "title"),
        view="area" if parse_bool(found.get("area"), "area") and view == "line" else view,
        height=parse_int(found.get("height"), "height", 40, 4000, default=DEFAULT_HEIGHT),
        width=parse_int(found.get("width"), "width", 100, 4000, default=DEFAULT_WIDTH),
        theme=parse_enum(found.get("theme"), "theme", THEMES),
    )
