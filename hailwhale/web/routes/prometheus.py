"""/prometheus: chosen totals as a Prometheus scrapes them, in OpenMetrics.

Owns how a series is named there and with what labels. /metrics is about the service; this is about
what it counts. Every number is one gauge, ``hailwhale_value``: metrics may go down, for amounts may
be negative, and a label can hold any name where a name of Prometheus's own can not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

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
# What is shown must not come and go by small changes of what others come to.
DEFAULTS: dict[str, object] = {"periods": "all", "threshold": 0, "limit": 1_000}
LABELS = ("pk", "dimension", "label", "metric", "period")
_DOC = "What a metric or a formula comes to over a period"


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The numbers of a question, as the client library asks for them."""

    pk: Path
    graphed: GraphData

    def collect(self) -> Iterator[Metric]:
        """One gauge with a sample for each dimension and metric."""
        family = GaugeMetricFamily("hailwhale_value", _DOC, labels=LABELS)
        for one in self.graphed.series:
            label = one.path[-1] if one.path else ""
            labels = [written(self.pk), written(one.path), label, one.metric, self.graphed.period]
            family.add_metric(labels, float(one.total))
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
