"""Quantiles of metrics counted as histograms: the time within which 95 of 100 requests finished.

Reads the histogram buckets of a metric like any other metrics and computes quantiles from their
sums. So quantiles are available for every pk, dimension and period. Knows nothing of where
histograms come from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from hailwhale.core.events.histogram import buckets_of, quantile
from hailwhale.core.query.formula import Formula
from hailwhale.core.query.parameters import TotalsQuery
from hailwhale.errors import BadInput
from hailwhale.services.query.results import PeriodTotals
from hailwhale.services.query.series import SeriesQueries
from hailwhale.store.protocol import LabelStore

_QUANTILE_CELLS = 8  # of a quantile; each bucket of its histogram is one more


def quantile_name(metric: str, share: float) -> str:
    """Return the name of a quantile in an answer.

    >>> quantile_name("latency", 0.95), quantile_name("latency", 0.99999999)
    ('latency:p95', 'latency:p99.999999')
    """
    return f"{metric}:p{100 * share:.15g}"


class QuantileQueries:
    """Answer queries for quantiles, from the cells of histograms."""

    def __init__(self, labels: LabelStore, reporting: SeriesQueries) -> None:
        self._labels = labels
        self._reporting = reporting

    def totals(self, question: TotalsQuery, shares: Sequence[float]) -> list[PeriodTotals]:
        """Return the quantiles of a query's plain metrics, named by `quantile_name`.

        Each is the nearest-rank value with a relative error of at most `MAX_RELATIVE_ERROR`; 0 if
        there are no values, as in totals. Raises `BadInput` for a formula, and for a metric that is
        counted under the pk but not as a histogram.
        """
        known = self._labels.metrics(question.pk)
        buckets = {formula.text: _buckets(formula, known) for formula in question.formulas}
        formulas = tuple([Formula.parse(name) for names in buckets.values() for name in names])
        if not formulas:
            formulas = question.formulas  # nothing is counted: every quantile is 0
        cost = self._reporting.new_cost()
        numbers = len(question.periods) * len(question.dimensions) * len(shares)
        cost.add(
            numbers * sum(_QUANTILE_CELLS + len(names) for names in buckets.values()), "shares"
        )
        sums = self._reporting.totals(replace(question, formulas=formulas), cost)
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
        raise BadInput("metrics", formula.text, "the name of a metric, not a formula")
    found = buckets_of(formula.text, known)
    if formula.text in known and not found:
        raise BadInput("metrics", formula.text, "a metric with a histogram, such as a timing")
    return found


def _quantile(sums: Mapping[str, Decimal], names: Sequence[str], share: float) -> Decimal:
    return quantile({name: sums[name] for name in names}, share) or Decimal(0)
