"""What is below a dimension or a pk, worked out by plain loops over events and with Fractions.

None of the project's code for sums, formulas or rankings is used. A formula is a sum of metrics
(`top` alone) or a ratio (`top` and `bottom`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from hailwhale.core.events.paths import Path
from tests.services.reading import EDGES_S, Sent, additions

Node = tuple[Path, Path]
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Plain:
    """A metric, or one metric by another."""

    top: str
    bottom: str = ""

    @property
    def text(self) -> str:
        return f"{self.top}/{self.bottom}" if self.bottom else self.top


@dataclass(frozen=True, slots=True)
class Counted:
    """Sums by (pk, dimension) and metric, and the nodes that are known."""

    sums: dict[tuple[Node, str], Fraction] = field(default_factory=dict)
    known: set[Node] = field(default_factory=set)

    @classmethod
    def of(cls, events: Iterable[Sent], period: str) -> Counted:
        """All that is known of events, summed up over a period."""
        found = cls()
        begin_s, end_s = EDGES_S[period]
        for event in events:
            for pk, path, metric, amount in additions(event):
                found.known.add((pk, path))
                if begin_s <= event.at_s < end_s:
                    cell = ((pk, path), metric)
                    found.sums[cell] = found.sums.get(cell, ZERO) + Fraction(amount)
        return found

    def value(self, formula: Plain, node: Node) -> Fraction | None:
        top = self.sums.get((node, formula.top), ZERO)
        if not formula.bottom:
            return top
        bottom = self.sums.get((node, formula.bottom), ZERO)
        return top / bottom if bottom else None

    def weight(self, formula: Plain, node: Node) -> Fraction:
        return self.sums.get((node, formula.bottom or formula.top), ZERO)

    def below(self, parent: Node, of_pks: bool) -> list[Node]:
        """The children of a node: longer dimensions, or longer pks at the same dimension."""
        (pk, path) = parent
        if of_pks:
            longer = {each for each, _ in self.known if each[:-1] == pk and len(each) > 1}
            return sorted((each, path) for each in longer)
        found = {each for at, each in self.known if at == pk and each and each[:-1] == path}
        return sorted((pk, each) for each in found)


def descendants(
    counted: Counted,
    asked: Sequence[Node],
    depth: int,
    of_pks: bool,
    kept: Callable[[Node, Node], bool],
) -> list[tuple[Node, Node]]:
    """The pairs of a parent and a child down to a depth; what is not `kept` has none below it."""
    found: list[tuple[Node, Node]] = []
    level = list(asked)
    for _ in range(depth):
        pairs = [(parent, child) for parent in level for child in counted.below(parent, of_pks)]
        pairs = [(up, down) for up, down in pairs if down not in asked and kept(up, down)]
        found += pairs
        level = [child for _, child in pairs]
    return found


def order(number: Fraction | None, *, descending: bool) -> tuple[bool, Fraction]:
    """What to sort numbers by: what is missing comes last."""
    known = number or ZERO
    return number is None, -known if descending else known


def held(part: Fraction, whole: Fraction) -> Fraction:
    """Return the ratio of a part to its whole; 1 if only the whole is 0."""
    if whole:
        return abs(part / whole)
    return Fraction(1) if part else ZERO


def by(part: Fraction | None, whole: Fraction | None) -> Fraction | None:
    return part / whole if part is not None and whole else None


def standing(
    counted: Counted, formula: Plain, parent: Node, child: Node
) -> dict[str, Fraction | None]:
    """The numbers of a row, by the definitions of the README."""
    value, above = counted.value(formula, child), counted.value(formula, parent)
    weight, whole = counted.weight(formula, child), counted.weight(formula, parent)
    difference = value - above if value is not None and above is not None else None
    moved = value
    if formula.bottom:
        share = by(weight, whole)
        moved = share * difference if share is not None and difference is not None else None
    size = abs(above) if above is not None else None
    return {
        "value": value,
        "share": by(weight, whole),
        "parent_value": above,
        "difference": difference,
        "relative": by(difference, size),
        "importance": by(moved, size),
    }
