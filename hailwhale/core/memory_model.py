"""Estimates the store's memory for a workload from a sample of its events.

Pure: the sample, the events per day and the current time are arguments. Models how Redis and Valkey
store hashes (as listpacks while they are small), with measured sizes. Knows nothing of keys,
connections or where a sample comes from.

Arrivals are modelled as random, like visitors: of the buckets of a series that expects λ events in
each, 1 − e^−λ receive one. A series counted at regular times fills up to 1.6 times as many; one
counted in bursts fills fewer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hailwhale.core.time.calendar_grid import DAY_S, Grid
from hailwhale.core.time.retention import chunks_kept
from hailwhale.core.time.rollups import Rollup

# Bytes, of Valkey 9 and the C library's allocator; `make bench` and a test hold them to reality.
_KEY = 65  # a key without its text: its entry, object, head of its value, room in the table
_EXPIRY = 25
_PACKED = 2  # around each field and value of a packed hash
_LOOSE = 27  # around a field and its value, in a hash that is not packed
_CHUNK_TEXT = 12  # the chunk's start and the colons, in the key of a chunk
_LABEL, _LABEL_TEXT = 39, 25  # a known label in a large set, and around the text of a long one
_ID = 62  # an idempotency id without its text
_PACKED_LABELS = 128  # the most that a set keeps packed
# A whole number takes so many bytes packed, by how large it is.
_WHOLE = ((1 << 7, 1), (1 << 12, 2), (1 << 15, 3), (1 << 23, 4), (1 << 31, 5))
_WIDEST = 9


@dataclass(frozen=True, slots=True)
class MetricSample:
    """A metric of a sampled series: the number of its events and the size of its amounts.

    `mean` is the mean absolute amount, `decimals` the largest number of decimals.
    """

    name_bytes: int
    events: int
    mean: float
    decimals: int


@dataclass(frozen=True, slots=True)
class SeriesSample:
    """A (pk, dimension) of the sample: the length of its key, its events and its metrics."""

    key_bytes: int
    events: int
    metrics: tuple[MetricSample, ...]


@dataclass(frozen=True, slots=True)
class LabelsSample:
    """The labels that the sample adds below one path."""

    key_bytes: int
    count: int
    text_bytes: int


@dataclass(frozen=True, slots=True)
class WorkloadSample:
    """The content of a sample of events."""

    events: int
    series: Sequence[SeriesSample]
    labels: Sequence[LabelsSample]
    ids: int
    ids_text_bytes: int


@dataclass(frozen=True, slots=True)
class Workload:
    """A sample and what it stands for.

    `series` is the expected number of series if the sample contains only some of them. `counted_s`
    is how long events have been counted, None for the full retention of every rollup.
    """

    sample: WorkloadSample
    events_per_day: float
    series: int | None = None
    counted_s: int | None = None

    @property
    def times(self) -> float:
        """Return how many series each sampled one stands for."""
        shown = len(self.sample.series)
        return 1.0 if self.series is None else max(1.0, self.series / shown)


@dataclass(frozen=True, slots=True)
class KeyEstimate:
    """The estimate for one kind of keys; `cells` are fields, labels or ids."""

    kind: str
    keys: float = 0.0
    cells: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: KeyEstimate) -> KeyEstimate:
        return KeyEstimate(
            self.kind,
            self.keys + other.keys,
            self.cells + other.cells,
            self.bytes + other.bytes,
        )

    def times(self, factor: float) -> KeyEstimate:
        """Return the estimate multiplied by a factor."""
        return KeyEstimate(self.kind, self.keys * factor, self.cells * factor, self.bytes * factor)


@dataclass(frozen=True, slots=True)
class _Timeline:
    """The retained chunks of a rollup, by how many seconds of each have passed.

    `bucket_s` is the width of a bucket, `index_bytes` the mean length of its index.
    """

    lengths_s: Mapping[float, int]
    bucket_s: float
    index_bytes: float
    expires: bool


def estimate(
    workload: Workload,
    rollups: Sequence[Rollup],
    grid: Grid,
    now_s: int,
    packed_fields: int = 512,
) -> list[KeyEstimate]:
    """Estimate the memory of each rollup, of the known labels and of the ids, in this order.

    `packed_fields` is the largest number of fields that the engine keeps in a listpack.

    >>> from hailwhale.core.time.rollups import parse_rollups
    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> sample = WorkloadSample(1, [SeriesSample(20, 1, (MetricSample(4, 1, 1.0, 0),))], (), 0, 0)
    >>> lines = estimate(Workload(sample, 1e6), parse_rollups("1h:1d"), UTC, 1_767_225_600)
    >>> [(line.kind, round(line.keys), round(line.cells), round(line.bytes)) for line in lines]
    [('1h', 2, 48, 900), ('all', 1, 1, 104)]
    """
    lines = []
    for rollup in rollups:
        if rollup.retention_s is None:
            timeline = _ever(workload.counted_s or _longest_s(rollups))
        else:
            timeline = _kept(rollup, grid, now_s, workload.counted_s)
        lines.append(_cells(workload, rollup.name, timeline, packed_fields))
    sample = workload.sample
    if sample.labels:
        lines.append(_labels(sample.labels, workload.times))
    if sample.ids:
        lines.append(_ids(workload, min(workload.counted_s or DAY_S, DAY_S)))
    return lines


def total(lines: Iterable[KeyEstimate]) -> KeyEstimate:
    """Sum the estimates."""
    return sum(lines, KeyEstimate("all together"))


def _longest_s(rollups: Sequence[Rollup]) -> int:
    return max((rollup.retention_s or 0 for rollup in rollups), default=0) or 365 * DAY_S


def _ever(counted_s: int) -> _Timeline:
    """Return the timeline of the single bucket of all time."""
    return _Timeline({counted_s: 1}, counted_s, 1, expires=False)


def _kept(rollup: Rollup, grid: Grid, now_s: int, counted_s: int | None) -> _Timeline:
    starts = [start_s for start_s in chunks_kept(grid, rollup, now_s) if start_s <= now_s]
    since_s = starts[0] if counted_s is None else now_s - counted_s
    lengths_s = [
        float(end_s - max(start_s, since_s))
        for start_s, end_s in pairwise([*starts, now_s])
        if end_s > max(start_s, since_s)
    ]
    bucket_s = float(rollup.interval.nominal_s) if rollup.interval else math.inf
    longest = max(1, round(max(lengths_s, default=0.0) / bucket_s))
    index_bytes = sum(len(str(index)) for index in range(longest)) / longest
    return _Timeline(Counter(lengths_s), bucket_s, index_bytes, expires=True)


def _cells(workload: Workload, name: str, timeline: _Timeline, packed_fields: int) -> KeyEstimate:
    """Estimate the cells of one rollup."""
    head = _KEY + len(name) + (_CHUNK_TEXT + _EXPIRY if timeline.expires else len(":0:"))
    # Events a second at a series, for each of it that is in the sample.
    pace = workload.events_per_day / DAY_S / workload.sample.events / workload.times
    keys = cells = taken = 0.0
    for series in workload.sample.series:
        fields = [_field(metric, pace, timeline) for metric in series.metrics]
        filled = sum(field.filled for field in fields)
        packed_bytes = sum(field.filled * field.packed_bytes for field in fields)
        loose_bytes = sum(field.filled * field.loose_bytes for field in fields)
        for length_s, many in timeline.lengths_s.items():
            buckets, chunks = (
                length_s / timeline.bucket_s,
                many * _seen(series.events * pace * length_s),
            )
            is_packed = buckets * filled <= packed_fields
            keys += chunks
            cells += many * buckets * filled
            taken += many * buckets * (packed_bytes if is_packed else loose_bytes)
            taken += chunks * (head + series.key_bytes)
    return KeyEstimate(name, keys, cells, taken).times(workload.times)


@dataclass(frozen=True, slots=True)
class _Field:
    """A metric in a bucket: the probability that it is present, and its size in either encoding."""

    filled: float
    packed_bytes: float
    loose_bytes: float


def _field(metric: MetricSample, pace: float, timeline: _Timeline) -> _Field:
    expected = metric.events * pace * timeline.bucket_s
    filled = _seen(expected)
    amount = metric.mean * expected / filled if filled else 0.0
    name_bytes = timeline.index_bytes + 1 + metric.name_bytes
    text_bytes = len(str(int(amount))) + (1 + metric.decimals if metric.decimals else 0)
    # A packed whole number says itself how long it is.
    value_bytes = text_bytes + 1 if metric.decimals else _whole_bytes(amount)
    return _Field(
        filled, 2 * _PACKED - 1 + name_bytes + value_bytes, _LOOSE + name_bytes + text_bytes
    )


def _seen(expected: float) -> float:
    """Return the probability of at least one event, given the expected number."""
    return -math.expm1(-expected)


def _whole_bytes(amount: float) -> int:
    return next((width for below, width in _WHOLE if amount < below), _WIDEST)


def _labels(sets: Iterable[LabelsSample], times: float) -> KeyEstimate:
    """Estimate the known labels; larger sets if the sample contains only some series."""
    line = KeyEstimate("labels")
    for known in sets:
        text_bytes = known.text_bytes / known.count
        count = known.count * times
        large_bytes = max(_LABEL, _LABEL_TEXT + text_bytes)
        label_bytes = text_bytes + _PACKED if count <= _PACKED_LABELS else large_bytes
        line += KeyEstimate("labels", 1, count, _KEY + known.key_bytes + count * label_bytes)
    return line


def _ids(workload: Workload, remembered_s: int) -> KeyEstimate:
    """Estimate the ids of one day."""
    sample = workload.sample
    events = workload.events_per_day * remembered_s / DAY_S
    count = events * sample.ids / sample.events
    return KeyEstimate("ids", 1, count, count * (_ID + sample.ids_text_bytes / sample.ids))
