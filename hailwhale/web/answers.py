"""The routes that answer: /totals, /plotpoints and /subdimensions, as JSON or CSV."""

from __future__ import annotations

from datetime import UTC, datetime

import bottle

from hailwhale.core.question import parse_children, parse_plot, parse_totals
from hailwhale.errors import BadInput
from hailwhale.services.assembly import Services
from hailwhale.services.reporting import PlotAnswer, TotalsAnswer
from hailwhale.web.params import Fields, Sizes, one_event
from hailwhale.web.replies import csv_reply, json_reply


def add_answers(app: bottle.Bottle, services: Services, sizes: Sizes) -> None:
    """Mount the questions; each takes its parameters from the URL or from a POST body."""
    reporting, limits = services.reporting, services.settings.limits

    def totals() -> bottle.HTTPResponse:
        fields, as_csv = _asked(sizes)
        answer = reporting.totals(parse_totals(fields, limits))
        return _totals_csv(answer) if as_csv else json_reply(answer)

    def plotpoints() -> bottle.HTTPResponse:
        fields, as_csv = _asked(sizes)
        answer = reporting.plotpoints(parse_plot(fields, limits))
        return _plot_csv(answer) if as_csv else json_reply(answer)

    def subdimensions() -> bottle.HTTPResponse:
        fields = one_event(bottle.request.environ, sizes)
        return json_reply(reporting.subdimensions(parse_children(fields, limits)))

    for path, answer in (
        ("/totals", totals),
        ("/plotpoints", plotpoints),
        ("/subdimensions", subdimensions),
    ):
        app.route(path, ["GET", "POST"], answer)


def _asked(sizes: Sizes) -> tuple[Fields, bool]:
    """The parameters of a question without its format, and whether that is CSV."""
    fields = one_event(bottle.request.environ, sizes)
    form = fields.pop("format", "json")
    if form not in ("json", "csv", ""):
        raise BadInput("format", form, "json or csv")
    return fields, form == "csv"


def _totals_csv(answer: TotalsAnswer) -> bottle.HTTPResponse:
    return csv_reply(
        ("period", "dimension", "metric", "value"),
        [
            (period, dimension, metric, value)
            for period, dimensions in answer.items()
            for dimension, metrics in dimensions.items()
            for metric, value in metrics.items()
        ],
    )


def _plot_csv(answer: PlotAnswer) -> bottle.HTTPResponse:
    return csv_reply(
        ("time", "dimension", "metric", "value"),
        [
            (datetime.fromtimestamp(int(at_ms) // 1000, UTC).isoformat(), dimension, metric, value)
            for dimension, metrics in answer.items()
            for metric, points in metrics.items()
            for at_ms, value in points
        ],
    )
