"""Aggregates events into increments: the cells an event adds to, summed over many events.

Pure: the time grid, the rollups and the current time are arguments. An event adds its metrics to
every prefix of its pk × every prefix of its dimension paths and the overall × the bucket of every
rollup that still retains its time. Events with equal (pk, dimensions, buckets) are summed first and
expanded once, which makes a large window cheap.

Sums are exact: arithmetic runs in a decimal context that traps rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact, localcontext
from operator import add
from typing import TypeVar

from hailwhale.core.events.overflow import OverflowMap
from hailwhale.core.events.paths import PAIRS, Path, expand, prefixes
from hailwhale.core.time.bucketing import BucketPlanner, BucketSet, ChunkSet

EXACT = Context(prec=400, traps=[Inexact])

SeriesKey = tuple[Path, Path]  # (pk, dimension)
Amounts = Sequence[Decimal | int]
AmountSums = dict[BucketSet, Amounts]
K = TypeVar("K")


@dataclass(slots=True)
class SeriesIncrement:
    """The amounts to add to one (pk, dimension) in the chunks of one chunk set.

    `sums` are pairs of bucket indices, one per chunk of the set, and amounts, one per metric of
    `metrics`. The amounts are added in each of these buckets.
    """

    pk: Path
    dimension: Path
    metrics: tuple[str, ...]
    frame: ChunkSet
    sums: list[tuple[tuple[int, ...], Amounts]]

    @property
    def size(self) -> int:
        """Return the maximum number of cells it adds to."""
        return len(self.frame.chunks) * len(self.metrics) * len(self.sums)


@dataclass(slots=True)
class VisitorIncrement:
    """The hashed visitors of one (pk, dimension) in the chunks of one chunk set."""

    pk: Path
    dimension: Path
    frame: ChunkSet
    visitors: set[str]


@dataclass(slots=True)
class Increments:
    """The result of aggregating a batch of events.

    `labels` and `sublabels` are the new labels below a (pk, dimension) and below a pk. One
    (pk, dimension) may have several rows with different metrics or chunk sets.
    """

    rows: list[SeriesIncrement] = field(default_factory=list)
    labels: dict[SeriesKey, dict[str, None]] = field(default_factory=dict)
    sublabels: dict[Path, dict[str, None]] = field(default_factory=dict)
    visits: list[VisitorIncrement] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class EventShape:
    """What events with the same pk, leaf dimensions and metric names share, computed once.

    `pks` are the prefixes of the pk. `nodes` are hashes of the (pk, dimension) pairs that such an
    event is counted at.
    """

    dimensions: tuple[Path, ...]
    metrics: tuple[str, ...]
    pks: tuple[Path, ...]
    nodes: tuple[int, ...]

    @classmethod
    def of(cls, pk: Path, dimensions: tuple[Path, ...], metrics: tuple[str, ...]) -> EventShape:
        """Return the shape of a pk, its leaf dimension paths and its metric names."""
        pks, below = prefixes(pk), expand(dimensions)
        nodes = tuple([hash((prefix, dimension)) for dimension in below for prefix in pks])
        return cls(dimensions, metrics, pks, nodes)


@dataclass(slots=True)
class EventGroup:
    """Events of one shape in a batch, summed by bucket set, and their visitors."""

    series: EventShape
    sums: AmountSums = field(default_factory=dict)
    visitors: dict[ChunkSet, set[str]] = field(default_factory=dict)


class EventBatch:
    """Sum events: `add` them, then read the `increments`.

    `size` is the number of distinct (series, bucket set) and (series, visitor) pairs so far. It is
    what the increments cost the store. It is known while adding, so the caller can stop in time.
    `latest_s` is the latest time of an event, in epoch seconds; 0 if there is none.

    >>> from hailwhale.core.time.rollups import DEFAULT_ROLLUPS
    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> batch = EventBatch(BucketPlanner(UTC, DEFAULT_ROLLUPS, now_s=1_767_225_600))
    >>> for _ in range(3):
    ...     batch.add(("Shop",), (("country", "US"),), 1_767_225_600, {"hits": 1})
    >>> batch.size  # the overall, country, country > US
    3
    >>> [(row.dimension, row.metrics, row.size) for row in batch.increments().rows]
    [(('country', 'US'), ('hits',), 4), ((), ('hits',), 4), (('country',), ('hits',), 4)]
    """

    def __init__(self, schedule: BucketPlanner) -> None:
        self._schedule = schedule
        self._groups: list[EventGroup] = []
        self._known: dict[tuple[Path, tuple[Path, ...], tuple[str, ...]], EventGroup] = {}
        self._touched: set[int] = set()
        self._visits = 0
        self.latest_s = 0

    @property
    def size(self) -> int:
        return len(self._touched) + self._visits

    def moment(self, at_s: int) -> BucketSet:
        """Return the bucket set of an instant."""
        self.latest_s = max(self.latest_s, at_s)
        return self._schedule.moment(at_s)

    def group(self, series: EventShape) -> EventGroup:
        """Create a group for a shape, to be filled by `put`. A shape may have several groups."""
        group = EventGroup(series)
        self._groups.append(group)
        return group

    def put(self, group: EventGroup, moment: BucketSet, amounts: Amounts) -> bool:
        """Add one event to its group; return whether the batch grew.

        Runs in the caller's decimal context; see `EXACT`.
        """
        sums = group.sums
        before = sums.get(moment)
        if before is not None:
            sums[moment] = list(map(add, before, amounts))
            return False
        sums[moment] = amounts
        base = hash(moment)
        self._touched.update([base ^ node for node in group.series.nodes])
        return True

    def visit(self, group: EventGroup, at_s: int, visitor: str) -> bool:
        """Add the visitor of an event to its group; return whether the batch grew."""
        known = group.visitors.setdefault(self._schedule.visitors(at_s), set())
        if visitor in known:
            return False
        known.add(visitor)
        self._visits += len(group.series.nodes)
        return True

    def add(
        self,
        pk: Path,
        dimensions: tuple[Path, ...],
        at_s: int,
        metrics: Mapping[str, Decimal],
        visitor: str | None = None,
    ) -> None:
        """Add one event by its pk, leaf dimension paths, time, metrics and visitor."""
        names = tuple(sorted(metrics))
        group = self._known.get((pk, dimensions, names))
        if group is None:
            group = self.group(EventShape.of(pk, dimensions, names))
            self._known[pk, dimensions, names] = group
        with localcontext(EXACT):
            self.put(group, self.moment(at_s), [metrics[name] for name in names])
        if visitor is not None:
            self.visit(group, at_s, visitor)

    def increments(self, redirects: OverflowMap | None = None) -> Increments:
        """Return everything added so far as increments, applying the overflow map."""
        with localcontext(EXACT):
            out = _rolled_up(_by_node(self._by_pk(redirects), redirects))
        if self._visits:
            out.visits = _visits(self._groups, redirects)
        return out

    def _by_pk(
        self, redirects: OverflowMap | None
    ) -> dict[tuple[Path, tuple[Path, ...], tuple[str, ...]], AmountSums]:
        """Sum the groups by pk prefix, for each (leaf dimensions, metrics)."""
        found: dict[tuple[Path, tuple[Path, ...], tuple[str, ...]], AmountSums] = {}
        for group in self._groups:
            series = group.series
            pks = prefixes(redirects.pk(series.pks[-1])) if redirects else series.pks
            for pk in pks:
                _gather(found, (pk, series.dimensions, series.metrics), group.sums)
        return found


class RolledUpBatch(EventBatch):
    """Sum events that are already rolled up: each counts at its own pk and dimension only.

    >>> from hailwhale.core.time.rollups import DEFAULT_ROLLUPS
    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> batch = RolledUpBatch(BucketPlanner(UTC, DEFAULT_ROLLUPS, now_s=1_767_225_600))
    >>> batch.add(("Shop", "7"), (("country", "US"),), 1_767_225_600, {"hits": 1})
    >>> [(row.pk, row.dimension) for row in batch.increments().rows]
    [(('Shop', '7'), ('country', 'US'))]
    """

    def increments(self, redirects: OverflowMap | None = None) -> Increments:
        """Return everything added so far; ancestors become known but are not added to."""
        nodes: dict[tuple[Path, Path, tuple[str, ...]], AmountSums] = {}
        with localcontext(EXACT):
            for group in self._groups:
                pk = group.series.pks[-1]
                for dimension in group.series.dimensions or ((),):
                    if redirects:
                        pk = redirects.pk(pk)
                        dimension = redirects.dimension(pk, dimension)
                    _gather(nodes, (pk, dimension, group.series.metrics), group.sums)
            out = _rolled_up(nodes)
        for pk, dimension in {node[:2] for node in nodes}:
            for path in prefixes(dimension):
                out.labels.setdefault((pk, path[:-1]), {})[path[-1]] = None
            for path in prefixes(pk):
                out.sublabels.setdefault(path[:-1], {})[path[-1]] = None
        return out


def _visits(groups: Sequence[EventGroup], redirects: OverflowMap | None) -> list[VisitorIncrement]:
    """Collect the visitors of every (pk, dimension)."""
    found: dict[tuple[Path, Path, ChunkSet], set[str]] = {}
    for group in groups:
        series = group.series
        pks = prefixes(redirects.pk(series.pks[-1])) if redirects else series.pks
        for pk in pks if group.visitors else ():
            leaves = series.dimensions
            if redirects:
                leaves = tuple([redirects.dimension(pk, path) for path in leaves])
            for dimension in expand([path for path in leaves if path[0] != PAIRS]):
                for frame, visitors in group.visitors.items():
                    found.setdefault((pk, dimension, frame), set()).update(visitors)
    return [VisitorIncrement(*node, visitors) for node, visitors in found.items()]


def _by_node(
    sums_by_pk: Mapping[tuple[Path, tuple[Path, ...], tuple[str, ...]], AmountSums],
    redirects: OverflowMap | None,
) -> dict[tuple[Path, Path, tuple[str, ...]], AmountSums]:
    """Sum by (pk, dimension), for each set of metrics.

    The ancestors of the leaves (the overall, `country`) are few and are summed once for all events
    that share them. So an event costs one addition per leaf and one more.
    """
    found: dict[tuple[Path, Path, tuple[str, ...]], AmountSums] = {}
    above: dict[tuple[Path, tuple[Path, ...], tuple[str, ...]], AmountSums] = {}
    parts: dict[tuple[Path, ...], tuple[tuple[Path, ...], tuple[Path, ...]]] = {}
    for (pk, dimensions, metrics), sums in sums_by_pk.items():
        if redirects:
            dimensions = tuple([redirects.dimension(pk, path) for path in dimensions])
        if dimensions not in parts:
            parts[dimensions] = _inner_and_leaves(dimensions)
        inner, leaves = parts[dimensions]
        _gather(above, (pk, inner, metrics), sums)
        for leaf in leaves:
            _gather(found, (pk, leaf, metrics), sums)
    for (pk, inner, metrics), sums in above.items():
        for dimension in inner:
            _gather(found, (pk, dimension, metrics), sums)
    return found


def _inner_and_leaves(
    dimensions: tuple[Path, ...],
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    inner = tuple(sorted(expand([path[:-1] for path in dimensions])))
    leaves = tuple([path for path in dict.fromkeys(dimensions) if path not in inner])
    return inner, leaves


def _gather(found: dict[K, AmountSums], key: K, more: AmountSums) -> None:
    """Add sums to those of a key, without changing the sums that were passed in."""
    known = found.get(key)
    if known is None:
        found[key] = more.copy()
        return
    for moment, amounts in more.items():
        sums = known.get(moment)
        known[moment] = amounts if sums is None else list(map(add, sums, amounts))


def _rolled_up(nodes: Mapping[tuple[Path, Path, tuple[str, ...]], AmountSums]) -> Increments:
    out = Increments()
    for (pk, dimension, metrics), sums in nodes.items():
        if dimension:
            out.labels.setdefault((pk, dimension[:-1]), {})[dimension[-1]] = None
        else:
            out.sublabels.setdefault(pk[:-1], {})[pk[-1]] = None
        out.rows += _rows(pk, dimension, metrics, sums)
    return out


def _rows(
    pk: Path, dimension: Path, metrics: tuple[str, ...], sums: AmountSums
) -> Iterator[SeriesIncrement]:
    """Return a row for each chunk set that the bucket sets belong to; usually there is one."""
    rows: dict[ChunkSet, SeriesIncrement] = {}
    for moment, amounts in sums.items():
        row = rows.get(moment.frame)
        if row is None:
            row = rows[moment.frame] = SeriesIncrement(pk, dimension, metrics, moment.frame, [])
        row.sums.append((moment.indices, amounts))
    yield from rows.values()
