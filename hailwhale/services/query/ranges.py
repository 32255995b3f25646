"""Resolves periods to stored cells, and reads their columns of sums.

Knows nothing of what the sums are used for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext
from functools import lru_cache
from itertools import chain, islice, pairwise

from hailwhale.core.events.aggregate import SeriesKey
from hailwhale.core.events.metrics import UNIQUES
from hailwhale.core.query.arithmetic import EXACT, ZERO
from hailwhale.core.query.bucket_lengths import Bucket
from hailwhale.core.query.columns import sums_of
from hailwhale.core.query.cost import CHUNK_CELLS, SKETCH_CELLS
from hailwhale.core.query.resample import fold
from hailwhale.core.time.calendar_grid import DAY_S, Grid
from hailwhale.core.time.period import Period
from hailwhale.core.time.rollup_selection import select_rollup, stored_buckets
from hailwhale.core.time.rollups import Rollup, chunk_of
from hailwhale.services.query.uniques import UniquesReader
from hailwhale.store.protocol import CellStore, VisitorStore
from hailwhale.store.types import CellQuery, ChunkAddress

SeriesColumns = dict[str, list[Decimal]]

_NODES_AT_ONCE = 500  # nodes whose values are in memory together


@dataclass(frozen=True, slots=True)
class ResolvedRange:
    """A period at an instant: its buckets, and the stored buckets that they consist of.

    `starts` are the stored buckets in order. `chunks` are their chunks, each with its start and the
    indices of its buckets. `days` are the edges of the whole days covered, None if there are none.
    """

    edges: tuple[int, ...]
    buckets: tuple[Bucket, ...]
    rollup: str
    starts: tuple[int, ...]
    chunks: tuple[tuple[int, tuple[int, ...]], ...]
    days: tuple[int, int] | None = None

    def cells(self, metrics: Sequence[str], *, whole: bool = False) -> int:
        """Return what it costs to read the columns of metrics of one series; see `core.query.cost`.

        With `whole` visitors are counted only over all buckets together.
        """
        stored = [metric for metric in metrics if metric != UNIQUES]
        cells = len(stored) * len(self.starts) + (len(self.chunks) * CHUNK_CELLS if stored else 0)
        if len(stored) < len(metrics):
            days = 1 + (0 if self.rollup == "all" else (self.edges[-1] - self.edges[0]) // DAY_S)
            cells += days * SKETCH_CELLS * (1 if whole or len(self.buckets) == 1 else 2)
        return cells


class RangeReader:
    """Resolve periods to ranges and read their columns."""

    def __init__(
        self,
        *,
        cells: CellStore,
        visitors: VisitorStore,
        grid: Grid,
        rollups: Sequence[Rollup],
        since: Mapping[str, int],
        clock: Callable[[], float],
        max_points: int,
    ) -> None:
        self._cells = cells
        self._grid = grid
        self._rollups = tuple(rollups)
        self._since = since
        self._clock = clock
        self._max_points = max_points
        self._visits = UniquesReader(visitors, grid, clock)

    def span(self, period: Period, grid: Grid | None) -> ResolvedRange:
        """Return the range of a period now, in its own time zone, else `grid`, else the store's.

        Raises `BadInput` if no rollup can serve it.
        """
        now_s = int(self._clock())
        asked = self.calendar(period, grid)
        if period.is_all:
            ever = Bucket(0, now_s + 1, grid=None)  # nothing tells when it began
            return ResolvedRange((0, now_s + 1), (ever,), "all", (0,), ((0, (0,)),))
        edges = period.edges(asked, now_s, self._max_points)
        rollup = select_rollup(
            edges, self._rollups, self._grid, now_s, self._since, asked=period.text
        )
        buckets = _passed(_buckets(edges, asked), now_s + 1)
        starts, chunks = _stored_places(edges, rollup, self._grid)
        return ResolvedRange(edges, buckets, rollup.name, starts, chunks, period.days(asked, edges))

    def calendar(self, period: Period, grid: Grid | None) -> Grid:
        """Return the calendar of a period: its own, else `grid`, else the store's."""
        return period.zone_suffix or grid or self._grid

    def columns(
        self,
        nodes: Iterable[SeriesKey],
        metrics: Sequence[str],
        span: ResolvedRange,
        *,
        whole: bool = False,
    ) -> Iterator[SeriesColumns]:
        """Yield for each (pk, dimension) the zero-filled sums of each metric by bucket.

        With `whole` visitors are counted only over all buckets together.
        """
        if UNIQUES in metrics:
            yield from self._with_uniques(nodes, metrics, span, whole=whole)
            return
        for stored in self._stored(nodes, metrics, span):
            yield {
                metric: _in_buckets(span, values)
                for metric, values in zip(metrics, stored, strict=True)
            }

    def sums(
        self, nodes: Iterable[SeriesKey], metrics: Sequence[str], span: ResolvedRange
    ) -> Iterator[list[Decimal]]:
        """Yield for each (pk, dimension) the sum of each metric over the whole range."""
        if UNIQUES in metrics:
            for columns in self._with_uniques(nodes, metrics, span, whole=True):
                known = sums_of(columns, metrics)
                yield [known[metric] for metric in metrics]
            return
        for stored in self._stored(nodes, metrics, span):
            with localcontext(EXACT):
                sums = [sum(filter(None, values), ZERO) for values in stored]
            yield sums

    def _with_uniques(
        self,
        nodes: Iterable[SeriesKey],
        metrics: Sequence[str],
        span: ResolvedRange,
        *,
        whole: bool = False,
    ) -> Iterator[SeriesColumns]:
        """Yield columns as `columns` does, including the numbers of visitors.

        With `whole` visitors are counted only over all buckets together.
        """
        others = [metric for metric in metrics if metric != UNIQUES]
        rest = iter(nodes)
        while some := list(islice(rest, _NODES_AT_ONCE)):
            edges = span.days if whole and span.days else span.edges
            uniques = self._visits.columns(some, edges, span.rollup == "all", whole=whole)
            if others:
                for columns, column in zip(self.columns(some, others, span), uniques, strict=True):
                    yield {**columns, UNIQUES: column}
            else:
                for column in uniques:
                    yield {UNIQUES: column}

    def _stored(
        self, nodes: Iterable[SeriesKey], metrics: Sequence[str], span: ResolvedRange
    ) -> Iterator[list[list[Decimal | None]]]:
        """Yield the values of the stored buckets, in order, by (pk, dimension) and metric."""
        cells = [
            (start_s, [(index, metric) for index in indices for metric in metrics])
            for start_s, indices in span.chunks
        ]
        rest = iter(nodes)
        while some := list(islice(rest, _NODES_AT_ONCE)):
            asks = [
                CellQuery(ChunkAddress(pk, dimension, span.rollup, start_s), wanted)
                for pk, dimension in some
                for start_s, wanted in cells
            ]
            answers = iter(self._cells.read(asks))
            for _ in some:
                values = list(chain.from_iterable(islice(answers, len(cells))))
                yield [values[place :: len(metrics)] for place in range(len(metrics))]


