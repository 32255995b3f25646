"""The protocol of a store: an object with parts, one for each capability.

Each part has a contract suite in ``tests/store`` that runs on every engine, so an engine may
replace a single part. A part knows keys, atomic steps and expiry. It knows nothing of HTTP,
periods, or how increments are computed. Every method may raise `StoreUnavailable`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from hailwhale.core.decisions import Assignment
from hailwhale.core.events.aggregate import SeriesKey
from hailwhale.core.events.paths import Path
from hailwhale.store.types import (
    AcceptStatus,
    BufferWindow,
    CellQuery,
    ChildrenView,
    ChunkAddress,
    CommitResult,
    CommitStep,
    DeadLetter,
    EncodedHit,
    ImportBlock,
    ProducerSequence,
    RateWindow,
    ShardLoad,
    SpiedHits,
    StoreStats,
    ViewData,
)


class SchemaStore(Protocol):
    """The schema: the time zone and the rollups that all cells are counted in."""

    def declare(self, zone: str, rollups: Sequence[str], now_s: int) -> Mapping[str, int]:
        """Record the schema of an empty store, or check it against the recorded one.

        Returns the epoch second since which each rollup added later is filled: processes that do
        not count in it can commit nothing from then on. Raises `StoreMismatch` for another zone, a
        missing rollup or data in a format that is not read.
        """

    def confirm(self) -> None:
        """Raise `StoreMismatch` if rollups were added since this process declared its own."""


class BufferStore(Protocol):
    """The buffers: accepted hits that wait to be counted, one list per shard."""

    def accept(
        self, hits: Sequence[EncodedHit], now_s: int, stamp: ProducerSequence | None = None
    ) -> list[AcceptStatus]:
        """Append hits to their buffers, each accepted at most once by its id.

        With a stamp each is also accepted at most once by its number. So a sender that got no
        answer may repeat the call within a week, if it makes one call at a time with ascending
        numbers. A hit that an earlier call already processed is ACCEPTED.
        """

    def window(self, shard: int, most: int) -> BufferWindow:
        """Read the oldest `most` hits of a shard without removing them."""

    def forget_ids(self, root: str) -> None:
        """Delete the idempotency ids of a root pk."""


class CommitStore(Protocol):
    """The write path from hits to cells: steps, and the plan of batches that they leave."""

    def commit(self, step: CommitStep, now_s: int) -> CommitResult:
        """Execute one step, completely or not at all.

        Raises `StoreMismatch` if rollups were added since this process declared its own.
        """

    def apply_next(self, shard: int) -> int:
        """Apply the first batches of a shard's plan; return how many, 0 if none is left."""


class CellStore(Protocol):
    """The cells: sums by bucket and metric, in chunks."""

    def read(self, asks: Sequence[CellQuery]) -> list[list[Decimal | None]]:
        """Read cells, query by query; None where nothing was counted."""

    def erase(self, chunks: Iterable[ChunkAddress]) -> int:
        """Delete chunks of cells or visitors; return how many of them existed."""


class LabelStore(Protocol):
    """The known labels: what exists below each pk and dimension."""

    def children(self, nodes: Sequence[SeriesKey]) -> list[set[str]]:
        """Return the labels known one level below each (pk, dimension)."""

    def sizes(self, nodes: Sequence[SeriesKey]) -> list[int]:
        """Return the number of labels known one level below each (pk, dimension)."""

    def sizes_of_subpks(self, pks: Sequence[Path]) -> list[int]:
        """Return the number of labels known one level below each pk, none of which is empty."""

    def subpks(self, pk: Path) -> set[str]:
        """Return the labels known one level below a pk; below the empty path, every root pk."""

    def metrics(self, pk: Path) -> set[str]:
        """Return the names of the metrics that were ever counted under a pk."""

    def erase_children(self, nodes: Iterable[SeriesKey]) -> None:
        """Delete the sets of labels known below these (pk, dimension), in this order."""

    def erase_subpks(self, pks: Iterable[Path]) -> None:
        """Delete the sets of labels known below these pks, in this order."""

    def forget(self, pk: Path, dimension: Path) -> None:
        """Remove the last label of a dimension (or of the pk, if it is ()) from the known ones."""


class CardinalityStore(Protocol):
    """The limits on root pks and on the metrics of each."""

    def admit_root(self, root: str, most: int) -> bool:
        """Admit a root pk that is known or fits among `most`; return whether it was."""

    def admit_names(self, root: str, names: Sequence[str], most: int) -> set[str]:
        """Admit those metrics of a root pk that are known or fit among `most`; return them."""

    def forget(self, root: str) -> None:
        """Remove a root pk and its metrics from those admitted."""


class ViewStore(Protocol):
    """The materialized views: one metric of all children of a parent, kept up to date."""

    def read(self, views: Sequence[ChildrenView], now_s: float) -> list[ViewData | None]:
        """Read views, building each at its first read; None where an amount does not fit."""

    def drop(self, shard: int) -> None:
        """Drop the views of a shard, because cells were erased without updating them."""


class VisitorStore(Protocol):
    """The visitor counts: a sketch of distinct visitors for each chunk."""

    def uniques(self, unions: Sequence[Sequence[ChunkAddress]]) -> list[int]:
        """Count distinct visitors in each union of chunks, of one root pk each.

        The chunks are those that `core.time.bucketing` names for visitors. Estimates, with a
        standard error of 0.81 %.
        """


