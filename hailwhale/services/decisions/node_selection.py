"""Selects the nodes and the pairs of nodes of a decision that its fit reads: the busiest ones.

Lists what was counted of a decision, and compares by hits where there is more than a fit may have.
Knows nothing of time buckets, or of what the sums mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hailwhale.core.decisions.exposure import read_pair
from hailwhale.core.decisions.fit_size import fitting_nodes
from hailwhale.core.events.metrics import HITS
from hailwhale.core.events.overflow import OTHER
from hailwhale.core.events.paths import OVERALL, PAIRS, Path
from hailwhale.store.protocol import CellStore, LabelStore
from hailwhale.store.types import CellQuery, ChunkAddress

MAX_NODES = 300  # of a decision; others are treated as average
MAX_PAIRS = 2_000
MAX_LOOKED_AT = 20_000  # nodes whose hits are compared to find the busiest


@dataclass(frozen=True, slots=True)
class SelectedNodes:
    """The nodes of a fit, the root first and the others sorted, and labels of pairs of them.

    `pairs` has for each label the places of its two nodes.
    """

    nodes: tuple[Path, ...]
    pairs: tuple[tuple[str, tuple[int, int]], ...]

    @property
    def size(self) -> int:
        """Return the number of series that are read of each option."""
        return len(self.nodes) + len(self.pairs)

    def fits(self, columns: int, size: int) -> bool:
        """Return whether a fit with so many columns may have all of them; `size` is the most."""
        return self.size <= size and len(fitting_nodes(self.nodes[1:], columns)) == (
            len(self.nodes) - 1
        )


class NodeSelector:
    """Select nodes and pairs by how often they were counted."""

    def __init__(self, labels: LabelStore, cells: CellStore) -> None:
        self._labels = labels
        self._cells = cells

    def busiest(self, pk: Path) -> SelectedNodes:
        """Return the busiest nodes that distinguish visitors, and the busiest pairs of them.

        See `exposure.nodes_of`.
        """
        nodes = self._sorted(self._by_hits(pk, self._paths(pk), MAX_NODES))
        found = self._pairs(pk, nodes)
        return SelectedNodes(nodes, tuple(self._by_hits_of_pairs(pk, found, MAX_PAIRS)))

    def within(self, pk: Path, selected: SelectedNodes, columns: int, size: int) -> SelectedNodes:
        """Return the busiest of selected nodes that make so many columns, and pairs of them.

        `size` is the largest number of nodes and pairs together. Nodes come first: a pair of them
        that is left out is treated as if its nodes were independent.
        """
        by_hits = self._by_hits(pk, selected.nodes[1:], len(selected.nodes), always=True)
        nodes = self._sorted(fitting_nodes(by_hits, columns)[: max(0, size - 1)])
        places = {node: place for place, node in enumerate(nodes)}
        pairs = []
        for label, (low, high) in selected.pairs:
            at = (places.get(selected.nodes[low]), places.get(selected.nodes[high]))
            if at[0] is not None and at[1] is not None:
                pairs.append((label, (at[0], at[1])))
        room = max(0, size - len(nodes))
        return SelectedNodes(nodes, tuple(self._by_hits_of_pairs(pk, pairs, room)))

    @staticmethod
    def _sorted(paths: Sequence[Path]) -> tuple[Path, ...]:
        return (OVERALL, *sorted(paths))

    def _paths(self, pk: Path) -> list[Path]:
        """Return the paths that distinguish visitors, at most MAX_LOOKED_AT of them."""
        found: list[Path] = []
        level: list[Path] = [OVERALL]
        left = MAX_LOOKED_AT
        while level:
            sizes = self._labels.sizes([(pk, path) for path in level])
            found += [
                path
                for path, size in zip(level, sizes, strict=True)
                if len(path) > 1 or (path and not size)
            ]
            level = list(self._below(pk, _together(level, sizes, left)))
            left -= len(level)
        return found

    def _below(self, pk: Path, parents: Sequence[Path]) -> Iterator[Path]:
        below = self._labels.children([(pk, path) for path in parents])
        for path, labels in zip(parents, below, strict=True):
            for label in sorted(labels - {PAIRS, OTHER}):
                yield (*path, label)

    def _pairs(self, pk: Path, nodes: Sequence[Path]) -> list[tuple[str, tuple[int, int]]]:
        """Return the labels of pairs of nodes, sorted, and the places of the two."""
        places = {node: place for place, node in enumerate(nodes)}
        found = []
        for label in sorted(self._labels.children([(pk, (PAIRS,))])[0]):
            pair = read_pair(label)
            if pair is not None and pair[0] in places and pair[1] in places:
                low, high = sorted((places[pair[0]], places[pair[1]]))
                found.append((label, (low, high)))
        return found

    def _by_hits_of_pairs(
        self, pk: Path, pairs: Sequence[tuple[str, tuple[int, int]]], most: int
    ) -> list[tuple[str, tuple[int, int]]]:
        found: dict[Path, tuple[str, tuple[int, int]]] = {
            (PAIRS, label): (label, places) for label, places in pairs
        }
        return [found[path] for path in self._by_hits(pk, list(found), most)]

    def _by_hits(
        self, pk: Path, paths: Sequence[Path], most: int, *, always: bool = False
    ) -> Sequence[Path]:
        """Return the `most` busiest paths, the busiest first and equals by their labels.

        Unless `always`, no more than `most` are returned as they are.
        """
        if len(paths) <= most and not always:
            return paths
        asks = [CellQuery(ChunkAddress(pk, path, "all", 0), _HITS) for path in paths]
        hits = [cells[0] or Decimal(0) for cells in self._cells.read(asks)]
        order = sorted(range(len(paths)), key=lambda place: (-hits[place], paths[place]))
        return [paths[place] for place in order[:most]]


_HITS = [(0, HITS)]


def _together(paths: Sequence[Path], sizes: Sequence[int], most: int) -> list[Path]:
    """Return the parents, in order, whose children are not too many together."""
    found, children = [], 0
    for path, size in zip(paths, sizes, strict=True):
        if size and children + size <= most:
            children += size
            found.append(path)
    return found
