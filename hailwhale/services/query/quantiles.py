"""Quantiles of what was counted as histograms: how long 95 of 100 requests took at the most.

Asks for the buckets of a metric as for any metrics and reads the quantiles off their sums, so they
are there for every pk, dimension and period. It does not know where histograms come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from hailwhale.core.events.histogram import buckets_of, quantile
from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.param_names import normalize_names
from hailwhale.core.numbers import finite
from hailwhale.core.query.formula import Formula
from hailwhale.core.query.parameters import TOTALS_PARAMETERS, TotalsQuery, totals_query
from hailwhale.errors import BadInput
from hailwhale.services.query.results import PeriodTotals
from hailwhale.services.query.series import SeriesQueries
from hailwhale.store.protocol import LabelStore

QUANTILES_PARAMETERS = (*TOTALS_PARAMETERS, "shares")
SHARES = (0.5, 0.95, 0.99)


def parse_quantiles(
    fields: Mapping[str, object], limits: Limits = DEFAULT_LIMITS
) -> tuple[TotalsQuery, tuple[float, ...]]:
    """What is asked and of which shares; see `QUANTILES_PARAMETERS`. Raises `BadInput`."""
    found = normalize_names(fields, QUANTILES_PARAMETERS)
    shares = parse_shares(found.pop("shares", None))
    return totals_query(found, limits), shares


def parse_shares(shares: object) -> tuple[float, ...]:
    """Shares of the values, each above 0 and at most 1; raises `BadInput`.

    >>> parse_shares("0.5,0.999"), parse_shares(0.9), parse_shares(None)
    ((0.5, 0.999), (0.9,), (0.5, 0.95, 0.99))
    """
    if shares is None:
        return SHARES
    given = shares.split(",") if isinstance(shares, str) else shares
    numbers = [finite(each) for each in (given if isinstance(given, list | tuple) else [given])]
    found = tuple([float(number or 0) for number in numbers])
    if not found or not all(0 < share <= 1 for share in found):
        raise BadInput("shares", shares, "shares above 0 and at most 1, such as 0.5, 0.95")
    return found


def quantile_name(metric: str, share: float) -> str:
    """What a quantile is called in an answer.

    >>> quantile_name("latency", 0.95), quantile_name("latency", 0.999)
    ('latency:p95', 'latency:p99.9')
    """
    return f"{metric}:p{100 * share:.6g}"


class QuantileQueries:
    """Answers from the cells of histograms."""

    def __init__(self, labels: LabelStore, reporting: SeriesQueries) -> None:
        self._labels = labels
        self._reporting = reporting

    def totals(self, question: TotalsQuery, shares: Sequence[float]) -> list[PeriodTotals]:
        """The quantiles of the plain metrics of a question, named as `quantile_name` does.

        Each is the nearest rank, off by `RELATIVE_ERROR` at most; 0 where there are no values, as
        totals are. Raises `BadInput` for a formula, and for a metric that is counted under the pk
        but not as a histogram.
        """
        known = self._labels.metrics(question.pk)
        buckets = {formula.text: _buckets(formula, known) for formula in question.formulas}
        formulas = tuple([Formula.parse(name) for names in buckets.values() for name in names])
        if not formulas:
            formulas = question.formulas  # nothing is counted: every quantile is 0
        sums = self._reporting.totals(replace(question, formulas=formulas))
        return [
            PeriodTotals(
                each.period,
                {
                    path: {
                        quantile_name(metric, share): _quantile(found, names, share)
                        for metric, names in buckets.items()
                        for share in shares
                    }
                    for path, found in each.by_path.items()
                },
            )
            for each in sums
        ]


def _buckets(formula: Formula, known: set[str]) -> list[str]:
    if not formula.is_plain:
        raise BadInput("metrics", formula.text, "the name of a metric, no formula")
    found = buckets_of(formula.text, known)
    if formula.text in known and not found:
        raise BadInput("metrics", formula.text, "a metric with a histogram, such as a timing")
    return found


def _quantile(sums: Mapping[str, Decimal], names: Sequence[str], share: float) -> Decimal:
    """A quantile to the three digits that a histogram tells."""
    return Decimal(f"{quantile({name: sums[name] for name in names}, share) or 0:.3g}")
