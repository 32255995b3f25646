"""Answers /rank: the children of a dimension or a pk in order, each compared with its parent.

Reads aggregates of children through `children` and sorts them with `core.query.ranking`. Knows
nothing of HTTP, or of how sums are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from hailwhale.core.events.paths import Path
from hailwhale.core.query.cost import QueryCost
from hailwhale.core.query.formula import terms_of
from hailwhale.core.query.parameters import RankQuery
from hailwhale.core.query.ranking import (
    COLUMNS,
    ChildIndex,
    ParentWithChildren,
    column,
    compare_to_parents,
    top_n,
)
from hailwhale.services.query.children import ChildrenReader, SiblingAxis, metrics_of
from hailwhale.services.query.counted_words import where_counted
from hailwhale.services.query.ranges import RangeReader, ResolvedRange
from hailwhale.services.query.results import RankedChild, Ranking
from hailwhale.store.protocol import LabelStore

_COLUMNS = len(COLUMNS)  # of a comparison


class RankingQueries:
    """Answer queries for rankings, from the aggregates of siblings."""

    def __init__(
        self, labels: LabelStore, spans: RangeReader, siblings: ChildrenReader, max_cells: int
    ) -> None:
        """Initialize; `max_cells` is the largest cost of a query, see `core.query.cost`."""
        self._max_cells = max_cells
        self._labels = labels
        self._spans = spans
        self._siblings = siblings

    def rank(self, question: RankQuery) -> Ranking:
        """Return the top children, in order.

        Of all siblings only the terms that decide the order are read; further terms are read only
        for the children returned.
        """
        question = self._as_counted(question)
        span = self._spans.span(question.period, question.grid)
        wanted = terms_of(question.formulas)
        deciding = terms_of([question.sort.formula, question.formulas[0].weight])
        if not question.limit:
            deciding = list(dict.fromkeys((*deciding, *wanted)))
        cost = QueryCost(self._max_cells)
        families = self._families(question, deciding, span, cost)
        chosen = _chosen(question, families, span)
        again = not set(wanted) <= set(deciding)
        _add_answer(cost, question, [families[number].path(place) for number, place in chosen])
        if again:
            each = span.cells(metrics_of(wanted), whole=True)
            cost.read(len(chosen) + len(families), each, of="limit", buckets=len(span.starts))
        rows: dict[int, Iterator[RankedChild]] = {}
        for number, places in _by_family(chosen).items():
            family = families[number].picked(places)
            if again:
                family = self._read_again(question, family, wanted, span)
            rows[number] = _rows(question, family, span)
        return Ranking(question.of_pks, tuple([next(rows[number]) for number, _ in chosen]))

    def _as_counted(self, question: RankQuery) -> RankQuery:
        asked = (*question.formulas, question.sort.formula)
        *formulas, by = where_counted(self._labels, question.pk, asked)
        sort = replace(question.sort, formula=by)
        return replace(question, formulas=tuple(formulas), sort=sort)

    def _families(
        self, question: RankQuery, terms: Sequence[str], span: ResolvedRange, cost: QueryCost
    ) -> list[ParentWithChildren]:
        weight, by = question.formulas[0].weight, question.sort.formula
        line = _line(question)
        asked = [question.pk] if question.of_pks else question.dimensions
        cells = span.cells(metrics_of(terms), whole=True)
        cost.read(len(asked), cells, buckets=len(span.starts))
        known = self._siblings.known(line, asked, terms, span)
        descent = self._siblings.descend(
            line,
            dict(zip(asked, known, strict=True)),
            terms,
            span,
            depth=question.depth,
            choose=lambda family: family.holding(question.threshold, weight, span.buckets),
            cost=cost,
            steps=2 * len(weight.steps)
            + len(by.steps) * (1 if question.by == "value" else _COLUMNS),
        )
        return [family.present(weight, span.buckets) for family in descent.families]

    def _read_again(
        self,
        question: RankQuery,
        family: ParentWithChildren,
        terms: Sequence[str],
        span: ResolvedRange,
    ) -> ParentWithChildren:
        """Return a parent with its children and other terms read for them."""
        paths = [family.parent, *map(family.path, range(len(family.labels)))]
        whole, *rows = self._siblings.known(_line(question), paths, terms, span)
        parts = {term: [row[term] for row in rows] for term in terms}
        return ParentWithChildren(family.parent, whole, family.labels, parts)


def _add_answer(cost: QueryCost, question: RankQuery, paths: Sequence[Path]) -> None:
    """Add the numbers of each child: one of each formula, and the comparison by the first."""
    cost.answer(paths, question.formulas, 1)
    cost.answer(paths, question.formulas[:1], _COLUMNS)


def _line(question: RankQuery) -> SiblingAxis:
    return SiblingAxis(question.pk, question.dimensions[0], question.of_pks)


def _chosen(
    question: RankQuery, families: Sequence[ParentWithChildren], span: ResolvedRange
) -> list[ChildIndex]:
    sort = question.sort
    ranks = (column(question.by, sort.formula, family, span.buckets) for family in families)
    return top_n(families, ranks, limit=question.limit, descending=sort.descending)


def _by_family(chosen: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    places: dict[int, list[int]] = {}
    for number, place in chosen:
        places.setdefault(number, []).append(place)
    return places


def _rows(
    question: RankQuery, family: ParentWithChildren, span: ResolvedRange
) -> Iterator[RankedChild]:
    """Yield the children of a parent, in their order."""
    values = {
        formula.text: formula.defined_totals(family.parts, span.buckets)
        for formula in question.formulas
    }
    comparisons = compare_to_parents(question.formulas[0], family, span.buckets)
    for place, comparison in enumerate(comparisons):
        of_child = {text: found[place] for text, found in values.items()}
        yield RankedChild(family.path(place), comparison, of_child)
