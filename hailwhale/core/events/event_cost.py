"""How many cells an event adds to, and the limit on them.

Each of its parts is bounded, and the cells are their product: a kilobyte of labels could cost hours
of the store. Knows nothing of buckets or stores.
"""

from __future__ import annotations

from collections.abc import Sequence

from hailwhale.core.events.limits import Limits
from hailwhale.core.events.paths import Path
from hailwhale.errors import TooLarge


def cells_of(pk: Path, dimensions: Sequence[Path], numbers: int, rollups: int) -> int:
    """Return how many cells an event adds to, without listing them.

    There is one for each pk at or above its own, dimension at or above its own (and the overall),
    number and rollup. The numbers are its metrics, and one for its visitor.

    >>> cells_of(("Shop", "7"), [("country", "US")], numbers=1, rollups=4)  # 2 pks, 3 dimensions
    24
    """
    nodes = {path[:size] for path in dimensions for size in range(1, len(path) + 1)}
    return len(pk) * (1 + len(nodes)) * numbers * rollups


def refuse_costly(pk: Path, dimensions: Sequence[Path], numbers: int, limits: Limits) -> None:
    """Raise `TooLarge` for an event that adds to more cells than `limits.cells`."""
    most_nodes = 1 + sum(map(len, dimensions))  # with those that are shared
    if len(pk) * most_nodes * numbers * limits.rollups <= limits.cells:
        return
    cells = cells_of(pk, dimensions, numbers, limits.rollups)
    if cells > limits.cells:
        expected = (
            f"at most {limits.cells} (HAILWHALE_MAX_CELLS), which are its pks × dimensions × "
            "metrics × rollups: send shorter or fewer paths, or fewer metrics"
        )
        raise TooLarge("event", f"{cells} cells", expected)
