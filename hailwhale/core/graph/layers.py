"""What a picture is made of: which series stand on which, on which axis, in which colour.

The same choices as `static/hailwhale/stacking.js` and `scales.js` make in a browser. Values are
floats: what is drawn is a few hundred pixels high. It does not know how anything is written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hailwhale.core.events.overflow import OTHER
from hailwhale.core.events.paths import OVERALL, Path

COLORS = 10
INK, REST = -1, -2  # colours of a whole whose parts are shown, and of the rest
_OTHER_SIZE = 5  # metrics so many times as large as the first get an axis of their own


@dataclass(frozen=True, slots=True)
class GraphLine:
    """A series to draw."""

    path: Path
    metric: str
    additive: bool
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """A series as drawn: `kind` is line, area, band or bar; from `low` to `high` in each bucket.

    `color` is its place in the palette, `slot` its place of `slots` beside each other in a bucket.
    """

    place: int
    kind: str
    low: tuple[float, ...]
    high: tuple[float, ...]
    slot: int = 0
    slots: int = 1


def layers(lines: Sequence[GraphLine], view: str) -> list[Layer]:
    """The layers of a view, in drawing order; what cannot be added up is never piled up."""
    if view in ("stacked", "bar"):
        return _piled(lines, view)
    flat = (0.0,) * (len(lines[0].values) if lines else 0)
    return [Layer(place, view, flat, line.values) for place, line in enumerate(lines)]


def colors(lines: Sequence[GraphLine]) -> list[int]:
    """The colour of each line: a place in the palette, `INK` or `REST`."""
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
    """The shortest texts that tell lines apart: the last label, the path, the metric."""
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
    """The metrics of quite another size than the first: they are measured on the right."""
    sizes: dict[str, float] = {}
    for line in lines:
        sizes[line.metric] = max(sizes.get(line.metric, 0.0), *map(abs, line.values), 0.0)
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
    """Return the range of some layers, and of 0."""
    values = [0.0]
    for layer in some:
        values += (min(layer.low), max(layer.low), min(layer.high), max(layer.high))
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
) -> Mapping[int, tuple[tuple[float, ...], tuple[float, ...]]]:
    """Where each of some lines begins and ends: above 0 upon each other, below 0 beneath."""
    count = len(lines[0].values)
    above, below = [0.0] * count, [0.0] * count
    found = {}
    for place in members:
        low, high = [], []
        for at, value in enumerate(lines[place].values):
            heap = below if value < 0 else above
            ends = (heap[at], heap[at] + value)
            heap[at] += value
            low.append(min(ends))
            high.append(max(ends))
        found[place] = (tuple(low), tuple(high))
    return found


def _wholes(lines: Sequence[GraphLine]) -> set[tuple[Path, str]]:
    """The series that are the whole of others."""
    known = {(line.path, line.metric) for line in lines}
    return {(line.path[:-1], line.metric) for line in lines if line.path} & known


def _last(path: Path) -> str:
    if not path:
        return "Overall"
    return "Other" if path[-1] == OTHER else path[-1]
