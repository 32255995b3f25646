"""Aggregates a node's children over a time range, for everything that compares siblings.

Walks down from a parent to its children and reads their sums before the columns of any. Knows
nothing of what they are compared for, or of the format of answers.

Siblings are the dimensions one level below a dimension (of one pk), or the pks one level below a pk
(each at one dimension). `ChildrenReader.sums` is the only place that reads them all. An index that
knows these sums without reading every child belongs behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice

from hailwhale.core.events.aggregate import SeriesKey
from hailwhale.core.events.metrics import UNIQUES
from hailwhale.core.events.paths import PAIRS, Path
from hailwhale.core.query.columns import sums_of
from hailwhale.core.query.cost import ROW_CELLS, QueryCost
from hailwhale.core.query.ranking import ParentWithChildren
from hailwhale.errors import BadInput
from hailwhale.services.query.ranges import RangeReader, ResolvedRange
from hailwhale.services.query.view_sums import ViewSums
from hailwhale.store.protocol import LabelStore

MAX_SERIES = 100_000  # limit of one query; more is an error
_UNSEEN = {PAIRS}  # internal labels
_MANY = 200  # children; fewer are read as fast from their cells, without a view


@dataclass(frozen=True, slots=True)
class SiblingAxis:
    """The siblings to compare: dimensions of `pk`, or with `of_pks` pks at `dimension`."""

    pk: Path = ()
    dimension: Path = ()
    of_pks: bool = False

    def node(self, path: Path) -> SeriesKey:
        """Return the (pk, dimension) under which a path of this axis is counted."""
        return (path, self.dimension) if self.of_pks else (self.pk, path)


@dataclass(frozen=True, slots=True)
class DrillDown:
    """The result of a descent below the requested paths.

    `families` have the children that may be shown, level by level. `labels` lists by parent all
    known labels below it, shown or not.
    """

    families: list[ParentWithChildren] = field(default_factory=list)
    labels: dict[Path, Sequence[str]] = field(default_factory=dict)


class ChildrenReader:
    """Read the aggregates of children, level by level."""

    def __init__(self, labels: LabelStore, spans: RangeReader, sheets: ViewSums) -> None:
        self._labels = labels
        self._spans = spans
        self._sheets = sheets

    def descend(
        self,
        line: SiblingAxis,
        asked: Mapping[Path, Mapping[str, Decimal]],
        terms: Sequence[str],
        span: ResolvedRange,
        *,
        depth: int,
        choose: Callable[[ParentWithChildren], ParentWithChildren],
        cost: QueryCost,
        steps: int,
    ) -> DrillDown:
        """Return the parents with children below the requested paths, `depth` levels down.

        `asked` maps each requested path to its known value by term. `choose` selects the children
        of each parent that may be shown; only those become parents in turn. A requested path is
        never listed as a child. `steps` is what choosing takes of each child, in steps of formulas.

        Raises `BadInput` if more than MAX_SERIES series would have to be read, or if that costs
        too much.
        """
        found = DrillDown()
        level = dict(asked)
        kept: list[ParentWithChildren] = []
        series = len(asked)
        for down in range(depth):
            if down:
                level = {path: sums for family in kept for path, sums in _members(family)}
            labels = self.labels(line, list(level), cost)
            series += sum(map(len, labels))
            refuse_too_many(series)
            for parent, names in zip(level, labels, strict=True):
                each = self._cells_each(line, parent, names, terms, span)
                cost.choose(len(names), steps)
                cost.read(len(names), each, of="depth", buckets=len(span.starts))
            read = self.sums(line, list(level), labels, terms, span, cost)
            families = [
                ParentWithChildren(parent, whole, names, sums)
                for (parent, whole), names, sums in zip(level.items(), labels, read, strict=True)
            ]
            kept = [choose(_but(family, asked)) for family in families]
            found.families.extend(family for family in kept if family.labels)
            found.labels.update(zip(level, labels, strict=True))
        return found

    def labels(
        self, line: SiblingAxis, parents: Sequence[Path], cost: QueryCost
    ) -> list[list[str]]:
        """Return the known labels one level below each parent, sorted.

        Those of a single parent are bounded by themselves; those of several are counted before.
        """
        if len(parents) > 1:
            cost.list(0, len(parents))
            nodes = [line.node(parent) for parent in parents]
            if line.of_pks:
                sizes = self._labels.sizes_of_subpks(parents)
            else:
                sizes = self._labels.sizes(nodes)
            cost.list(sum(sizes), 0)
        if line.of_pks:
            found = [self._labels.subpks(parent) for parent in parents]
        else:
            found = self._labels.children([line.node(parent) for parent in parents])
        if len(parents) == 1:
            cost.list(len(found[0]))
        return [sorted(labels - _UNSEEN) for labels in found]

    def sums(
        self,
        line: SiblingAxis,
        parents: Sequence[Path],
        labels: Sequence[Sequence[str]],
        terms: Sequence[str],
        span: ResolvedRange,
        cost: QueryCost,
    ) -> list[dict[str, list[Decimal]]]:
        """Return for each parent, by term, one exact value per label over the range.

        A term is a metric, which gives its sum, or `price:last`, the last value that is not 0.
        Reads many children from materialized views where these have the answer.
        """
        families = list(zip(parents, labels, strict=True))
        found = []
        for parent, names in families:
            found.append(self._from_sheets(line, parent, names, terms, span))
            if found[-1] is None and _is_for_views(line, parent, names, terms):
                each = span.cells(terms)  # of amounts that no view can hold
                cost.read(len(names), each, of="depth", buckets=len(span.starts))
        rest = (
            (*parent, label)
            for (parent, names), sums in zip(families, found, strict=True)
            for label in names
            if sums is None
        )
        known = self.known(line, rest, terms, span)  # all at once: fewer round trips
        for place, (_, names) in enumerate(families):
            if found[place] is None:
                rows = list(islice(known, len(names)))
                found[place] = {term: [row[term] for row in rows] for term in terms}
        return [sums or {} for sums in found]

    def _cells_each(
        self,
        line: SiblingAxis,
        parent: Path,
        labels: Sequence[str],
        terms: Sequence[str],
        span: ResolvedRange,
    ) -> int:
        """Return what the sums of one of a parent's children cost."""
        if _is_for_views(line, parent, labels, terms):
            return ROW_CELLS * len(terms) * len(span.chunks)
        return span.cells(metrics_of(terms), whole=True)

    def _from_sheets(
        self,
        line: SiblingAxis,
        parent: Path,
        labels: Sequence[str],
        terms: Sequence[str],
        span: ResolvedRange,
    ) -> dict[str, list[Decimal]] | None:
        if not _is_for_views(line, parent, labels, terms):
            return None
        pk, dimension = (parent, line.dimension) if line.of_pks else (line.pk, parent)
        return self._sheets.sums(pk, dimension, labels, terms, span, of_pks=line.of_pks)

    def known(
        self, line: SiblingAxis, paths: Iterable[Path], terms: Sequence[str], span: ResolvedRange
    ) -> Iterator[dict[str, Decimal]]:
        """Yield the exact value of each term for each path, read from the path's own cells.

        Suits a few paths; `sums` is faster for many.
        """
        nodes = map(line.node, paths)
        metrics = metrics_of(terms)
        if metrics == list(terms):
            for sums in self._spans.sums(nodes, metrics, span):
                yield dict(zip(terms, sums, strict=True))
        else:
            for columns in self._spans.columns(nodes, metrics, span):
                yield sums_of(columns, terms)