class SecretStore(Protocol):
    """The secrets that visitors are hashed with."""

    def get(self, kind: str, names: Sequence[str]) -> list[bytes]:
        """Return the secrets of these names, random at first; delete others of the kind."""


class SpyStore(Protocol):
    """The log of the most recent hits of each root pk."""

    def read(self, root: str, visitor: str | None, most: int) -> SpiedHits:
        """Read the newest hits of a root pk, or of all visitors whose hash starts like this one."""

    def erase(self, root: str, hits: Iterable[bytes]) -> None:
        """Delete hits of a root pk."""

    def forget(self, root: str) -> None:
        """Delete all hits of a root pk."""


class AssignmentStore(Protocol):
    """The options that visitors of a decision were given."""

    def keep(
        self,
        pk: Path,
        visitor: str,
        given: Sequence[Assignment],
        options: Sequence[str],
        now_s: int,
        term_s: int,
    ) -> list[Assignment]:
        """Return a visitor's assignments: previous options still offered, then new ones.

        `given` are the new ones, as many as the visitor is to have and each option once.
        Assignments expire after one to two terms without a visit.
        """

    def forget_visitor(self, pk: Path, visitor: str) -> None:
        """Delete the assignments of one visitor."""

    def forget(self, pks: Iterable[Path]) -> None:
        """Delete the assignments of all visitors of these decisions."""


class JournalStore(Protocol):
    """The journals of decisions: bounded lists of entries."""

    def append(self, pk: Path, entries: Sequence[bytes], most: int) -> None:
        """Append entries to a decision's journal and trim it to the newest `most`."""

    def read(self, pk: Path) -> Iterator[bytes]:
        """Read the entries of a decision's journal, oldest first."""

    def forget(self, pks: Iterable[Path]) -> None:
        """Delete the journals of these decisions."""


class ImportStore(Protocol):
    """The progress of imports."""

    def last_block(self, name: str) -> int:
        """Return the last block of an import recorded as counted in every shard, or 0."""

    def note_block(self, block: ImportBlock) -> None:
        """Record that a block and all before it are counted in every shard."""


class TokenStore(Protocol):
    """The records of bearer tokens, by id."""

    def all(self) -> dict[str, bytes]:
        """Return all records as they were put."""

    def put(self, id: str, record: bytes) -> None:
        """Write the record of a token."""

    def drop(self, id: str) -> bool:
        """Delete the record of a token; return whether it existed."""


class RateStore(Protocol):
    """The fixed windows of rate limits."""

    def add(self, name: str, amount: int, window_s: int) -> RateWindow:
        """Add to the sum of a name in a window that begins with its first amount."""


class AlertStateStore(Protocol):
    """The state of alerts and reports, updated by compare-and-set."""

    def read(self, name: str) -> bytes:
        """Return the state of an alert or a report, empty if none was written."""

    def swap(self, name: str, before: bytes, after: bytes) -> bool:
        """Write a state if the current one is `before`; return whether it was."""


class DeadLetterStore(Protocol):
    """The dead letters: hits that could not be parsed."""

    def read(self, shard: int) -> list[DeadLetter]:
        """Return the dead letters of a shard, oldest first."""

    def retry(self, shard: int, letters: Sequence[DeadLetter]) -> int:
        """Move dead letters back into the buffer; return how many existed."""

    def drop(self, shard: int, letters: Sequence[DeadLetter]) -> int:
        """Delete dead letters; return how many existed."""


class StatsStore(Protocol):
    """Statistics of the write path."""

    def loads(self) -> list[ShardLoad]:
        """Return the shards that have hits or chunks waiting.

        Records the schema again in a store that came back empty.
        """

    def vitals(self) -> StoreStats:
        """Return the backlog of all shards, how long it has waited, and the counts.

        The time is the store's own, because the clocks of its callers may be hours apart.
        """

    def counts(self) -> dict[str, int]:
        """Return counts since the store was created: accepted, duplicate, drained, dead, folded."""


class RequestStatsStore(Protocol):
    """Counts of requests since the store was created."""

    def add_answered(self, counts: Mapping[str, int]) -> None:
        """Add to the counts of requests answered, by name."""

    def answered(self) -> dict[str, int]:
        """Return the counts of requests answered, by name."""

    def add_refused(self, counts: Mapping[str, int]) -> None:
        """Add to the counts of requests refused, by reason."""

    def refused(self) -> dict[str, int]:
        """Return the counts of requests refused, by reason."""


class Store(Protocol):
    """A store: its parts, and the connection that they share.

    Any part may be replaced by another object with its protocol. The exception is `views`, which
    the steps of `commits` keep up to date: these two belong together.
    """

    schema: SchemaStore
    buffers: BufferStore
    commits: CommitStore
    cells: CellStore
    labels: LabelStore
    cardinality: CardinalityStore
    views: ViewStore
    visitors: VisitorStore
    secrets: SecretStore
    spy_log: SpyStore
    assignments: AssignmentStore
    journals: JournalStore
    imports: ImportStore
    tokens: TokenStore
    rates: RateStore
    alert_state: AlertStateStore
    dead_letters: DeadLetterStore
    stats: StatsStore
    request_stats: RequestStatsStore

    def ping(self) -> None:
        """Return if the store answers; raise `StoreUnavailable` if it does not."""

    def close(self) -> None:
        """Close all connections."""
