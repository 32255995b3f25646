"""The routes that answer: /totals, /quantiles, /plotpoints, /rank, /subdimensions, /pks, /known."""

from __future__ import annotations

import bottle

from hailwhale.core.events.limits import Limits
from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.events.paths import Path, parse_pk
from hailwhale.core.query.parameters import (
    BELOW_PARAMETERS,
    parse_children,
    parse_plot,
    parse_rank,
    parse_totals,
)
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.services.query.csv_output import plot_csv, rank_csv, totals_csv
from hailwhale.services.query.quantiles import parse_quantiles
from hailwhale.services.security.bearer_tokens import RootBinding
from hailwhale.web.request import BOUND, Fields, SizeLimits, one_event
from hailwhale.web.responses import csv_reply, json_reply


def add_answers(app: bottle.Bottle, services: Services, sizes: SizeLimits) -> None:
    """Mount the questions; each takes its parameters from the URL or from a POST body."""
    reporting, limits = services.reporting, services.settings.limits

    def totals() -> bottle.HTTPResponse:
        fields, as_csv = _asked(sizes)
        answer = reporting.totals(parse_totals(fields, limits))
        return csv_reply(totals_csv(answer)) if as_csv else json_reply(answer)

    def quantiles() -> bottle.HTTPResponse:
        fields, as_csv = _asked(sizes)
        answer = services.quantiles.totals(*parse_quantiles(fields, limits))
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

    def pks() -> bottle.HTTPResponse:
        above, bound = _pks_above(sizes, limits)
        if above or bound is None:
            return json_reply({"pks": reporting.pks(above)})
        return json_reply({"pks": [[root] for root in sorted(bound.roots)]})

    def known() -> bottle.HTTPResponse:
        fields = normalize_names(one_event(bottle.request.environ, sizes), BELOW_PARAMETERS)
        return json_reply(reporting.known(parse_pk(fields.get("pk"), limits)))

    for path, answer in (
        ("/pks", pks),
        ("/known", known),
        ("/totals", totals),
        ("/quantiles", quantiles),
        ("/plotpoints", plotpoints),
        ("/rank", rank),
        ("/subdimensions", subdimensions),
    ):
        app.route(path, ["GET", "POST"], answer)


def _pks_above(sizes: SizeLimits, limits: Limits) -> tuple[Path, RootBinding | None]:
    """The pk to look below, () for the root pks, and the roots that the caller is bound to."""
    environ = dict(bottle.request.environ)
    bound: RootBinding | None = environ.pop(BOUND, None)  # it would refuse a request without a pk
    fields = normalize_names(one_event(environ, sizes), BELOW_PARAMETERS)
    if fields.get("pk") in (None, ""):
        return (), bound
    if bound is not None:
        bound.check(fields)
    return parse_pk(fields["pk"], limits), bound


def _asked(sizes: SizeLimits) -> tuple[Fields, bool]:
    """The parameters of a question without its format, and whether that is CSV."""
    fields = one_event(bottle.request.environ, sizes)
    form = fields.pop("format", "json")
    if form not in ("json", "csv", ""):
        raise BadInput("format", form, "json or csv")
    return fields, form == "csv"
