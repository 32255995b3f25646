"""Graphs over HTTP: the embed line's script, the image, the numbers, and the widget itself.

Escapes texts of a URL so they cannot break out of a script, and reports errors to the page. The
widget renders in the browser, `core.svg` renders the image.
"""

from __future__ import annotations

import textwrap
from urllib.parse import parse_qs

import bottle
import simplejson

from hailwhale.core.events.param_names import Fields
from hailwhale.core.graph.options import LOOKING_PARAMETERS, Graph, parse_graph
from hailwhale.core.graph.svg import SvgGraph, draw
from hailwhale.core.query.parameters import parse_plot
from hailwhale.core.time.calendar_grid import UTC
from hailwhale.errors import BadInput, HailWhaleError
from hailwhale.services.container import Services
from hailwhale.services.json_shapes import graph_json as graph_shape
from hailwhale.services.query.graph_picture import picture_of
from hailwhale.web.assets import embed_script, vendor_file, widget
from hailwhale.web.plugins.errors import fault_reply, note_fault, public_text
from hailwhale.web.request import SEALED, SizeLimits, one_event, query_fields
from hailwhale.web.responses import json_reply
from hailwhale.web.routes.beacon import JAVASCRIPT, script_reply

_SVG = "image/svg+xml; charset=utf-8"
_NOT_FOR_THE_WIDGET = ("target", "width")
# compare would query more than was sealed.
_SHOWN_OF_SEALED = ("period", *(name for name in LOOKING_PARAMETERS if name != "compare"))
# In a script these could end it, open a comment or break a line.
_UNSAFE = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})
_PICTURED = "one of line area stacked bar, which can be drawn as a picture"


def add_graphs(app: bottle.Bottle, services: Services, sizes: SizeLimits) -> None:
    """Mount /graph.js, /graph.svg, /graph.json and the files of the widget."""
    limits = services.settings.limits

    def graph_json() -> bottle.HTTPResponse:
        question = parse_plot(one_event(bottle.request.environ, sizes), limits)
        return json_reply(graph_shape(services.graphing.graph(question)))

    def graph_js() -> bottle.HTTPResponse:
        fields = one_event(bottle.request.environ, sizes)
        graph = parse_graph(fields, limits)
        return _script({"options": _options(graph, sizes), "target": _target(fields)}, 200)

    def graph_svg() -> bottle.HTTPResponse:
        try:
            graph = parse_graph(one_event(bottle.request.environ, sizes), limits)
            if graph.look.view in ("table", "number"):
                raise BadInput("view", graph.look.view, _PICTURED)
            drawn = draw(picture_of(graph, services.graphing.graph(graph.plot)))
        except HailWhaleError as fault:
            note_fault(bottle.request.environ, fault)
            return _svg(_refusal(fault), fault_reply(fault).status_code)
        return _svg(drawn, 200)

    app.route("/graph.json", "GET", graph_json)
    app.route("/graph.js", "GET", graph_js)
    app.route("/graph.svg", "GET", graph_svg)
    app.route("/static/jquery.hailwhale.js", "GET", _widget)
    app.route("/static/vendor/<name>", "GET", _vendor)


def refused_graph(fault: HailWhaleError) -> bottle.HTTPResponse:
    """Return the error response of /graph.js: a script that shows it in place of the graph."""
    given = parse_qs(bottle.request.environ.get("QUERY_STRING", ""))
    target = _target({"target": given.get("target", [""])[0]})
    told: dict[str, object] = {"options": {}, "target": target, "fault": public_text(fault)}
    return _script(told, _status(fault_reply(fault).status_code))


def _options(graph: Graph, sizes: SizeLimits) -> dict[str, object]:
    """Return the options of the widget; for a sealed graph its display options and the seal."""
    environ = bottle.request.environ
    options = {k: v for k, v in graph.options.items() if k not in _NOT_FOR_THE_WIDGET}
    if SEALED not in environ:
        return options
    looks = {name: options[name] for name in _SHOWN_OF_SEALED if name in options}
    return {**looks, "sealed": str(query_fields(environ, sizes)["token"])}


def _script(told: dict[str, object], status: int) -> bottle.HTTPResponse:
    """Return the embed script, called with these arguments."""
    told |= {"version": widget().digest}
    literal = simplejson.dumps(told, use_decimal=True, ensure_ascii=True).translate(_UNSAFE)
    headers = {
        "Content-Type": JAVASCRIPT,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "no-cache",
    }
    return bottle.HTTPResponse(embed_script(literal), status, headers)


def _status(refused: int) -> int:
    """Return the status of the error, or 200 for a page's <script>.

    Browsers do not run a script that comes with an error status, so the reader would not see the
    message.
    """
    environ = bottle.request.environ
    kind = environ.get("HTTP_SEC_FETCH_DEST", "script" if "HTTP_REFERER" in environ else "")
    return 200 if kind == "script" else refused


def _target(fields: Fields) -> str:
    target = fields.get("target", "")
    return target if isinstance(target, str) and len(target) <= 200 else ""


def _refusal(fault: HailWhaleError) -> str:
    """Return an image of the error message: readers look where the graph would be."""
    lines = textwrap.wrap(public_text(fault)[:600], 100)
    height = 16 * len(lines)
    return draw(
        SvgGraph(
            title="HailWhale",
            sums="\n".join(lines),
            view="line",
            width=720,
            height=height,
            theme="auto",
            edges_s=(),
            interval="",
            calendar=UTC,
            lines=(),
            totals=(),
        )
    )


def _svg(text: str, status: int) -> bottle.HTTPResponse:
    headers = {
        "Content-Type": _SVG,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "no-cache, max-age=0",
    }
    return bottle.HTTPResponse(text, status, headers)


def _widget() -> bottle.HTTPResponse:
    return script_reply(widget())


def _vendor(name: str) -> bottle.HTTPResponse:
    file = vendor_file(name)
    if file is None:
        return bottle.HTTPError(404)
    bottle.request.environ.pop("HTTP_RANGE", None)
    headers = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "cross-origin"}
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    return bottle.static_file(file.name, root=str(file.parent), mimetype=kind, headers=headers)
