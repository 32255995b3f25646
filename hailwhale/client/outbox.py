"""A bounded queue of events, and the thread that sends them until each has an answer.

Handles memory, threads, batches and retries. Putting an event does not block the caller, and an
event leaves the queue when the service has answered for it. Knows nothing of HTTP, or of what an
event contains.
"""

from __future__ import annotations

import atexit
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import random
from threading import Condition, Thread
from weakref import WeakSet

from hailwhale.client.transport import BatchVerdict
from hailwhale.errors import HailWhaleError, TooLarge, TooMany

log = logging.getLogger("hailwhale.client")

SendBatch = Callable[[str, Sequence[str]], BatchVerdict]  # a path, and the events as texts

_BATCH_EVENTS = 500
_BATCH_CHARS = 256 * 1024
_EVENT_OVERHEAD = 300  # bytes that an event takes in addition to its text
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _HURRIED_PAUSE_S = 0.5, 60.0, 0.25
_SAID_AGAIN_S = 60.0
# A service remembers an id for 24 hours; an event resent after that could count twice.
_KNOWN_S = 23 * 60 * 60.0

_outboxes: WeakSet[Outbox] = WeakSet()


@dataclass(frozen=True, slots=True)
class Stats:
    """Statistics of the events that this process passed to a client.

    `queued` events wait or are in flight. `counted` ones were accepted by the service. `refused`
    ones are invalid; the log has the reason. `dropped` ones met a full queue, or had no answer when
    the client was closed. `failures` is the number of requests that gave no outcome for their
    events. `last_fault` is the last reason for any of these.
    """

    queued: int = 0
    counted: int = 0
    refused: int = 0
    dropped: int = 0
    failures: int = 0
    last_fault: str = ""


@dataclass(slots=True)
class _Waiting:
    """An event in the queue. `sent_s` is when it was first sent without getting an answer."""

    number: int
    text: str
    sent_s: float | None = None

    @property
    def size(self) -> int:
        return len(self.text) + _EVENT_OVERHEAD


