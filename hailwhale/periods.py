"""The public API of periods: `Period` and the tables of nicknames and defaults."""

from __future__ import annotations

from hailwhale.core.time.calendar_grid import Interval
from hailwhale.core.time.period import DEFAULT, DEFAULT_TOTALS, NICKNAMES, Period
from hailwhale.core.time.rollups import DEFAULT_ROLLUPS, Rollup

__all__ = [
    "DEFAULT",
    "DEFAULT_ROLLUPS",
    "DEFAULT_TOTALS",
    "NICKNAMES",
    "Interval",
    "Period",
    "Rollup",
]
