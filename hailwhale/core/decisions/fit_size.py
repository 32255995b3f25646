"""The size of a fit: how many columns the matrices of a model may have.

The time of a fit grows with options x columns³, its memory with options x columns². Both are
bounded here, whatever was counted. Knows nothing of what a column means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isqrt

from hailwhale.core.decisions.evidence import NodePath

MOST_NUMBERS = 500_000  # in the matrices of all options together
MOST_COLUMNS = 500


def most_columns(options: int) -> int:
    """Return how many columns a model of so many options may have, the root included.

    >>> [most_columns(options) for options in (1, 2, 20, 500)]
    [500, 500, 158, 31]
    """
    return max(1, min(MOST_COLUMNS, isqrt(MOST_NUMBERS // max(1, options))))


def fitting_nodes(nodes: Sequence[NodePath], most: int) -> list[NodePath]:
    """Return the first nodes that make at most `most` columns together with the root.

    Each dimension may add one more column, for the visitors who lack it.

    >>> fitting_nodes([("country", "US"), ("country", "UK"), ("device", "mobile")], 4)
    [('country', 'US'), ('country', 'UK')]
    """
    return [node for node, columns in _with_columns(nodes) if columns <= most]


def _with_columns(nodes: Sequence[NodePath]) -> Iterator[tuple[NodePath, int]]:
    """Yield each node with the number of columns that it and those before it make."""
    columns, dimensions = 1, set()
    for node in nodes:
        columns += 1 if node[0] in dimensions else 2
        dimensions.add(node[0])
        yield node, columns
