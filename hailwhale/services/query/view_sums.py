"""Vectorised sums of many siblings, read from materialized views.

Sums are exact: whole numbers of a view's smallest unit. Knows nothing of what they are compared
for. Where a view has no answer, the caller reads the cells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np

from hailwhale.core.events.paths import Path
from hailwhale.core.time.calendar_grid import Grid
from hailwhale.core.time.retention import ChunkExtent, chunk_extent
from hailwhale.core.time.rollups import Rollup
from hailwhale.services.query.ranges import ResolvedRange
from hailwhale.store.protocol import ViewStore
from hailwhale.store.types import VIEW_DECIMALS, ChildrenView, ViewData

_LARGEST = 2**62  # sums below it cannot have overflowed
_WHOLE = 10**VIEW_DECIMALS
_BY_UNIT = np.dtype(">i8")


class ViewSums:
    """Read the sums of all children of a parent."""

    def __init__(
        self, views: ViewStore, grid: Grid, rollups: Sequence[Rollup], clock: Callable[[], float]
    ) -> None:
        self._views = views
        self._grid = grid
        self._rollups = {rollup.name: rollup for rollup in rollups}
        self._clock = clock

    def sums(
        self,
        pk: Path,
        dimension: Path,
        labels: Sequence[str],
        metrics: Sequence[str],
        span: ResolvedRange,
        *,
        of_pks: bool,
    ) -> dict[str, list[Decimal]] | None:
        """Return by metric the sum of each label over the range; None if views have no answer.

        The labels are the children that a `ChildrenView` has: those of (pk, dimension), or of `pk`.
        """
        extents = {start_s: self._extent(span, start_s) for start_s, _ in span.chunks}
        views = [
            ChildrenView(
                pk=pk,
                dimension=dimension,
                of_pks=of_pks,
                rollup=span.rollup,
                chunk_start_s=start_s,
                metric=metric,
                width=extents[start_s].width,
                expires_s=extents[start_s].expires_s,
            )
            for metric in metrics
            for start_s, _ in span.chunks
        ]
        sheets = self._views.read(views, self._clock())
        align = _Alignment(labels)
        found: dict[str, list[Decimal]] = {}
        for number, metric in enumerate(metrics):
            mine = slice(number * len(span.chunks), (number + 1) * len(span.chunks))
            totals = _totals(sheets[mine], views[mine], span, align)
            if totals is None:
                return None
            found[metric] = _amounts(totals)
        return found

    def _extent(self, span: ResolvedRange, chunk_start_s: int) -> ChunkExtent:
        return chunk_extent(self._grid, self._rollups[span.rollup], chunk_start_s)


class _Alignment:
    """Map the rows of views to indices in a list of labels; cached by the names of a view."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = labels
        self._known: dict[bytes, Any] = {}

    @cached_property
    def _places(self) -> dict[str, int]:
        return {label: place for place, label in enumerate(self.labels)}

    def places(self, names: bytes) -> Any:
        """Return the index of each name; the one past the end for labels not requested."""
        found = self._known.get(names)
        if found is None:
            found = self._known[names] = self._placed(names.decode().split("\n")[:-1])
        return found

    def _placed(self, names: list[str]) -> Any:
        if names == self.labels:  # usual case: no label was added since the view was built
            return np.arange(len(names))
        place, nowhere = self._places.get, len(self.labels)
        return np.array([place(name, nowhere) for name in names], np.intp)


def _totals(
    sheets: Sequence[ViewData | None],
    views: Sequence[ChildrenView],
    span: ResolvedRange,
    align: _Alignment,
) -> Any:
    """Return the sums of one metric in units over the views of all chunks, in label order.

    Returns None if a view is missing or a sum could overflow.
    """
    totals = np.zeros(len(align.labels) + 1, np.int64)
    for sheet, view, (_, indices) in zip(sheets, views, span.chunks, strict=True):
        if sheet is None:
            return None
        places = align.places(sheet.names)
        rows = _rows(sheet.units, len(places), view.width)[:, list(indices)]
        if rows.size and max(abs(int(rows.max())), abs(int(rows.min()))) * rows.shape[1] > _LARGEST:
            return None
        totals[places] += rows.sum(axis=1)
        if int(np.abs(totals).max()) > _LARGEST // 2:
            return None
    return totals[:-1]


def _amounts(units: Any) -> list[Decimal]:
    if not np.any(units % _WHOLE):
        return list(map(Decimal, (units // _WHOLE).tolist()))
    return list(map(Decimal.scaleb, map(Decimal, units.tolist()), repeat(-VIEW_DECIMALS)))


def _rows(units: bytes, count: int, width: int) -> Any:
    """Return the units of a view as an array of `count` rows, padded with zeros."""
    found = np.frombuffer(units, _BY_UNIT, len(units) // _BY_UNIT.itemsize)[: count * width]
    found = found.astype(np.int64)
    if len(found) < count * width:
        found = np.concatenate([found, np.zeros(count * width - len(found), np.int64)])
    return found.reshape(count, width)
