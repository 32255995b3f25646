"""The query routes: /totals, /quantiles, /plotpoints, /rank, /subdimensions, /pks, /known."""

from __future__ import annotations

from collections.abc import Sequence

import bottle

from hailwhale.core.events.limits import Limits
from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.events.paths import Path, parse_pk
from hailwhale.core.query.parameters import (
    BELOW_PARAMETERS,
    parse_children,
    parse_plot,
    parse_quantiles,
    parse_rank,
    parse_totals,
)
from hailwhale.core.value_parsers import is_absent, parse_enum
from hailwhale.services.container import Services
from hailwhale.services.json_shapes import (
    known_json,
    pks_json,
    plotpoints_json,
    ranking_json,
    subdimensions_json,
    totals_json,
)
from hailwhale.services.query.csv_output import plot_csv, rank_csv, totals_csv
from hailwhale.services.query.results import PeriodTotals
from hailwhale.services.security.bearer_tokens import RootBinding
from hailwhale.web.request import BOUND, SizeLimits, one_event
from hailwhale.web.responses import csv_reply, json_reply


def add_answers(app: bottle.Bottle, services: Services, sizes: SizeLimits) -> None:
    """Mount the queries; each takes its parameters from the URL or from a POST body."""
    reporting, limits = services.reporting, services.settings.limits

    def totals() -> bottle.HTTPResponse:
        fields, as_csv = _asked(sizes)
        answer = reporting.totals(parse_totals(fields, limits))
        return _totals_reply(answer, as_csv)

    def quantiles() -> bottle.HTTPResponse:
        fields, as_csv = _asked(sizes)
        answer = services.quantiles.totals(*parse_quantiles(fields, limits))
        return _totals_reply(answer, as_csv)

    def plotpoints() -> bottle.HTTPResponse:
        fields, as_csv = _asked(sizes)
        answer = reporting.plotpoints(parse_plot(fields, limits))
        return csv_reply(plot_csv(answer)) if as_csv else json_reply(plotpoints_json(answer))

    def rank() -> bottle.HTTPResponse:
        fields, as_csv = _asked(sizes)
        answer = services.ranking.rank(parse_rank(fields, limits))
        return csv_reply(rank_csv(answer)) if as_csv else json_reply(ranking_json(answer))

    def subdimensions() -> bottle.HTTPResponse:
        question = parse_children(one_event(bottle.request.environ, sizes), limits)
        return json_reply(subdimensions_json(reporting.subdimensions(question)))

    def pks() -> bottle.HTTPResponse:
        above, bound = _pks_above(sizes, limits)
        if not above and bound is not None:  # whatever way "no pk" was written in the request
            return json_reply({"pks": [[root] for root in sorted(bound.roots)]})
        return json_reply({"pks": pks_json(reporting.pks(above))})

    def known() -> bottle.HTTPResponse:
        fields = normalize_names(one_event(bottle.request.environ, sizes), BELOW_PARAMETERS)
        return json_reply(known_json(reporting.known(parse_pk(fields.get("pk"), limits))))

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


def _totals_reply(answer: Sequence[PeriodTotals], as_csv: bool) -> bottle.HTTPResponse:
    return csv_reply(totals_csv(answer)) if as_csv else json_reply(totals_json(answer))


def _pks_above(sizes: SizeLimits, limits: Limits) -> tuple[Path, RootBinding | None]:
    """Return the parent pk, () for the root pks, and the roots that the caller is limited to."""
    environ = dict(bottle.request.environ)
    bound: RootBinding | None = environ.pop(BOUND, None)  # it would refuse a request without a pk
    fields = normalize_names(one_event(environ, sizes), BELOW_PARAMETERS)
    if bound is not None and "pk" in fields:
        bound.check(fields)
    above = () if is_absent(fields.get("pk")) else parse_pk(fields["pk"], limits)
    return above, bound


def _asked(sizes: SizeLimits) -> tuple[dict[str, object], bool]:
    """Return the parameters of a query without its format, and whether the format is CSV."""
    fields = one_event(bottle.request.environ, sizes)
    form = parse_enum(fields.pop("format", "json"), "format", ("json", "csv"), "json or csv")
    return fields, form == "csv"
