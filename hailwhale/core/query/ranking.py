"""Rankings: compares children to their parent, selects those above a threshold, and sorts them.

Pure: takes the values of a parent and of its children. Knows nothing of where they come from,
whether the children are dimensions or pks, or how a ranking is formatted. `formula` computes
everything on sums, exactly or to its digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from heapq import heapify, heappop, heappush, nlargest, nsmallest
from itertools import chain
from typing import NamedTuple

from hailwhale.core.events.paths import Path
from hailwhale.core.query.arithmetic import PRODUCTS, WORKING, ZERO, quotient
from hailwhale.core.query.bucket_lengths import Bucket
from hailwhale.core.query.columns import MetricColumns
from hailwhale.core.query.formula import Formula

COLUMNS = ("value", "share", "difference", "relative", "importance")  # what a ranking can go by


@dataclass(frozen=True, slots=True)
class ParentWithChildren:
    """A parent and some of its children, with their values by term (see `Formula.terms`).

    `whole` has the parent's own values; `parts` has one value per child, in the order of `labels`.
    Children need not add up to their parent: an event can be in several of them, or in none.
    """

    parent: Path
    whole: Mapping[str, Decimal]
    labels: Sequence[str]
    parts: MetricColumns

    def path(self, place: int) -> Path:
        """Return the path of one child."""
        return (*self.parent, self.labels[place])

    def picked(self, places: Sequence[int]) -> ParentWithChildren:
        """Return the parent with only these of its children."""
        parts = {term: [values[at] for at in places] for term, values in self.parts.items()}
        return ParentWithChildren(
            self.parent, self.whole, [self.labels[at] for at in places], parts
        )

    def holding(
        self, threshold: Decimal, weight: Formula, buckets: Sequence[Bucket]
    ) -> ParentWithChildren:
        """Return the parent with the children that have at least `threshold` of its weight.

        The weight is that of `Formula.weight`, in every kind of answer: a ratio's denominator.
        Absolute values are compared. If the parent's weight is 0, a child whose weight is not 0
        (refunds and sales that cancel out) counts as all of it.
        """
        if not threshold:
            return self
        whole, parts = _weights(weight, self, buckets)
        return self.picked([at for at, part in enumerate(parts) if _held(part, whole) >= threshold])

    def present(self, weight: Formula, buckets: Sequence[Bucket]) -> ParentWithChildren:
        """Return the parent without the children of weight 0, which cannot be ranked."""
        parts = weight.full_totals(self.parts, buckets)
        return self if all(parts) else self.picked([at for at, part in enumerate(parts) if part])


@dataclass(frozen=True, slots=True)
class ParentComparison:
    """A child compared to its parent, by one formula.

    `value` and `parent_value` are the formula's; `difference` is the first minus the second, and
    `relative` the difference divided by the absolute value of the parent's. `share` is the child's
    share of its parent's weight: of the denominator if the formula has one, else of the value.
    `importance` is how much the child moves its parent (see `compare_to_parents`). A quotient by 0
    is None, also 0 by 0, and so is every number that depends on it.
    """

    value: Decimal | None
    parent_value: Decimal | None
    share: Decimal | None
    difference: Decimal | None
    relative: Decimal | None
    importance: Decimal | None


def compare_to_parents(
    formula: Formula, family: ParentWithChildren, buckets: Sequence[Bucket]
) -> list[ParentComparison]:
    """Compare each child to its parent.

    The importance of a child with the sums x in a parent with the sums X, by the formula f, is ::

        d f(X + h x) / dh  at h = 0,  by |f(X)|

    Suppose all counts of the child grow by one per cent. Then the value of its parent changes by
    `importance` per cent of its absolute value, up or down by the sign.

    For a sum, f(X + h x) = X + h x. The importance is the share: x by the absolute value of X.

    For a ratio, let A/B be the parent and a/b the child. The derivative is ::

        d (A + h a)/(B + h b) / dh  at h = 0  =  (a - b A/B)/B  =  b/B (a/b - A/B)

    This is the difference from the parent, weighted by the share of the denominator.

    Children may add up to their parent. By Euler's theorem on homogeneous functions, their
    importances then sum to 1 for a positive sum, to -1 for a negative one and to 0 for a ratio.
    The same rule allocates risk to the parts of a portfolio (D. Tasche, "Capital allocation to
    business units and sub-portfolios: the Euler principle", 2007).

    >>> whole = {"dollars": Decimal(50), "hits": Decimal(10)}
    >>> parts = {"dollars": [Decimal(48)], "hits": [Decimal(8)]}
    >>> family = ParentWithChildren((), whole, ["US"], parts)
    >>> [us] = compare_to_parents(Formula.parse("dollars/hits"), family, [])
    >>> us.value, us.parent_value, us.difference, us.share, us.relative, us.importance
    (Decimal('6'), Decimal('5'), Decimal('1'), Decimal('0.8'), Decimal('0.2'), Decimal('0.16'))
    """
    whole = {term: [value] for term, value in family.whole.items()}
    [above] = formula.full_defined_totals(whole, buckets)
    values = formula.full_defined_totals(family.parts, buckets)
    weight, parts = _weights(formula.weight, family, buckets)
    with localcontext(PRODUCTS if formula.is_exact else WORKING):
        differences = [
            None if value is None or above is None else value - above for value in values
        ]
    relatives: Sequence[Decimal | None] = [None] * len(values)
    importances = relatives
    if above is not None:
        slopes = formula.slopes(family.whole, family.parts, buckets)
        relatives = _by(above.copy_abs(), differences, formula)
        importances = _by(above.copy_abs(), slopes, formula)
    shares = _by(weight, parts, formula)
    [above], values, differences = map(formula.rounded, ([above], values, differences))
    return [
        ParentComparison(value, above, share, difference, relative, importance)
        for value, share, difference, relative, importance in zip(
            values, shares, differences, relatives, importances, strict=True
        )
    ]


def column(
    by: str, formula: Formula, family: ParentWithChildren, buckets: Sequence[Bucket]
) -> Sequence[Decimal | None]:
    """Return one of the COLUMNS for the children of a parent.

    >>> hits = [Decimal(3), Decimal(1)]
    >>> family = ParentWithChildren((), {"hits": Decimal(4)}, ["US", "CA"], {"hits": hits})
    >>> column("share", Formula.parse("hits"), family, [])
    [Decimal('0.75'), Decimal('0.25')]
    """
    if by == "value":
        return formula.defined_totals(family.parts, buckets)
    return [getattr(compared, by) for compared in compare_to_parents(formula, family, buckets)]


class ChildIndex(NamedTuple):
    """The index of a family and the index of a child in it."""

    family: int
    child: int


def top_n(
    families: Sequence[ParentWithChildren],
    ranks: Iterable[Sequence[Decimal | None]],
    *,
    limit: int,
    descending: bool,
) -> list[ChildIndex]:
    """Return the first children by rank.

    `ranks` has for each family one number per child. The first `limit` are returned (0: all of
    them), in order; equals are ordered by their paths. A child without a number comes last.

    >>> family = ParentWithChildren((), {}, ["DE", "CA", "US"], {})
    >>> top_n([family], [[Decimal(1), Decimal(1), Decimal(9)]], limit=1, descending=True)
    [ChildIndex(family=0, child=2)]
    """
    last = Decimal("-Infinity") if descending else Decimal("Infinity")
    columns = [[last if rank is None else rank for rank in column] for column in ranks]
    if limit and sum(map(len, columns)) > limit:
        nearest = nlargest if descending else nsmallest
        edge = nearest(limit, chain.from_iterable(columns))[-1]
    else:
        edge = None

    def entries() -> Iterator[tuple[Decimal, Path, int, int]]:
        # Most rank below the last child returned: paths are built for the others only.
        for number, (family, values) in enumerate(zip(families, columns, strict=True)):
            for place, value in enumerate(values):
                if edge is None or (value >= edge if descending else value <= edge):
                    rank = value.copy_negate() if descending else value
                    yield rank, family.path(place), number, place

    found = sorted(entries())[: limit or None]
    return [ChildIndex(number, place) for _, _, number, place in found]


def top_n_downwards(
    families: Sequence[ParentWithChildren],
    ranks: Iterable[Sequence[Decimal | None]],
    *,
    limit: int,
    descending: bool,
) -> list[ChildIndex]:
    """Return the first children by rank, each of them after its parent.

    Works like `top_n`, but a family takes part only once its parent was returned, unless the parent
    is no child of another family. So none of those returned is a part of one that was left out.

    >>> above = ParentWithChildren((), {}, ["DE", "US"], {})
    >>> below = ParentWithChildren(("DE",), {}, ["Berlin"], {})
    >>> ranks = [[Decimal(1), Decimal(2)], [Decimal(9)]]
    >>> top_n_downwards([above, below], ranks, limit=2, descending=True)
    [ChildIndex(family=0, child=1), ChildIndex(family=0, child=0)]
    """
    last = Decimal("Infinity")
    waiting: dict[Path, list[tuple[Decimal, Path, int, int]]] = {}
    for number, (family, column) in enumerate(zip(families, ranks, strict=True)):
        numbers = [
            last if rank is None else rank.copy_negate() if descending else rank for rank in column
        ]
        waiting[family.parent] = [
            (rank, family.path(place), number, place) for place, rank in enumerate(numbers)
        ]
    children = {path for entries in waiting.values() for _, path, _, _ in entries}
    open_entries = [
        entry for parent in list(waiting) if parent not in children for entry in waiting.pop(parent)
    ]
    heapify(open_entries)
    found: list[ChildIndex] = []
    while open_entries and not len(found) == limit > 0:
        _, path, number, place = heappop(open_entries)
        found.append(ChildIndex(number, place))
        for entry in waiting.pop(path, ()):
            heappush(open_entries, entry)
    return found


@dataclass(frozen=True, slots=True)
class Sort:
    """The formula or column to sort by, and the direction."""

    formula: Formula
    descending: bool

    @classmethod
    def parse(cls, text: str, parameter: str = "sort") -> Sort:
        """Parse a sort: a leading minus is the direction, not a negation.

        Raises `BadInput` as for a formula.

        >>> Sort.parse("-dollars/hits").descending, Sort.parse("dollars").descending
        (True, False)
        """
        descending = isinstance(text, str) and text.strip().startswith("-")
        formula = text.strip()[1:] if descending else text
        return cls(Formula.parse(formula, parameter), descending)


def _weights(
    weight: Formula, family: ParentWithChildren, buckets: Sequence[Bucket]
) -> tuple[Decimal, list[Decimal]]:
    """Return the weights of the parent and of its children, before rounding."""
    whole = {term: [value] for term, value in family.whole.items()}
    return weight.full_totals(whole, buckets)[0], weight.full_totals(family.parts, buckets)


def _held(part: Decimal, whole: Decimal) -> Decimal:
    """Return the size of a child's share; all of a parent of 0, if the child is not 0."""
    share = quotient(part, whole)
    if share is None:
        return Decimal(1) if part else ZERO
    return share.copy_abs()


def _by(
    whole: Decimal, parts: Sequence[Decimal | None], formula: Formula
) -> Sequence[Decimal | None]:
    """Divide each part by the whole, to the digits of an answer."""
    return formula.rounded(
        [None if part is None else quotient(part, whole) for part in parts], exact=False
    )
