"""/metrics: the metrics of the service for monitoring, in OpenMetrics.

Defines the names and types of the metrics. All except the spool's cover the whole store: they are
the same from every process of every machine, and survive restarts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import bottle
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.ops.request_stats import BOUNDS_S, DECISIONS, Durations, read_durations
from hailwhale.store.types import StoreStats

_COUNTED = {
    "accepted": "Hits accepted into the buffer",
    "duplicate": "Events with an id that was already counted; not counted again",
    "drained": "Hits that the drain removed from the buffers",
    "dead": "Hits that could not be parsed and became dead letters",
    "folded": "Labels over a limit, counted under _other",
}


@dataclass(frozen=True, slots=True, eq=False)
class StatsExposition:
    """The values of all metrics; those of the store are missing while it is unavailable."""

    vitals: StoreStats | None
    requests: Mapping[str, int]
    refused: Mapping[str, int]
    spool_bytes: int | None

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics in the form the Prometheus client library expects."""
        yield _gauge("store_up", "Whether the store answers", int(self.vitals is not None))
        if self.spool_bytes is not None:
            yield _gauge(
                "spool_bytes", "Bytes of hits in the spool on this machine's disk", self.spool_bytes
            )
        if self.vitals is None:
            return
        yield from _waiting(self.vitals)
        for name, doc in _COUNTED.items():
            yield _counter(name, doc, self.vitals.counts[name])
        refused = CounterMetricFamily(
            "hailwhale_refused", "Refused requests and refused events of batches", labels=["reason"]
        )
        for reason, count in sorted(self.refused.items()):
            refused.add_metric([reason], count)
        yield refused
        yield _counter("decisions", "Decisions made", self.requests.get(DECISIONS, 0))
        yield _durations(read_durations(self.requests))


def add_metrics(app: bottle.Bottle, services: Services) -> None:
    """Mount /metrics."""

    def metrics() -> bottle.HTTPResponse:
        registry = CollectorRegistry()
        registry.register(_told(services))
        headers = {"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
        text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
        return bottle.HTTPResponse(text, 200, headers)

    app.route("/metrics", "GET", metrics)


def _told(services: Services) -> StatsExposition:
    spool = services.spool.size_bytes() if services.spool is not None else None
    try:
        services.tallies.flush()
        vitals = services.store.stats.vitals()
        return StatsExposition(
            vitals,
            services.store.request_stats.answered(),
            services.store.request_stats.refused(),
            spool,
        )
    except StoreUnavailable:
        return StatsExposition(None, {}, {}, spool)


def _waiting(vitals: StoreStats) -> Iterator[Metric]:
    lag = "How long hits wait for the drain, in the shard where they wait longest"
    yield _gauge("drain_lag_seconds", lag, vitals.lag_s)
    yield _gauge("buffered_hits", "Hits in the buffers", vitals.buffered)
    yield _gauge("deepest_buffer_hits", "Hits in the fullest buffer of a shard", vitals.deepest)
    yield _gauge("planned_chunks", "Chunks of sums not yet added to cells", vitals.planned)
    yield _gauge("dead_letters", "Stored dead letters", vitals.dead_letters)
    yield _gauge("series", "Known series: pairs of a pk and a dimension", vitals.series)


def _durations(found: Iterable[Durations]) -> Metric:
    family = HistogramMetricFamily(
        "hailwhale_request_duration_seconds",
        "Time from receiving a request until its response was ready",
        labels=["route", "status"],
    )
    for one in found:
        total, buckets = 0, []
        for bound, count in zip([*map(str, BOUNDS_S), "+Inf"], one.buckets, strict=True):
            total += count
            buckets.append((bound, float(total)))
        family.add_metric([one.route, str(one.status)], buckets, sum_value=one.sum_s)
    return family


def _gauge(name: str, doc: str, value: float) -> Metric:
    return GaugeMetricFamily(f"hailwhale_{name}", doc, value=value)


def _counter(name: str, doc: str, value: float) -> Metric:
    return CounterMetricFamily(f"hailwhale_{name}", doc, value=value)
