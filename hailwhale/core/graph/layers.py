"""Arranges series into layers: stacking order, axis and colour of each.

Makes the same choices as `static/hailwhale/stacking.js` and `scales.js` in the browser. Values are
floats, which is precise enough for a few hundred pixels. Knows nothing of the output format.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hailwhale.core.events.overflow import OTHER
from hailwhale.core.events.paths import OVERALL, Path

Values = tuple[float | None, ...]

COLORS = 10
INK, REST = -1, -2  # colours of a whole whose parts are shown, and of the rest
_OTHER_SIZE = 5  # metrics so many times as large as the first get an axis of their own


@dataclass(frozen=True, slots=True)
class GraphLine:
    """A series to draw; a value that is None is a gap."""

    path: Path
    metric: str
    additive: bool
    values: Values


@dataclass(frozen=True, slots=True)
class Layer:
    """A drawn series: `kind` is line, area, band or bar, from `low` to `high` in each bucket.

    `color` is its index in the palette. Bars side by side have `slot` number out of `slots`. Where
    `high` is None there is a gap.
    """

    place: int
    kind: str
    low: tuple[float, ...]
    high: Values
    slot: int = 0
    slots: int = 1


def layers(lines: Sequence[GraphLine], view: str) -> list[Layer]:
    """Return the layers of a view in drawing order; non-additive series are never stacked."""
    if view in ("stacked", "bar"):
        return _piled(lines, view)
    flat = (0.0,) * (len(lines[0].values) if lines else 0)
    return [Layer(place, view, flat, line.values) for place, line in enumerate(lines)]


def colors(lines: Sequence[GraphLine]) -> list[int]:
    """Return the colour of each line: an index in the palette, `INK` or `REST`."""
    wholes, found, used = _wholes(lines), [], 0
    for line in lines:
        if (line.path, line.metric) in wholes:
            found.append(INK)
        elif line.path[-1:] == (OTHER,):
            found.append(REST)
        else:
            found.append(used % COLORS)
            used += 1
    return found


def names(lines: Sequence[GraphLine]) -> list[str]:
    """Return the shortest texts that distinguish the lines: last label, path or metric."""
    paths = {line.path for line in lines}
    metrics = {line.metric for line in lines}
    lasts = [_last(path) for path in paths]
    found = []
    for line in lines:
        last = _last(line.path)
        label = last if lasts.count(last) == 1 else " › ".join(line.path)
        if len(paths) == 1:
            label = line.metric if line.path == OVERALL or len(metrics) > 1 else label
        elif len(metrics) > 1:
            label = f"{label} · {line.metric}"
        found.append(label)
    return found


def second_axis(lines: Sequence[GraphLine]) -> set[str]:
    """Return the metrics whose scale differs too much from the first; they use the right axis."""
    sizes: dict[str, float] = {}
    for line in lines:
        sizes[line.metric] = max(sizes.get(line.metric, 0.0), *map(abs, _known(line.values)), 0.0)
    first, *others = sizes or [""]
    base = sizes.get(first, 0.0)
    return {
        metric
        for metric in others
        if base > 0
        and sizes[metric] > 0
        and not base / _OTHER_SIZE <= sizes[metric] <= base * _OTHER_SIZE
    }


class ValueRange(NamedTuple):
    """The lowest and the highest value that is drawn."""

    low: float
    high: float


def extent(some: Iterable[Layer]) -> ValueRange:
    """Return the minimum and maximum of some layers and 0."""
    values = [0.0]
    for layer in some:
        values += (*layer.low, *_known(layer.high))
    return ValueRange(min(values), max(values))


def _piled(lines: Sequence[GraphLine], view: str) -> list[Layer]:
    wholes = _wholes(lines)
    groups: dict[str, list[int]] = {}
    for place, line in enumerate(lines):
        groups.setdefault(line.metric, []).append(place)
    piles: list[tuple[str, list[int]]] = []
    over: list[int] = []
    for members in groups.values():
        parts = [n for n in members if (lines[n].path, lines[n].metric) not in wholes]
        piled = [n for n in parts if lines[n].additive]
        piles += [("pile", piled)] if piled else []
        if view == "bar":
            piles += [("single", [n]) for n in parts if not lines[n].additive]
        else:
            over += [n for n in members if n not in piled]
    kind = "bar" if view == "bar" else "band"
    found = [
        Layer(place, kind, low, high, slot, len(piles))
        for slot, (_, members) in enumerate(piles)
        for place, (low, high) in _pile(lines, members).items()
    ]
    flat = (0.0,) * (len(lines[0].values) if lines else 0)
    return [*found, *(Layer(place, "line", flat, lines[place].values) for place in over)]


def _pile(
    lines: Sequence[GraphLine], members: Sequence[int]
) -> Mapping[int, tuple[tuple[float, ...], Values]]:
    """Stack lines: positive values upwards from 0, negative values downwards."""
    count = len(lines[0].values)
    above, below = [0.0] * count, [0.0] * count
    found = {}
    for place in members:
        low: list[float] = []
        high: list[float | None] = []
        for at, value in enumerate(lines[place].values):
            if value is None:
                low.append(above[at])
                high.append(None)
                continue
            heap = below if value < 0 else above
            ends = (heap[at], heap[at] + value)
            heap[at] += value
            low.append(min(ends))
            high.append(max(ends))
        found[place] = (tuple(low), tuple(high))
    return found


def _wholes(lines: Sequence[GraphLine]) -> set[tuple[Path, str]]:
    """Return the series that are the total of others."""
    known = {(line.path, line.metric) for line in lines}
    return {(line.path[:-1], line.metric) for line in lines if line.path} & known


def _known(values: Values) -> list[float]:
    return [value for value in values if value is not None]


def _last(path: Path) -> str:
    if not path:
        return "Overall"
    return "Other" if path[-1] == OTHER else path[-1]
