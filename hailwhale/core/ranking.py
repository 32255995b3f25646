"""Deprecated: the old name of `hailwhale.core.query.ranking`."""

from __future__ import annotations

from hailwhale.moved_names import moved

__getattr__ = moved(
    __name__,
    "hailwhale.core.query.ranking",
    {"Standing": "ParentComparison", "standings": "compare_to_parents"},
)