def metrics_of(terms: Iterable[str]) -> list[str]:
    """Return the unique metrics of terms such as `price:last`."""
    return list(dict.fromkeys(term.partition(":")[0] for term in terms))


def _is_for_views(
    line: SiblingAxis, parent: Path, labels: Sequence[str], terms: Sequence[str]
) -> bool:
    """Return whether the sums of a parent's children are read from views.

    Those of few children are not, nor those of root pks, which live in many shards.
    """
    at_all = bool(parent) or not line.of_pks
    return (
        len(labels) >= _MANY
        and at_all
        and UNIQUES not in terms
        and not any(":" in term for term in terms)
    )


def refuse_too_many(series: int) -> None:
    """Raise `BadInput` if a query covers more series than one may read."""
    if series > MAX_SERIES:
        raise BadInput("depth", f"{series} series", f"a query of at most {MAX_SERIES} series")


def _but(family: ParentWithChildren, asked: Mapping[Path, object]) -> ParentWithChildren:
    """Return a parent without those children that were requested themselves."""
    apart = {path[-1] for path in asked if path and path[:-1] == family.parent}
    if apart.isdisjoint(family.labels):
        return family
    return family.picked([at for at, label in enumerate(family.labels) if label not in apart])


def _members(family: ParentWithChildren) -> Iterator[tuple[Path, dict[str, Decimal]]]:
    for place in range(len(family.labels)):
        yield family.path(place), {term: values[place] for term, values in family.parts.items()}
