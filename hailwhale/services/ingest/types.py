"""What the ways of counting share: how an event is parsed, and what became of a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hailwhale.core.events.event import Event
from hailwhale.core.events.limits import Limits
from hailwhale.core.events.param_names import Fields
from hailwhale.errors import BadInput

Parse = Callable[[Fields, float, Limits], Event]  # fields, now in epoch seconds, limits


@dataclass(slots=True)
class BatchReport:
    """What became of the events of one request.

    `accepted` counts those now in the buffer (or counted), and the duplicates that were there
    already; `rejected` tells the refused ones by their place (from 0) and why. An event that only
    found the buffer full is in `unbuffered`: it may be sent again.
    """

    accepted: int = 0
    duplicates: int = 0
    rejected: list[tuple[int, BadInput]] = field(default_factory=list)
    unbuffered: list[int] = field(default_factory=list)
