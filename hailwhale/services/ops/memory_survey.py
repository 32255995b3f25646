"""Surveys the series, labels and ids that events create; `core.sizing` estimates memory from them.

Knows events and the length of keys. Counts nothing and needs no store.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

from hailwhale.core.events.event import Event
from hailwhale.core.events.paths import Path, expand, prefixes
from hailwhale.core.memory_model import LabelsSample, MetricSample, SeriesSample, WorkloadSample
from hailwhale.store.redis.keys import Keys, shard_of


@dataclass(slots=True)
class _AmountSurvey:
    """The amounts of a metric in one series."""

    events: int = 0
    sum: float = 0.0
    decimals: int = 0

    def add(self, amount: Decimal, decimals: int) -> None:
        self.events += 1
        self.sum += abs(float(amount))
        self.decimals = max(self.decimals, decimals)


@dataclass(slots=True)
class _Seen:
    """The events and metrics of one series."""

    events: int = 0
    metrics: dict[str, _AmountSurvey] = field(default_factory=dict)


def survey(events: Iterable[Event], keys: Keys) -> WorkloadSample:
    """Return a sample of the workload, each event counted as the drain would.

    >>> from hailwhale.core.events.event import parse_event
    >>> event = parse_event({"pk": ["Product", 7], "dimensions": {"country": "US"}}, now_s=0)
    >>> sample = survey([event], Keys())
    >>> sample.events, len(sample.series), sum(known.count for known in sample.labels)
    (1, 6, 6)
    """
    seen: dict[tuple[Path, Path], _Seen] = {}
    count = ids = ids_text_bytes = 0
    for event in events:
        count += 1
        if event.id is not None:
            ids += 1
            ids_text_bytes += len(event.id.encode())
        amounts = [
            (name, amount, max(0, -cast(int, amount.as_tuple().exponent)))
            for name, amount in event.metrics.items()
        ]
        for dimension in expand(event.dimensions):
            for pk in prefixes(event.pk):
                one = seen.setdefault((pk, dimension), _Seen())
                one.events += 1
                for name, amount, decimals in amounts:
                    one.metrics.setdefault(name, _AmountSurvey()).add(amount, decimals)
    return WorkloadSample(
        count,
        [_series(keys, *node, found) for node, found in seen.items()],
        _labels(keys, seen),
        ids,
        ids_text_bytes,
    )


def _series(keys: Keys, pk: Path, dimension: Path, seen: _Seen) -> SeriesSample:
    metrics = tuple(
        MetricSample(len(name.encode()), found.events, found.sum / found.events, found.decimals)
        for name, found in seen.metrics.items()
    )
    # The whole key except the rollup's name and the chunk.
    text = keys.cells(pk, dimension, "", 0)
    return SeriesSample(len(text.encode()) - len(":0:"), seen.events, metrics)


def _labels(keys: Keys, nodes: Iterable[tuple[Path, Path]]) -> list[LabelsSample]:
    """Return the label sets that the series create: each series is a label below its parent."""
    below: dict[str, list[str]] = {}
    for pk, dimension in nodes:
        if dimension:
            below.setdefault(keys.children(pk, dimension[:-1]), []).append(dimension[-1])
        else:
            below.setdefault(keys.subpks(shard_of(pk[0]), pk[:-1]), []).append(pk[-1])
    return [
        LabelsSample(len(key.encode()), len(labels), len("".join(labels).encode()))
        for key, labels in below.items()
    ]
