"""The drain: turns hits into cells exactly once, however often it is killed.

It reads a window of hits from the head of a shard's buffer, sums them, and sends the sums in one
fenced step. This step removes the hits from the buffer and stores the increments as the shard's
plan. The plan is then applied chunk by chunk, each in an atomic step. After a kill at any point the
next drain finds either hits still buffered or chunks still planned. Two drains of one shard cannot
both commit.
"""

from __future__ import annotations

import gc
import logging
import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal, localcontext
from functools import lru_cache
from math import inf
from threading import Event as Flag

from hailwhale.core.events.aggregate import EXACT, EventBatch, EventGroup, EventShape
from hailwhale.core.events.hit_codec import decode_amount, decode_head, decode_instant, split_hit
from hailwhale.core.time.bucketing import BucketPlanner, BucketSet
from hailwhale.core.time.calendar_grid import Grid
from hailwhale.core.time.rollups import Rollup
from hailwhale.errors import BadInput, HailWhaleError, StoreUnavailable
from hailwhale.services.ingest.batch_commit import commit
from hailwhale.services.ingest.retries import Retries
from hailwhale.services.ingest.spy_log import NOT_SPIED, SpyRule
from hailwhale.store.protocol import BufferStore, CommitStore, StatsStore
from hailwhale.store.types import CommitOutcome, DeadLetter, ShardLoad

log = logging.getLogger("hailwhale.drain")

# Limit of (node, bucket set) pairs in one step, each some cells in every rollup. It bounds the
# size of a plan, and so the time that one commit blocks the store.
MAX_STEP_SIZE = 50_000
_SWITCH_S = 0.0005
_NUMBERS_KNOWN = 100_000


def devote_process() -> None:
    """Tune a process that only drains.

    Raises the GC thresholds: summing a window allocates many objects but creates no cycles, and
    collecting took a third of the time. Shortens the thread switch interval: the thread that
    applies has little to do between two answers of the store, which is idle meanwhile.
    """
    gc.freeze()
    gc.set_threshold(500_000, 50, 100)
    sys.setswitchinterval(_SWITCH_S)


class Drain:
    """Move buffered hits into cells; any number may run at once, on any number of machines."""

    def __init__(
        self,
        *,
        buffers: BufferStore,
        commits: CommitStore,
        stats: StatsStore,
        grid: Grid,
        rollups: Sequence[Rollup],
        clock: Callable[[], float],
        window: int = 100_000,
        spy: SpyRule = NOT_SPIED,
    ) -> None:
        self._buffers = buffers
        self._commits = commits
        self._stats = stats
        self._grid = grid
        self._rollups = rollups
        self._clock = clock
        self._window = window
        self._spy = spy

    def step(self, shard: int) -> int:
        """Drain one window of a shard into the cells; return how many hits were taken."""
        self._apply(shard)  # left by a killed drain
        taken, _ = self._commit(shard)
        self._apply(shard)
        return taken

    def _commit(self, shard: int) -> tuple[int, int]:
        """Turn a window of a shard into a plan; return the counts of hits and planned chunks."""
        window = self._buffers.window(shard, self._window)
        if not window.hits:
            return 0, 0
        now_s = int(self._clock())
        summing = _Summing(EventBatch(BucketPlanner(self._grid, self._rollups, now_s)))
        with localcontext(EXACT):
            taken = summing.take(window.hits)
        committed = commit(
            self._commits,
            shard,
            summing.batch,
            now_s,
            position=window.position,
            taken=taken,
            taken_bytes=sum(map(len, window.hits[:taken])),
            dead=summing.dead,
            spied=self._spy.last_of(window.hits[:taken], summing.roots(), summing.dead_hits()),
        )
        if committed.outcome is not CommitOutcome.COMMITTED:
            return 0, 0
        if summing.dead:
            log.warning(
                "%d hits could not be parsed: see `hailwhale dead-letters`", len(summing.dead)
            )
        return taken, committed.planned

    def flush(self, shards: Sequence[int] | None = None) -> int:
        """Count all hits buffered now, in `shards` or all; return how many this call counted.

        Hits that arrive meanwhile may wait for the next call, so this ends however fast they
        arrive.
        """
        counted = 0
        for load in self._stats.loads():
            if shards is None or load.shard in shards:
                counted += self._flush(load)
        return counted

    def _flush(self, load: ShardLoad) -> int:
        counted, left = 0, load.buffered
        while True:
            taken = self.step(load.shard)
            counted += taken
            # If this step took none, there were none, or another drain took at least one.
            left -= max(taken, 1)
            if left <= 0:
                return counted

    def run(self, stop: Flag, idle_s: float) -> None:
        """Drain until `stop` is set, polling every `idle_s` seconds when nothing is buffered.

        An error ends a round, not the drain: the next round starts from what the store has. Raises
        only an error in the settings, such as `StoreMismatch`.
        """
        retries = Retries(log, stop)
        with _Applying(self._apply) as applying:
            while not stop.is_set():
                try:
                    idle = not self._round(stop, applying)
                except HailWhaleError as fault:
                    if not isinstance(fault, StoreUnavailable):
                        raise
                    retries.failed(fault)
                except Exception as fault:  # noqa: BLE001 - it is logged with its traceback
                    retries.failed(fault)
                else:
                    retries.succeeded()
                    if idle:
                        stop.wait(idle_s)

    def _round(self, stop: Flag, applying: _Applying) -> bool:
        """Drain a window of each shard that has work; return whether any shard had work."""
        waiting = self._stats.loads()
        # Several drains start at different shards, so they seldom collide.
        random.shuffle(waiting)
        for load in waiting:
            if stop.is_set():
                break
            if load.planned and load.shard != applying.shard:  # left by a killed drain
                self._apply(load.shard)
            if load.buffered:
                _, planned = self._commit(load.shard)
                if planned:
                    applying.start(load.shard, planned)
        if not any(load.buffered for load in waiting):
            applying.settle()
        return bool(waiting)

    def _apply(self, shard: int, most: float = inf) -> None:
        """Apply a shard's plan, or the first `most` of its chunks and possibly a few more."""
        left = most
        while left > 0 and (applied := self._commits.apply_next(shard)):
            left -= applied


