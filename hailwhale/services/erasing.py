"""Real erasure: of a pk with all below it, or of one dimension of it.

Cells go first and the sets of known labels last, deepest first, so that an erasure cut short can
simply be asked for again: until its end, everything can still be found. What the ancestors have
summed up stays: a total is not unmade because a part of it is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hailwhale.core.dimensions import Path
from hailwhale.core.rollups import Rollup, chunks_kept
from hailwhale.core.timegrid import Grid
from hailwhale.services.drain import Drain
from hailwhale.store.base import ChunkAddress, Store
from hailwhale.store.keys import shard_of

Node = tuple[Path, Path]


class Erasing:
    """Erases counts. Events that arrive while it works may be counted or erased."""

    def __init__(
        self,
        store: Store,
        grid: Grid,
        rollups: Sequence[Rollup],
        clock: Callable[[], float],
        drain: Drain,
    ) -> None:
        self._store = store
        self._grid = grid
        self._rollups = rollups
        self._clock = clock
        self._drain = drain

    def reset(self, pk: Path, dimension: Path = ()) -> int:
        """Erase `dimension` (the overall: everything) of `pk` and of the pks below it.

        Hits still in the buffer are counted first, so that they cannot come back afterwards.
        Erasing a root pk forgets its idempotency ids too. Returns how many chunks of cells went.
        """
        self._drain.flush([shard_of(pk[0])])
        pks = list(self._pks(pk))
        nodes = list(self._nodes(pks, dimension))
        self._store.drop_views(shard_of(pk[0]))
        erased = self._store.erase_cells(self._chunks(nodes))
        self._store.erase_children(reversed(nodes))
        for each in reversed(pks):
            if dimension:
                self._store.forget_label(each, dimension)
            else:
                self._store.forget_pk(each)
        if not dimension:
            self._store.forget_label(pk, ())
        self._store.drop_views(shard_of(pk[0]))
        return erased

    def _pks(self, pk: Path) -> Iterator[Path]:
        """A pk and all below it, parents first."""
        yield pk
        for label in sorted(self._store.subpks(pk)):
            yield from self._pks((*pk, label))

    def _nodes(self, pks: Sequence[Path], dimension: Path) -> Iterator[Node]:
        """Every (pk, dimension) at or below `dimension`, parents first."""
        level: list[Node] = [(pk, dimension) for pk in pks]
        while level:
            yield from level
            found = self._store.children(level)
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
