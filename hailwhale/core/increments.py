"""From events to increments: which cells an event adds to, and many events summed up at once.

Pure: it is told the time grid, the rollups and the instant; it does no I/O. An event adds its
metrics to every prefix of its pk × every prefix of its dimension paths and the overall × the bucket
of every rollup that still retains its time. Equal (pk, dimensions, buckets) are summed first and
expanded once, which is what makes a window of many events cheap.

Sums are exact: arithmetic runs in a decimal context that traps any rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact, localcontext

from hailwhale.core.dimensions import Path, expand, prefixes
from hailwhale.core.rollups import Rollup, chunk_of, retained, ttl_s
from hailwhale.core.timegrid import Grid

EXACT = Context(prec=400, traps=[Inexact])
OTHER = "_other"  # the label that gathers what is past max_children

Node = tuple[Path, Path]  # (pk, dimension)
Sums = dict[str, Decimal | int]


@dataclass(frozen=True, slots=True)
class Slot:
    """The bucket of one rollup that an event falls in, as the store addresses it."""

    rollup: str
    chunk_start_s: int
    index: int
    ttl_s: int | None


Slots = tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Redirects:
    """Labels that are past `max_children` and are counted under `_other` where they would stand.

    `labels` by (pk, dimension) and `sublabels` by pk path, as the store reports what did not fit.
    """

    labels: Mapping[Node, frozenset[str]] = field(default_factory=dict)
    sublabels: Mapping[Path, frozenset[str]] = field(default_factory=dict)

    def merged(
        self,
        labels: Mapping[Node, Iterable[str]],
        sublabels: Mapping[Path, Iterable[str]],
    ) -> Redirects:
        """These redirects and more of them."""
        more = dict(self.labels)
        for node, found in labels.items():
            more[node] = more.get(node, frozenset()) | frozenset(found)
        submore = dict(self.sublabels)
        for pk, found in sublabels.items():
            submore[pk] = submore.get(pk, frozenset()) | frozenset(found)
        return Redirects(more, submore)

    @property
    def count(self) -> int:
        """How many labels are redirected."""
        return sum(map(len, self.labels.values())) + sum(map(len, self.sublabels.values()))

    def pk(self, pk: Path) -> Path:
        """Where a pk is counted."""
        if not self.sublabels:
            return pk
        settled: Path = ()
        for label in pk:
            full = label in self.sublabels.get(settled, ())
            settled = (*settled, OTHER if full else label)
        return settled

    def dimension(self, pk: Path, dimension: Path) -> Path:
        """Where a dimension is counted under a (settled) pk."""
        if not self.labels:
            return dimension
        settled: Path = ()
        for label in dimension:
            full = label in self.labels.get((pk, settled), ())
            settled = (*settled, OTHER if full else label)
        return settled


class Schedule:
    """The slots of an instant: what every event of one moment shares, worked out once."""

    def __init__(self, grid: Grid, rollups: Sequence[Rollup], now_s: int) -> None:
        self._grid = grid
        self._rollups = tuple(rollups)
        self._now_s = now_s
        self._by_second: dict[int, Slots] = {}
        self._shared: dict[Slots, Slots] = {}

    def slots(self, at_s: int) -> Slots:
        """The slots of an instant; equal slots are one object, so they group fast."""
        found = self._by_second.get(at_s)
        if found is None:
            fresh = tuple(self._fresh(at_s))
            found = self._by_second[at_s] = self._shared.setdefault(fresh, fresh)
        return found

    def _fresh(self, at_s: int) -> Iterator[Slot]:
        for rollup in self._rollups:
            if rollup.interval is None:
                yield Slot(rollup.name, 0, 0, None)
                continue
            start_s = self._grid.floor(at_s, rollup.interval)
            if retained(self._grid, rollup, start_s, self._now_s):
                chunk = chunk_of(self._grid, rollup, start_s)
                ttl = ttl_s(rollup, chunk, self._now_s)
                yield Slot(rollup.name, chunk.start_s, chunk.index, ttl)


@dataclass(slots=True)
class Target:
    """The cells of one (pk, dimension) in one chunk of a rollup, and what is to be added to them.

    `amounts` maps (index of the bucket in the chunk, metric) to the amount; `ttl_s` is how long the
    chunk lives from now, None for ever.
    """

    pk: Path
    dimension: Path
    rollup: str
    chunk_start_s: int
    ttl_s: int | None
    amounts: dict[tuple[int, str], Decimal | int] = field(default_factory=dict)


@dataclass(slots=True)
class Increments:
    """What a batch of events adds up to.

    `labels` and `sublabels` are the labels that become known below a (pk, dimension) and a pk.
    """

    targets: list[Target] = field(default_factory=list)
    labels: dict[Node, dict[str, None]] = field(default_factory=dict)
    sublabels: dict[Path, dict[str, None]] = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """Events of one (pk, leaf dimensions): the nodes they count at, and their sums by slots."""

    pk: Path
    dimensions: tuple[Path, ...]
    nodes: tuple[int, ...]
    moments: dict[Slots, Sums] = field(default_factory=dict)


class Batch:
    """Events being summed up: `add` them, then ask for the `increments`.

    `size` is how many distinct (node, slots) pairs they touch: what the increments will cost the
    store, known while adding, so that a caller can stop in time.

    >>> from hailwhale.core.rollups import DEFAULT_ROLLUPS
    >>> from hailwhale.core.timegrid import UTC
    >>> batch = Batch(Schedule(UTC, DEFAULT_ROLLUPS, now_s=1_767_225_600))
    >>> for _ in range(3):
    ...     batch.add(("Shop",), (("country", "US"),), 1_767_225_600, {"hits": 1})
    >>> batch.size  # the overall, country, country > US
    3
    >>> len(batch.increments().targets)  # each in 4 rollups
    12
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._groups: dict[tuple[Path, tuple[Path, ...]], Group] = {}
        self._node_numbers: dict[Node, int] = {}
        self._slots_numbers: dict[Slots, int] = {}
        self._touched: set[int] = set()

    @property
    def size(self) -> int:
        return len(self._touched)

    def group(self, pk: Path, dimensions: tuple[Path, ...]) -> Group:
        """The group of a pk and its leaf dimension paths, which events may be added to by `put`."""
        found = self._groups.get((pk, dimensions))
        if found is None:
            numbers = self._node_numbers
            nodes = tuple(
                numbers.setdefault((prefix, dimension), len(numbers))
                for dimension in expand(dimensions)
                for prefix in prefixes(pk)
            )
            found = self._groups[pk, dimensions] = Group(pk, dimensions, nodes)
        return found

    def put(self, group: Group, at_s: int, metrics: Mapping[str, Decimal | int]) -> None:
        """Add one event to its group. Runs in the caller's decimal context: see `EXACT`."""
        slots = self._schedule.slots(at_s)
        sums = group.moments.get(slots)
        if sums is None:
            group.moments[slots] = dict(metrics)
            base = self._slots_numbers.setdefault(slots, len(self._slots_numbers)) << 32
            self._touched.update([base + node for node in group.nodes])
        else:
            _add_to(sums, metrics)

    def add(
        self, pk: Path, dimensions: tuple[Path, ...], at_s: int, metrics: Mapping[str, Decimal]
    ) -> None:
        """Add one event: its pk, its leaf dimension paths, its second and its metrics."""
        with localcontext(EXACT):
            self.put(self.group(pk, dimensions), at_s, metrics)

    def increments(self, redirects: Redirects | None = None) -> Increments:
        """Everything added so far as increments of cells, with `redirects` followed."""
        with localcontext(EXACT):
            return _rolled_up(self._merged(redirects or Redirects()))

    def _merged(self, redirects: Redirects) -> dict[Node, dict[Slots, Sums]]:
        """The sums of every node, by slots: each group expanded once."""
        merged: dict[Node, dict[Slots, Sums]] = {}
        for group in self._groups.values():
            for node in _settled(group, redirects):
                known = merged.setdefault(node, {})
                for slots, metrics in group.moments.items():
                    sums = known.get(slots)
                    if sums is None:
                        known[slots] = metrics.copy()
                    else:
                        _add_to(sums, metrics)
        return merged


