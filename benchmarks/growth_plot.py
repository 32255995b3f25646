"""`python -m benchmarks.growth_plot FILE.json > docs/growth.svg`: growth as a picture.

Takes what `python -m benchmarks growth --json FILE.json` wrote; gives an SVG. Each curve is the
cost at so many series, by the cost at the fewest.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

GOAL = 1.2

_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 16, 16, 64
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # colour-blind people can distinguish them
_STYLE = (
    "text{font:13px sans-serif;fill:#444} .grid{stroke:#ddd} .goal{stroke:#444;"
    "stroke-dasharray:4 4} path{fill:none;stroke-width:2}"
)

Curve = Sequence[tuple[int, float]]


def curves(rows: Sequence[Mapping[str, Any]]) -> dict[str, Curve]:
    """The ratios by series of each curve in the rows of a run, from 1 at the fewest series on."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        if row["point"]:
            name, series = row["point"]
            fewest = int(row["yardstick_name"].split()[0].replace(",", ""))
            found.setdefault(name, [(fewest, 1.0)]).append((series, row["ratio"]))
    return {name: sorted(points) for name, points in found.items()}


def svg(drawn: Mapping[str, Curve]) -> str:
    """The curves as an SVG, series on a logarithmic axis, the goal as a dashed line."""
    points = [point for curve in drawn.values() for point in curve]
    first, last = (math.log10(pick(series for series, _ in points)) for pick in (min, max))
    top = max(1.5, *(math.ceil(ratio * 10) / 10 for _, ratio in points))

    def x(series: float) -> float:
        inner = _WIDTH - _LEFT - _RIGHT
        return round(_LEFT + inner * (math.log10(series) - first) / (last - first), 1)

    def y(ratio: float) -> float:
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * ratio / top, 1)

    def parts() -> Iterator[str]:
        for ratio in (0.0, 0.5, 1.0, GOAL):
            kind = "goal" if ratio == GOAL else "grid"
            yield _line(kind, _LEFT, y(ratio), _WIDTH - _RIGHT, y(ratio))
            yield _text(_LEFT - 6, y(ratio) + 4, f"{ratio:g}", "end")
        for series in sorted({series for series, _ in points}):
            anchor = "end" if series == max(points)[0] else "middle"
            yield _text(x(series), _HEIGHT - _BOTTOM + 18, f"{series:,}", anchor)
        for place, (name, curve) in enumerate(drawn.items()):
            colour = _COLOURS[place % len(_COLOURS)]
            path = " L".join(f"{x(series)} {y(ratio)}" for series, ratio in curve)
            yield f'<path d="M{path}" stroke="{colour}"/>'
            left = _LEFT + 140 * place
            yield f'<path d="M{left} {_HEIGHT - 16} h24" stroke="{colour}"/>'
            yield _text(left + 30, _HEIGHT - 12, name, "start")

    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
            "<title>Cost by the number of series stored, relative to the fewest</title>",
            f'<style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/>',
            *parts(),
            "</svg>",
        ]
    )


def _line(kind: str, left: float, top: float, right: float, bottom: float) -> str:
    return f'<line class="{kind}" x1="{left}" y1="{top}" x2="{right}" y2="{bottom}"/>'


def _text(left: float, top: float, text: str, anchor: str) -> str:
    return f'<text x="{left}" y="{top}" text-anchor="{anchor}">{text}</text>'


if __name__ == "__main__":
    print(svg(curves(json.loads(Path(sys.argv[1]).read_text())["rows"])))
