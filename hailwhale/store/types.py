"""The values that a store speaks in: hits on their way in, steps, and what questions are about.

Plain and frozen; what a store does with them is for `hailwhale.store.protocol` to say.
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
    """What became of one hit that was offered to the buffer."""

    ACCEPTED = 1
    DUPLICATE = 0
    FULL = -1
    SPOOLED = 2  # never from a store: kept on this machine's disk until the store is back


@dataclass(frozen=True, slots=True)
class EncodedHit:
    """A hit on its way into the buffer: its root pk, its encoded form and its optional id."""

    root: str
    hit: bytes
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ProducerSequence:
    """Who offers hits, and the number of the first: what makes it harmless to offer them again.

    All hits of a sender are numbered as they are first offered, and keep their number after that.
    """

    sender: str
    number: int


@dataclass(frozen=True, slots=True)
class BufferWindow:
    """The head of a shard's buffer as it was read, and the position it was read at."""

    position: str
    hits: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A hit that could not be parsed, and why."""

    hit: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class CommitCondition:
    """Commit only while the total ever counted of a metric is still `expected`."""

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
    """Hits of a step for the spy log, by root pk, oldest first; each list keeps the last `most`.

    A list that gets none for `kept_s` seconds is forgotten.
    """

    hits: Mapping[str, Sequence[bytes]]
    most: int
    kept_s: int


@dataclass(frozen=True, slots=True)
class SpiedHits:
    """Hits of the spy log, oldest first; `number` is how many the root pk was ever given."""

    number: int
    hits: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStep:
    """One atomic step from hits to increments, as `CommitStore.commit` takes it.

    Hits up to `position` + `taken` leave the buffer (none when `position` is None), `dead` ones go
    to the dead letters, the labels of the `increments` become known and their amounts are counted.
    `folded` is how many labels were past max_children and went to `_other`, for the statistics.
    `spied` goes into the spy log.
    """

    shard: int
    increments: Increments
    position: str | None = None
    taken: int = 0
    dead: Sequence[DeadLetter] = ()
    id: str | None = None
    guard: CommitCondition | None = None
    block: ImportBlock | None = None
    folded: int = 0
    spied: SpyEntries | None = None


class CommitOutcome(Enum):
    """How a commit ended; only COMMITTED changed anything."""

    COMMITTED = "committed"
    STALE = "stale"  # another drain took these hits
    DUPLICATE = "duplicate"  # the id or the block was counted before
    CHANGED = "changed"  # the guarded total is another one now
    OVERFLOW = "overflow"  # some labels are past max_children


@dataclass(frozen=True, slots=True)
class CommitResult:
    """The outcome of a commit, and for OVERFLOW the labels that did not fit and where.

    `planned` is how many chunks the shard's plan got: 0 where the increments were applied at once.
    """

    outcome: CommitOutcome
    labels: Mapping[SeriesKey, Sequence[str]] = field(default_factory=dict)
    sublabels: Mapping[Path, Sequence[str]] = field(default_factory=dict)
    planned: int = 0


@dataclass(frozen=True, slots=True)
class ShardLoad:
    """What waits in one shard: hits in the buffer, chunks in the plan."""

    shard: int
    buffered: int
    planned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """What waits in all shards together, and what was counted since the store was made.

    `deepest` is the longest buffer of a shard, `lag_s` how long hits wait for the drain where they
    wait longest, in seconds; `series` how many pks and dimensions of pks there are; `counts` are
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
    """Where the cells of one (pk, dimension) lie for one chunk of a rollup."""

    pk: Path
    dimension: Path
    rollup: str
    chunk_start_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenView:
    """Siblings side by side: one metric of all children of a parent in one chunk of a rollup.

    The children are the dimensions one level below `dimension` in `pk`, or with `of_pks` the pks
    one level below `pk`, each at `dimension`. `width` is how many buckets the chunk has, and
    `expires_s` when the last of them is no longer kept, in epoch seconds (None: never).
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
        """The (pk, dimension) of one child."""
        if self.of_pks:
            return (*self.pk, label), self.dimension
        return self.pk, (*self.dimension, label)


VIEW_DECIMALS = 4  # what views hold: money and counts; the cells hold everything


@dataclass(frozen=True, slots=True)
class ViewData:
    """What a view holds: a row for each of its `names`, which are labels with a newline after each.

    A row is as many 64-bit big-endian integers as the view is wide, amounts in units of
    10^-VIEW_DECIMALS; rows of zeros may be missing at the end, and rows without a name be there.
    """

    names: bytes
    units: bytes


@dataclass(frozen=True, slots=True)
class CellQuery:
    """The cells wanted of one chunk: (bucket index, metric) pairs."""

    chunk: ChunkAddress
    cells: Sequence[tuple[int, str]]


class RateWindow(NamedTuple):
    """The sum of a window of a rate limit, and the milliseconds until the window ends."""

    total: int
    left_ms: int
