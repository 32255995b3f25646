"""The values of the store protocol: hits to accept, steps to commit, and queries.

All are plain and frozen. See `hailwhale.store.protocol` for what a store does with them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from hailwhale.core.events.aggregate import Increments, SeriesKey
from hailwhale.core.events.paths import Path


class AcceptStatus(Enum):
    """The outcome of one hit sent to the buffer."""

    ACCEPTED = 1
    DUPLICATE = 0
    FULL = -1
    SPOOLED = 2  # never from a store: on this machine's disk until the store is available


@dataclass(frozen=True, slots=True)
class EncodedHit:
    """A hit for the buffer: its root pk, its encoded form and its optional id.

    `uid` is set while the hash of its visitor is missing: such a hit must not reach a store.
    """

    root: str
    hit: bytes
    id: str | None = None
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class ProducerSequence:
    """The sender of hits and the number of the first one, so that a call can be repeated.

    A sender numbers all its hits when it first sends them; a repeated hit keeps its number.
    """

    sender: str
    number: int


@dataclass(frozen=True, slots=True)
class BufferWindow:
    """The head of a shard's buffer, and the position at which it was read."""

    position: str
    hits: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A hit that could not be parsed, and the reason."""

    hit: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class CommitCondition:
    """Commit only while the all-time total of a metric is still `expected`."""

    pk: Path
    dimension: Path
    metric: str
    expected: Decimal


@dataclass(frozen=True, slots=True)
class ImportBlock:
    """A numbered part of an import (from 1): a shard counts each at most once, and in order."""

    name: str
    number: int


@dataclass(frozen=True, slots=True)
class SpyEntries:
    """Hits of a step for the spy log, by root pk, oldest first; a list keeps the newest `most`.

    A list that gets no hits for `kept_s` seconds expires.
    """

    hits: Mapping[str, Sequence[bytes]]
    most: int
    kept_s: int


@dataclass(frozen=True, slots=True)
class SpiedHits:
    """Hits of the spy log, oldest first; `number` counts all that the root pk ever had."""

    number: int
    hits: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStep:
    """One atomic step from hits to increments, as `CommitStore.commit` executes it.

    Removes the next `taken` hits, of `taken_bytes` bytes together, after `position` from the buffer
    (none if `position` is None) and adds the `dead` ones to the dead letters. Makes the labels of
    the `increments` known and counts their amounts. `folded` is the number of labels that exceeded
    a limit and went to `_other`, for the statistics. `spied` goes into the spy log. `latest_s` is
    the latest time of an event, in epoch seconds.
    """

    shard: int
    increments: Increments
    position: str | None = None
    taken: int = 0
    taken_bytes: int = 0
    dead: Sequence[DeadLetter] = ()
    id: str | None = None
    guard: CommitCondition | None = None
    block: ImportBlock | None = None
    folded: int = 0
    spied: SpyEntries | None = None
    latest_s: int = 0


class CommitOutcome(Enum):
    """How a commit ended; only COMMITTED changed anything."""

    COMMITTED = "committed"
    STALE = "stale"  # another drain took these hits
    DUPLICATE = "duplicate"  # the id or the block was counted before
    CHANGED = "changed"  # the guarded total has changed
    OVERFLOW = "overflow"  # some labels exceed a limit


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The outcome of a commit; for OVERFLOW also the labels that did not fit, by parent.

    `planned` is the number of chunks added to the shard's plan; 0 if the increments were applied at
    once.
    """

    outcome: CommitOutcome
    labels: Mapping[SeriesKey, Sequence[str]] = field(default_factory=dict)
    sublabels: Mapping[Path, Sequence[str]] = field(default_factory=dict)
    planned: int = 0


@dataclass(frozen=True, slots=True)
class ShardLoad:
    """The backlog of one shard: hits in the buffer, chunks in the plan."""

    shard: int
    buffered: int
    planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """The backlog of all shards together, and the counts since the store was created.

    `deepest` is the length of the longest buffer of a shard. `lag_s` is the longest wait of hits
    for the drain, in seconds. `series` is the number of pks and dimensions of pks. `counts` are
    those of `StatsStore.counts`.
    """

    buffered: int
    deepest: int
    planned: int
    dead_letters: int
    series: int
    lag_s: float
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ChunkAddress:
    """The address of the cells of one (pk, dimension) in one chunk of a rollup."""

    pk: Path
    dimension: Path
    rollup: str
    chunk_start_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenView:
    """A materialized view: one metric of all children of a parent in one chunk of a rollup.

    The children are the dimensions one level below `dimension` in `pk`, or with `of_pks` the pks
    one level below `pk`, each at `dimension`. `width` is the number of buckets of the chunk.
    `expires_s` is when the last of them is no longer kept, in epoch seconds; None means never.
    """

    pk: Path
    dimension: Path
    of_pks: bool
    rollup: str
    chunk_start_s: int
    metric: str
    width: int
    expires_s: int | None

    def child(self, label: str) -> SeriesKey:
        """Return the (pk, dimension) of one child."""
        if self.of_pks:
            return (*self.pk, label), self.dimension
        return self.pk, (*self.dimension, label)


VIEW_DECIMALS = 4  # precision of views: enough for money and counts; cells are exact


@dataclass(frozen=True, slots=True)
class ViewData:
    """The data of a view: a row for each of its `names`, labels that each end with a newline.

    A row has one 64-bit big-endian integer per bucket of the view, an amount in units of
    10^-VIEW_DECIMALS. Rows of zeros may be missing at the end, and there may be rows without a
    name.
    """

    names: bytes
    units: bytes


@dataclass(frozen=True, slots=True)
class CellQuery:
    """The cells to read of one chunk: (bucket index, metric) pairs."""

    chunk: ChunkAddress
    cells: Sequence[tuple[int, str]]


class RateWindow(NamedTuple):
    """The sum of a window of a rate limit, and the milliseconds until the window ends."""

    total: int
    left_ms: int
