"""Renders a graph as SVG, for e-mails, READMEs and pages without scripts.

Escapes every text in the image. The SVG contains no script and loads nothing. It follows the
reader's light or dark mode unless a theme is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from hailwhale.core.graph import layers
from hailwhale.core.graph.axes import Scale, Tick, nice, time_ticks
from hailwhale.core.graph.layers import GraphLine, Layer
from hailwhale.core.time.calendar_grid import Grid

_LIGHT = {
    "paper": "#ffffff", "ink": "#16202e", "quiet": "#5d6b7e", "line": "#e6eaf0", "rest": "#94a3b8",
    "palette": "#2f6fed #f0762b #12a594 #d23f8f #8250df #c99700 #3f9b4f #e5484d #0c9bc4 #8a6a54",
}  # fmt: skip
_DARK = {
    "paper": "#10161f", "ink": "#eef2f8", "quiet": "#93a1b5", "line": "#222c3a", "rest": "#64748b",
    "palette": "#6ea0ff #ff9a56 #2dd4bf #f472b6 #a78bfa #f2c744 #6cc97a #ff7b7f #4fc3e8 #c8a48c",
}  # fmt: skip
_SHAPES = (
    ".stroke{fill:none!important;stroke-width:2;stroke-linejoin:round}.fill{stroke:none!important}"
)
_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"
_PAD, _HEAD, _FOOT, _ROW = 18, 52, 26, 20
_LABEL_WIDTH = 7  # of a character of 12 px, about
_TICK_WIDTH = 64

_Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SvgGraph:
    """Describe the image. `totals` are shown next to the legend's names, one per line.

    `sums` are lines of text below the title. `height` is the height of the plot area.
    """

    title: str
    sums: str
    view: str
    width: int
    height: int
    theme: str
    edges_s: tuple[int, ...]
    interval: str
    calendar: Grid
    lines: tuple[GraphLine, ...]
    totals: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plot:
    """Hold the plot area in pixels and its scales."""

    left: float
    right: float
    top: float
    bottom: float
    scales: tuple[Scale, Scale | None]
    begin_s: int
    end_s: int

    def x(self, at_s: int) -> float:
        span = self.end_s - self.begin_s or 1
        return self.left + (at_s - self.begin_s) / span * (self.right - self.left)

    def y(self, value: float, second: bool) -> float:
        scale = self.scales[1] if second and self.scales[1] else self.scales[0]
        return self.bottom - scale.share(value) * (self.bottom - self.top)


def draw(picture: SvgGraph) -> str:
    """Return the SVG document."""
    palette = layers.colors(picture.lines)
    legend = list(_legend(picture, palette)) if len(picture.lines) > 1 else []
    rows = max((row for row, _ in legend), default=-1) + 1
    height = _HEAD + picture.height + (rows * _ROW + 8 if rows else 0) + _PAD // 2
    title = escape(picture.title)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{picture.width}" height="{height}" '
        f'viewBox="0 0 {picture.width} {height}" role="img" font-family="{_FONT}" font-size="12">',
        f"<title>{title}</title><desc>{escape(_described(picture))}</desc>",
        _style(picture.theme),
        f'<rect class="paper" width="{picture.width}" height="{height}" rx="12"/>',
        f'<text class="ink" x="{_PAD}" y="26" font-size="15" font-weight="600">{title}</text>',
        *(
            f'<text class="quiet" x="{_PAD}" y="{44 + row * 16}">{escape(line)}</text>'
            for row, line in enumerate(picture.sums.splitlines())
        ),
        *_plot(picture, palette),
    ]
    top = _HEAD + picture.height + 18
    parts += [
        f'<g transform="translate(0 {top + row * _ROW})">{entry}</g>' for row, entry in legend
    ]
    return "".join([*parts, "</svg>\n"])


def _plot(picture: SvgGraph, palette: Sequence[int]) -> Iterator[str]:
    if not picture.edges_s[:-1] or not picture.lines:
        return
    stacked = layers.layers(picture.lines, picture.view)
    second = layers.second_axis(picture.lines)
    sides: tuple[list[Layer], list[Layer]] = ([], [])
    for layer in stacked:
        sides[picture.lines[layer.place].metric in second].append(layer)
    count = max(2, picture.height // 60)
    right = nice(*layers.extent(sides[1]), count) if sides[1] else None
    plot = _placed(picture, (nice(*layers.extent(sides[0]), count), right))
    yield from _grid(picture, plot)
    for layer in stacked:
        on_right = picture.lines[layer.place].metric in second
        yield _drawn(layer, picture, plot, _class(palette[layer.place]), on_right)


def _placed(picture: SvgGraph, scales: tuple[Scale, Scale | None]) -> _Plot:
    wide = picture.view == "bar" or len(picture.edges_s) == 2
    room = [max((len(short(n)) for n in s.ticks), default=0) if s else 0 for s in scales]
    return _Plot(
        left=_PAD + room[0] * _LABEL_WIDTH + 8,
        right=picture.width - _PAD - (room[1] * _LABEL_WIDTH + 8 if scales[1] else 6),
        top=_HEAD + 10,
        bottom=_HEAD + picture.height - _FOOT,
        scales=scales,
        begin_s=picture.edges_s[0],
        end_s=picture.edges_s[-1 if wide else -2],
    )


def _grid(picture: SvgGraph, plot: _Plot) -> Iterator[str]:
    for value in plot.scales[0].ticks:
        y = plot.y(value, False)
        yield f'<path class="line" d="M{plot.left:.1f} {y:.1f}H{plot.right:.1f}"/>'
        yield _label(short(value), plot.left - 8, y + 4, "end")
    for value in plot.scales[1].ticks if plot.scales[1] else ():
        yield _label(short(value), plot.right + 8, plot.y(value, True) + 4, "start")
    for tick in _ticks(picture, plot):
        start_s, end_s = picture.edges_s[tick.place : tick.place + 2]
        at_s = (start_s + end_s) // 2 if picture.view == "bar" else start_s
        yield _label(tick.text, plot.x(at_s), plot.bottom + 18, "middle")


def _ticks(picture: SvgGraph, plot: _Plot) -> list[Tick]:
    most = max(2, int((plot.right - plot.left) / _TICK_WIDTH))
    if not picture.interval:
        return []
    return time_ticks(picture.edges_s[:-1], picture.interval, picture.calendar, most)


def _drawn(layer: Layer, picture: SvgGraph, plot: _Plot, name: str, second: bool) -> str:
    if layer.kind == "bar":
        return f'<path class="fill {name}" d="{_bars(layer, picture, plot, second)}"/>'
    return "".join(
        _run(layer.kind, tops, lows, name) for tops, lows in _runs(layer, picture, plot, second)
    )


def _runs(
    layer: Layer, picture: SvgGraph, plot: _Plot, second: bool
) -> Iterator[tuple[list[_Point], list[_Point]]]:
    """Yield the upper and the lower points of a layer from gap to gap."""
    tops: list[_Point] = []
    lows: list[_Point] = []
    for at_s, low, high in zip(picture.edges_s[:-1], layer.low, layer.high, strict=True):
        if high is not None:
            tops.append((plot.x(at_s), plot.y(high, second)))
            lows.append((plot.x(at_s), plot.y(low, second)))
        elif tops:
            yield tops, lows
            tops, lows = [], []
    if tops:
        yield tops, lows


def _run(kind: str, tops: Sequence[_Point], lows: Sequence[_Point], name: str) -> str:
    """Draw a line, or an area or a band with its line; one point alone is a dot."""
    if len(tops) == 1:
        return f'<circle class="fill {name}" cx="{tops[0][0]:.1f}" cy="{tops[0][1]:.1f}" r="4"/>'
    stroke = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in tops)
    drawn = f'<path class="stroke {name}" d="{stroke}"/>'
    if kind == "line":
        return drawn
    back = "L".join(f"{x:.1f} {y:.1f}" for x, y in reversed(lows))
    opacity = 0.6 if kind == "band" else 0.18
    return f'<path class="fill {name}" fill-opacity="{opacity}" d="{stroke}L{back}Z"/>{drawn}'


def _bars(layer: Layer, picture: SvgGraph, plot: _Plot, second: bool) -> str:
    found = []
    for at, (low, high) in enumerate(zip(layer.low, layer.high, strict=True)):
        left, right = (plot.x(edge_s) for edge_s in picture.edges_s[at : at + 2])
        if high is None:
            continue
        gap = min((right - left) * 0.2, 8)
        slot = (right - left - gap) / layer.slots
        top, bottom = plot.y(max(low, high), second), plot.y(min(low, high), second)
        if bottom > top:
            x = left + gap / 2 + slot * layer.slot
            found.append(f"M{x:.1f} {bottom:.1f}V{top:.1f}h{max(slot, 1):.1f}V{bottom:.1f}Z")
    return "".join(found)


def _legend(picture: SvgGraph, palette: Sequence[int]) -> Iterator[tuple[int, str]]:
    """Lay out the legend's entries in rows, as many per row as fit."""
    row, x = 0, float(_PAD)
    for name, total, color in zip(
        layers.names(picture.lines), picture.totals, palette, strict=True
    ):
        shown = name if len(name) <= 40 else f"{name[:39]}…"
        width = 16 + (len(shown) + len(total) + 1) * _LABEL_WIDTH + 18
        if x > _PAD and x + width > picture.width - _PAD:
            row, x = row + 1, float(_PAD)
        swatch = (
            f'<rect class="fill {_class(color)}" x="{x:.0f}" y="-9" width="10" height="10" rx="3"/>'
        )
        text = f'<text class="ink" x="{x + 16:.0f}">{escape(shown)} <tspan font-weight="600">'
        yield row, f"{swatch}{text}{escape(total)}</tspan></text>"
        x += width


