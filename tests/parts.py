"""Stores with something else in place of some of their parts, and drains and writers of stores."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from hailwhale.core.events.limits import Limits
from hailwhale.core.time.calendar_grid import UTC, Grid
from hailwhale.core.time.rollups import DEFAULT_ROLLUPS, Rollup
from hailwhale.errors import StoreUnavailable
from hailwhale.services.ingest.buffer_writer import BufferWriter
from hailwhale.services.ingest.drain import Drain
from hailwhale.services.ingest.visitor_ids import VisitorHasher
from hailwhale.store.protocol import Store
from hailwhale.store.redis.client import ask
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.redis.store import RedisStore

Around = Callable[..., Any]  # takes a method of a part, and the arguments of a call of it


def with_parts(store: Store, **parts: object) -> Store:
    """Return the store with other objects in place of its parts of these names."""
    changed = copy(store)
    for name, part in parts.items():
        assert hasattr(store, name), name
        setattr(changed, name, part)
    return changed


def let_hits_wait(store: RedisStore, root: str, by_s: int) -> None:
    """Have the hits that wait in the buffer of a root pk arrive earlier, by the server's clock."""
    key = store.keys.stats(shard_of(root))
    [mark] = ask(store.client, [("HGET", key, "mark")])
    number, at_s = mark.decode().split(":")
    ask(store.client, [("HSET", key, "mark", f"{number}:{int(at_s) - by_s}")])


def watched(store: Store, around: Around, *names: str) -> Store:
    """Return the store with every call of a method of these parts made by `around`."""
    return with_parts(store, **{name: _Watched(getattr(store, name), around) for name in names})


class _Watched:
    def __init__(self, part: object, around: Around) -> None:
        self._part = part
        self._around = around

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._around, getattr(self._part, name))


@dataclass
class FailsOnce:
    """Makes the calls of a store, for `watched`, but fails at the `number`-th of them.

    It fails before the call is made, or with `after` when it is done. With `methods`, calls of
    others are not counted.
    """

    number: int
    methods: Collection[str] = ()
    after: bool = False
    fault: BaseException = field(default_factory=lambda: StoreUnavailable("killed"))
    calls: int = 0

    def __call__(self, method: Callable[..., Any], *args: Any) -> Any:
        if self.methods and method.__name__ not in self.methods:
            return method(*args)
        self.calls += 1
        fails = self.calls == self.number
        if fails and not self.after:
            raise self.fault
        answer = method(*args)
        if fails:
            raise self.fault
        return answer


def drain_of(
    store: Store,
    clock: Callable[[], float],
    window: int = 100_000,
    grid: Grid = UTC,
    rollups: Sequence[Rollup] = DEFAULT_ROLLUPS,
) -> Drain:
    """Return a drain of the parts of a store."""
    return Drain(
        buffers=store.buffers,
        commits=store.commits,
        stats=store.stats,
        grid=grid,
        rollups=rollups,
        clock=clock,
        window=window,
    )


def writer_of(store: Store, clock: Callable[[], float]) -> BufferWriter:
    """Return a writer into the buffers of a store."""
    return BufferWriter(
        store.buffers.accept,
        limits=Limits(),
        clock=clock,
        name_of=VisitorHasher(store.secrets, key="", salt_days=0, clock=clock).name,
        settle=lambda event: event,
    )
