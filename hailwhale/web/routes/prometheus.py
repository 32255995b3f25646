"""/prometheus: exposes chosen totals to Prometheus, in OpenMetrics.

Defines the name and the labels of a series. /metrics is about the service, /prometheus about what
it counts. All numbers are series of one gauge, ``hailwhale_value``. It is a gauge because amounts
may be negative, so metrics may go down. It is a single one because a label can hold any name and a
Prometheus metric name cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import nan

import bottle
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.events.paths import Path, written
from hailwhale.core.query.parameters import PLOT_PARAMETERS, plot_query
from hailwhale.services.container import Services
from hailwhale.services.query.graph_data import GraphData
from hailwhale.web.request import SizeLimits, one_event

PROMETHEUS_PARAMETERS = tuple(name for name in PLOT_PARAMETERS if name != "format")
# Series must not appear and disappear because of small changes in other series.
DEFAULTS: dict[str, object] = {"periods": "all", "threshold": 0, "limit": 1_000}
LABELS = ("pk", "dimension", "label", "metric", "period")
_DOC = "The total of a metric or a formula over a period"


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The numbers of a query, in the form the client library expects."""

    pk: Path
    graphed: GraphData

    def collect(self) -> Iterator[Metric]:
        """Yield one gauge with a sample for each dimension and metric; NaN where undefined."""
        family = GaugeMetricFamily("hailwhale_value", _DOC, labels=LABELS)
        for one in self.graphed.series:
            label = one.path[-1] if one.path else ""
            labels = [written(self.pk), written(one.path), label, one.metric, self.graphed.period]
            family.add_metric(labels, nan if one.total is None else float(one.total))
        yield family


def add_prometheus(app: bottle.Bottle, services: Services, sizes: SizeLimits) -> None:
    """Mount /prometheus, which takes the parameters of /plotpoints."""
    limits = services.settings.limits

    def prometheus() -> bottle.HTTPResponse:
        asked = normalize_names(one_event(bottle.request.environ, sizes), PROMETHEUS_PARAMETERS)
        question = plot_query({**DEFAULTS, **asked}, limits)
        registry = CollectorRegistry()
        registry.register(Chosen(question.pk, services.graphing.graph(question)))
        text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
        headers = {"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
        return bottle.HTTPResponse(text, 200, headers)

    app.route("/prometheus", "GET", prometheus)
