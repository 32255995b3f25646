"""Answers queries for totals, plotpoints and known dimensions.

Takes parsed queries and returns the values of `results`. Knows nothing of the format of answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from hailwhale.core.decisions.exposure import DECIDED, PRODUCT_SIGN
from hailwhale.core.events.histogram import is_bucket
from hailwhale.core.events.overflow import OTHER
from hailwhale.core.events.paths import Path
from hailwhale.core.query.formula import Formula, sums_of, terms_of
from hailwhale.core.query.parameters import ChildrenQuery, PlotQuery, TotalsQuery
from hailwhale.core.query.ranking import ParentWithChildren, top_n
from hailwhale.core.query.resample import add
from hailwhale.services.query.children import (
    ChildrenReader,
    DrillDown,
    SiblingAxis,
    refuse_too_many,
)
from hailwhale.services.query.ranges import RangeReader, ResolvedRange, SeriesColumns
from hailwhale.services.query.results import KnownNames, PeriodTotals, SeriesPoints
from hailwhale.store.protocol import LabelStore


@dataclass(frozen=True, slots=True)
class PlottedSums:
    """The range of a plot, and the sums by bucket of each series it shows, in order."""

    span: ResolvedRange
    series: tuple[tuple[Path, SeriesColumns], ...]


class SeriesQueries:
    """Answer queries from the store's cells."""

    def __init__(self, labels: LabelStore, spans: RangeReader, siblings: ChildrenReader) -> None:
        self._labels = labels
        self._spans = spans
        self._siblings = siblings

    def totals(self, question: TotalsQuery) -> list[PeriodTotals]:
        """Return the totals of each period; a repeated period is returned once."""
        metrics = _metrics_of(question.formulas)
        found: dict[str, PeriodTotals] = {}
        for period in question.periods:
            span = self._spans.span(period, question.grid)
            series = self._series(question.pk, question.dimensions, metrics, span, whole=True)
            values = {
                path: {
                    formula.text: formula.total(columns, span.buckets)
                    for formula in question.formulas
                }
                for path, columns in series.items()
            }
            found[period.text] = PeriodTotals(period.text, values)
        return list(found.values())

    def plotpoints(self, question: PlotQuery) -> SeriesPoints:
        """Return the series of a plot; `lines` chooses them and their order."""
        found = self.lines(question)
        buckets = found.span.buckets
        return SeriesPoints(
            tuple([bucket.start_s for bucket in buckets]),
            {
                path: {
                    formula.text: formula.series(columns, buckets) for formula in question.formulas
                }
                for path, columns in found.series
            },
        )

    def lines(self, question: PlotQuery) -> PlottedSums:
        """Return the range of a plot, and the sums by bucket of every dimension it shows.

        The requested dimensions come first, then the descendants shown, then the `_other` series.
        Descendants are chosen by their sums: columns are read only for what is shown and for what
        `_other` consists of.
        """
        span = self._spans.span(question.period, question.grid)
        metrics = _metrics_of(question.formulas)
        sort_metrics = question.sort.formula.metrics if question.depth else ()
        read = list(dict.fromkeys((*metrics, *sort_metrics)))
        asked = self._series(question.pk, question.dimensions, read, span)
        descent = self._descent(question, asked, span)
        below = self._series(question.pk, _chosen(question, descent, span), metrics, span)
        series = [*asked.items(), *below.items()]
        if question.other:
            shown = [path for path, _ in series]
            series += self._others(question.pk, shown, descent, metrics, span)
        return PlottedSums(span, tuple(series))

    def subdimensions(self, question: ChildrenQuery) -> dict[Path, list[Path]]:
        """Return the known dimensions below each requested one, `depth` levels down."""
        found: dict[Path, list[Path]] = {}
        for asked in question.dimensions:
            below: list[Path] = []
            level: Sequence[Path] = [asked]
            for _ in range(question.depth):
                level = self._below(question.pk, level)
                below += level
                refuse_too_many(len(below))
            found[asked] = sorted(below)
        return found

    def pks(self, pk: Path = ()) -> list[Path]:
        """Return the known pks one level below `pk`; the root pks below the empty path."""
        return [(*pk, label) for label in sorted(self._labels.subpks(pk))]

    def known(self, pk: Path) -> KnownNames:
        """Return what can be queried of a pk: metrics, dimensions, whether it is a decision.

        Omits the metrics that a decision counts internally, and histogram buckets.
        """
        metrics = {name for name in self._labels.metrics(pk) if not is_bucket(name)}
        shown = [name for name in metrics if PRODUCT_SIGN not in name and name != DECIDED]
        return KnownNames(
            metrics=tuple(sorted(shown)),
            dimensions=tuple([label for (label,) in self._below(pk, [()])]),
            is_decision=len(shown) < len(metrics),
        )

    def _series(
        self,
        pk: Path,
        paths: Sequence[Path],
        metrics: Sequence[str],
        span: ResolvedRange,
        *,
        whole: bool = False,
    ) -> dict[Path, SeriesColumns]:
        columns = self._spans.columns([(pk, path) for path in paths], metrics, span, whole=whole)
        return dict(zip(paths, columns, strict=True))

    def _below(self, pk: Path, parents: Sequence[Path]) -> list[Path]:
        found = self._siblings.labels(SiblingAxis(pk), parents)
        pairs = zip(parents, found, strict=True)
        return [(*parent, label) for parent, labels in pairs for label in labels]

    def _descent(
        self, question: PlotQuery, asked: Mapping[Path, SeriesColumns], span: ResolvedRange
    ) -> DrillDown:
        lead = Formula.parse(question.formulas[0].lead)
        terms = terms_of([lead, question.sort.formula])

        def choose(family: ParentWithChildren) -> ParentWithChildren:
            if question.other:
                labels = enumerate(family.labels)
                family = family.picked([place for place, label in labels if label != OTHER])
            return family.holding(question.threshold, lead, span.buckets)

        known = {path: sums_of(columns, terms) for path, columns in asked.items()}
        return self._siblings.descend(
            SiblingAxis(question.pk), known, terms, span, depth=question.depth, choose=choose
        )

    def _others(
        self,
        pk: Path,
        shown: Sequence[Path],
        descent: DrillDown,
        metrics: Sequence[str],
        span: ResolvedRange,
    ) -> Iterator[tuple[Path, SeriesColumns]]:
        """Yield for each series shown with known children the sum of those not shown."""
        visible = set(shown)
        for parent in shown:
            below = [(*parent, label) for label in descent.labels.get(parent, ())]
            rest = [(pk, path) for path in below if path not in visible]
            if rest:
                yield (*parent, OTHER), reduce(add, self._spans.columns(rest, metrics, span), {})


def _chosen(question: PlotQuery, descent: DrillDown, span: ResolvedRange) -> list[Path]:
    """Return the descendants to show, in order."""
    families, sort = descent.families, question.sort
    ranks = (sort.formula.totals(family.parts, span.buckets) for family in families)
    found = top_n(families, ranks, limit=question.limit, descending=sort.descending)
    return [families[number].path(place) for number, place in found]


def _metrics_of(formulas: Sequence[Formula]) -> list[str]:
    return list(dict.fromkeys(metric for formula in formulas for metric in formula.metrics))
