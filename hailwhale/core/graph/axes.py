"""Axis scales of a rendered graph: round values on the y axis, calendar boundaries on the x axis.

Makes the same choices as `static/hailwhale/scales.js` in the browser; a test compares the two.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hailwhale.core.time.calendar_grid import Grid

_LEVELS = {"s": 0, "m": 1, "h": 2, "d": 3, "w": 3, "mo": 4, "y": 5}
_NAMES = ("second", "minute", "hour", "day", "month", "year")
_FORMS = {"second": "%H:%M:%S", "minute": "%H:%M", "hour": "%H:%M", "month": "%Y-%m", "year": "%Y"}

Fits = Callable[[datetime], bool]


@dataclass(frozen=True, slots=True)
class Scale:
    """Hold round ticks that cover the values and 0; the first and last tick are the ends."""

    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Return the position of a value, from 0 at the lowest tick to 1 at the highest."""
        return (value - self.ticks[0]) / (self.ticks[-1] - self.ticks[0])


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled bucket on the time axis: its index and its text."""

    place: int
    text: str


def nice(least: float, most: float, count: int) -> Scale:
    """Return a scale of about `count` round steps that covers [least, most] and 0.

    >>> nice(0, 87, 4).ticks
    (0.0, 25.0, 50.0, 75.0, 100.0)
    """
    low, high = min(0.0, least), max(0.0, most)
    if low == high:
        high = 1.0
    rough = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(n for n in (1, 2, 2.5, 5, 10) if rough <= power * n * (1 + 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Scale(tuple(float(f"{at * step:.12g}") for at in range(first, last + 1)))


def time_ticks(starts_s: Sequence[int], interval: str, calendar: Grid, most: int) -> list[Tick]:
    """Choose at most `most` buckets to label, at calendar boundaries such as midnights."""
    unit = interval.lstrip("0123456789")
    finest = _LEVELS.get(unit, 0)
    times = [datetime.fromtimestamp(start_s, calendar.zone) for start_s in starts_s]
    for level, fits in _RUNGS:
        if level < finest or (unit == "w" and level == 3 and fits is not _always):
            continue
        found = [
            place
            for place, time in enumerate(times)
            if _turns(time, level, finest, unit == "w") and fits(time)
        ]
        if min(2, len(times)) <= len(found) <= most:
            return [Tick(place, _text(times[place], level)) for place in found]
    step = math.ceil(len(times) / max(1, most)) or 1
    return [Tick(place, _text(times[place], finest)) for place in range(0, len(times), step)]


def _every(name: str, n: int) -> Fits:
    return lambda time: getattr(time, name) % n == 0


def _always(_time: datetime) -> bool:
    return True


_RUNGS: tuple[tuple[int, Fits], ...] = (
    *((0, _every("second", n)) for n in (1, 5, 10, 15, 30)),
    *((1, _every("minute", n)) for n in (1, 2, 5, 10, 15, 30)),
    *((2, _every("hour", n)) for n in (1, 2, 3, 6, 12)),
    (3, _always),
    (3, lambda time: time.day % 2 == 1 and time.day < 31),
    (3, lambda time: time.isoweekday() == 1),
    (3, lambda time: time.day in (1, 15)),
    (4, _always),
    (4, lambda time: (time.month - 1) % 3 == 0),
    (4, lambda time: (time.month - 1) % 6 == 0),
    *((5, _every("year", n)) for n in (1, 2, 5, 10, 25, 50)),
)


def _turns(time: datetime, level: int, finest: int, weekly: bool) -> bool:
    """Return whether a bucket begins at a calendar boundary of `level`."""
    turned = (
        time.second == 0,
        time.minute == 0,
        time.hour == 0,
        time.day <= 7 if weekly else time.day == 1,
        time.month == 1,
    )
    return all(turn for place, turn in enumerate(turned, 1) if finest < place <= level)


def _text(time: datetime, level: int) -> str:
    if level < 3 and (time.hour, time.minute, time.second) == (0, 0, 0):
        level = 3
    if level == 3:
        return f"{time.month:02}-{time.day:02}"
    return time.strftime(_FORMS[_NAMES[level]])
