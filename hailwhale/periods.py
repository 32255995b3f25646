"""The library's door to periods: `Period` and the tables of nicknames and defaults."""

from __future__ import annotations

from hailwhale.core.period import DEFAULT, DEFAULT_TOTALS, NICKNAMES, Period
from hailwhale.core.rollups import DEFAULT_ROLLUPS, Rollup
from hailwhale.core.timegrid import Interval

__all__ = [
    "DEFAULT",
    "DEFAULT_ROLLUPS",
    "DEFAULT_TOTALS",
    "NICKNAMES",
    "Interval",
    "Period",
    "Rollup",
]
