"""What HailWhale asks of a store: the protocol every engine keeps.

The contract is tested in ``tests/store``: the same suite runs on every engine. A store knows keys,
atomic steps and expiry; it knows nothing of HTTP, of periods or of how increments are worked out.
Every method may raise `StoreUnavailable`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from hailwhale.core.events.aggregate import SeriesKey
from hailwhale.core.events.paths import Path
from hailwhale.store.types import (
    AcceptStatus,
    Assignment,
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
    ShardLoad,
    SpiedHits,
    StoreStats,
    ViewData,
)


class Store(Protocol):
    """A place that keeps buffers, plans, cells and known labels, each step atomic in its shard."""

    def declare(self, zone: str, rollups: Sequence[str], now_s: int) -> Mapping[str, int]:
        """Record what the store is made of, or check it against what it was made of.

        Returns the epoch second since which each rollup added later is filled. Raises
        `StoreMismatch` for another zone or a missing rollup.
        """

    def accept(
        self, hits: Sequence[EncodedHit], now_s: int, stamp: ProducerSequence | None = None
    ) -> list[AcceptStatus]:
        """Offer hits to their buffers, each accepted at most once by its id.

        With a stamp also at most once by its number, so that a call of which no answer came can be
        made again, within a week. It holds while a sender makes one call at a time, with rising
        numbers. What was settled by an earlier call is ACCEPTED.
        """

    def admit_root(self, root: str, most: int) -> bool:
        """Whether a root pk is known, or there is room for it among `most`: then it is, now."""

    def admit_names(self, root: str, names: Sequence[str], most: int) -> set[str]:
        """Which of these metrics of a root pk are known, or find room among `most`."""

    def window(self, shard: int, most: int) -> BufferWindow:
        """The oldest `most` hits of a shard, left where they are."""

    def commit(self, step: CommitStep, now_s: int) -> CommitResult:
        """Carry out one step, all of it or nothing."""

    def apply_next(self, shard: int) -> int:
        """Apply the first chunk of a shard's plan, or some: how many; 0 when there is none."""

    def loads(self) -> list[ShardLoad]:
        """The shards in which something waits.

        A store that came back empty is told again what it is made of.
        """

    def read(self, asks: Sequence[CellQuery]) -> list[list[Decimal | None]]:
        """The cells asked for, ask by ask, None where nothing was counted."""

    def sheets(self, views: Sequence[ChildrenView], now_s: float) -> list[ViewData | None]:
        """What views hold: built when they are first asked for, and kept up to date from then on.

        None where an amount does not fit a sheet.
        """

    def drop_views(self, shard: int) -> None:
        """Forget the views of a shard, after cells were erased behind their back."""

    def uniques(self, unions: Sequence[Sequence[ChunkAddress]]) -> list[int]:
        """How many different visitors there are in each union of chunks, of one root pk each.

        The chunks are those that `core.schedule` names for visitors. Estimates, off by 0.81 %.
        """

    def seen(self, root: str, visitor: str | None, most: int) -> SpiedHits:
        """The last hits of a root pk; or those of all visitors whose hashes begin as this one."""

    def erase_seen(self, root: str, hits: Iterable[bytes]) -> None:
        """Delete hits from the spy log of a root pk."""

    def secrets(self, kind: str, names: Sequence[str]) -> list[bytes]:
        """The secrets of these names, made of chance when first asked for; others are forgotten."""

    def children(self, nodes: Sequence[SeriesKey]) -> list[set[str]]:
        """The labels known one level below each (pk, dimension)."""

    def subpks(self, pk: Path) -> set[str]:
        """The labels known one level below a pk; below the empty path, every root pk."""

    def metrics(self, pk: Path) -> set[str]:
        """The names of the metrics that were ever counted under a pk."""

    def keep(
        self,
        pk: Path,
        visitor: str,
        given: Sequence[Assignment],
        options: Sequence[str],
        now_s: int,
        term_s: int,
    ) -> list[Assignment]:
        """What a visitor of a decision is given: what it was before, as far as that is on offer.

        `given` is what it is to get otherwise, as many as it is to have and each option once.
        Whoever does not come for a term (two at the most) is forgotten.
        """

    def forget_kept(self, pk: Path, visitor: str) -> None:
        """Forget what a visitor of a decision was given."""

    def write_journal(self, pk: Path, entries: Sequence[bytes], most: int) -> None:
        """Put entries at the end of a decision's journal, and let go of the oldest past `most`."""

    def journal(self, pk: Path) -> Iterator[bytes]:
        """The entries of a decision's journal, oldest first."""

    def erase_cells(self, chunks: Iterable[ChunkAddress]) -> int:
        """Delete chunks of cells; how many of them there were."""

    def erase_children(self, nodes: Iterable[SeriesKey]) -> None:
        """Delete the sets of labels known below these (pk, dimension), in this order."""

    def forget_label(self, pk: Path, dimension: Path) -> None:
        """Make the last label of a dimension (or, when that is (), of the pk) unknown again."""

    def forget_pk(self, pk: Path) -> None:
        """Delete the set of labels below a pk, what is kept of it as a decision, and for a root pk
        its idempotency ids."""

    def last_block(self, name: str) -> int:
        """The last block of an import that was noted as counted in every shard; 0 if none was."""

    def note_block(self, block: ImportBlock) -> None:
        """Note that a block, and with it all before it, is counted in every shard."""

    def tokens(self) -> dict[str, bytes]:
        """The bearer tokens by id, as they were put."""

    def put_token(self, id: str, record: bytes) -> None:
        """Keep what is to be known of a bearer token."""

    def drop_token(self, id: str) -> bool:
        """Forget a bearer token; whether it was there."""

    def notice(self, name: str) -> bytes:
        """What is written down of an alert or a report; nothing when nothing is."""

    def swap_notice(self, name: str, before: bytes, after: bytes) -> bool:
        """Write it down anew, if what is there is `before`; whether it was."""

    def rate(self, name: str, amount: int, window_s: int) -> tuple[int, int]:
        """Add to what is counted under a name in a window that begins with its first amount.

        The sum in it, and the milliseconds until it ends.
        """

    def note_refused(self, counts: Mapping[str, int]) -> None:
        """Add to the counts of requests refused, by reason."""

    def refused(self) -> dict[str, int]:
        """Requests refused since the store was made, by reason."""

    def dead_letters(self, shard: int) -> list[DeadLetter]:
        """The hits of a shard that could not be parsed, oldest first."""

    def retry_letters(self, shard: int, letters: Sequence[DeadLetter]) -> int:
        """Put dead letters back into the buffer, for a drain to try again; how many were there."""

    def drop_letters(self, shard: int, letters: Sequence[DeadLetter]) -> int:
        """Delete dead letters; how many were there."""

    def vitals(self, now_s: float) -> StoreStats:
        """What waits in all shards, how long it has waited, and the counters of `stats`."""

    def note_requests(self, counts: Mapping[str, int]) -> None:
        """Add to the tallies of requests answered, by a name each."""

    def requests(self) -> dict[str, int]:
        """The tallies of requests answered since the store was made."""

    def stats(self) -> dict[str, int]:
        """Counters since the store was made: accepted, duplicate, drained, dead, folded."""

    def ping(self) -> None:
        """Return when the store answers; raise `StoreUnavailable` when it does not."""

    def close(self) -> None:
        """Let go of connections."""
