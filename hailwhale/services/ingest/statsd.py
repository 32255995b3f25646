"""StatsD intake: sums packets in memory and counts them once per interval.

Decides what is kept while the store is unavailable and what is dropped when memory is full.
Whatever is not counted is logged and counted as refused; nothing is lost silently. Knows nothing of
sockets.

Events go through a `BufferWriter` into the buffer or the spool. Gauges are set; a gauge that could
not be set waits in memory for the next interval.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable
from itertools import islice
from threading import Lock

from hailwhale.core.events.limits import Limits
from hailwhale.core.events.param_names import Fields
from hailwhale.core.statsd.aggregate import MetricNaming, StatsdSums
from hailwhale.core.statsd.lines import LINE, parse_line
from hailwhale.errors import BadInput, StoreUnavailable
from hailwhale.services.ingest.buffer_writer import BUFFER_FULL, BufferWriter
from hailwhale.services.ingest.count_now import ImmediateCounter

log = logging.getLogger("hailwhale.statsd")

DROPPED = "statsd_dropped"
CLOSED = "statsd_closed"
MOST_KEPT = 100_000  # numbers, some 300 bytes each
_AT_ONCE = 1_000
_SAID = 20  # refusals that are logged one by one, each interval


class StatsdIntake:
    """Sum packets and count them; `feed` and `flush` may be called from two threads."""

    def __init__(
        self,
        *,
        hail: BufferWriter,
        counting: ImmediateCounter,
        refused: Callable[[str, int], None],
        naming: MetricNaming,
        limits: Limits,
        clock: Callable[[], float],
        most_kept: int = MOST_KEPT,
    ) -> None:
        """Initialize; `refused` counts what is not counted, by reason."""
        self._hail = hail
        self._counting = counting
        self._tally = refused
        self._clock = clock
        self._most_kept = most_kept
        self._sums = StatsdSums(naming, limits)
        self._waiting: deque[Fields] = deque()  # events summed but not yet buffered
        self._refusals: Counter[str] = Counter()
        self._behind = False
        self._adding, self._flushing = Lock(), Lock()

    @property
    def kept(self) -> int:
        """Return how many numbers and events exist only in this process."""
        return self._sums.size + len(self._waiting)

    def feed(self, packet: bytes) -> None:
        """Sum the lines of a packet; an invalid line does not affect the others."""
        now_s = int(self._clock())
        if self.kept >= self._most_kept and not self._behind:
            self.flush()  # ahead of schedule
        for line in packet.split(b"\n"):
            if not line.strip():
                continue
            with self._adding:
                try:
                    sample = parse_line(line)
                    if self.kept >= self._most_kept:
                        raise BadInput(
                            DROPPED, line, "room in memory: the store is slow or unavailable"
                        )
                    self._sums.add(sample, now_s)
                except BadInput as fault:
                    self._refuse(fault)

    def lost(self, count: int, where: str) -> None:
        """Log and count packets that were dropped before they arrived here."""
        log.warning("%d packets were dropped by %s", count, where)
        self._tally(DROPPED, count)

    def closed(self, count: int, why: str) -> None:
        """Log and count connections that were closed before their clients did."""
        log.warning("%d connections were closed: %s", count, why)
        self._tally(CLOSED, count)

    def refuse_line(self, got: bytes, expected: str) -> None:
        """Log and count a line that was invalid before it was parsed."""
        with self._adding:
            self._refuse(BadInput(LINE, got, expected))

    def flush(self) -> bool:
        """Count everything summed so far; return whether that succeeded."""
        with self._flushing:
            with self._adding:
                self._waiting.extend(self._sums.take())
            try:
                self._hand_on()
                self._set_gauges()
                self._behind = False
            except StoreUnavailable as fault:
                log.warning("%s; %d sums are kept in memory", fault, self.kept)
                self._behind = True
            self._tell_of_refusals()
            return not self._behind

    def _hand_on(self) -> None:
        while self._waiting:
            events = list(islice(self._waiting, _AT_ONCE))
            report = self._hail.count_many(events)
            for _ in events:
                self._waiting.popleft()
            for place, fault in report.rejected:
                with self._adding:
                    self._refuse(fault, f"{events[place]['pk']}: ")
            if report.unbuffered:
                self._waiting.extendleft([events[place] for place in report.unbuffered])
                raise StoreUnavailable(BUFFER_FULL)

    def _set_gauges(self) -> None:
        with self._adding:
            gauges = self._sums.gauges()
        if not gauges:
            return
        updates = [
            {"pk": place.pk, "dimensions": place.dimensions, "metrics": {place.metric: value}}
            for place, value in gauges.items()
        ]
        refused = self._counting.update_counts_to(updates)
        with self._adding:
            for at, (place, value) in enumerate(gauges.items()):
                self._sums.settled(place, value)
                if at in refused:
                    self._refuse(refused[at], f"{list(place.pk)}: ")

    def _tell_of_refusals(self) -> None:
        with self._adding:
            refusals, self._refusals = self._refusals, Counter()
        for reason, count in refusals.items():
            self._tally(reason, count)
        if (unsaid := refusals.total() - _SAID) > 0:
            log.warning("%d more lines were refused", unsaid)

    def _refuse(self, fault: BadInput, what: str = "") -> None:
        reason = fault.parameter if fault.parameter.startswith("statsd_") else LINE
        self._refusals[reason] += 1
        if self._refusals.total() <= _SAID:
            log.warning("not counted: %s%s", what, fault)
