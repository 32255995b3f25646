"""Maps instants to the buckets of every rollup, computed once per bucket.

Pure: the time grid, the rollups and the current time are arguments. Each planner creates a bucket
set once, so bucket sets are compared by identity and are cheap dictionary keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hailwhale.core.time.calendar_grid import DAY_S, Grid, Interval
from hailwhale.core.time.retention import FUTURE_S, retained, ttl_s
from hailwhale.core.time.rollups import Rollup, chunk_of

# Pseudo-rollups that hold visitors: one per day, one for all time.
VISITORS_OF_DAY = "visitors-1d"
VISITORS_EVER = "visitors-all"
VISITORS_KEPT_S = 400 * DAY_S
DAY = Interval(1, "d")


@dataclass(frozen=True, slots=True)
class RollupChunk:
    """Identify a chunk of a rollup; `ttl_s` is its time to live in seconds, None for ever."""

    rollup: str
    start_s: int
    ttl_s: int | None


@dataclass(frozen=True, slots=True, eq=False)
class ChunkSet:
    """List the chunks that hold an instant, one per rollup that still retains it."""

    chunks: tuple[RollupChunk, ...]


@dataclass(frozen=True, slots=True, eq=False)
class BucketSet:
    """List the buckets that hold an instant, by their index in each chunk of the chunk set."""

    frame: ChunkSet
    indices: tuple[int, ...]


class BucketPlanner:
    """Map instants to bucket sets, with retention judged at `now_s`."""

    def __init__(self, grid: Grid, rollups: Sequence[Rollup], now_s: int) -> None:
        self._grid = grid
        self._rollups = tuple(rollups)
        self._now_s = now_s
        self._by_second: dict[int, BucketSet] = {}
        self._frames: dict[tuple[RollupChunk, ...], ChunkSet] = {}
        self._moments: dict[tuple[ChunkSet, tuple[int, ...]], BucketSet] = {}
        self._days: dict[int, ChunkSet] = {}
        self._frames_of_visitors: dict[int, ChunkSet] = {}  # by second

    def moment(self, at_s: int) -> BucketSet:
        """Return the bucket set of an instant; equal sets are the same object."""
        found = self._by_second.get(at_s)
        if found is None:
            found = self._by_second[at_s] = self._fresh(at_s)
        return found

    def visitors(self, at_s: int) -> ChunkSet:
        """Return the chunks that store a visitor: by day while days are kept, and for ever."""
        found = self._frames_of_visitors.get(at_s)
        if found is None:
            found = self._frames_of_visitors[at_s] = self._day(self._grid.floor(at_s, DAY))
        return found

    def _day(self, start_s: int) -> ChunkSet:
        found = self._days.get(start_s)
        if found is None:
            chunks = [RollupChunk(VISITORS_EVER, 0, None)]
            left_s = self._grid.next(start_s, DAY) + VISITORS_KEPT_S - self._now_s
            if left_s > 0:
                chunks.insert(0, RollupChunk(VISITORS_OF_DAY, start_s, left_s))
            found = self._days[start_s] = ChunkSet(tuple(chunks))
        return found

    def _fresh(self, at_s: int) -> BucketSet:
        chunks: list[RollupChunk] = []
        indices: list[int] = []
        for rollup in self._rollups:
            start_s = 0 if rollup.interval is None else self._grid.floor(at_s, rollup.interval)
            if retained(self._grid, rollup, start_s, self._now_s):
                chunk = chunk_of(self._grid, rollup, start_s)
                ttl = ttl_s(rollup, chunk, self._now_s)
                chunks.append(RollupChunk(rollup.name, chunk.start_s, ttl))
                indices.append(chunk.index)
        frame = self._frames.setdefault(tuple(chunks), ChunkSet(tuple(chunks)))
        key = (frame, tuple(indices))
        return self._moments.setdefault(key, BucketSet(*key))


class VisitorChunk(NamedTuple):
    """Where visitors are kept: the name of their rollup, and the start of a chunk of it."""

    rollup: str
    start_s: int


def visitors_kept(grid: Grid, now_s: int) -> list[VisitorChunk]:
    """List every chunk that may hold visitors now, as (name, start) pairs.

    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> kept = visitors_kept(UTC, 1_767_225_600)
    >>> len(kept), kept[0]
    (404, VisitorChunk(rollup='visitors-all', start_s=0))
    >>> kept[-1]
    VisitorChunk(rollup='visitors-1d', start_s=1767312000)
    """
    kept = [VisitorChunk(VISITORS_EVER, 0)]
    day_s = grid.floor(now_s - VISITORS_KEPT_S - DAY_S, DAY)
    while day_s <= now_s + FUTURE_S:
        kept.append(VisitorChunk(VISITORS_OF_DAY, day_s))
        day_s = grid.next(day_s, DAY)
    return kept