class _Applying:
    """Apply a plan in its own thread while the next window is summed.

    The store works on one while this process works on the other. The next plan starts after the
    current one is applied, and only then is another window read. So applying keeps up with
    committing.
    """

    def __init__(self, apply: Callable[[int, int], None]) -> None:
        self._apply = apply
        self._pool = ThreadPoolExecutor(1, "apply")
        self._under_way: Future[None] | None = None
        self.shard: int | None = None  # whose plan is being applied

    def __enter__(self) -> _Applying:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def start(self, shard: int, chunks: int) -> None:
        """Start to apply a plan of `chunks` chunks, once the current one is applied."""
        self.settle()
        self.shard = shard
        self._under_way = self._pool.submit(self._apply, shard, chunks)

    def settle(self) -> None:
        """Wait for the plan being applied; raise the error it failed with."""
        under_way, self._under_way, self.shard = self._under_way, None, None
        if under_way is not None:
            under_way.result()


class _Summing:
    """Sum hits, parsing equal parts once: instants, heads and numbers repeat a lot."""

    def __init__(self, batch: EventBatch) -> None:
        self.batch = batch
        self.dead: list[DeadLetter] = []
        self._moments: dict[bytes, BucketSet] = {}
        self._groups: dict[bytes, EventGroup] = {}

    def take(self, hits: Sequence[bytes]) -> int:
        """Sum hits from the first until the step is large enough; return how many were taken."""
        batch, moments, groups, known = self.batch, self._moments, self._groups, _AMOUNTS
        put = batch.put
        for place, hit in enumerate(hits):
            try:
                at, head, numbers, visitor = split_hit(hit)
                moment = moments.get(at) or self._moment(at)
                group = groups.get(head) or self._group(head)
                amounts = [known[number] for number in numbers.split(b",")]
                if len(amounts) != len(group.series.metrics):
                    raise BadInput("hit", numbers, f"{len(group.series.metrics)} amounts")
            except BadInput as fault:
                self.dead.append(DeadLetter(hit, str(fault)))
                continue
            larger = put(group, moment, amounts)
            if visitor:
                larger = batch.visit(group, int(at), visitor.decode()) or larger
            if larger and batch.size >= MAX_STEP_SIZE:
                return place + 1
        return len(hits)

    def roots(self) -> dict[bytes, str]:
        """Return the root pk of every head."""
        return {head: group.series.pks[0][0] for head, group in self._groups.items()}

    def dead_hits(self) -> set[bytes]:
        """Return the hits that could not be parsed."""
        return {letter.hit for letter in self.dead}

    def _moment(self, at: bytes) -> BucketSet:
        found = self._moments[at] = self.batch.moment(decode_instant(at))
        return found

    def _group(self, head: bytes) -> EventGroup:
        found = self._groups[head] = self.batch.group(_series(head))
        return found


@lru_cache(maxsize=32_768)
def _series(head: bytes) -> EventShape:
    """Return the shape that a head stands for; cached, because heads repeat across windows."""
    found = decode_head(head)
    return EventShape.of(found.pk, found.dimensions, found.metrics)


class _KnownAmounts(dict[bytes, Decimal | int]):
    """Numbers by their text, each parsed when it is first asked for; never more than a bound."""

    def __missing__(self, text: bytes) -> Decimal | int:
        amount = decode_amount(text)
        if len(self) >= _NUMBERS_KNOWN:
            self.clear()
        self[text] = amount
        return amount


_AMOUNTS = _KnownAmounts()
