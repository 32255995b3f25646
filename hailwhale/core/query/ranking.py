"""Rankings: children beside their parent, which of them count for something, and which come first.

Pure: it is handed what is known of a parent and of its children. It must not know where that comes
from, nor whether the children are dimensions or pks, nor how a ranking is written in an answer.
Everything is worked out on sums by `formula`, exactly or to its digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from heapq import nlargest, nsmallest
from itertools import chain
from typing import NamedTuple

from hailwhale.core.events.paths import Path
from hailwhale.core.query.formula import EXACT, WORKING, ZERO, Bucket, Formula, MetricColumns

COLUMNS = ("value", "share", "difference", "relative", "importance")  # what a ranking can go by


@dataclass(frozen=True, slots=True)
class ParentWithChildren:
    """A parent and children of it, and what is known of each by term (see `Formula.terms`).

    `whole` is the parent's own; `parts` has one value a child, in the order of `labels`. Children
    need not add up to their parent: an event can be in several of them, or in none.
    """

    parent: Path
    whole: Mapping[str, Decimal]
    labels: Sequence[str]
    parts: MetricColumns

    def path(self, place: int) -> Path:
        """The path of one child."""
        return (*self.parent, self.labels[place])

    def picked(self, places: Sequence[int]) -> ParentWithChildren:
        """The family with these of its children alone."""
        parts = {term: [values[at] for at in places] for term, values in self.parts.items()}
        return ParentWithChildren(
            self.parent, self.whole, [self.labels[at] for at in places], parts
        )

    def holding(
        self, threshold: Decimal, weight: Formula, buckets: Sequence[Bucket]
    ) -> ParentWithChildren:
        """The family with those children that hold at least `threshold` of their parent's weight.

        Sizes count, whatever their signs. Of a parent that comes to 0, a child that does not
        (refunds and sales that cancel out) is all there is.
        """
        if not threshold:
            return self
        whole, parts = _totals(weight, self, buckets)
        with localcontext(WORKING):
            places = [at for at, part in enumerate(parts) if _held(part, whole) >= threshold]
        return self.picked(places)

    def present(self, weight: Formula, buckets: Sequence[Bucket]) -> ParentWithChildren:
        """The family without the children of no weight: they have nothing that could be ranked."""
        parts = weight.full_totals(self.parts, buckets)
        return self if all(parts) else self.picked([at for at, part in enumerate(parts) if part])


@dataclass(frozen=True, slots=True)
class ParentComparison:
    """A child beside its parent, by one formula.

    `value` and `parent_value` are the formula's; `difference` is the one less the other, and
    `relative` the difference by the size of the parent's value. `share` is the child's part of its
    parent's weight: of the denominator of a formula that has one, else of the value itself.
    `importance` says how much the child moves its parent (see `compare_to_parents`). A quotient by
    a parent that is 0 is None, unless it is 0 by 0.
    """

    value: Decimal
    parent_value: Decimal
    share: Decimal | None
    difference: Decimal
    relative: Decimal | None
    importance: Decimal | None


def compare_to_parents(
    formula: Formula, family: ParentWithChildren, buckets: Sequence[Bucket]
) -> list[ParentComparison]:
    """How each child of a family stands beside its parent.

    The importance of a child with the sums x in a parent with the sums X, by the formula f, is ::

        d f(X + h x) / dh  at h = 0,  by |f(X)|

    Were everything that the child counts to grow by one per cent, its parent's value would change
    by `importance` per cent of its size: up where it is positive, down where it is negative.

    What it comes to: for a sum, f(X + h x) = X + h x, so it is x by the size of X, the share. For a
    ratio A/B of which the child has a/b, the derivative of (A + h a)/(B + h b) is (a - b A/B)/B,
    which is b/B (a/b - A/B): the difference from the parent, weighted by the share of the
    denominator. By Euler's theorem on homogeneous functions the importances of children that
    together are their parent add up to 1 for a sum (to -1 where it is negative) and to 0 for a
    ratio. It is the rule by which risk is allocated to the parts of a portfolio (D. Tasche,
    "Capital allocation to business units and sub-portfolios: the Euler principle", 2007).

    >>> whole = {"dollars": Decimal(50), "hits": Decimal(10)}
    >>> parts = {"dollars": [Decimal(48)], "hits": [Decimal(8)]}
    >>> family = ParentWithChildren((), whole, ["US"], parts)
    >>> [us] = compare_to_parents(Formula.parse("dollars/hits"), family, [])
    >>> us.value, us.parent_value, us.difference, us.share, us.relative, us.importance
    (Decimal('6'), Decimal('5'), Decimal('1'), Decimal('0.8'), Decimal('0.2'), Decimal('0.16'))
    """
    above, values = _totals(formula, family, buckets)
    whole, parts = _totals(formula.weight, family, buckets)
    # Sums are subtracted exactly; what a formula makes of them has 34 digits before it is rounded.
    exact = len(formula.steps) == 1
    with localcontext(EXACT if exact else WORKING):
        differences = [value - above for value in values]
    shares = _by(whole, parts, formula)
    relatives = _by(above.copy_abs(), differences, formula)
    slopes = formula.slopes(family.whole, family.parts, buckets)
    importances = _by(above.copy_abs(), slopes, formula)
    if not exact:
        [above], values, differences = map(formula.rounded, ([above], values, differences))
    return [
        ParentComparison(value, above, share, difference, relative, importance)
        for value, share, difference, relative, importance in zip(
            values, shares, differences, relatives, importances, strict=True
        )
    ]


def column(
    by: str, formula: Formula, family: ParentWithChildren, buckets: Sequence[Bucket]
) -> Sequence[Decimal]:
    """One of the COLUMNS of a family's children; 0 where there is no number.

    >>> hits = [Decimal(3), Decimal(1)]
    >>> family = ParentWithChildren((), {"hits": Decimal(4)}, ["US", "CA"], {"hits": hits})
    >>> column("share", Formula.parse("hits"), family, [])
    [Decimal('0.75'), Decimal('0.25')]
    """
    if by == "value":
        return formula.totals(family.parts, buckets)
    return [
        getattr(standing, by) or ZERO for standing in compare_to_parents(formula, family, buckets)
    ]


class ChildIndex(NamedTuple):
    """Which child of which family: the number of the family, and the place of the child in it."""

    family: int
    child: int


def top_n(
    families: Sequence[ParentWithChildren],
    ranks: Iterable[Sequence[Decimal]],
    *,
    limit: int,
    descending: bool,
) -> list[ChildIndex]:
    """Return the children that come first.

    `ranks` has for each family one number a child. The first `limit` are found (0: all of them, in
    order), equals in the order of their paths.

    >>> family = ParentWithChildren((), {}, ["DE", "CA", "US"], {})
    >>> top_n([family], [[Decimal(1), Decimal(1), Decimal(9)]], limit=1, descending=True)
    [ChildIndex(family=0, child=2)]
    """

    columns = list(ranks)
    if limit and sum(map(len, columns)) > limit:
        nearest = nlargest if descending else nsmallest
        edge = nearest(limit, chain.from_iterable(columns))[-1]
    else:
        edge = None

    def entries() -> Iterator[tuple[Decimal, Path, int, int]]:
        # Most fall short of the last that comes first: only the others are worth a path.
        for number, (family, values) in enumerate(zip(families, columns, strict=True)):
            for place, value in enumerate(values):
                if edge is None or (value >= edge if descending else value <= edge):
                    rank = value.copy_negate() if descending else value
                    yield rank, family.path(place), number, place

    found = sorted(entries())[: limit or None]
    return [ChildIndex(number, place) for _, _, number, place in found]


@dataclass(frozen=True, slots=True)
class Sort:
    """What series are sorted by, and which end comes first."""

    formula: Formula
    descending: bool

    @classmethod
    def parse(cls, text: str, parameter: str = "sort") -> Sort:
        """Read a sort: a leading minus is the direction, not a negation; `BadInput` as a formula's.

        >>> Sort.parse("-dollars/hits").descending, Sort.parse("dollars").descending
        (True, False)
        """
        descending = isinstance(text, str) and text.strip().startswith("-")
        formula = text.strip()[1:] if descending else text
        return cls(Formula.parse(formula, parameter), descending)


def _totals(
    formula: Formula, family: ParentWithChildren, buckets: Sequence[Bucket]
) -> tuple[Decimal, list[Decimal]]:
    """The value of the parent and those of the children, before they are rounded."""
    whole = {term: [value] for term, value in family.whole.items()}
    return formula.full_totals(whole, buckets)[0], formula.full_totals(family.parts, buckets)


def _held(part: Decimal, whole: Decimal) -> Decimal:
    if whole:
        return abs(part / whole)
    return Decimal(1) if part else ZERO


def _by(whole: Decimal, parts: Sequence[Decimal], formula: Formula) -> Sequence[Decimal | None]:
    """Each part by the whole, to the digits of an answer."""
    if not whole:
        return [None if part else ZERO for part in parts]
    with localcontext(WORKING):
        quotients = [part / whole for part in parts]
    return formula.rounded(quotients)
