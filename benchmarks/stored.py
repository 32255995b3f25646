"""What the reading benches have stored, and the reads behind a question of ours.

Owns the way from events to a filled store, and from a question to the hashes and fields it reads,
so that the same reads can be made by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from decimal import Decimal
from itertools import islice

from benchmarks.bare_server import Reads
from benchmarks.serving import NAMESPACE
from hailwhale.services.container import Services, assemble
from hailwhale.store.protocol import CellStore
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
    store, log = copy(services.store), _CellLog(services.store.cells)
    store.cells = log
    ask(assemble(services.settings, store))
    keys = Keys(NAMESPACE)
    return [
        (keys.of_chunk(query.chunk), [cell_field(*cell) for cell in query.cells])
        for query in log.queries
    ]


class _CellLog:
    """Cells that keep what was read of them."""

    def __init__(self, cells: CellStore) -> None:
        self._cells = cells
        self.queries: list[CellQuery] = []

    def read(self, asks: Sequence[CellQuery]) -> list[list[Decimal | None]]:
        self.queries += asks
        return self._cells.read(asks)

    def erase(self, chunks: Iterable[ChunkAddress]) -> int:
        return self._cells.erase(chunks)
