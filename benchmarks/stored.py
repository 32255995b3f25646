"""What the reading benches have stored, and the reads behind a question of ours.

Owns the way from events to a filled store, and from a question to the hashes and fields it reads,
so that the same reads can be made by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from benchmarks.bare_server import Reads
from benchmarks.serving import NAMESPACE
from hailwhale.services.container import Services, assemble
from hailwhale.store.protocol import Store
from hailwhale.store.redis.keys import Keys, cell_field
from hailwhale.store.types import CellQuery, ChunkAddress

DAY_S = 86_400

_AT_ONCE = 10_000


def fill(services: Services, events: Iterable[Mapping[str, object]]) -> None:
    """Count events at once; each must be accepted."""
    rest = iter(events)
    while some := list(islice(rest, _AT_ONCE)):
        report = services.counting.count_many_now(some)
        assert report.accepted == len(some), report.rejected[:1]


def days(count: int, now_s: int) -> Iterator[int]:
    """An instant in each of the last `count` days, the oldest first and now last."""
    return (now_s - ago * DAY_S for ago in reversed(range(count)))


def reads_behind(services: Services, ask: Callable[[Services], object]) -> Reads:
    """The hashes, and the fields of each, that a question makes the store read."""
    log = _AskLog(services.store)
    ask(assemble(services.settings, cast(Store, log)))
    keys = Keys(NAMESPACE)
    return [
        (
            keys.cells(chunk.pk, chunk.dimension, chunk.rollup, chunk.chunk_start_s),
            [cell_field(*cell) for cell in cells],
        )
        for chunk, cells in log.asks
    ]


class _AskLog:
    """A store that keeps what it was asked to read."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asks: list[tuple[ChunkAddress, Sequence[tuple[int, str]]]] = []

    def read(self, asks: Sequence[CellQuery]) -> object:
        self.asks += [(ask.chunk, ask.cells) for ask in asks]
        return self._store.read(asks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
