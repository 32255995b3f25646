"""Writes events into the store's buffer; each event is accepted or rejected with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hailwhale.core.events.event import Event, parse_event
from hailwhale.core.events.hit_codec import encode_hit
from hailwhale.core.events.limits import Limits
from hailwhale.core.events.param_names import Fields
from hailwhale.errors import BadInput, BufferFull, StoreUnavailable
from hailwhale.services.ingest.group_commit import Accept, GroupCommit
from hailwhale.services.ingest.types import BatchReport, Parse
from hailwhale.store.types import AcceptStatus, EncodedHit

BUFFER_FULL = (
    "the buffer is full: the drain is behind (HAILWHALE_BUFFER_LIMIT, HAILWHALE_BUFFER_BYTES)"
)


class BufferWriter:
    """Write events into the buffer; once a call returns, they are in the store or the spool."""

    def __init__(
        self,
        accept: Accept,
        limits: Limits,
        clock: Callable[[], float],
        name_of: Callable[[str], str],
        settle: Callable[[Event], Event],
        defers_uids: bool = False,
    ) -> None:
        """Initialize with `accept` of a store, or of a spool in front of it.

        `name_of` hashes the uid of a visitor. `settle` maps an event to what it is counted as. With
        `defers_uids`, as with a spool, a hit keeps its uid if that cannot be hashed now.
        """
        self._settle = settle
        self._defers_uids = defers_uids
        self._accept = GroupCommit(accept).accept
        self._limits = limits
        self._clock = clock
        self._name_of = name_of

    def count(self, fields: Fields, parse: Parse = parse_event) -> AcceptStatus:
        """Buffer one event; raise `BadInput` or `BufferFull` if nothing was stored."""
        return self.take(parse(fields, self._clock(), self._limits))

    def take(self, event: Event) -> AcceptStatus:
        """Buffer a parsed event; raise `BufferFull` if there is no room."""
        receipt = self._accept([self._incoming(event)], int(self._clock()))[0]
        if receipt is AcceptStatus.FULL:
            raise BufferFull(BUFFER_FULL)
        return receipt

    def count_many(
        self, events: Iterable[Fields | BadInput], parse: Parse = parse_event
    ) -> BatchReport:
        """Buffer events, each accepted or rejected on its own.

        A `BadInput` in place of an event, such as a line that was not JSON, is reported as
        rejected.
        """
        report = BatchReport()
        places: list[int] = []
        hits: list[EncodedHit] = []
        for place, fields in enumerate(events):
            try:
                if isinstance(fields, BadInput):
                    raise fields
                hits.append(self._incoming(parse(fields, self._clock(), self._limits)))
                places.append(place)
            except BadInput as fault:
                report.rejected.append((place, fault))
        receipts = self._accept(hits, int(self._clock()))
        for place, receipt in zip(places, receipts, strict=True):
            if receipt is AcceptStatus.FULL:
                report.unbuffered.append(place)
            else:
                report.accepted += 1
                report.duplicates += receipt is AcceptStatus.DUPLICATE
        return report

    def _incoming(self, event: Event) -> EncodedHit:
        event = self._settle(event)
        visitor = uid = None
        if event.uid is not None:
            try:
                visitor = self._name_of(event.uid)
            except StoreUnavailable:
                if not self._defers_uids:
                    raise
                uid = event.uid
        return EncodedHit(event.pk[0], encode_hit(event, visitor), event.id, uid)