def _label(text: str, x: float, y: float, anchor: str) -> str:
    return (
        f'<text class="quiet" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _described(picture: SvgGraph) -> str:
    pairs = zip(layers.names(picture.lines), picture.totals, strict=True)
    return "; ".join(f"{name}: {total}" for name, total in pairs)


def _class(color: int) -> str:
    return {layers.INK: "whole", layers.REST: "rest"}.get(color, f"c{color}")


def _style(theme: str) -> str:
    light, dark = _rules(_LIGHT), _rules(_DARK)
    rules = {"light": light, "dark": dark}.get(
        theme, f"{light}@media(prefers-color-scheme:dark){{{dark}}}"
    )
    return f"<style>{rules}{_SHAPES}</style>"


def _rules(colors: dict[str, str]) -> str:
    palette = colors["palette"].split()
    marks = [("whole", colors["ink"]), ("rest", colors["rest"])]
    marks += [(f"c{place}", color) for place, color in enumerate(palette)]
    texts = "".join(f".{name}{{fill:{colors[name]}}}" for name in ("paper", "ink", "quiet"))
    return f"{texts}.line{{stroke:{colors['line']}}}" + "".join(
        f".{name}{{fill:{color};stroke:{color}}}" for name, color in marks
    )


def short(value: float) -> str:
    """Format a number for an axis: a few digits, thousands as k, millions as M.

    >>> short(1500.0), short(0.25), short(-2000000.0)
    ('1.5k', '0.25', '-2M')
    """
    for power, sign in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= power:
            return f"{value / power:.4g}{sign}"
    return f"{value:.6g}"
