"""Series of sums: stored buckets folded into the buckets asked for, and which series to show.

Pure: it is handed edges, starts and values. It must not know the calendar, the store, or how a
series is written in an answer. Sums are exact; see `formula` for what is made of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from heapq import nsmallest
from itertools import pairwise

from hailwhale.core.dimensions import Path
from hailwhale.core.formula import EXACT, WORKING, ZERO, Columns, Formula


def fold(
    edges: Sequence[int], starts: Sequence[int], values: Sequence[Decimal | None]
) -> list[Decimal]:
    """The sum of the values that start in each `[edges[i], edges[i + 1])`, 0 where there are none.

    `starts` and `edges` are sorted; values[i] is that of the stored bucket at starts[i], None when
    nothing is stored. What starts outside the edges is left out.

    >>> fold([0, 60, 120, 180], [0, 30, 150], [Decimal(1), None, Decimal("0.5")])
    [Decimal('1'), Decimal('0'), Decimal('0.5')]
    """
    bounds = [bisect_left(starts, edge) for edge in edges]
    with localcontext(EXACT):
        return [sum(filter(None, values[low:high]), ZERO) for low, high in pairwise(bounds)]


def add(left: Columns, right: Columns) -> dict[str, list[Decimal]]:
    """The columns of two series together, point by point; a missing column is all zeros.

    >>> add({"hits": [Decimal(1), Decimal(2)]}, {"hits": [Decimal(3), Decimal(4)]})
    {'hits': [Decimal('4'), Decimal('6')]}
    """
    together = {}
    with localcontext(EXACT):
        for metric in dict.fromkeys([*left, *right]):
            zeros = [ZERO] * len(left.get(metric) or right.get(metric) or ())
            pairs = zip(left.get(metric, zeros), right.get(metric, zeros), strict=True)
            together[metric] = [a + b for a, b in pairs]
    return together


def share(part: Decimal, whole: Decimal) -> Decimal:
    """How large a part is beside its whole, whatever their signs.

    Of a whole that is 0, a part that is not (refunds and sales that cancel out) is all there is.

    >>> share(Decimal(-1), Decimal(4)), share(Decimal(0), Decimal(0)), share(Decimal(2), Decimal(0))
    (Decimal('0.25'), Decimal('0'), Decimal('1'))
    """
    with localcontext(WORKING):
        return _share(part, whole)


def _share(part: Decimal, whole: Decimal) -> Decimal:
    if whole:
        return abs(part / whole)
    return Decimal(1) if part else ZERO


@dataclass(frozen=True, slots=True)
class Candidate:
    """A descendant that may be shown: its total of the lead metric, and what it is sorted by."""

    path: Path
    lead: Decimal
    rank: Decimal


def choose(
    asked: Mapping[Path, Decimal],
    candidates: Iterable[Candidate],
    *,
    threshold: Decimal,
    limit: int,
    descending: bool,
) -> list[Path]:
    """The paths to show: the `asked` ones in their order, then the chosen descendants in theirs.

    `asked` maps each asked dimension to its total of the lead metric. A candidate stays while it
    holds at least `threshold` of its parent and its parent stays; of those that stay the first
    `limit` by rank are shown (0: all of them), equals in the order of their paths. A parent that
    `limit` cuts off does not take its children along.

    >>> country, us, ca = ("country",), ("country", "US"), ("country", "CA")
    >>> found = [Candidate(ca, Decimal(1), Decimal(1)), Candidate(us, Decimal(9), Decimal(9))]
    >>> choose({country: Decimal(10)}, found, threshold=Decimal("0.5"), limit=0, descending=True)
    [('country',), ('country', 'US')]
    """
    children: defaultdict[Path, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.path not in asked:
            children[candidate.path[:-1]].append(candidate)
    parents = list(asked.items())
    kept: list[Candidate] = []
    with localcontext(WORKING):
        for path, whole in parents:  # grows while it is walked: those kept are parents in turn
            for child in children.get(path, ()):
                if _share(child.lead, whole) >= threshold:
                    kept.append(child)
                    parents.append((child.path, child.lead))

    def place(candidate: Candidate) -> tuple[Decimal, Path]:
        rank = candidate.rank
        return rank.copy_negate() if descending else rank, candidate.path

    chosen = nsmallest(limit or len(kept), kept, key=place)
    return [*asked, *(candidate.path for candidate in chosen)]


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
