"""The routes that answer: /totals, /plotpoints, /rank and /subdimensions, as JSON or CSV."""

from __future__ import annotations

import bottle

from hailwhale.core.question import parse_children, parse_plot, parse_rank, parse_totals
from hailwhale.errors import BadInput
from hailwhale.services.assembly import Services
from hailwhale.services.tabular import plot_csv, rank_csv, totals_csv
from hailwhale.web.params import Fields, Sizes, one_event
from hailwhale.web.replies import csv_reply, json_reply


def add_answers(app: bottle.Bottle, services: Services, sizes: Sizes) -> None:
    """Mount the questions; each takes its parameters from the URL or from a POST body."""
    reporting, limits = services.reporting, services.settings.limits

    def totals() -> bottle.HTTPResponse:
        fields, as_csv = _asked(sizes)
        answer = reporting.totals(parse_totals(fields, limits))
        return csv_reply(totals_csv(answer)) if as_csv else json_reply(answer)

    def plotpoints() -> bottle.HTTPResponse:
        fields, as_csv = _asked(sizes)
        answer = reporting.plotpoints(parse_plot(fields, limits))
        return csv_reply(plot_csv(answer)) if as_csv else json_reply(answer)

    def rank() -> bottle.HTTPResponse:
        fields, as_csv = _asked(sizes)
        answer = services.ranking.rank(parse_rank(fields, limits))
        return csv_reply(rank_csv(answer)) if as_csv else json_reply(answer)

    def subdimensions() -> bottle.HTTPResponse:
        fields = one_event(bottle.request.environ, sizes)
        return json_reply(reporting.subdimensions(parse_children(fields, limits)))

    for path, answer in (
        ("/totals", totals),
        ("/plotpoints", plotpoints),
        ("/rank", rank),
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
