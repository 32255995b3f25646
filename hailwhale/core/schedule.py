"""The schedule: in which bucket of which rollup an instant is counted, worked out once each.

Pure: it is told the grid, the rollups and now. Frames and moments are compared by identity, since a
schedule makes equal ones once: so they are keys that cost nothing to look up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hailwhale.core.rollups import Rollup, chunk_of, retained, ttl_s
from hailwhale.core.timegrid import Grid


@dataclass(frozen=True, slots=True)
class RollupChunk:
    """A chunk of a rollup; `ttl_s` is how long it lives from now, None for ever."""

    rollup: str
    start_s: int
    ttl_s: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The chunks that an instant falls in, one of each rollup that still retains it."""

    chunks: tuple[RollupChunk, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """The buckets that an instant falls in: their indices in the chunks of the frame."""

    frame: Frame
    indices: tuple[int, ...]


class Schedule:
    """The moments of instants, as seen at `now_s`."""

    def __init__(self, grid: Grid, rollups: Sequence[Rollup], now_s: int) -> None:
        self._grid = grid
        self._rollups = tuple(rollups)
        self._now_s = now_s
        self._by_second: dict[int, Moment] = {}
        self._frames: dict[tuple[RollupChunk, ...], Frame] = {}
        self._moments: dict[tuple[Frame, tuple[int, ...]], Moment] = {}

    def moment(self, at_s: int) -> Moment:
        """The moment of an instant; equal moments are one object."""
        found = self._by_second.get(at_s)
        if found is None:
            found = self._by_second[at_s] = self._fresh(at_s)
        return found

    def _fresh(self, at_s: int) -> Moment:
        chunks: list[RollupChunk] = []
        indices: list[int] = []
        for rollup in self._rollups:
            start_s = 0 if rollup.interval is None else self._grid.floor(at_s, rollup.interval)
            if retained(self._grid, rollup, start_s, self._now_s):
                chunk = chunk_of(self._grid, rollup, start_s)
                ttl = ttl_s(rollup, chunk, self._now_s)
                chunks.append(RollupChunk(rollup.name, chunk.start_s, ttl))
                indices.append(chunk.index)
        frame = self._frames.setdefault(tuple(chunks), Frame(tuple(chunks)))
        key = (frame, tuple(indices))
        return self._moments.setdefault(key, Moment(*key))