class Outbox:
    """Queues events by path and passes them to `send` in batches, from a daemon thread.

    It holds at most `max_events` and about `max_bytes`; it drops events while it is full. It sends
    a batch `linger_s` after its first event, or as soon as the batch is full. Closing takes at most
    `close_timeout_s`.
    """

    def __init__(
        self,
        send: SendBatch,
        *,
        max_events: int,
        max_bytes: int,
        linger_s: float,
        close_timeout_s: float,
    ) -> None:
        self._send = send
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._linger_s = linger_s
        self._close_timeout_s = close_timeout_s
        self._closed = False
        self._begin()
        _watch()
        _outboxes.add(self)

    def _begin(self) -> None:
        """Reset to an empty queue without a thread, at the start and in a forked process.

        After a fork the queue is a copy of events that the parent sends, the thread does not exist,
        and locks may be held.
        """
        self._changed = Condition()  # over a lock that a signal handler may take once more
        self._lanes: dict[str, deque[_Waiting]] = {}
        self._stats = Stats()
        self._bytes = 0
        self._number = 0
        self._batch_events = _BATCH_EVENTS
        self._due = 0  # events of lower numbers linger no more
        self._hurried = 0  # how many wait for the queue to be empty
        self._thread: Thread | None = None
        self._said_s: dict[str, float] = {}

    @property
    def stats(self) -> Stats:
        """Return the statistics of the events so far."""
        with self._changed:
            return self._stats

    def put(self, path: str, text: str) -> bool:
        """Queue an event; return False if there is no room and it is dropped."""
        with self._changed:
            event = _Waiting(self._number, text)
            full = self._bytes + event.size > self._max_bytes
            if self._closed or full or self._stats.queued >= self._max_events:
                why = "the client is closed" if self._closed else "the queue is full"
                self._note(dropped=1, last_fault=why)
                self._say("dropped", "%s: %d events dropped so far", why, self._stats.dropped)
                return False
            self._number += 1
            self._bytes += event.size
            self._lanes.setdefault(path, deque()).append(event)
            self._note(queued=1)
            if self._thread is None:
                self._start()
            if self._stats.queued in (1, self._batch_events):
                self._changed.notify_all()
            return True

    def refuse(self, why: str) -> None:
        """Record an event that cannot be encoded."""
        with self._changed:
            self._note(refused=1, last_fault=why)
            self._say("refused", "an event was refused: %s", why)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all events queued now have an answer or time is up; return whether all do."""
        with self._changed:
            last = self._due = self._number
            self._hurried += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self._oldest() >= last, timeout_s)
            finally:
                self._hurried -= 1

    def close(self) -> bool:
        """Flush and accept no more; drop events without an answer. Return whether all had one."""
        done = self.flush(self._close_timeout_s)
        with self._changed:
            left = self._stats.queued
            self._closed = True
            self._lanes.clear()
            self._bytes = 0
            if left:
                self._note(queued=-left, dropped=left)
                log.warning("client closed: dropped %d events without an answer", left)
            self._changed.notify_all()
        return done

    def _start(self) -> None:
        thread = Thread(target=self._run, name="hailwhale-client", daemon=True)
        try:
            thread.start()
        except RuntimeError as fault:  # the interpreter is ending, or there are too many
            self._say("thread", "cannot start the thread that sends events: %s", fault)
        else:
            self._thread = thread

    def _run(self) -> None:
        failures = 0
        while batch := self._next_batch():
            path, events = batch
            pause_s = self._deliver(path, events, failures)
            failures = 0 if pause_s is None else failures + 1
            if pause_s is not None:
                self._pause(pause_s)

    def _next_batch(self) -> tuple[str, list[_Waiting]] | None:
        """Return the path and the events to send next, which stay queued; None once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._stats.queued or self._closed)
            self._changed.wait_for(
                lambda: (
                    self._closed
                    or self._oldest() < self._due
                    or self._stats.queued >= self._batch_events
                ),
                self._linger_s,
            )
            self._give_up()
            if self._closed:
                return None
            path = next((path for path, lane in self._lanes.items() if lane), "")
            events = _first(self._lanes.get(path, ()), self._batch_events)
            if path:
                self._lanes[path] = self._lanes.pop(path)  # next time it is another path's turn
            return path, events

    def _deliver(self, path: str, events: list[_Waiting], failures: int) -> float | None:
        """Send events and remove those with an answer; return the seconds to pause, or None."""
        if not events:
            return None
        try:
            verdict = self._send(path, [event.text for event in events])
        except TooLarge as fault:
            if len(events) == 1:
                self._settle(path, events, BatchVerdict({0: str(fault)}))
            else:
                with self._changed:
                    self._batch_events = max(1, len(events) // 2)
            return None
        except Exception as fault:  # noqa: BLE001 - whatever it is, the events must stay
            self._failed(events, fault)
            least_s = fault.retry_after_s if isinstance(fault, TooMany) else 0
            return max(least_s, pause_of(failures))
        self._settle(path, events, verdict)
        return max(verdict.wait_s, pause_of(failures)) if verdict.again else None

    def _settle(self, path: str, events: Sequence[_Waiting], verdict: BatchVerdict) -> None:
        with self._changed:
            if self._closed:
                return
            self._batch_events = min(2 * self._batch_events, _BATCH_EVENTS)
            lane = self._lanes[path]
            for event in events:
                lane.popleft()
                self._bytes -= event.size
            again = [events[place] for place in verdict.again]
            lane.extendleft(reversed(again))
            self._bytes += sum(event.size for event in again)
            refused, left = len(verdict.refused), len(events) - len(again)
            self._note(queued=-left, refused=refused, counted=left - refused)
            for why in list(verdict.refused.values())[:1]:
                self._note(last_fault=why)
                self._say("refused", "%d events were refused; the first error: %s", refused, why)
            self._changed.notify_all()

    def _failed(self, events: Iterable[_Waiting], fault: Exception) -> None:
        now_s = time.monotonic()
        with self._changed:
            for event in events:
                event.sent_s = event.sent_s or now_s
            self._note(failures=1, last_fault=str(fault))
            known = isinstance(fault, HailWhaleError)
            queued = self._stats.queued
            self._say(
                "failed",
                "%d events are queued and will be sent again: %s",
                queued,
                fault,
                fault=None if known else fault,
            )

    def _give_up(self) -> None:
        """Drop events that may have been counted so long ago that the service forgot their ids."""
        since_s = time.monotonic() - _KNOWN_S
        for lane in self._lanes.values():
            while lane and lane[0].sent_s is not None and lane[0].sent_s < since_s:
                self._bytes -= lane.popleft().size
                self._note(queued=-1, dropped=1)
                self._say("old", "dropped events that had no answer for 23 hours")
                self._changed.notify_all()

    def _pause(self, pause_s: float) -> None:
        """Wait before the next try; only briefly while a caller waits for an empty queue."""
        with self._changed:
            if not self._hurried:
                self._changed.wait_for(lambda: self._hurried or self._closed, pause_s)
            else:
                self._changed.wait_for(lambda: self._closed, min(pause_s, _HURRIED_PAUSE_S))

    def _oldest(self) -> int:
        """Return the number of the oldest event in the queue, or the next number if it is empty."""
        return min((lane[0].number for lane in self._lanes.values() if lane), default=self._number)

    def _note(self, last_fault: str = "", **more: int) -> None:
        then = {name: getattr(self._stats, name) + count for name, count in more.items()}
        self._stats = replace(self._stats, last_fault=last_fault or self._stats.last_fault, **then)

    def _say(self, kind: str, text: str, *values: object, fault: Exception | None = None) -> None:
        """Log a kind of problem, at most once a minute."""
        now_s = time.monotonic()
        if now_s - self._said_s.get(kind, -_SAID_AGAIN_S) >= _SAID_AGAIN_S:
            self._said_s[kind] = now_s
            log.warning(text, *values, exc_info=fault)


def pause_of(failures: int) -> float:
    """Return the seconds until the next try: exponential backoff with jitter.

    >>> 0.25 <= pause_of(0) <= 0.5, 30 <= pause_of(1_000) <= 60
    (True, True)
    """
    longest_s: float = min(_FIRST_PAUSE_S * 2 ** min(failures, 16), _LONGEST_PAUSE_S)
    return longest_s * (0.5 + random() / 2)


def _first(lane: Iterable[_Waiting], most: int) -> list[_Waiting]:
    """Return the events at the head of a lane that fit in one batch."""
    taken: list[_Waiting] = []
    chars = 0
    for event in lane:
        chars += len(event.text)
        if taken and (len(taken) == most or chars > _BATCH_CHARS):
            break
        taken.append(event)
    return taken


@cache
def _watch() -> None:
    """Flush outboxes at exit, and reset them in a forked process."""

    def at_exit() -> None:
        for outbox in list(_outboxes):
            outbox.close()

    def after_fork() -> None:
        for outbox in list(_outboxes):
            outbox._begin()

    atexit.register(at_exit)
    os.register_at_fork(after_in_child=after_fork)
