"""What was counted, as lists of amounts by pk and dimension, and sums of them.

No buckets, no rollups, no limits: a sum looks at every amount.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

Path = tuple[str, ...]
Node = tuple[Path, Path]  # a pk and a dimension; () is the overall
OTHER = "_other"
# Whether a label is known below a pk (dimension None), or below a dimension of a pk.
Admitted = Callable[[Path, Path | None, str], bool]


@dataclass(frozen=True)
class Counted:
    """An event as the documentation describes it."""

    pk: Path
    dimensions: tuple[Path, ...]
    metrics: Mapping[str, Fraction]
    at_s: int


class Counts:
    """All that was counted."""

    def __init__(self) -> None:
        self._amounts: dict[Node, list[tuple[int, Mapping[str, Fraction]]]] = defaultdict(list)

    def add(self, event: Counted, admitted: Admitted | None = None) -> None:
        """docs/concepts.rst: an event counts for its pk and all pks above it, and there for each
        of its dimensions and all dimensions above them, once.

        docs/settings.rst: past the maximum of labels under one path further labels are counted
        under _other. Which ones came first is not said: `admitted` tells it.
        """
        for node in _nodes_of(event, admitted or _everything):
            self._amounts[node].append((event.at_s, event.metrics))

    def set_total(self, pk: Path, dimension: Path, metric: str, value: Fraction, at_s: int) -> None:
        """docs/http.rst: sets the all-time total to the value, by counting the difference."""
        difference = value - self.total(pk, dimension, metric)
        if difference:
            dimensions = (dimension,) if dimension else ()
            self.add(Counted(pk, dimensions, {metric: difference}, at_s))

    def reset(self, pk: Path, dimension: Path) -> None:
        """docs/http.rst: deletes a pk and all pks below it, or one dimension of all of them. The
        sums of the paths above keep what was counted."""
        for node in list(self._amounts):
            if _below(node[0], pk) and _below(node[1], dimension):
                del self._amounts[node]

    def total(
        self,
        pk: Path,
        dimension: Path,
        metric: str,
        begin_s: int | None = None,
        end_s: int | None = None,
    ) -> Fraction:
        """The sum of the amounts whose time is in a half-open span; over all time without one."""
        return sum(
            (
                metrics.get(metric, Fraction())
                for at_s, metrics in self._amounts.get((pk, dimension), ())
                if begin_s is None or end_s is None or begin_s <= at_s < end_s
            ),
            Fraction(),
        )

    def pks(self) -> list[Path]:
        return sorted({pk for pk, dimension in self._amounts if not dimension})

    def dimensions(self, pk: Path) -> list[Path]:
        return sorted({dimension for each, dimension in self._amounts if each == pk and dimension})

    def metrics(self, pk: Path) -> list[str]:
        amounts = self._amounts.get((pk, ()), ())
        return sorted({name for _, metrics in amounts for name in metrics})


def _nodes_of(event: Counted, admitted: Admitted) -> Iterator[Node]:
    pk: Path = ()
    for label in event.pk:
        pk = (*pk, label if admitted(pk, None, label) else OTHER)
        found: set[Path] = {()}
        for path in event.dimensions:
            above: Path = ()
            for part in path:
                above = (*above, part if admitted(pk, above, part) else OTHER)
                found.add(above)
        for dimension in found:
            yield pk, dimension


def _everything(pk: Path, dimension: Path | None, label: str) -> bool:
    return True


def _below(path: Path, above: Path) -> bool:
    return path[: len(above)] == above
