"""Counts exposures and results of decisions, buffered or at once, and logs them if requested.

Turns the parameters of /count_decision into counts and journal entries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hailwhale.core.decisions.exposure import PRODUCT_SIGN, parse_exposure
from hailwhale.core.events.event import Event
from hailwhale.core.events.limits import Limits
from hailwhale.core.events.literals import unwrap
from hailwhale.core.events.param_names import Fields
from hailwhale.core.value_parsers import is_absent
from hailwhale.errors import BadInput
from hailwhale.services.decisions.journal import DecisionJournal
from hailwhale.services.ingest.types import BatchReport
from hailwhale.store.types import AcceptStatus


@dataclass(frozen=True, slots=True)
class ExposureCounter:
    """Count exposures and results.

    `take` and `count_many_as` are methods of a `BufferWriter` or an `ImmediateCounter`. A result
    that names its `decision`, as answered by /decide, is also written to the journal.
    """

    take: Callable[[Event], AcceptStatus]
    count_many_as: Callable[..., BatchReport]
    journal: DecisionJournal
    limits: Limits
    clock: Callable[[], float]

    def count(self, fields: Fields) -> AcceptStatus:
        """Count one exposure or result; raise `BadInput` if nothing was counted."""
        event = parse_exposure(fields, self.clock(), self.limits)
        receipt = self.take(event)
        if receipt is not AcceptStatus.DUPLICATE:
            self._note(fields, event)
        return receipt

    def count_many(self, events: Iterable[Fields | BadInput]) -> BatchReport:
        """Count several, each accepted or rejected as in `BufferWriter.count_many`."""
        noted: list[tuple[int, Fields, Event]] = []
        place = -1

        def numbered() -> Iterator[Fields | BadInput]:
            nonlocal place
            for place, fields in enumerate(events):  # noqa: B007 - parse tells it
                yield fields

        def parse(fields: Fields, now_s: float, limits: Limits) -> Event:
            event = parse_exposure(fields, now_s, limits)
            if _decision(fields) is not None:
                noted.append((place, fields, event))
            return event

        report = self.count_many_as(numbered(), parse)
        for at, fields, event in noted:
            if at not in report.unbuffered:
                self._note(fields, event)
        return report

    def _note(self, fields: Mapping[str, object], event: Event) -> None:
        decision = _decision(fields)
        if decision is not None:
            amounts = {
                name: float(amount)
                for name, amount in event.metrics.items()
                if PRODUCT_SIGN not in name
            }
            self.journal.counted(event.pk[:-1], decision, event.pk[-1], amounts, event.id)


def _decision(fields: Mapping[str, object]) -> str | None:
    value = unwrap(fields.get("decision"))
    return None if is_absent(value) else str(value)
