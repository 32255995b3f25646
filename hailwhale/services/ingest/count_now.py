"""Immediate counting: writes cells without the buffer, and sets counters to a value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, localcontext

from hailwhale.core.events.aggregate import EXACT, EventBatch
from hailwhale.core.events.event import TOTAL_PARAMETERS, Event, parse_event
from hailwhale.core.events.hit_codec import encode_hit
from hailwhale.core.events.limits import Limits
from hailwhale.core.events.param_names import Fields
from hailwhale.core.time.bucketing import BucketPlanner
from hailwhale.core.time.calendar_grid import Grid
from hailwhale.core.time.rollups import Rollup
from hailwhale.errors import BadInput, StoreUnavailable
from hailwhale.services.ingest.batch_commit import commit
from hailwhale.services.ingest.drain import MAX_STEP_SIZE, Drain
from hailwhale.services.ingest.spy_log import RecentHit, SpyRule
from hailwhale.services.ingest.types import BatchReport, Parse
from hailwhale.store.protocol import CellStore, CommitStore
from hailwhale.store.redis.keys import shard_of
from hailwhale.store.types import (
    AcceptStatus,
    CellQuery,
    ChunkAddress,
    CommitCondition,
    CommitOutcome,
)

_SET_TRIES = 100


class ImmediateCounter:
    """Count events so that they can be read as soon as the call returns."""

    def __init__(
        self,
        *,
        commits: CommitStore,
        cells: CellStore,
        grid: Grid,
        rollups: Sequence[Rollup],
        limits: Limits,
        clock: Callable[[], float],
        drain: Drain,
        name_of: Callable[[str], str],
        spy: SpyRule,
        settle: Callable[[Event], Event],
    ) -> None:
        """Initialize; `name_of` hashes a uid, `spy` selects hits for the spy log.

        `settle` maps an event to what it is counted as.
        """
        self._settle = settle
        self._commits = commits
        self._cells = cells
        self._grid = grid
        self._rollups = rollups
        self._limits = limits
        self._clock = clock
        self._drain = drain
        self._name_of = name_of
        self._spy = spy

    def count_now(self, fields: Fields, parse: Parse = parse_event) -> AcceptStatus:
        """Count one event; raise `BadInput`, with nothing counted, if it is invalid."""
        return self.take(parse(fields, self._clock(), self._limits))

    def take(self, event: Event) -> AcceptStatus:
        """Count a parsed event."""
        event = self._settle(event)
        batch = self._batch()
        seen = [self._add(batch, event)]
        outcome = self._commit(shard_of(event.pk[0]), batch, id=event.id, seen=seen)
        return (
            AcceptStatus.DUPLICATE if outcome is CommitOutcome.DUPLICATE else AcceptStatus.ACCEPTED
        )

    def count_many_now(
        self, events: Iterable[Fields | BadInput], parse: Parse = parse_event
    ) -> BatchReport:
        """Count events, each accepted or rejected on its own.

        Works as `BufferWriter.count_many` does. Events without an id are summed by shard and
        counted in one step each.
        """
        report = BatchReport()
        batches: dict[int, EventBatch] = {}
        seen: dict[int, list[RecentHit]] = {}
        for place, fields in enumerate(events):
            try:
                if isinstance(fields, BadInput):
                    raise fields
                event = parse(fields, self._clock(), self._limits)
            except BadInput as fault:
                report.rejected.append((place, fault))
                continue
            report.accepted += 1
            if event.id is not None:
                report.duplicates += self.take(event) is AcceptStatus.DUPLICATE
                continue
            event = self._settle(event)
            shard = shard_of(event.pk[0])
            batch = batches.setdefault(shard, self._batch())
            seen.setdefault(shard, []).append(self._add(batch, event))
            if batch.size >= MAX_STEP_SIZE:
                self._commit(shard, batches.pop(shard), seen=seen.pop(shard))
        for shard, batch in batches.items():
            self._commit(shard, batch, seen=seen[shard])
        return report

    def update_count_to(self, fields: Fields) -> None:
        """Set the all-time total of each given metric to its value.

        The difference is counted at the current time, in the pk and dimension and in all their
        ancestors, so sums stay consistent. `fields` are those of an event with at most one
        dimension path and without `at` and `id`. Buffered hits are counted first. Each metric is
        set in one atomic step. Raises `BadInput`.
        """
        for fault in self.update_counts_to([fields]).values():
            raise fault

    def update_counts_to(self, many: Sequence[Fields]) -> dict[int, BadInput]:
        """Set totals as `update_count_to` does, in few round trips if equal already.

        Returns the rejected ones by index, from 0, with the reason.
        """
        refused: dict[int, BadInput] = {}
        events: dict[int, Event] = {}
        for place, fields in enumerate(many):
            try:
                events[place] = self._update(fields)
            except BadInput as fault:
                refused[place] = fault
        self._drain.flush(list({shard_of(event.pk[0]) for event in events.values()}))
        wanted = [(at, each, *pair) for at, each in events.items() for pair in each.metrics.items()]
        known = self._cells.read([_ever(event, metric) for _, event, metric, _ in wanted])
        for (place, event, metric, value), [current] in zip(wanted, known, strict=True):
            try:
                if value != (current or 0):
                    self._set(event, metric, value)
            except BadInput as fault:
                refused[place] = fault
        return refused

    def _update(self, fields: Fields) -> Event:
        now_s = self._clock()
        event = parse_event(fields, now_s, self._limits, TOTAL_PARAMETERS, add_hits=False)
        if not event.metrics:
            raise BadInput("metrics", None, 'the values to set, such as {"queued": 12}')
        if len(event.dimensions) > 1:
            raise BadInput("dimensions", fields.get("dimensions"), "at most one dimension path")
        settled = self._settle(event)
        for name, before, after in (
            ("pk", event.pk, settled.pk),
            ("metrics", event.metrics, settled.metrics),
        ):
            if before != after:  # a different cell would be set
                raise BadInput(
                    name, fields.get(name), "existing names: the limit on new ones is reached"
                )
        return event

    def _set(self, event: Event, metric: str, value: Decimal) -> None:
        ever = _ever(event, metric)
        for _ in range(_SET_TRIES):
            current = self._cells.read([ever])[0][0] or Decimal(0)
            with localcontext(EXACT):
                difference = value - current
            if not difference:
                return
            batch = self._batch()
            batch.add(event.pk, event.dimensions, event.at_s, {metric: difference})
            guard = CommitCondition(event.pk, ever.chunk.dimension, metric, current)
            if self._commit(shard_of(event.pk[0]), batch, guard=guard) is CommitOutcome.COMMITTED:
                return
        raise StoreUnavailable(f"{metric} changes too fast to be set now; try again")

    def _batch(self) -> EventBatch:
        return EventBatch(BucketPlanner(self._grid, self._rollups, int(self._clock())))

    def _add(self, batch: EventBatch, event: Event) -> RecentHit:
        """Add an event to a batch; return it as a hit for the spy log."""
        visitor = None if event.uid is None else self._name_of(event.uid)
        batch.add(event.pk, event.dimensions, event.at_s, event.metrics, visitor)
        return event.pk[0], encode_hit(event, visitor)

    def _commit(
        self,
        shard: int,
        batch: EventBatch,
        id: str | None = None,
        guard: CommitCondition | None = None,
        seen: Sequence[RecentHit] = (),
    ) -> CommitOutcome:
        now_s = int(self._clock())
        spied = self._spy.of(seen)
        found = commit(self._commits, shard, batch, now_s, id=id, guard=guard, spied=spied)
        while self._commits.apply_next(shard):
            pass
        return found.outcome


def _ever(event: Event, metric: str) -> CellQuery:
    """Return the cell query of the all-time total that an event sets."""
    dimension = event.dimensions[0] if event.dimensions else ()
    return CellQuery(ChunkAddress(event.pk, dimension, "all", 0), [(0, metric)])
