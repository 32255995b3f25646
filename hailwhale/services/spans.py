"""Reading the store by periods: which stored cells a span is made of, and its columns of sums.

Owns the way from a period to cells. It does not know what is asked of the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from hailwhale.core.dimensions import Path
from hailwhale.core.formula import ZERO, Bucket
from hailwhale.core.period import Period, serving_rollup, stored_buckets
from hailwhale.core.rollups import Rollup, chunk_of
from hailwhale.core.series import fold
from hailwhale.core.timegrid import Grid
from hailwhale.store.base import Ask, ChunkAddress, Store

Columns = dict[str, list[Decimal]]


@dataclass(frozen=True, slots=True)
class Span:
    """A period at an instant: its buckets, and where the stored ones that make it up lie.

    `starts` are the stored buckets in order; `chunks` tells for each chunk of them its start and
    the indices of its buckets.
    """

    edges: tuple[int, ...]
    buckets: tuple[Bucket, ...]
    rollup: str
    starts: tuple[int, ...]
    chunks: tuple[tuple[int, tuple[int, ...]], ...]


class SpanReader:
    """Turns periods into spans and reads their columns."""

    def __init__(
        self,
        store: Store,
        grid: Grid,
        rollups: Sequence[Rollup],
        since: Mapping[str, int],
        clock: Callable[[], float],
        max_points: int,
    ) -> None:
        self._store = store
        self._grid = grid
        self._rollups = tuple(rollups)
        self._since = since
        self._clock = clock
        self._max_points = max_points

    def span(self, period: Period, grid: Grid | None) -> Span:
        """The span of a period now, in its own time zone, else in `grid`, else in the store's.

        Raises `BadInput` when no rollup can serve it.
        """
        now_s = int(self._clock())
        asked = period.zone_suffix or grid or self._grid
        if period.is_all:
            buckets = (Bucket(0, now_s + 1, asked.days_in_month(now_s)),)
            return Span((0, now_s + 1), buckets, "all", (0,), ((0, (0,)),))
        edges = period.edges(asked, now_s, self._max_points)
        rollup = serving_rollup(
            edges, self._rollups, self._grid, now_s, self._since, asked=period.text
        )
        starts = stored_buckets(edges, rollup, self._grid)
        by_chunk: dict[int, list[int]] = {}
        for start_s in starts:
            chunk = chunk_of(self._grid, rollup, start_s)
            by_chunk.setdefault(chunk.start_s, []).append(chunk.index)
        return Span(
            edges,
            tuple(
                Bucket(start_s, end_s, asked.days_in_month(start_s))
                for start_s, end_s in pairwise(edges)
            ),
            rollup.name,
            starts,
            tuple((start_s, tuple(indices)) for start_s, indices in by_chunk.items()),
        )

    def columns(
        self, pk: Path, dimensions: Sequence[Path], metrics: Sequence[str], span: Span
    ) -> list[Columns]:
        """For each dimension, the zero-filled sums of each metric in each bucket of the span."""
        cells = [
            (start_s, [(index, metric) for index in indices for metric in metrics])
            for start_s, indices in span.chunks
        ]
        asks = [
            Ask(ChunkAddress(pk, dimension, span.rollup, start_s), wanted)
            for dimension in dimensions
            for start_s, wanted in cells
        ]
        answers = self._store.read(asks)
        per_dimension = len(span.chunks)
        return [
            _columns(span, metrics, answers[at : at + per_dimension])
            for at in range(0, len(answers), per_dimension)
        ]


def _columns(
    span: Span, metrics: Sequence[str], answers: Sequence[Sequence[Decimal | None]]
) -> Columns:
    values = [value for answer in answers for value in answer]
    columns: Columns = {}
    for place, metric in enumerate(metrics):
        stored = values[place :: len(metrics)]
        if span.starts == span.edges[:-1]:
            columns[metric] = [value if value is not None else ZERO for value in stored]
        else:
            columns[metric] = fold(span.edges, span.starts, stored)
    return columns
