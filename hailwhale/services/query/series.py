"""Answers to questions: totals, plotpoints and the dimensions there are.

Takes parsed questions and returns the values of `results`. It does not know how answers are
written.
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
    """The range of a plot, and of each series it shows the sums in each bucket, in their order."""

    span: ResolvedRange
    series: tuple[tuple[Path, SeriesColumns], ...]


class SeriesQueries:
    """Answers from the store's cells."""

    def __init__(self, labels: LabelStore, spans: RangeReader, siblings: ChildrenReader) -> None:
        self._labels = labels
        self._spans = spans
        self._siblings = siblings

    def totals(self, question: TotalsQuery) -> list[PeriodTotals]:
        """The totals of each period, a period that is asked twice once."""
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
        """The series of a plot. `lines` says which they are, and in which order."""
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
        """The range of a plot, and the sums in each of its buckets of every dimension it shows.

        The dimensions asked for come first, then the descendants shown, then the `_other` series.
        What is shown is chosen by sums: columns are read of nothing else but what makes `_other`.
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
        """The dimensions known below each one asked for, `depth` levels down."""
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
        """The pks known one level below `pk`; below the empty path, the root pks."""
        return [(*pk, label) for label in sorted(self._labels.subpks(pk))]

    def known(self, pk: Path) -> KnownNames:
        """What there is to ask about a pk: its metrics, its dimensions, whether it is a decision.

        What a decision sums up for itself is left out, and the buckets of histograms.
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
        """For each series shown whose children are known, what those not shown add up to."""
        visible = set(shown)
        for parent in shown:
            below = [(*parent, label) for label in descent.labels.get(parent, ())]
            rest = [(pk, path) for path in below if path not in visible]
            if rest:
                yield (*parent, OTHER), reduce(add, self._spans.columns(rest, metrics, span), {})


def _chosen(question: PlotQuery, descent: DrillDown, span: ResolvedRange) -> list[Path]:
    """The descendants to show, in their order."""
    families, sort = descent.families, question.sort
    ranks = (sort.formula.totals(family.parts, span.buckets) for family in families)
    found = top_n(families, ranks, limit=question.limit, descending=sort.descending)
    return [families[number].path(place) for number, place in found]


def _metrics_of(formulas: Sequence[Formula]) -> list[str]:
    return list(dict.fromkeys(metric for formula in formulas for metric in formula.metrics))
