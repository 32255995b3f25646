"""Selects the stored rollup that answers a period, and the buckets to read from it.

The edges of the period, the time grid and the current time are arguments. Knows nothing of stores
or what is counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC as _UTC
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from math import gcd, isqrt

from hailwhale.core.time.calendar_grid import DAY_S, UNIT_S, Grid, Interval
from hailwhale.core.time.period import cut_edges
from hailwhale.core.time.retention import retained
from hailwhale.core.time.rollups import Rollup
from hailwhale.errors import BadInput

MAX_STORED_BUCKETS = 60_000

_LONGEST_S = Interval(99, "y").nominal_s  # of an interval of a rollup


def select_rollup(
    edges: tuple[int, ...],
    rollups: Sequence[Rollup],
    store_grid: Grid,
    now_s: int,
    since: Mapping[str, int] | None = None,
    parameter: str = "period",
    asked: str | None = None,
) -> Rollup:
    """Return the coarsest stored rollup that composes the period's buckets exactly.

    Every edge must be the start of one of the rollup's buckets. This one rule also covers other
    time zones, half-hour offsets and clock changes. The bucket at the first edge must still be
    retained, and the rollup must have been filled since before that edge.

    `since` says since when each rollup is filled: epoch seconds by rollup name. A missing name
    means from the beginning. If no rollup qualifies, `BadInput` names the one that is missing.
    `asked` is the period's text.

    >>> from hailwhale.core.time.period import Period
    >>> from hailwhale.core.time.rollups import DEFAULT_ROLLUPS
    >>> from hailwhale.core.time.calendar_grid import UTC
    >>> edges = Period.parse("1d:1mo").edges(UTC, now_s=1_767_225_600)
    >>> select_rollup(edges, DEFAULT_ROLLUPS, UTC, now_s=1_767_225_600).name
    '1d'
    """
    since = since or {}
    fitting = [r for r in rollups if r.interval and _fits(edges, r.interval, store_grid)]
    kept = [r for r in fitting if retained(store_grid, r, edges[0], now_s)]
    filled = [r for r in kept if since.get(r.name, edges[0]) <= edges[0]]
    if filled:
        return max(filled, key=_width_s)
    got = asked or f"{_utc_text(edges[0])}..{_utc_text(edges[-1])}"
    if kept:
        earliest = min(kept, key=lambda r: since[r.name])
        filled_since = f"{_utc_text(since[earliest.name])}, when its {earliest.name} buckets began"
        raise BadInput(parameter, got, f"a period that begins after {filled_since}")
    needed = _missing(edges, rollups, store_grid, now_s)
    expected = f"a period that the stored rollups can serve: {needed}"
    if fitting:
        longest = max(fitting, key=lambda r: r.retention_s or 0)
        expected += f"; the {longest.name} buckets are kept for only {longest.retention}"
    raise BadInput(parameter, got, expected)


def stored_buckets(
    edges: tuple[int, ...], rollup: Rollup, store_grid: Grid, parameter: str = "period"
) -> tuple[int, ...]:
    """Return the starts of the rollup's buckets within a period, in order, for folding.

    `edges` must be bucket starts of the rollup, as `select_rollup` ensures. More than 60,000
    buckets raise `BadInput`.
    """
    if rollup.interval is None:
        raise ValueError("the rollup all has no buckets to fold")
    found = cut_edges(store_grid, rollup.interval, edges[0], edges[-1], MAX_STORED_BUCKETS)
    if found is None:
        got = f"{_utc_text(edges[0])}..{_utc_text(edges[-1])} from {rollup.name} buckets"
        raise BadInput(parameter, got, f"a period of at most {MAX_STORED_BUCKETS} stored buckets")
    return found[:-1]


@lru_cache(maxsize=512)
def _fits(edges: tuple[int, ...], interval: Interval, store_grid: Grid) -> bool:
    return all(store_grid.floor(edge_s, interval) == edge_s for edge_s in edges)


def _width_s(rollup: Rollup) -> int:
    return rollup.interval.nominal_s if rollup.interval else 0


def _missing(
    edges: tuple[int, ...], rollups: Sequence[Rollup], store_grid: Grid, now_s: int
) -> str:
    """Return the cheapest rollup that would serve the period: the one with the widest buckets.

    An interval that the store already has is skipped, because a stored rollup cannot be changed.
    """
    taken = {rollup.interval for rollup in rollups}
    fitting = _fitting(edges, store_grid)
    interval = next((each for each in fitting if each not in taken), fitting[0])
    age_s = max(now_s - edges[0], interval.nominal_s)
    hours, days, years = (-(-age_s // size_s) for size_s in (3_600, DAY_S, 366 * DAY_S))
    length = f"{hours}h" if hours <= 48 else f"{days}d" if days <= 732 else f"{years}y"
    return f"it needs a rollup of {interval} kept for {length} (HAILWHALE_ROLLUPS)"


def _fitting(edges: tuple[int, ...], store_grid: Grid) -> list[Interval]:
    """Return the intervals at whose bucket starts all edges are, the widest first."""
    counts = {
        unit: gcd(*[store_grid.serial(edge_s, Interval(1, unit)) for edge_s in edges])
        for unit in ("mo", "w", "d")
        if _fits(edges, Interval(1, unit), store_grid)
    }
    # Of those below a day only the ones that divide it, which serve other days, too, ...
    counts["s"] = gcd(
        DAY_S, *[edge_s - store_grid.floor(edge_s, Interval(1, "d")) for edge_s in edges]
    )
    found = {
        Interval(count, unit).canonical
        for unit, most in counts.items()
        for count in _divisors(most)
        if count * UNIT_S[unit] <= _LONGEST_S
    }
    # ... and the width of the period's own buckets.
    width_s = max(after - before for before, after in pairwise(edges))
    if width_s < DAY_S and _fits(edges, own := Interval(width_s, "s").canonical, store_grid):
        found.add(own)
    return sorted(found, key=lambda interval: interval.nominal_s, reverse=True)


def _divisors(number: int) -> list[int]:
    small = [n for n in range(1, isqrt(number) + 1) if number % n == 0]
    return [*small, *(number // n for n in small)]


def _utc_text(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, _UTC):%Y-%m-%dT%H:%MZ}"
