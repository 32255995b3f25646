"""Types shared by the ways of counting: the parser of an event and the report on a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from hailwhale.core.events.event import Event
from hailwhale.core.events.limits import Limits
from hailwhale.core.events.param_names import Fields
from hailwhale.errors import BadInput, TooMany

Parse = Callable[[Fields, float, Limits], Event]  # fields, now in epoch seconds, limits


@dataclass(slots=True)
class BatchReport:
    """The outcome of the events of one request.

    `accepted` is the number now in the buffer (or counted), including the `duplicates` that were
    there already. `rejected` lists invalid events by index, from 0, with the reason. `unbuffered`
    lists events that only found the buffer full, or, if there is `over_rate`, their sender over a
    rate limit; they may be sent again.
    """

    accepted: int = 0
    duplicates: int = 0
    rejected: list[tuple[int, BadInput]] = field(default_factory=list)
    unbuffered: list[int] = field(default_factory=list)
    over_rate: TooMany | None = None


class CountMany(Protocol):
    """Takes events; each is accepted or refused on its own."""

    def __call__(self, events: Iterable[Fields | BadInput]) -> BatchReport: ...
