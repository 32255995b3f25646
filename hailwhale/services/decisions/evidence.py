"""Evidence: what has been counted of a decision, read from its cells into arrays.

Owns which nodes and pairs of a decision are read, and into which buckets of time. What follows from
the sums is for `core.decisions` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice, pairwise

import numpy as np

from hailwhale.core.decisions import DecisionSums
from hailwhale.core.decisions.evidence import Floats
from hailwhale.core.decisions.exposure import product_name, read_pair
from hailwhale.core.events.aggregate import SeriesKey
from hailwhale.core.events.metrics import HITS
from hailwhale.core.events.overflow import OTHER
from hailwhale.core.events.paths import OVERALL, PAIRS, Path
from hailwhale.core.time.calendar_grid import DAY_S
from hailwhale.core.time.period import Period
from hailwhale.errors import BadInput
from hailwhale.services.query.ranges import RangeReader, ResolvedRange
from hailwhale.store.protocol import CellStore, LabelStore
from hailwhale.store.types import CellQuery, ChunkAddress

MAX_NODES = 300  # of a decision: the busiest; others are taken for ordinary
MAX_PAIRS = 2_000
_MAX_LOOKED_AT = 20_000  # nodes whose hits are compared to find the busiest
_DAYS = 60  # by day; what is older is one bucket
_HOUR_S = 3_600
_OLDER_S = 30 * DAY_S  # how long ago the older evidence lies before that, for want of better

_ROUNDING = 1e-9  # of a sum, what floats may make of a difference that is none


@dataclass(frozen=True, slots=True)
class _EvidencePart:
    """A run of buckets read together: the columns of a span from bucket `first` to before `last`.

    Without a span they are one bucket of everything ever.
    """

    span: ResolvedRange
    first: int
    last: int


class EvidenceReader:
    """Reads tallies."""

    def __init__(
        self,
        labels: LabelStore,
        cells: CellStore,
        spans: RangeReader,
        clock: Callable[[], float],
    ) -> None:
        self._labels = labels
        self._cells = cells
        self._spans = spans
        self._clock = clock

    def options(self, pk: Path) -> list[str]:
        """The options that were ever counted of a decision."""
        return sorted(self._labels.subpks(pk) - {OTHER})

    def busiest_options(self, pk: Path, most: int) -> list[str]:
        """The options, or of very many the `most` that were exposed most often."""
        known = self.options(pk)
        if len(known) <= most:
            return known
        hits = dict(zip(known, self.totals(pk, known, (HITS,)), strict=True))
        return sorted(sorted(known, key=lambda option: (-hits[option][0], option))[:most])

    def totals(self, pk: Path, options: Sequence[str], metrics: Sequence[str]) -> list[list[float]]:
        """For each option the sums of metrics, everything ever."""
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
    ) -> DecisionSums:
        """The sums of a decision's options now.

        `metrics` are read at every node and pair, `products` of two metrics overall.
        """
        nodes = self._nodes(pk)
        pairs = self._pairs(pk, nodes)
        where = [*nodes, *((PAIRS, label) for label, _ in pairs)]
        read = list(dict.fromkeys((HITS, *metrics)))
        counted = {pair: product_name(*pair) for pair in products if HITS not in pair}
        parts, ages_s, widths_s = self._buckets()
        sums, squares = self._sums(pk, options, where, read, list(counted.values()), parts)
        by_metric = {metric: sums[..., place] for place, metric in enumerate(read)}
        found = {pair: squares[..., place] for place, pair in enumerate(counted)}
        # Of an event of several equal hits the product with its hits is the metric itself.
        found |= {
            pair: by_metric[pair[0] if pair[1] == HITS else pair[1]][:, :, 0]
            for pair in products
            if HITS in pair
        }
        return DecisionSums(
            options=tuple(options),
            ages_s=ages_s,
            widths_s=widths_s,
            nodes=tuple(nodes),
            pairs=np.array([pair for _, pair in pairs], dtype=np.intp).reshape(-1, 2),
            sums=by_metric,
            products=found,
        )

    # Which nodes

    def _nodes(self, pk: Path) -> list[Path]:
        """The overall and the busiest paths that tell visitors apart; see `exposure.nodes_of`."""
        found: list[Path] = []
        level: list[Path] = [OVERALL]
        while level and len(found) < _MAX_LOOKED_AT:
            below = self._labels.children([(pk, path) for path in level])
            following = []
            for path, labels in zip(level, below, strict=True):
                children = [(*path, label) for label in sorted(labels - {PAIRS, OTHER})]
                following += children
                if len(path) > 1 or (path and not children):
                    found.append(path)
            level = following
        return [OVERALL, *sorted(self._busiest(pk, found, MAX_NODES))]

    def _pairs(self, pk: Path, nodes: Sequence[Path]) -> list[tuple[str, tuple[int, int]]]:
        """The labels of the busiest pairs of nodes, and the places of the two."""
        places = {node: place for place, node in enumerate(nodes)}
        found: dict[Path, tuple[int, int]] = {}
        for label in sorted(self._labels.children([(pk, (PAIRS,))])[0]):
            pair = read_pair(label)
            if pair is not None and pair[0] in places and pair[1] in places:
                low, high = sorted((places[pair[0]], places[pair[1]]))
                found[(PAIRS, label)] = (low, high)
        return [(path[1], found[path]) for path in self._busiest(pk, list(found), MAX_PAIRS)]

    def _busiest(self, pk: Path, paths: Sequence[Path], most: int) -> Sequence[Path]:
        if len(paths) <= most:
            return paths
        asks = [CellQuery(ChunkAddress(pk, path, "all", 0), [(0, HITS)]) for path in paths]
        hits = [cells[0] or Decimal(0) for cells in self._cells.read(asks)]
        order = sorted(range(len(paths)), key=lambda place: (-hits[place], paths[place]))
        return [paths[place] for place in order[:most]]

    # Which buckets

    def _buckets(self) -> tuple[list[_EvidencePart], Floats, Floats]:
        """Everything ever, the days until the day before yesterday, and the hours since.

        Also for each bucket in that order, how long ago it ended and how long it is, in seconds.
        The first holds, besides, whatever the others do not.
        """
        now_s = int(self._clock())
        ever = _EvidencePart(self._spans.span(Period.parse("all"), None), 0, 1)
        try:
            days = self._spans.span(Period.parse(f"1d:{_DAYS}d"), None)
            since_s = days.edges[-3]
            count = (now_s - since_s) // _HOUR_S + 1
            hours = self._spans.span(Period.parse(f"1h:{count}h"), None)
        except BadInput:  # the store keeps no such buckets
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

    # Their sums

    def _sums(
        self,
        pk: Path,
        options: Sequence[str],
        where: Sequence[Path],
        metrics: Sequence[str],
        squares: Sequence[str],
        parts: Sequence[_EvidencePart],
    ) -> tuple[Floats, Floats]:
        """Sums by bucket, option, place and metric; and by bucket, option and product."""
        nodes: list[SeriesKey] = [((*pk, option), path) for option in options for path in where]
        overall: list[SeriesKey] = [((*pk, option), OVERALL) for option in options]
        sums = self._in_buckets(nodes, metrics, parts)
        products = self._in_buckets(overall, squares, parts)
        shape = (sums.shape[0], len(options), len(where), len(metrics))
        return sums.reshape(shape), products

    def _in_buckets(
        self, nodes: Sequence[SeriesKey], metrics: Sequence[str], parts: Sequence[_EvidencePart]
    ) -> Floats:
        """Sums by bucket, node and metric. The first bucket is left with what is in no other."""
        if not metrics:
            return np.zeros((sum(part.last - part.first for part in parts), len(nodes), 0))
        # Everything ever comes last: what is counted meanwhile then looks old, never negative.
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
