"""Answers to questions: totals, plotpoints and the dimensions there are.

Takes parsed questions and returns plain dicts in the shape of the HTTP answers, with numbers exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from functools import reduce

from hailwhale.core.dimensions import Path, written
from hailwhale.core.formula import ZERO, Formula
from hailwhale.core.increments import EXACT, OTHER
from hailwhale.core.metrics import Number, as_number
from hailwhale.core.question import Children, Plot, Totals
from hailwhale.core.series import Candidate, add, choose, share
from hailwhale.errors import BadInput
from hailwhale.services.spans import Columns, Span, SpanReader
from hailwhale.store.base import Store

MAX_SERIES = 100_000  # what one question may read; past it the answer is a clear error

TotalsAnswer = dict[str, dict[str, dict[str, Number]]]
PlotAnswer = dict[str, dict[str, list[list[Number]]]]


@dataclass(slots=True)
class _Tree:
    """The series read for one plot: columns by path, and the children looked up of each parent."""

    columns: dict[Path, Columns] = field(default_factory=dict)
    children: dict[Path, list[Path]] = field(default_factory=dict)


class Reporting:
    """Answers from the store's cells."""

    def __init__(self, store: Store, spans: SpanReader) -> None:
        self._store = store
        self._spans = spans

    def totals(self, question: Totals) -> TotalsAnswer:
        """`{period: {dimension: {metric: number}}}`, periods keyed as they were asked."""
        metrics = _metrics_of(question.formulas)
        answer: TotalsAnswer = {}
        for period in question.periods:
            span = self._spans.span(period, question.grid)
            columns = self._spans.columns(question.pk, question.dimensions, metrics, span)
            answer[period.text] = {
                written(dimension): {
                    formula.text: as_number(formula.total(sums, span.buckets))
                    for formula in question.formulas
                }
                for dimension, sums in zip(question.dimensions, columns, strict=True)
            }
        return answer

    def plotpoints(self, question: Plot) -> PlotAnswer:
        """`{dimension: {metric: [[epoch ms of the bucket's start, number], …]}}`.

        The dimensions asked for come first, then the descendants shown, then the `_other` series.
        """
        span = self._spans.span(question.period, question.grid)
        tree = self._tree(question, span)
        shown = self._shown(question, span, tree)
        series = [(path, tree.columns[path]) for path in shown]
        if question.other:
            series += _others(shown, tree)
        return {
            written(path): {
                formula.text: _points(formula, columns, span) for formula in question.formulas
            }
            for path, columns in series
        }

    def subdimensions(self, question: Children) -> dict[str, list[str]]:
        """`{dimension: [dimension, …]}`: what is known below each, `depth` levels down."""
        answer: dict[str, list[str]] = {}
        for asked in question.dimensions:
            below: list[Path] = []
            level: Sequence[Path] = [asked]
            for _ in range(question.depth):
                level = self._children(question.pk, level)
                below += level
                _refuse_too_many(len(below))
            answer[written(asked)] = [written(path) for path in sorted(below)]
        return answer

    def pks(self, pk: Path = ()) -> list[Path]:
        """The pks known one level below `pk`; below the empty path, the root pks."""
        return [(*pk, label) for label in sorted(self._store.subpks(pk))]

    def _tree(self, question: Plot, span: Span) -> _Tree:
        """Read the asked series and, level by level, their descendants.

        What the threshold drops takes its descendants along, so they are not even read.
        """
        metrics = _metrics_of([*question.formulas, question.sort.formula])
        lead = question.formulas[0].lead
        tree = _Tree()
        level = list(question.dimensions)
        self._read(question.pk, level, metrics, span, tree)
        for _ in range(question.depth):
            found = self._children_by_parent(question.pk, level)
            tree.children |= found
            below = [path for paths in found.values() for path in paths if path not in tree.columns]
            _refuse_too_many(len(tree.columns) + len(below))
            self._read(question.pk, below, metrics, span, tree)
            level = [
                path
                for path in below
                if share(_sum(tree, path, lead), _sum(tree, path[:-1], lead)) >= question.threshold
            ]
        return tree

    def _read(
        self, pk: Path, paths: Sequence[Path], metrics: Sequence[str], span: Span, tree: _Tree
    ) -> None:
        read = self._spans.columns(pk, paths, metrics, span)
        tree.columns |= dict(zip(paths, read, strict=True))

    def _shown(self, question: Plot, span: Span, tree: _Tree) -> list[Path]:
        lead = question.formulas[0].lead
        rank = question.sort.formula
        return choose(
            {path: _sum(tree, path, lead) for path in question.dimensions},
            (
                Candidate(path, _sum(tree, path, lead), rank.total(columns, span.buckets))
                for path, columns in tree.columns.items()
                if not (question.other and path and path[-1] == OTHER)
            ),
            threshold=question.threshold,
            limit=question.limit,
            descending=question.sort.descending,
        )

    def _children_by_parent(self, pk: Path, parents: Sequence[Path]) -> dict[Path, list[Path]]:
        found = self._store.children([(pk, parent) for parent in parents])
        return {
            parent: [(*parent, label) for label in sorted(labels)]
            for parent, labels in zip(parents, found, strict=True)
        }

    def _children(self, pk: Path, parents: Sequence[Path]) -> list[Path]:
        return [path for paths in self._children_by_parent(pk, parents).values() for path in paths]


def _metrics_of(formulas: Sequence[Formula]) -> list[str]:
    return list(dict.fromkeys(metric for formula in formulas for metric in formula.metrics))


def _sum(tree: _Tree, path: Path, metric: str) -> Decimal:
    with localcontext(EXACT):
        return sum(tree.columns[path][metric], ZERO)


def _points(formula: Formula, columns: Columns, span: Span) -> list[list[Number]]:
    values = formula.series(columns, span.buckets)
    return [
        [bucket.start_s * 1000, as_number(value)]
        for bucket, value in zip(span.buckets, values, strict=True)
    ]


def _others(shown: Sequence[Path], tree: _Tree) -> list[tuple[Path, Columns]]:
    """For each series shown whose children were read, what those not shown add up to."""
    visible = set(shown)
    others: list[tuple[Path, Columns]] = []
    for parent in shown:
        rest = [path for path in tree.children.get(parent, ()) if path not in visible]
        if rest:
            columns = reduce(add, (tree.columns[path] for path in rest), Columns())
            others.append(((*parent, OTHER), columns))
    return others


def _refuse_too_many(series: int) -> None:
    if series > MAX_SERIES:
        raise BadInput("depth", f"{series} series", f"a question of at most {MAX_SERIES} series")
