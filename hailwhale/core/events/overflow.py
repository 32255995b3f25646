"""Maps labels beyond `max_children` to `_other`.

Pure. The store decides which labels overflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hailwhale.core.events.paths import Path

OTHER = "_other"  # the label that gathers what is past max_children


@dataclass(frozen=True, slots=True)
class OverflowMap:
    """Labels beyond `max_children`, which are counted under `_other` instead.

    `labels` by (pk, dimension) and `sublabels` by pk path, as reported by the store.
    """

    labels: Mapping[tuple[Path, Path], frozenset[str]] = field(default_factory=dict)
    sublabels: Mapping[Path, frozenset[str]] = field(default_factory=dict)

    def merged(
        self,
        labels: Mapping[tuple[Path, Path], Iterable[str]],
        sublabels: Mapping[Path, Iterable[str]],
    ) -> OverflowMap:
        """Return this map extended by more labels."""
        more = dict(self.labels)
        for node, found in labels.items():
            more[node] = more.get(node, frozenset()) | frozenset(found)
        submore = dict(self.sublabels)
        for pk, found in sublabels.items():
            submore[pk] = submore.get(pk, frozenset()) | frozenset(found)
        return OverflowMap(more, submore)

    @property
    def count(self) -> int:
        """Return the number of labels in the map."""
        return sum(map(len, self.labels.values())) + sum(map(len, self.sublabels.values()))

    def pk(self, pk: Path) -> Path:
        """Return the pk under which a pk is counted."""
        if not self.sublabels:
            return pk
        settled: Path = ()
        for label in pk:
            full = label in self.sublabels.get(settled, ())
            settled = (*settled, OTHER if full else label)
        return settled

    def dimension(self, pk: Path, dimension: Path) -> Path:
        """Return the dimension under which a dimension of a mapped pk is counted."""
        if not self.labels:
            return dimension
        settled: Path = ()
        for label in dimension:
            full = label in self.labels.get((pk, settled), ())
            settled = (*settled, OTHER if full else label)
        return settled
