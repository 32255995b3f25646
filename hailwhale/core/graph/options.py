"""The parameters of a graph: what it asks, and how it is to look.

Owns their names, defaults and bounds, for the embed line and for the picture. It does not draw, and
does not know what a plot's own parameters mean: those are read by `question`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.query.parameters import PLOT_PARAMETERS, PlotQuery, flag, plot_query, whole
from hailwhale.errors import BadInput

Fields = Mapping[str, object]

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
MAX_TITLE_CHARS = 200
_URL = re.compile(r"https?://[^\s\"'<>\\]+|/[^\s\"'<>\\]*", re.ASCII)
_LOCALE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class GraphAppearance:
    """How a graph is drawn. Sizes are in CSS pixels."""

    title: str = ""
    view: str = VIEWS[0]
    height: int = DEFAULT_HEIGHT
    width: int = DEFAULT_WIDTH
    theme: str = THEMES[0]


@dataclass(frozen=True, slots=True)
class Graph:
    """A plot and its look. `options` are the parameters as the widget takes them."""

    plot: PlotQuery
    look: GraphAppearance = GraphAppearance()
    options: Fields = field(default_factory=dict)


def parse_graph(fields: Fields, limits: Limits = DEFAULT_LIMITS) -> Graph:
    """Read the parameters of a graph; see `GRAPH_PARAMETERS`.

    >>> parse_graph({"pk": "Shop", "metric": "dollars", "area": 1}).look.view
    'area'
    """
    found = normalize_names(fields, GRAPH_PARAMETERS)
    plot = plot_query({name: found[name] for name in _ASKING if name in found}, limits)
    look = _look(found)
    for name in ("live", "table", "controls", "legend"):
        flag(found.get(name), name)
    for name in ("axis2", "compare", "target"):
        _text(found.get(name), name)
    whole(found.get("interval"), "interval", 1, 86_400, default=1)
    _matching(found.get("hwurl"), "hwurl", _URL, "the service's address, https://hw.example.com")
    _matching(found.get("locale"), "locale", _LOCALE, "a language tag such as de-DE")
    options = {name: value for name, value in found.items() if value not in (None, "")}
    if "periods" in options:
        options["period"] = plot.period.text
        del options["periods"]
    return Graph(plot, look, options)


def _look(found: Fields) -> GraphAppearance:
    view = _word(found.get("view"), "view", VIEWS)
    return GraphAppearance(
        title=_text(found.get("title"), "title"),
        view="area" if flag(found.get("area"), "area") and view == "line" else view,
        height=whole(found.get("height"), "height", 40, 4000, default=DEFAULT_HEIGHT),
        width=whole(found.get("width"), "width", 100, 4000, default=DEFAULT_WIDTH),
        theme=_word(found.get("theme"), "theme", THEMES),
    )


def _text(value: object, parameter: str) -> str:
    if isinstance(value, dict | list | tuple):
        raise BadInput(parameter, value, "a text")
    text = "" if value is None else str(value)
    if len(text) > MAX_TITLE_CHARS or not text.isprintable():
        raise BadInput(parameter, value, f"a line of at most {MAX_TITLE_CHARS} characters")
    return text


def _word(value: object, parameter: str, words: tuple[str, ...]) -> str:
    word = words[0] if value is None or value == "" else value
    if word not in words:
        raise BadInput(parameter, value, f"one of {' '.join(words)}")
    return str(word)


def _matching(value: object, parameter: str, form: re.Pattern[str], expected: str) -> None:
    text = _text(value, parameter)
    if text and not form.fullmatch(text):
        raise BadInput(parameter, value, expected)
