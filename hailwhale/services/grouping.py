"""Group commit: many requests' hits reach the store in one round trip.

The first thread to come takes its hits to the store at once. Threads that come while it is there
leave theirs and wait; when it is back, one of them takes all that gathered. So a lone request waits
for nobody, and under load the round trip is paid once for many. Each thread returns when the store
has its hits, not before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Condition

from hailwhale.errors import StoreUnavailable
from hailwhale.store.base import Incoming, Receipt

Accept = Callable[[Sequence[Incoming], int], list[Receipt]]


class _Ticket:
    """One thread's hits, and what became of them."""

    __slots__ = ("fault", "hits", "receipts")

    def __init__(self, hits: Sequence[Incoming]) -> None:
        self.hits = hits
        self.receipts: list[Receipt] | None = None
        self.fault: Exception | None = None

    @property
    def settled(self) -> bool:
        return self.receipts is not None or self.fault is not None


class GroupCommit:
    """Offers hits to `accept` (a store's), those of several threads together.

    A fault of the store is the fault of every thread whose hits were on the way: none of them knows
    whether the store has its hits.
    """

    def __init__(self, accept: Accept, most: int = 5_000) -> None:
        self._accept = accept
        self._most = most
        self._waiting: list[_Ticket] = []
        self._away = False  # somebody is at the store
        self._changed = Condition()

    def accept(self, hits: Sequence[Incoming], now_s: int) -> list[Receipt]:
        """What became of each hit, once the store has said so."""
        ticket = _Ticket(hits)
        with self._changed:
            self._waiting.append(ticket)
            while self._away and not ticket.settled:
                self._changed.wait()
            if not ticket.settled:
                self._away = True
                group = self._group(ticket)
        if not ticket.settled:
            self._take(group, now_s)
        if ticket.fault is not None:
            raise ticket.fault
        return ticket.receipts or []

    def _group(self, mine: _Ticket) -> list[_Ticket]:
        """The tickets that go along: mine, and others in the order they came, up to `most` hits."""
        group, size = [mine], len(mine.hits)
        rest = []
        for ticket in self._waiting:
            if ticket is not mine and size + len(ticket.hits) <= self._most:
                group.append(ticket)
                size += len(ticket.hits)
            elif ticket is not mine:
                rest.append(ticket)
        self._waiting = rest
        return group

    def _take(self, group: list[_Ticket], now_s: int) -> None:
        fault: Exception = StoreUnavailable("the request that took the hits along was cut short")
        try:
            receipts = iter(self._accept([hit for each in group for hit in each.hits], now_s))
            for ticket in group:
                ticket.receipts = [next(receipts) for _ in ticket.hits]
        except Exception as raised:  # noqa: BLE001 - it is raised in every thread of the group
            fault = raised
        finally:
            for ticket in group:
                if not ticket.settled:
                    ticket.fault = fault
            with self._changed:
                self._away = False
                self._changed.notify_all()