# Cached: the same periods are requested repeatedly and have the same edges until a bucket ends;
# computing these took a fourth of an answer's time.
@lru_cache(maxsize=128)
def _buckets(edges: tuple[int, ...], asked: Grid) -> tuple[Bucket, ...]:
    return tuple([Bucket(start_s, end_s, asked) for start_s, end_s in pairwise(edges)])


def _passed(buckets: tuple[Bucket, ...], now_s: int) -> tuple[Bucket, ...]:
    """Return the buckets as far as they have passed: one that is running ends now."""
    over = bisect_right(buckets, now_s, key=lambda each: each.end_s)
    return (*buckets[:over], *(replace(each, end_s=now_s) for each in buckets[over:]))


@lru_cache(maxsize=128)
def _stored_places(
    edges: tuple[int, ...], rollup: Rollup, stored: Grid
) -> tuple[tuple[int, ...], tuple[tuple[int, tuple[int, ...]], ...]]:
    """Return the stored buckets of a period and their chunks; see `ResolvedRange`."""
    starts = stored_buckets(edges, rollup, stored)
    by_chunk: dict[int, list[int]] = {}
    for start_s in starts:
        chunk = chunk_of(stored, rollup, start_s)
        by_chunk.setdefault(chunk.start_s, []).append(chunk.index)
    chunks = [(start_s, tuple(indices)) for start_s, indices in by_chunk.items()]
    return starts, tuple(chunks)


def _in_buckets(span: ResolvedRange, stored: Sequence[Decimal | None]) -> list[Decimal]:
    if span.starts == span.edges[:-1]:
        return [value if value is not None else ZERO for value in stored]
    return fold(span.edges, span.starts, stored)
