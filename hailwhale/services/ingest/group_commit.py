"""Group commit: many requests' hits reach the store in one round trip.

The first thread to come takes its hits to the store at once. Threads that come while it is there
leave theirs and wait; when it is back, one of them takes all that gathered. So a lone request waits
for nobody, and under load the round trip is paid once for many. Each thread returns when the store
has its hits, not before, and none is woken for any other reason than its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock

from hailwhale.errors import StoreUnavailable
from hailwhale.store.types import AcceptStatus, EncodedHit

Accept = Callable[[Sequence[EncodedHit], int], list[AcceptStatus]]


class _Ticket:
    """One thread's hits, and what became of them.

    A thread that waits does so for `turn`, which is let go of when its hits are settled, or when
    it `leads`: then it takes them, and others, to the store.
    """

    __slots__ = ("fault", "hits", "leads", "receipts", "turn")

    def __init__(self, hits: Sequence[EncodedHit]) -> None:
        self.hits = hits
        self.leads = False
        self.turn = Lock()
        self.receipts: list[AcceptStatus] | None = None
        self.fault: Exception | None = None


class GroupCommit:
    """Offers hits to `accept` (a store's), those of several threads together.

    A fault of the store is the fault of every thread whose hits were on the way: none of them knows
    whether the store has its hits.
    """

    def __init__(self, accept: Accept, most: int = 5_000) -> None:
        self._accept = accept
        self._most = most
        self._waiting: deque[_Ticket] = deque()
        self._led = False  # somebody is at the store, or about to go there
        self._lock = Lock()  # of the two above

    def accept(self, hits: Sequence[EncodedHit], now_s: int) -> list[AcceptStatus]:
        """What became of each hit, once the store has said so."""
        ticket = _Ticket(hits)
        with self._lock:
            ticket.leads, self._led = not self._led, True
            if not ticket.leads:
                ticket.turn.acquire()
                self._waiting.append(ticket)
        if not ticket.leads:
            self._wait(ticket)
        if ticket.leads:
            self._take(ticket, now_s)
        if ticket.fault is not None:
            raise ticket.fault
        return ticket.receipts or []

    def _wait(self, ticket: _Ticket) -> None:
        try:
            ticket.turn.acquire()
        except BaseException:  # Ctrl-C: whoever is cut short here must not be waited for
            with self._lock:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
            if ticket.leads:
                self._hand_on()
            raise

    def _take(self, mine: _Ticket, now_s: int) -> None:
        group = [mine]
        fault: Exception = StoreUnavailable("the request that took the hits along was cut short")
        try:
            group += self._others(len(mine.hits))
            receipts = iter(self._accept([hit for each in group for hit in each.hits], now_s))
            for ticket in group:
                ticket.receipts = [next(receipts) for _ in ticket.hits]
        except Exception as raised:  # noqa: BLE001 - it is raised in every thread of the group
            fault = raised
        finally:
            self._hand_on()
            for ticket in group:
                if ticket.receipts is None:
                    ticket.fault = fault
                if ticket is not mine:
                    ticket.turn.release()

    def _others(self, size: int) -> list[_Ticket]:
        """Those that go along with `size` hits, in the order they came, up to `most` in all."""
        found: list[_Ticket] = []
        with self._lock:
            while self._waiting and size + len(self._waiting[0].hits) <= self._most:
                found.append(self._waiting.popleft())
                size += len(found[-1].hits)
        return found

    def _hand_on(self) -> None:
        """Have the thread that waits longest go next: it alone is woken for that."""
        with self._lock:
            self._led = bool(self._waiting)
            if self._led:
                following = self._waiting.popleft()
                following.leads = True
                following.turn.release()
