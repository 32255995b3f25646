"""Answers queries for totals, plotpoints and known dimensions.

Takes parsed queries and returns the values of `results`. Knows nothing of the format of answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import reduce
from typing import NamedTuple

from hailwhale.core.decisions.exposure import DECIDED, PRODUCT_SIGN
from hailwhale.core.events.histogram import is_bucket
from hailwhale.core.events.overflow import OTHER
from hailwhale.core.events.paths import Path
from hailwhale.core.query.bucket_lengths import Bucket
from hailwhale.core.query.columns import sums_of
from hailwhale.core.query.cost import CHARS, QueryCost
from hailwhale.core.query.formula import Formula, terms_of
from hailwhale.core.query.parameters import ChildrenQuery, PlotQuery, TotalsQuery
from hailwhale.core.query.ranking import ParentWithChildren, top_n, top_n_downwards
from hailwhale.core.query.resample import add
from hailwhale.services.query.children import (
    ChildrenReader,
    DrillDown,
    SiblingAxis,
    refuse_too_many,
)
from hailwhale.services.query.counted_words import where_counted
from hailwhale.services.query.ranges import RangeReader, ResolvedRange, SeriesColumns
from hailwhale.services.query.results import KnownNames, PeriodTotals, SeriesPoints
from hailwhale.store.protocol import LabelStore


@dataclass(frozen=True, slots=True)
class PlottedSums:
    """The range of a plot, and the sums by bucket of each series it shows, in order.

    `formulas` are those of the query as they read under its pk.
    """

    span: ResolvedRange
    formulas: tuple[Formula, ...]
    series: tuple[tuple[Path, SeriesColumns], ...]


class KnownMetrics(NamedTuple):
    """The metrics that can be queried of a pk, sorted, and whether it is a decision."""

    metrics: list[str]
    is_decision: bool


class _PeriodSums(NamedTuple):
    period: str
    formulas: tuple[Formula, ...]
    buckets: Sequence[Bucket]
    series: Mapping[Path, SeriesColumns]


class SeriesQueries:
    """Answer queries from the store's cells."""

    def __init__(
        self, labels: LabelStore, spans: RangeReader, siblings: ChildrenReader, max_cells: int
    ) -> None:
        """Initialize; `max_cells` is the largest cost of a query, see `core.query.cost`."""
        self._labels = labels
        self._spans = spans
        self._siblings = siblings
        self._max_cells = max_cells

    def new_cost(self) -> QueryCost:
        """Return the cost of a query that begins."""
        return QueryCost(self._max_cells)

    def totals(self, question: TotalsQuery, cost: QueryCost | None = None) -> list[PeriodTotals]:
        """Return the totals of each period; a repeated period is returned once.

        `cost` is that of the query which this is a part of.
        """
        return [
            PeriodTotals(
                period,
                {
                    path: {formula.text: formula.total(columns, buckets) for formula in formulas}
                    for path, columns in series.items()
                },
            )
            for period, formulas, buckets, series in self._totalled(question, cost)
        ]

    def defined_totals(
        self, question: TotalsQuery
    ) -> list[Mapping[Path, Mapping[str, Decimal | None]]]:
        """Return `totals` by dimension and metric, with None where a quotient is by 0."""
        return [
            {
                path: {
                    formula.text: formula.defined_total(columns, buckets) for formula in formulas
                }
                for path, columns in series.items()
            }
            for _, formulas, buckets, series in self._totalled(question)
        ]

    def where_counted(self, pk: Path, *formulas: Formula) -> tuple[Formula, ...]:
        """Return formulas as they read under a pk (see `counted_words`)."""
        return where_counted(self._labels, pk, formulas)

    def plotpoints(self, question: PlotQuery) -> SeriesPoints:
        """Return the series of a plot; `lines` chooses them and their order."""
        found = self.lines(question)
        buckets = found.span.buckets
        return SeriesPoints(
            tuple([bucket.start_s for bucket in buckets]),
            {
                path: {formula.text: formula.series(columns, buckets) for formula in found.formulas}
                for path, columns in found.series
            },
        )

    def lines(self, question: PlotQuery) -> PlottedSums:
        """Return the range of a plot, and the sums by bucket of every dimension it shows.

        The requested dimensions come first, then the descendants shown, then the `_other` series.
        Descendants are chosen by their sums: columns are read only for what is shown and for what
        `_other` consists of.
        """
        question = self._as_counted(question)
        span = self._spans.span(question.period, question.grid)
        cost = self.new_cost()
        metrics = _metrics_of(question.formulas)
        sort_metrics = question.sort.formula.metrics if question.depth else ()
        read = list(dict.fromkeys((*metrics, *sort_metrics)))
        asked_paths, points = question.dimensions, len(span.buckets)
        cost.read(len(asked_paths), span.cells(read), buckets=len(span.starts))
        cost.answer(asked_paths, question.formulas, points, points)
        asked = self._series(question.pk, asked_paths, read, span)
        descent = self._descent(question, asked, span, cost)
        chosen = _chosen(question, descent, span)
        rest = _rest([*asked_paths, *chosen], descent) if question.other else {}
        unseen = sum(map(len, rest.values()))
        each = span.cells(metrics)
        cost.read(len(chosen), each, of="limit", buckets=len(span.starts))
        cost.read(unseen, 2 * each, of="other", buckets=len(span.starts))
        cost.answer([*chosen, *rest], question.formulas, points, points)
        below = self._series(question.pk, chosen, metrics, span)
        series = [*asked.items(), *below.items()]
        series += self._others(question.pk, rest, metrics, span)
        return PlottedSums(span, question.formulas, tuple(series))

    def subdimensions(self, question: ChildrenQuery) -> dict[Path, list[Path]]:
        """Return the known dimensions below each requested one, `depth` levels down."""
        cost = self.new_cost()
        found: dict[Path, list[Path]] = {}
        for asked in question.dimensions:
            below: list[Path] = []
            level: Sequence[Path] = [asked]
            for _ in range(question.depth):
                level = self._below(question.pk, level, cost)
                below += level
                refuse_too_many(len(below))
                cost.add(_chars(level) // CHARS, "depth")
            found[asked] = sorted(below)
        return found

    def pks(self, pk: Path = ()) -> list[Path]:
        """Return the known pks one level below `pk`; the root pks below the empty path."""
        return [(*pk, label) for label in sorted(self._labels.subpks(pk))]

    def known(self, pk: Path) -> KnownNames:
        """Return what can be queried of a pk: metrics, dimensions, whether it is a decision.

        Omits the metrics that a decision counts internally, and histogram buckets.
        """
        found = self.known_metrics(pk)
        return KnownNames(
            metrics=tuple(found.metrics),
            dimensions=tuple([label for (label,) in self._below(pk, [()], self.new_cost())]),
            is_decision=found.is_decision,
        )

    def known_metrics(self, pk: Path) -> KnownMetrics:
        """Return the metrics that can be queried of a pk, sorted, and whether it is a decision."""
        metrics = {name for name in self._labels.metrics(pk) if not is_bucket(name)}
        shown = sorted(name for name in metrics if not _is_internal(name, metrics))
        return KnownMetrics(shown, len(shown) < len(metrics))

    def _totalled(
        self, question: TotalsQuery, cost: QueryCost | None = None
    ) -> Iterator[_PeriodSums]:
        """Yield for each period, once, the sums by bucket of every dimension."""
        formulas = self.where_counted(question.pk, *question.formulas)
        metrics = _metrics_of(formulas)
        paths, cost = question.dimensions, cost or self.new_cost()
        periods = {period.text: period for period in question.periods}
        spans = {text: self._spans.span(each, question.grid) for text, each in periods.items()}
        for span in spans.values():
            cost.read(len(paths), span.cells(metrics, whole=True), buckets=len(span.starts))
            cost.answer(paths, formulas, 1, len(span.buckets))
        for text, span in spans.items():
            series = self._series(question.pk, question.dimensions, metrics, span, whole=True)
            yield _PeriodSums(text, formulas, span.buckets, series)

    def _as_counted(self, question: PlotQuery) -> PlotQuery:
        sort = question.sort
        *formulas, by = self.where_counted(question.pk, *question.formulas, sort.formula)
        return replace(question, formulas=tuple(formulas), sort=replace(sort, formula=by))

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

    def _below(self, pk: Path, parents: Sequence[Path], cost: QueryCost) -> list[Path]:
        found = self._siblings.labels(SiblingAxis(pk), parents, cost)
        pairs = zip(parents, found, strict=True)
        return [(*parent, label) for parent, labels in pairs for label in labels]

    def _descent(
        self,
        question: PlotQuery,
        asked: Mapping[Path, SeriesColumns],
        span: ResolvedRange,
        cost: QueryCost,
    ) -> DrillDown:
        weight = question.formulas[0].weight
        terms = terms_of([weight, question.sort.formula])

        def choose(family: ParentWithChildren) -> ParentWithChildren:
            if question.other:
                labels = enumerate(family.labels)
                family = family.picked([place for place, label in labels if label != OTHER])
            return family.holding(question.threshold, weight, span.buckets)

        known = {path: sums_of(columns, terms) for path, columns in asked.items()}
        return self._siblings.descend(
            SiblingAxis(question.pk),
            known,
            terms,
            span,
            depth=question.depth,
            choose=choose,
            cost=cost,
            steps=len(weight.steps) + len(question.sort.formula.steps),
        )

    def _others(
        self,
        pk: Path,
        rest: Mapping[Path, Sequence[Path]],
        metrics: Sequence[str],
        span: ResolvedRange,
    ) -> Iterator[tuple[Path, SeriesColumns]]:
        """Yield for each `_other` series the sum of those that it stands for."""
        for path, unseen in rest.items():
            nodes = [(pk, each) for each in unseen]
            yield path, reduce(add, self._spans.columns(nodes, metrics, span), {})


def _rest(shown: Sequence[Path], descent: DrillDown) -> dict[Path, list[Path]]:
    """Return for each series shown with known children that are not: its `_other`, and those."""
    visible, found = set(shown), {}
    for parent in shown:
        below = [(*parent, label) for label in descent.labels.get(parent, ())]
        if rest := [path for path in below if path not in visible]:
            found[(*parent, OTHER)] = rest
    return found


def _chars(paths: Sequence[Path]) -> int:
    return sum(len(label) for path in paths for label in path)


def _chosen(question: PlotQuery, descent: DrillDown, span: ResolvedRange) -> list[Path]:
    """Return the descendants to show, in order."""
    families, sort = descent.families, question.sort
    ranks = (sort.formula.defined_totals(family.parts, span.buckets) for family in families)
    # A part of what is in _other would be shown twice.
    choose = top_n_downwards if question.other else top_n
    found = choose(families, ranks, limit=question.limit, descending=sort.descending)
    return [families[number].path(place) for number, place in found]


def _is_internal(name: str, metrics: Collection[str]) -> bool:
    """Return whether a decision counts a metric internally: how often, and products of metrics."""
    first, sign, second = name.partition(PRODUCT_SIGN)
    return name == DECIDED or bool(sign and first in metrics and second in metrics)


def _metrics_of(formulas: Sequence[Formula]) -> list[str]:
    return list(dict.fromkeys(metric for formula in formulas for metric in formula.metrics))
