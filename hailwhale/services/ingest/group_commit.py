"""Group commit: sends the hits of many requests to the store in one round trip.

The first thread sends its hits at once. Threads that arrive during its call queue their hits and
wait; after the call one of them sends all that gathered. So a lone request does not wait, and under
load many requests share one round trip. Each thread returns only once the store has its hits. It is
woken only for its result or because it is its turn to send.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock

from hailwhale.errors import StoreUnavailable
from hailwhale.store.types import AcceptStatus, EncodedHit

Accept = Callable[[Sequence[EncodedHit], int], list[AcceptStatus]]


class _Ticket:
    """The hits of one thread and their outcome.

    A waiting thread waits for the lock `turn`. It is released when the outcome of its hits is
    known, or when the thread `leads`: then it sends its hits and those of others to the store.
    """

    __slots__ = ("fault", "hits", "leads", "receipts", "turn")

    def __init__(self, hits: Sequence[EncodedHit]) -> None:
        self.hits = hits
        self.leads = False
        self.turn = Lock()
        self.receipts: list[AcceptStatus] | None = None
        self.fault: Exception | None = None


class GroupCommit:
    """Send hits to `accept` of a store, those of several threads together.

    If the call fails, the error is raised in every thread whose hits were sent: none of them knows
    whether the store has its hits.
    """

    def __init__(self, accept: Accept, most: int = 5_000) -> None:
        self._accept = accept
        self._most = most
        self._waiting: deque[_Ticket] = deque()
        self._led = False  # a thread is calling the store, or about to
        self._lock = Lock()  # guards the two above

    def accept(self, hits: Sequence[EncodedHit], now_s: int) -> list[AcceptStatus]:
        """Return the status of each hit, once the store has answered."""
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
        except BaseException:  # Ctrl-C: others must not wait for an interrupted thread
            with self._lock:
                if ticket in self._waiting:
                    self._waiting.remove(ticket)
            if ticket.leads:
                self._hand_on()
            raise

    def _take(self, mine: _Ticket, now_s: int) -> None:
        group = [mine]
        fault: Exception = StoreUnavailable(
            "the request that was sending these hits was interrupted"
        )
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
        """Take the tickets to send along with `size` hits, oldest first, up to `most` hits."""
        found: list[_Ticket] = []
        with self._lock:
            while self._waiting and size + len(self._waiting[0].hits) <= self._most:
                found.append(self._waiting.popleft())
                size += len(found[-1].hits)
        return found

    def _hand_on(self) -> None:
        """Let the thread that has waited longest lead next; wake only that one."""
        with self._lock:
            self._led = bool(self._waiting)
            if self._led:
                following = self._waiting.popleft()
                following.leads = True
                following.turn.release()
