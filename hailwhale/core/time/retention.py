"""Retention: computes until when buckets are kept, and which chunks may hold any.

A bucket is kept until its end and the retention of its rollup are past. Knows the time grid and the
rollups; nothing of stores, events or queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from hailwhale.core.time.calendar_grid import DAY_S, MIN_S, Grid
from hailwhale.core.time.rollups import Chunk, Rollup, chunk_interval, chunk_of

FUTURE_S = DAY_S  # events may lie this far ahead of now


class ChunkExtent(NamedTuple):
    """The number of buckets in a chunk, and when its last one expires (None: never)."""

    width: int
    expires_s: int | None


def retained(grid: Grid, rollup: Rollup, bucket_start_s: int, now_s: int) -> bool:
    """Return whether a bucket is still kept: until its end and the retention are past."""
    if rollup.interval is None or rollup.retention_s is None:
        return True
    return grid.next(bucket_start_s, rollup.interval) + rollup.retention_s > now_s


def ttl_s(rollup: Rollup, chunk: Chunk, now_s: int) -> int | None:
    """Return the seconds until the last bucket of a chunk expires, at least 1; None if never."""
    if chunk.end_s is None or rollup.retention_s is None:
        return None
    return max(chunk.end_s + rollup.retention_s - now_s, 1)


def chunks_kept(grid: Grid, rollup: Rollup, now_s: int) -> Iterator[int]:
    """Return the starts of the chunks that may hold cells now, oldest first, up to a day ahead.

    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> list(chunks_kept(UTC, Rollup.parse("1d:1mo"), 1_767_225_600))
    [1761955200, 1764547200, 1767225600]
    """
    if rollup.interval is None or rollup.retention_s is None:
        yield 0
        return
    oldest_s = grid.floor(max(now_s - rollup.retention_s, MIN_S), rollup.interval)
    first_s = chunk_of(grid, rollup, oldest_s).start_s
    yield from grid.starts(first_s, now_s + FUTURE_S + 1, chunk_interval(rollup.interval))


def chunk_extent(grid: Grid, rollup: Rollup, chunk_start_s: int) -> ChunkExtent:
    """Return the extent of the chunk of `rollup` that begins at `chunk_start_s`.

    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> chunk_extent(UTC, Rollup.parse("1d:1y"), 1_767_225_600)  # January
    ChunkExtent(width=31, expires_s=1801533600)
    """
    if rollup.interval is None:
        return ChunkExtent(1, None)
    last_s = grid.next(chunk_start_s, chunk_interval(rollup.interval)) - 1
    last = chunk_of(grid, rollup, grid.floor(last_s, rollup.interval))
    if last.end_s is None or rollup.retention_s is None:
        return ChunkExtent(last.index + 1, None)
    return ChunkExtent(last.index + 1, last.end_s + rollup.retention_s)
