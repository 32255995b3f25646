"""The cost of a query, known before the work is done, and the one limit on it.

Each factor of a query is bounded by itself; here their product is. The unit is a cell: one number
read from the store, at most about four microseconds. Whatever else a query takes is counted in
cells that take as long, or whose text takes as much memory. A query within the default limit takes
at most about two seconds of processor and 100 MB. Knows nothing of stores, or of how a query is
answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hailwhale.core.events.paths import Path
from hailwhale.core.query.formula import Formula
from hailwhale.errors import BadInput

SETTING = "HAILWHALE_MAX_QUERY_CELLS"

CHUNK_CELLS = 4  # of a chunk of a series, to which its cells are added
ROW_CELLS = 2  # of a child in a view of a chunk and metric
SKETCH_CELLS = 8  # of the visitors of a day
LABEL_CELLS = 2  # of a label that is listed
_NUMBER_CELLS = 2  # of a number of an answer
_SERIES_CELLS = 6  # of a series of an answer
CHARS = 32  # of an answer's texts, one cell
_SUMMED = 32  # cells added up to a total, one cell
_STEPS = 8  # of a formula for one number, one cell

_HINTS = {
    "dimensions": "fewer dimensions",
    "depth": "a smaller depth, or a parent with fewer children",
    "other": "no other=1, or a parent with fewer children",
    "limit": "a smaller limit, or fewer metrics",
    "metrics": "fewer or shorter metrics",
    "period": "a shorter period, a wider interval, or fewer periods",
    "shares": "fewer shares",
    "target": "fewer targets, or patterns that match fewer series",
    "maxDataPoints": "fewer points",
    "query": "a pattern that matches fewer paths",
}


class QueryCost:
    """Add up the cost of one query; raise `BadInput` before it exceeds `most` cells.

    `names` are the names that parameters have in this kind of query, where they differ.
    """

    def __init__(self, most: int, names: Mapping[str, str] | None = None) -> None:
        self.cells = 0
        self._most = most
        self._names = names or {}

    def renamed(self, names: Mapping[str, str]) -> QueryCost:
        """Return a new cost with the same limit for a query whose parameters are named so."""
        return QueryCost(self._most, names)

    def add(self, cells: int, parameter: str) -> None:
        """Add cells; `parameter` is what a smaller query has to change first."""
        self.cells += cells
        if self.cells > self._most:
            name = self._names.get(parameter, parameter)
            expected = f"{_HINTS[name]}: a query of at most {self._most} cells ({SETTING})"
            raise BadInput(name, f"a query of {self.cells} cells", expected)

    def read(self, series: int, each: int, *, of: str = "dimensions", buckets: int = 1) -> None:
        """Add series that are read, at a cost of `each`, and chosen by the parameter `of`."""
        self.add(series * each, "period" if buckets > series else of)

    def choose(self, children: int, steps: int) -> None:
        """Add the steps of formulas that choosing among children takes for each of them."""
        self.add(children * (1 + steps // _STEPS), "depth")

    def list(self, labels: int, parents: int = 1, *, of: str = "depth") -> None:
        """Add labels of parents that are listed."""
        self.add(labels * LABEL_CELLS + parents * CHUNK_CELLS, of)

    def answer(
        self, paths: Iterable[Path], formulas: Sequence[Formula], points: int, buckets: int = 0
    ) -> None:
        """Add the numbers of an answer: `points` of each path and formula.

        A total also adds up the sums of `buckets`.
        """
        found = list(paths)
        chars = sum(map(len, (label for path in found for label in path)))
        cells = 0
        for formula in formulas:
            texts = chars + len(found) * len(formula.text)
            number = _NUMBER_CELLS + len(formula.steps) // _STEPS
            summed = buckets * len(formula.metrics) // _SUMMED
            cells += len(found) * (_SERIES_CELLS + points * number + summed)
            cells += points * texts // CHARS
        self.add(cells, _largest(limit=len(found), metrics=len(formulas), period=points))


def _largest(**factors: int) -> str:
    return max(factors, key=lambda name: factors[name])
