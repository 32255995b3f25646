"""Reads what was counted of a decision from its cells into arrays.

Bounds how many cells are read, and selects the time buckets. `node_selection` finds the nodes and
pairs, `core.decisions` interprets the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice, pairwise

import numpy as np

from hailwhale.core.decisions import DecisionSums
from hailwhale.core.decisions.evidence import Floats
from hailwhale.core.decisions.exposure import product_name
from hailwhale.core.decisions.fit_size import most_columns
from hailwhale.core.events.aggregate import SeriesKey
from hailwhale.core.events.metrics import HITS
from hailwhale.core.events.overflow import OTHER
from hailwhale.core.events.paths import OVERALL, PAIRS, Path
from hailwhale.core.query.formula import Formula
from hailwhale.core.time.calendar_grid import DAY_S
from hailwhale.core.time.period import Period
from hailwhale.errors import BadInput
from hailwhale.services.decisions.node_selection import NodeSelector, SelectedNodes
from hailwhale.services.query.counted_words import where_counted
from hailwhale.services.query.ranges import RangeReader, ResolvedRange
from hailwhale.store.protocol import CellStore, LabelStore
from hailwhale.store.types import CellQuery, ChunkAddress

_DAYS = 60  # read by day; anything older is one bucket
_HOUR_S = 3_600
_OLDER_S = 30 * DAY_S  # assumed age of older evidence beyond that, for lack of data

_ROUNDING = 1e-9  # relative to a sum: rounding error of a difference that is 0


@dataclass(frozen=True, slots=True)
class _EvidencePart:
    """A run of buckets read together: columns of a range from bucket `first` to before `last`."""

    span: ResolvedRange
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _EvidenceWidth:
    """The cells of one option: those at each node and pair, and further ones of its overall."""

    at_node: int
    overall: int


class EvidenceReader:
    """Read the counts of decisions, at most `max_cells` of each."""

    def __init__(
        self,
        labels: LabelStore,
        cells: CellStore,
        spans: RangeReader,
        clock: Callable[[], float],
        max_cells: int,
    ) -> None:
        self._labels = labels
        self._cells = cells
        self._spans = spans
        self._clock = clock
        self._max_cells = max_cells
        self._nodes = NodeSelector(labels, cells)

    def options(self, pk: Path) -> list[str]:
        """Return all options ever counted of a decision."""
        return sorted(self._labels.subpks(pk) - {OTHER})

    def where_counted(self, pk: Path, formula: Formula) -> Formula:
        """Return a formula as it reads under a decision."""
        [found] = where_counted(self._labels, pk, [formula])
        return found

    def busiest_options(self, pk: Path, most: int) -> list[str]:
        """Return the options; at most the `most` that were exposed most often."""
        known = self.options(pk)
        if len(known) <= most:
            return known
        hits = dict(zip(known, self.totals(pk, known, (HITS,)), strict=True))
        return sorted(sorted(known, key=lambda option: (-hits[option][0], option))[:most])

    def totals(self, pk: Path, options: Sequence[str], metrics: Sequence[str]) -> list[list[float]]:
        """Return for each option the all-time sums of the metrics."""
        asks = [
            CellQuery(
                ChunkAddress((*pk, option), OVERALL, "all", 0), [(0, each) for each in metrics]
            )
            for option in options
        ]
        return [[float(cell or 0) for cell in cells] for cells in self._cells.read(asks)]

    def tally(
        self,
        pk: Path,
        options: Sequence[str],
        metrics: Sequence[str],
        products: Sequence[tuple[str, str]],
        counted: Sequence[str] = (),
    ) -> DecisionSums:
        """Return the current sums of a decision's options.

        Reads `metrics` at nodes and pairs, and `products` of two metrics for the overall only. The
        busiest nodes and pairs are read, as many as there is room for. All options `counted` are
        read instead of `options` if there is room for every node and pair of them.

        Raises `BadInput` if there is no room for the overall of the options.
        """
        read = list(dict.fromkeys((HITS, *metrics)))
        multiplied = {pair: product_name(*pair) for pair in products if HITS not in pair}
        parts, ages_s, widths_s = self._buckets()
        cells = sum(len(part.span.starts) for part in parts)
        width = _EvidenceWidth(cells * len(read), cells * len(multiplied))
        options, selected = self._fitting(pk, options, counted or options, width)
        where = [*selected.nodes, *((PAIRS, label) for label, _ in selected.pairs)]
        sums, squares = self._sums(pk, options, where, read, list(multiplied.values()), parts)
        by_metric = {metric: sums[..., place] for place, metric in enumerate(read)}
        found = {pair: squares[..., place] for place, pair in enumerate(multiplied)}
        # For an event of several equal hits, the product with its hits is the metric itself.
        found |= {
            pair: by_metric[pair[0] if pair[1] == HITS else pair[1]][:, :, 0]
            for pair in products
            if HITS in pair
        }
        return DecisionSums(
            options=tuple(options),
            ages_s=ages_s,
            widths_s=widths_s,
            nodes=selected.nodes,
            pairs=np.array([pair for _, pair in selected.pairs], dtype=np.intp).reshape(-1, 2),
            sums=by_metric,
            products=found,
        )

    # Size

    def _fitting(
        self, pk: Path, options: Sequence[str], counted: Sequence[str], width: _EvidenceWidth
    ) -> tuple[Sequence[str], SelectedNodes]:
        """Return the options to fit, and the nodes and pairs that there is room for."""
        selected = self._nodes.busiest(pk)
        for some in filter(None, (counted, options)):
            if selected.fits(most_columns(len(some)), self._room(some, width)):
                return some, selected
        if not options:  # none of them was counted
            return options, SelectedNodes((OVERALL,), ())
        room = self._room(options, width)
        if room < 1:
            raise BadInput(
                "by_metric",
                f"{len(options)} options by a formula of many metrics",
                f"fewer options or metrics: at most {self._max_cells} cells are read for a "
                "decision (HAILWHALE_MAX_DECISION_CELLS)",
            )
        return options, self._nodes.within(pk, selected, most_columns(len(options)), room)

    def _room(self, options: Sequence[str], width: _EvidenceWidth) -> int:
        """Return how many nodes and pairs of each option may be read."""
        return (self._max_cells // len(options) - width.overall) // width.at_node

    # Time buckets

    def _buckets(self) -> tuple[list[_EvidencePart], Floats, Floats]:
        """Return all time, the days until the day before yesterday, and the hours since.

        Also returns for each bucket, in that order, how long ago it ended and its length, both in
        seconds. The first bucket stands for whatever is in none of the others.
        """
        now_s = int(self._clock())
        ever = _EvidencePart(self._spans.span(Period.parse("all"), None), 0, 1)
        try:
            days = self._spans.span(Period.parse(f"1d:{_DAYS}d"), None)
            since_s = days.edges[-3]
            count = (now_s - since_s) // _HOUR_S + 1
            hours = self._spans.span(Period.parse(f"1h:{count}h"), None)
        except BadInput:  # the store has no such buckets
            return [ever], np.zeros(1), np.full(1, float(_OLDER_S))
        later = next(place for place, edge in enumerate(hours.edges) if edge >= since_s)
        parts = [
            _EvidencePart(days, 0, len(days.edges) - 3),
            _EvidencePart(hours, later, len(hours.edges) - 1),
        ]
        edges = [(days.edges[0] - _OLDER_S, days.edges[0])]
        for part in parts:
            bounds = part.span.edges[part.first : part.last + 1]
            edges += pairwise(bounds)
        ages_s = [float(max(0, now_s - end_s)) for _, end_s in edges]
        widths_s = [float(end_s - start_s) for start_s, end_s in edges]
        return [ever, *parts], np.array(ages_s), np.array(widths_s)

    # Sums

    def _sums(
        self,
        pk: Path,
        options: Sequence[str],
        where: Sequence[Path],
        metrics: Sequence[str],
        squares: Sequence[str],
        parts: Sequence[_EvidencePart],
    ) -> tuple[Floats, Floats]:
        """Return sums by bucket, option, node and metric; and by bucket, option, product."""
        nodes: list[SeriesKey] = [((*pk, option), path) for option in options for path in where]
        overall: list[SeriesKey] = [((*pk, option), OVERALL) for option in options]
        sums = self._in_buckets(nodes, metrics, parts)
        products = self._in_buckets(overall, squares, parts)
        shape = (sums.shape[0], len(options), len(where), len(metrics))
        return sums.reshape(shape), products

    def _in_buckets(
        self, nodes: Sequence[SeriesKey], metrics: Sequence[str], parts: Sequence[_EvidencePart]
    ) -> Floats:
        """Return sums by bucket, node and metric.

        The first bucket gets what is in no other.
        """
        if not metrics:
            return np.zeros((sum(part.last - part.first for part in parts), len(nodes), 0))
        # All time is read last: events counted meanwhile then look old, never negative.
        later = [self._run(nodes, metrics, part) for part in parts[1:]]
        ever = self._run(nodes, metrics, parts[0])
        older = ever - sum(run.sum(axis=0) for run in later)
        older[np.abs(older) <= _ROUNDING * np.abs(ever)] = 0.0
        return np.concatenate([older, *later])

    def _run(
        self, nodes: Sequence[SeriesKey], metrics: Sequence[str], part: _EvidencePart
    ) -> Floats:
        columns: Iterator[Mapping[str, list[Decimal]]] = self._spans.columns(
            nodes, metrics, part.span
        )
        found = np.zeros((part.last - part.first, len(nodes), len(metrics)))
        for place, column in enumerate(islice(columns, len(nodes))):
            for at, metric in enumerate(metrics):
                found[:, place, at] = column[metric][part.first : part.last]
        return found