def _settled(group: Group, redirects: Redirects) -> Iterator[Node]:
    """The nodes a group counts at, once `redirects` are followed."""
    for pk in prefixes(redirects.pk(group.pk)):
        for dimension in expand([redirects.dimension(pk, path) for path in group.dimensions]):
            yield pk, dimension


def _add_to(sums: Sums, metrics: Mapping[str, Decimal | int]) -> None:
    for metric, amount in metrics.items():
        sums[metric] = sums.get(metric, 0) + amount


def _rolled_up(nodes: Mapping[Node, Mapping[Slots, Sums]]) -> Increments:
    out = Increments()
    for (pk, dimension), moments in nodes.items():
        if dimension:
            out.labels.setdefault((pk, dimension[:-1]), {})[dimension[-1]] = None
        else:
            out.sublabels.setdefault(pk[:-1], {})[pk[-1]] = None
        targets: dict[tuple[str, int], Target] = {}
        for slots, metrics in moments.items():
            for slot in slots:
                target = targets.get((slot.rollup, slot.chunk_start_s))
                if target is None:
                    target = Target(pk, dimension, slot.rollup, slot.chunk_start_s, slot.ttl_s)
                    targets[slot.rollup, slot.chunk_start_s] = target
                    out.targets.append(target)
                amounts = target.amounts
                for metric, amount in metrics.items():
                    cell = (slot.index, metric)
                    amounts[cell] = amounts.get(cell, 0) + amount
    return out
