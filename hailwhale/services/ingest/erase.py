"""Erases a pk with its descendants, or one dimension of them.

Cells are erased first and the sets of known labels last, deepest first. So an interrupted erasure
can be repeated: until it ends, everything can still be found. The sums of the ancestors stay: a
total does not change because a part of it is erased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from hailwhale.core.events.paths import Path
from hailwhale.core.time.bucketing import VISITORS_EVER, visitors_kept
from hailwhale.core.time.calendar_grid import Grid
from hailwhale.core.time.retention import chunks_kept
from hailwhale.core.time.rollups import Rollup
from hailwhale.services.ingest.drain import Drain
from hailwhale.services.ingest.spy_log import RecentEvents
from hailwhale.store.protocol import Store
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.types import ChunkAddress

Node = tuple[Path, Path]


class Erased(NamedTuple):
    """How many chunks of cells were erased, and of how many pks: the one asked and those below."""

    chunks: int
    pks: int


class Eraser:
    """Erase counts; events that arrive meanwhile may be counted or erased.

    Takes a whole store, because most of its parts hold data of a pk.
    """

    def __init__(
        self,
        *,
        store: Store,
        grid: Grid,
        rollups: Sequence[Rollup],
        clock: Callable[[], float],
        drain: Drain,
        spying: RecentEvents,
        name_of: Callable[[str], str],
    ) -> None:
        """Initialize; `name_of` hashes the uid of a visitor as decisions do."""
        self._store = store
        self._grid = grid
        self._rollups = rollups
        self._clock = clock
        self._drain = drain
        self._spying = spying
        self._name_of = name_of

    def reset(self, pk: Path, dimension: Path = ()) -> Erased:
        """Erase `dimension` of `pk` and of its descendants; the overall erases everything.

        Buffered hits are counted first, so they cannot reappear afterwards. Erasing a root pk
        erases its idempotency ids too. Raises `StoreMismatch` if the store has rollups that this
        process would leave out.
        """
        self._store.schema.confirm()
        self._drain.flush([shard_of(pk[0])])
        pks = list(self._pks(pk))
        nodes = list(self._nodes(pks, dimension))
        store = self._store
        store.views.drop(shard_of(pk[0]))
        erased = store.cells.erase(chain(self._chunks(nodes), self._visitors(nodes)))
        self._spying.erase(pk, dimension)
        store.labels.erase_children(reversed(nodes))
        if dimension:
            for each in reversed(pks):
                store.labels.forget(each, dimension)
        else:
            self._forget_pks(pks)
        store.views.drop(shard_of(pk[0]))
        return Erased(erased, len(pks))

    def forget(self, uid: str) -> int:
        """Erase a visitor from the spy log and from assignments; return the number of events.

        Buffered hits are counted first. Sums and counts of visitors stay.
        """
        self._drain.flush()
        erased = 0
        for root in sorted(self._store.labels.subpks(())):
            erased += self._spying.forget(root, uid)
            for pk in self._pks((root,)):
                self._store.assignments.forget_visitor(pk, self._name_of(uid))
        return erased

    def _forget_pks(self, pks: Sequence[Path]) -> None:
        """Erase what is stored of pks outside their cells; `pks` lists parents first."""
        top, store = pks[0], self._store
        if len(top) == 1:
            root = top[0]
            store.spy_log.forget(root)
            store.cardinality.forget(root)
            store.buffers.forget_ids(root)
        store.assignments.forget(pks)
        store.journals.forget(pks)
        store.labels.erase_subpks(reversed(pks))
        store.labels.forget(top, ())

    def _pks(self, pk: Path) -> Iterator[Path]:
        """Yield a pk and all its descendants, parents first."""
        yield pk
        for label in sorted(self._store.labels.subpks(pk)):
            yield from self._pks((*pk, label))

    def _nodes(self, pks: Sequence[Path], dimension: Path) -> Iterator[Node]:
        """Yield every (pk, dimension) at or below `dimension`, parents first."""
        level: list[Node] = [(pk, dimension) for pk in pks]
        while level:
            yield from level
            found = self._store.labels.children(level)
            level = [
                (pk, (*path, label))
                for (pk, path), labels in zip(level, found, strict=True)
                for label in sorted(labels)
            ]

    def _chunks(self, nodes: Sequence[Node]) -> Iterator[ChunkAddress]:
        now_s = int(self._clock())
        kept = [
            (rollup.name, start_s)
            for rollup in self._rollups
            for start_s in chunks_kept(self._grid, rollup, now_s)
        ]
        for pk, dimension in nodes:
            for name, start_s in kept:
                yield ChunkAddress(pk, dimension, name, start_s)

    def _visitors(self, nodes: Sequence[Node]) -> Iterator[ChunkAddress]:
        """Yield where visitors of nodes may be stored.

        Those of all time come last for each node: they tell whether a node has any.
        """
        found = self._store.visitors.uniques(
            [[ChunkAddress(*node, VISITORS_EVER, 0)] for node in nodes]
        )
        kept = visitors_kept(self._grid, int(self._clock()))
        for node, visitors in zip(nodes, found, strict=True):
            for name, start_s in reversed(kept) if visitors else ():
                yield ChunkAddress(*node, name, start_s)
