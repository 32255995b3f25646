"""Rate limits of what is counted: events and cells, in front of the functions that count.

Of a batch, what fits is counted and the rest is to be sent again. Knows nothing of routes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import bottle

from hailwhale.core.events.event import parse_event
from hailwhale.core.events.event_cost import cells_of
from hailwhale.core.events.param_names import Fields
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.services.ingest.types import BatchReport, CountMany, Parse
from hailwhale.store.types import AcceptStatus
from hailwhale.web.request import CALLER

if TYPE_CHECKING:
    from hailwhale.services.security.rate_limit import RateLimiter

Count = Callable[[Fields], AcceptStatus]


class Counting(NamedTuple):
    """The functions that count one event and many."""

    one: Count
    many: CountMany


def limited(
    services: Services, count: Count, count_many: CountMany, parse: Parse = parse_event
) -> Counting:
    """Return the two functions behind the limits of the settings, if there are any."""
    limiter = services.limiter
    if limiter is None or not limiter.limits_counts:
        return Counting(count, count_many)
    found = _CountLimits(services, limiter, parse)

    def count_one(fields: Fields) -> AcceptStatus:
        found.check([fields])
        return count(fields)

    def count_some(events: Iterable[Fields | BadInput]) -> BatchReport:
        given = list(events)
        return found.report(given, count_many)

    return Counting(count_one, count_some)


class _CountLimits:
    def __init__(self, services: Services, limiter: RateLimiter, parse: Parse) -> None:
        self._clock, self._limits = services.clock, services.settings.limits
        self._limiter, self._parse = limiter, parse

    def check(self, events: Sequence[Fields | BadInput]) -> None:
        """Charge one event; raise `TooMany` over a limit."""
        fault = self._limiter.charge(*self._caller(), [self._cells(each) for each in events]).fault
        if fault is not None:
            raise fault

    def report(self, events: Sequence[Fields | BadInput], count_many: CountMany) -> BatchReport:
        """Count the events that fit, and list the others as to be sent again."""
        charge = self._limiter.charge(*self._caller(), [self._cells(each) for each in events])
        report = count_many(events[: charge.fitting])
        if charge.fault is not None:
            report.unbuffered += range(charge.fitting, len(events))
            report.over_rate = charge.fault
        return report

    def _caller(self) -> tuple[str, str]:
        kind, whose = bottle.request.environ[CALLER]
        return kind, whose

    def _cells(self, fields: Fields | BadInput) -> int:
        """Return the cells of an event; an invalid one is refused later and has none."""
        if isinstance(fields, BadInput) or not self._limiter.limits_cells:
            return 0
        try:
            event = self._parse(fields, self._clock(), self._limits)
        except BadInput:
            return 0
        return cells_of(event.pk, event.dimensions, event.numbers, self._limits.rollups)
