"""The spans that formulas are evaluated on, and their lengths in the units of formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from hailwhale.core.time.calendar_grid import UTC, Grid
from hailwhale.core.time.calendar_length import days_in, years_in

_UNIT_S = {"seconds": 1, "minutes": 60, "hours": 3_600}
_UNIT_DAYS = {"days": 1, "weeks": 7}


@dataclass(frozen=True, slots=True)
class Bucket:
    """The span `[start_s, end_s)` of a point, up to now if it is still running, and its calendar.

    `grid` is None for a span that has no beginning, and so no length. A span in the future ends
    before it begins; its length is 0.
    """

    start_s: int
    end_s: int
    grid: Grid | None = UTC

    def property(self, word: str) -> Fraction | None:
        """Return a length, or the days of the month in which the span begins; None without a grid.

        `seconds`, `minutes` and `hours` are elapsed time; the calendar defines all others.
        """
        if self.grid is None:
            return None
        if word == "days_in_month":
            return Fraction(self.grid.days_in_month(self.start_s))
        if word == "years":
            return years_in(self.grid, self.start_s, self.end_s)
        if word in _UNIT_DAYS:
            return days_in(self.grid, self.start_s, self.end_s) / _UNIT_DAYS[word]
        return Fraction(max(0, self.end_s - self.start_s), _UNIT_S[word])


def whole_of(buckets: Sequence[Bucket]) -> Bucket:
    """Return the span of all buckets together."""
    if not buckets:
        return Bucket(0, 0)
    return replace(buckets[0], end_s=buckets[-1].end_s)
