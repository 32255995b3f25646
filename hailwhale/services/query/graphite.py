"""Answers Graphite requests: finds paths and renders the curves of targets.

Matches patterns with what is known, and chooses the buckets of a time range. Knows nothing of HTTP,
or of the syntax of targets.

A path without wildcards is answered as any other query is, with zeros where nothing was counted.
Patterns with wildcards find what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice

from hailwhale.core.events.limits import Limits
from hailwhale.core.events.metrics import UNIQUES
from hailwhale.core.events.paths import OVERALL, Path
from hailwhale.core.graphite.curves import Curve, CurveSource
from hailwhale.core.graphite.functions import evaluate
from hailwhale.core.graphite.paths import (
    BY,
    PathNode,
    Pattern,
    SeriesPath,
    address_of,
    branch_nodes,
    label_of,
    node_of,
)
from hailwhale.core.graphite.target import parse_target
from hailwhale.core.query.cost import CHARS, QueryCost
from hailwhale.core.query.formula import Formula
from hailwhale.core.time.calendar_grid import Grid, Interval
from hailwhale.core.time.fixed_range import FixedRange
from hailwhale.core.time.period import Period
from hailwhale.errors import BadInput, NotYours
from hailwhale.services.query.children import ChildrenReader, SiblingAxis
from hailwhale.services.query.ranges import RangeReader, ResolvedRange
from hailwhale.services.query.series import SeriesQueries

MAX_CURVES = 1_000  # of one request
MAX_FOUND = 10_000
# The parameters of /render and /metrics/find that make their queries smaller.
_RENDERED = {
    **dict.fromkeys(("dimensions", "depth", "limit", "metrics"), "target"),
    "period": "maxDataPoints",
}
_FOUND = dict.fromkeys(("dimensions", "depth", "limit", "metrics", "period"), "query")
_PKS = SiblingAxis(of_pks=True)
_READ_AT_ONCE = 50  # dimensions whose labels are in memory together

Roots = Collection[str] | None  # root pks a caller is limited to; None: all
Branch = tuple[Path, Path]  # a pk and a dimension

_WIDTHS = ("1s", "10s", "30s", "1m", "5m", "15m", "30m", "1h", "6h", "12h", "1d", "1w", "1mo", "1y")
_LADDER = tuple(Interval.parse(text) for text in _WIDTHS)


@dataclass(frozen=True, slots=True)
class GraphiteQuery:
    """The half-open time range of a request, its calendar and its resolution.

    `grid` None is the service's time zone. `most` is the maximum number of points per curve.
    """

    begin_s: int
    end_s: int
    grid: Grid | None
    most: int


@dataclass(frozen=True, slots=True, order=True)
class FoundSeries:
    """A node of the tree: its full path, its name, and whether it is a series or expandable."""

    path: str
    text: str
    leaf: bool
    expandable: bool


class Graphite:
    """Find paths and render targets."""

    def __init__(
        self,
        reporting: SeriesQueries,
        siblings: ChildrenReader,
        spans: RangeReader,
        limits: Limits,
        clock: Callable[[], float],
        max_points: int,
    ) -> None:
        self._reporting = reporting
        self._spans = spans
        self._limits = limits
        self._clock = clock
        self.max_points = max_points
        self._tree = MetricTree(reporting, siblings, limits)

    def now_s(self) -> int:
        """Return the current time in epoch seconds, to which relative times refer."""
        return int(self._clock())

    def render(
        self, targets: Sequence[str], asked: GraphiteQuery, roots: Roots = None
    ) -> list[Curve]:
        """Return the curves of each target in turn; none if the range is in the future."""
        expressions = [parse_target(target) for target in targets]
        end_s = min(asked.end_s, self.now_s() + 1)
        if end_s <= asked.begin_s:
            return []
        cost = self._reporting.new_cost().renamed(_RENDERED)
        request = _Request(
            tree=self._tree,
            cost=cost,
            spans=self._spans,
            asked=GraphiteQuery(asked.begin_s, end_s, asked.grid, asked.most),
            roots=roots,
        )
        source = CurveSource(
            request.read, asked.begin_s, end_s, spend=lambda cells: cost.add(cells, "period")
        )
        found: list[Curve] = []
        for each in expressions:
            for curve in evaluate(each, source):
                cost.add(len(curve.values) * len(curve.name) // CHARS, "period")
                found.append(curve)
        return found

    def find(self, query: str, roots: Roots = None) -> list[FoundSeries]:
        """Return the nodes that match a pattern, sorted by path."""
        cost = self._reporting.new_cost().renamed(_FOUND)
        return self._tree.find(Pattern.parse(query, "query"), roots, cost)


class MetricTree:
    """The known pks, dimensions and metrics as a tree of nodes."""

    def __init__(self, reporting: SeriesQueries, siblings: ChildrenReader, limits: Limits) -> None:
        self._reporting = reporting
        self._siblings = siblings
        self._limits = limits

    def addresses(self, pattern: Pattern, roots: Roots, cost: QueryCost) -> list[SeriesPath]:
        """Return the series that a pattern names; one without wildcards names itself."""
        nodes = (*pattern.pk, *(pattern.dimension or ()), pattern.last)
        if not any(node.is_wild for node in nodes):
            address = address_of(pattern, self._limits)
            refuse_others(address.pk[0], roots, pattern.text)
            return [address]
        branches = self._branches(pattern, roots, cost, known=False)
        if pattern.dimension == () or not pattern.pk:
            raise BadInput(
                "target", pattern.text, "a path that ends with a metric, such as Shop.revenue"
            )
        if not pattern.last.is_wild:
            metric = label_of(pattern.last.text)
            return [SeriesPath(pk, dimension, metric) for pk, dimension in branches]
        metrics = {pk: self._metrics(pk, cost) for pk in dict.fromkeys(pk for pk, _ in branches)}
        return [
            SeriesPath(pk, dimension, metric)
            for pk, dimension in branches
            for metric in pattern.last.matching(metrics[pk])
        ]

    def where_counted(self, pk: Path, formula: Formula) -> tuple[Formula, ...]:
        """Return a formula as it reads under a pk."""
        return self._reporting.where_counted(pk, formula)

    def find(self, pattern: Pattern, roots: Roots, cost: QueryCost) -> list[FoundSeries]:
        """Return the nodes that match; a name that is a leaf and a branch is one node."""
        if not pattern.pk:
            return [
                _found([], label, False, True) for label in self._roots(pattern.last, roots, cost)
            ]
        found: list[FoundSeries] = []
        for branch in self._branches(pattern, roots, cost, known=True):
            found += self._below(branch, pattern, cost)
            if len(found) > MAX_FOUND:
                raise BadInput(
                    "query", pattern.text, f"a pattern that matches at most {MAX_FOUND} paths"
                )
        return sorted(found)

    def _below(self, branch: Branch, pattern: Pattern, cost: QueryCost) -> list[FoundSeries]:
        """Return the nodes directly below a branch that match the last node."""
        pk, dimension = branch
        last = pattern.last
        at_by = pattern.dimension == ()
        if pattern.dimension is None:
            [labels] = self._siblings.labels(_PKS, [pk], cost)
        else:
            labels = self._labels(pk, [dimension], cost)[0]
        expandable = set(last.matching(labels))
        leaves = set() if at_by else set(last.matching(self._metrics(pk, cost)))
        above = [*branch_nodes(pk, dimension), *([BY] if at_by else [])]
        found = [
            _found(above, label, label in leaves, label in expandable)
            for label in expandable | leaves
        ]
        has_by = pattern.dimension is None and last.matches_word(BY)
        if has_by and self._labels(pk, [OVERALL], cost)[0]:
            found.append(FoundSeries(".".join([*above, BY]), BY, leaf=False, expandable=True))
        return found

    def _branches(
        self, pattern: Pattern, roots: Roots, cost: QueryCost, *, known: bool
    ) -> list[Branch]:
        """Return the pks and dimensions that a pattern matches above its last node.

        With `known` returns only those that were counted.
        """
        first, *further = pattern.pk or (pattern.last,)
        pks: list[Path] = [(label,) for label in self._roots(first, roots, cost, known=known)]
        for node in further:
            if known or node.is_wild:
                pks = self._deeper_pks(pks, node, pattern, cost)
            else:
                pks = [(*pk, node.label(self._limits)) for pk in pks]
                self._bound(pks, pattern)
        branches: list[Branch] = [(pk, OVERALL) for pk in pks]
        for node in pattern.dimension or ():
            if known or node.is_wild:
                branches = self._deeper(branches, node, pattern, cost)
            else:
                label = node.label(self._limits)
                branches = [(pk, (*dimension, label)) for pk, dimension in branches]
            self._bound(branches, pattern)
        return branches

    def _deeper_pks(
        self, pks: Sequence[Path], node: PathNode, pattern: Pattern, cost: QueryCost
    ) -> list[Path]:
        found: list[Path] = []
        for first in range(0, len(pks), _READ_AT_ONCE):
            some = pks[first : first + _READ_AT_ONCE]
            below = self._siblings.labels(_PKS, some, cost)
            for pk, labels in zip(some, below, strict=True):
                found += [(*pk, label) for label in node.matching(labels)]
                self._bound(found, pattern)
        return found

    def _deeper(
        self, branches: list[Branch], node: PathNode, pattern: Pattern, cost: QueryCost
    ) -> list[Branch]:
        """Return the matches below branches, read in groups: each may have many labels."""
        by_pk: dict[Path, list[Path]] = {}
        for pk, dimension in branches:
            by_pk.setdefault(pk, []).append(dimension)
        found: list[Branch] = []
        for pk, dimensions in by_pk.items():
            for first in range(0, len(dimensions), _READ_AT_ONCE):
                some = dimensions[first : first + _READ_AT_ONCE]
                for dimension, labels in zip(some, self._labels(pk, some, cost), strict=True):
                    found += [(pk, (*dimension, label)) for label in node.matching(labels)]
                    self._bound(found, pattern)
        return found

    def _roots(
        self, node: PathNode, roots: Roots, cost: QueryCost, *, known: bool = True
    ) -> list[str]:
        if not node.is_wild:
            label = node.label(self._limits)
            refuse_others(label, roots, node.text)
            if not known:
                return [label]
        [there] = self._siblings.labels(_PKS, [()], cost)
        return node.matching(label for label in there if roots is None or label in roots)

    def _labels(self, pk: Path, dimensions: Sequence[Path], cost: QueryCost) -> list[list[str]]:
        return self._siblings.labels(SiblingAxis(pk), dimensions, cost)

    def _metrics(self, pk: Path, cost: QueryCost) -> list[str]:
        found = self._reporting.known_metrics(pk).metrics
        cost.list(len(found))
        return found

    def _bound(self, found: Sequence[object], pattern: Pattern) -> None:
        if len(found) > MAX_CURVES:
            raise BadInput(
                "target", pattern.text, f"a pattern that matches at most {MAX_CURVES} branches"
            )


@dataclass(slots=True, kw_only=True)
class _Request:
    """Read the curves of one request, within its resolution and the limits of a request."""

    tree: MetricTree
    spans: RangeReader
    asked: GraphiteQuery
    roots: Roots
    cost: QueryCost
    curves: int = 0
    chosen: dict[tuple[Interval | None, bool], ResolvedRange] = field(default_factory=dict)

    def read(self, pattern: Pattern, interval: Interval | None) -> list[Curve]:
        """Return the curves of a pattern at an interval; None chooses the finest that fits."""
        addresses = self.tree.addresses(pattern, self.roots, self.cost)
        found: dict[SeriesPath, Curve] = {}
        for formula, members in self._by_formula(addresses).items():
            span = self._span(interval, daily=UNIQUES in formula.metrics)
            self._count(pattern, members, formula, span)
            nodes = [(address.pk, address.dimension) for address in members]
            columns = self.spans.columns(nodes, formula.metrics, span)
            for address, sums in zip(members, columns, strict=True):
                values = tuple(formula.full_series(sums, span.buckets))
                found[address] = Curve(
                    name=address.path,
                    path=address.path,
                    starts_s=span.edges[:-1],
                    end_s=span.edges[-1],
                    values=values,
                    additive=formula.is_additive,
                    exact=formula.is_exact,
                )
        return [found[address] for address in addresses]

    def _by_formula(self, addresses: Sequence[SeriesPath]) -> dict[Formula, list[SeriesPath]]:
        """Return the series of each formula; one text may read differently under two pks."""
        texts = dict.fromkeys(address.metric for address in addresses)
        formulas = {text: Formula.parse(text, "target") for text in texts}
        found: dict[Formula, list[SeriesPath]] = {}
        for address in addresses:
            [formula] = self.tree.where_counted(address.pk, formulas[address.metric])
            found.setdefault(formula, []).append(address)
        return found

    def _count(
        self, pattern: Pattern, members: Sequence[SeriesPath], formula: Formula, span: ResolvedRange
    ) -> None:
        self.curves += len(members)
        if self.curves > MAX_CURVES:
            raise BadInput("target", pattern.text, f"at most {MAX_CURVES} series in one request")
        points = 2 * len(span.buckets)  # each is answered with its time
        self.cost.read(len(members), span.cells(formula.metrics), buckets=len(span.starts))
        self.cost.answer([(*each.pk, *each.dimension) for each in members], [formula], points)

    def _span(self, interval: Interval | None, *, daily: bool) -> ResolvedRange:
        """Return the range in the finest buckets that the store has and the request allows."""
        known = self.chosen.get((interval, daily))
        if known is not None:
            return known
        length_s = self.asked.end_s - self.asked.begin_s
        fitting = [each for each in _LADDER if length_s <= self.asked.most * each.nominal_s]
        candidates = [interval] if interval else fitting or [_LADDER[-1]]
        if daily:  # visitors are counted by day
            candidates = [each for each in candidates if each.unit not in "smh"] or candidates[-1:]
        text = f"{self.asked.begin_s}..{self.asked.end_s}"
        fault: BadInput | None = None
        for each in candidates:
            reach = FixedRange(self.asked.begin_s, self.asked.end_s)
            try:
                span = self.spans.span(Period(text, each, reach), self.asked.grid)
            except BadInput as refused:
                fault = refused
                continue
            self.chosen[interval, daily] = span
            return span
        message = fault.message if fault else "no buckets"
        raise BadInput("from", text, message.partition("expected ")[2] or message)


def refuse_others(root: str, roots: Roots, text: str) -> None:
    """Raise `NotYours` for a root pk outside those a caller is limited to."""
    if roots is not None and root not in roots:
        raise NotYours("target", text, f"a path under {' or '.join(sorted(roots))}")


def _found(above: Sequence[str], label: str, leaf: bool, expandable: bool) -> FoundSeries:
    node = node_of(label)
    return FoundSeries(".".join([*above, node]), node, leaf, expandable)


def expanded(found: Sequence[FoundSeries], *, leaves_only: bool) -> list[str]:
    """Return the paths alone, as /metrics/expand does."""
    return [each.path for each in islice(found, MAX_FOUND) if each.leaf or not leaves_only]
