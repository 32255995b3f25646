"""The drain: hits become cells, exactly once, however often it is killed.

A window of hits is read from the head of a shard's buffer, summed up here, and handed back in one
fenced step that takes the hits off the buffer and keeps the increments as the shard's plan. The
plan is then applied chunk by chunk, each an atomic step. Killed anywhere, the next drain finds
either hits still buffered or chunks still planned; two drains at one shard cannot both commit.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from threading import Event as Flag

from hailwhale.core.event import decode_head, decode_metrics, split_hit
from hailwhale.core.increments import EXACT, Batch, Group, Schedule
from hailwhale.core.rollups import Rollup
from hailwhale.core.timegrid import Grid
from hailwhale.errors import BadInput, StoreUnavailable
from hailwhale.services.committing import commit
from hailwhale.store.base import DeadLetter, Load, Outcome, Store

log = logging.getLogger("hailwhale.drain")

# What one step may touch: (node, moment) pairs, each some cells in every rollup. It bounds the
# size of a plan and with it the time one commit holds up the store.
MAX_STEP_SIZE = 25_000
_RETRY_S = 0.5


class Drain:
    """Moves buffered hits into cells. Any number may run at once, on any number of machines."""

    def __init__(
        self,
        store: Store,
        grid: Grid,
        rollups: Sequence[Rollup],
        clock: Callable[[], float],
        window: int = 50_000,
    ) -> None:
        self._store = store
        self._grid = grid
        self._rollups = rollups
        self._clock = clock
        self._window = window

    def step(self, shard: int) -> int:
        """One window of one shard, all the way into the cells; how many hits it took off."""
        self._apply(shard)  # what a killed drain left
        window = self._store.window(shard, self._window)
        if not window.hits:
            return 0
        now_s = int(self._clock())
        summing = _Summing(Batch(Schedule(self._grid, self._rollups, now_s)))
        with localcontext(EXACT):
            taken = summing.take(window.hits)
        outcome = commit(
            self._store,
            shard,
            summing.batch,
            now_s,
            position=window.position,
            taken=taken,
            dead=summing.dead,
        )
        if summing.dead and outcome is Outcome.COMMITTED:
            log.warning("%d hits could not be parsed; see the dead letters", len(summing.dead))
        self._apply(shard)
        return taken if outcome is Outcome.COMMITTED else 0

    def flush(self, shards: Sequence[int] | None = None) -> int:
        """Count all that waits now (in `shards`, or anywhere); how many hits this call counted.

        Hits that come meanwhile may wait for the next one, so that this ends however fast they do.
        """
        counted = 0
        for load in self._store.loads():
            if shards is None or load.shard in shards:
                counted += self._flush(load)
        return counted

    def _flush(self, load: Load) -> int:
        counted, left = 0, load.buffered
        while True:
            taken = self.step(load.shard)
            counted += taken
            # When this step took none, there were none, or another drain took one at least.
            left -= max(taken, 1)
            if left <= 0:
                return counted

    def run(self, stop: Flag, idle_s: float) -> None:
        """Drain until `stop` is set, looking again every `idle_s` when nothing waits."""
        while not stop.is_set():
            try:
                waiting = [load.shard for load in self._store.loads()]
                # Several drains start at different shards, so they seldom meet.
                random.shuffle(waiting)
                for shard in waiting:
                    if stop.is_set():
                        return
                    self.step(shard)
                if not waiting:
                    stop.wait(idle_s)
            except StoreUnavailable as fault:
                log.warning("%s; trying again in %s s", fault, _RETRY_S)
                stop.wait(_RETRY_S)

    def _apply(self, shard: int) -> None:
        while self._store.apply_next(shard):
            pass


class _Summing:
    """Sums up hits without parsing twice what is equal: heads and metrics repeat a lot."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.dead: list[DeadLetter] = []
        self._groups: dict[bytes, Group] = {}
        self._metrics: dict[bytes, dict[str, Decimal | int]] = {}

    def take(self, hits: Sequence[bytes]) -> int:
        """Sum up hits from the first until the step is large enough; how many were taken."""
        batch, groups, metrics = self.batch, self._groups, self._metrics
        for place, hit in enumerate(hits):
            try:
                at_s, head, numbers = split_hit(hit)
                group = groups.get(head)
                if group is None:
                    group = groups[head] = batch.group(*decode_head(head))
                amounts = metrics.get(numbers)
                if amounts is None:
                    amounts = metrics[numbers] = decode_metrics(numbers)
                batch.put(group, at_s, amounts)
            except BadInput as fault:
                self.dead.append(DeadLetter(hit, str(fault)))
            if batch.size >= MAX_STEP_SIZE:
                return place + 1
        return len(hits)
