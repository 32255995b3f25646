"""What both clients do alike: events are put into the outbox, and their callers go on.

Owns the parameters of counting. It knows neither questions nor how events are sent.
"""

from __future__ import annotations

import time

from hailwhale.client.encoding import event_text
from hailwhale.client.outbox import Outbox, Stats
from hailwhale.client.transport import ServiceConnection

_MAX_EVENTS = 100_000
_MAX_BYTES = 64 * 1024 * 1024


class ClientBase:
    """What both clients do in the same way: an event is put into the queue, and that is all.

    `url` is where the service is, `token` one that may count (and read, for questions). Nothing is
    sent, and no thread runs, before the first event. At most `max_events` and about `max_bytes`
    wait in memory; a batch is sent `linger_s` after its first event or when it is full. A request
    may take `timeout_s`, and `close`, which the end of the program calls, `close_timeout_s`.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        max_events: int = _MAX_EVENTS,
        max_bytes: int = _MAX_BYTES,
        linger_s: float = 1,
        timeout_s: float = 10,
        close_timeout_s: float = 5,
    ) -> None:
        """Raises `BadInput` for what cannot be an address or a token."""
        self._service = ServiceConnection(url, token, timeout_s)
        self._outbox = Outbox(
            self._service.send,
            max_events=max_events,
            max_bytes=max_bytes,
            linger_s=linger_s,
            close_timeout_s=close_timeout_s,
        )

    def count(
        self,
        pk: object = None,
        dimensions: object = None,
        metrics: object = None,
        at: object = None,
        id: object = None,
        *,
        dimension: object = None,
        metric: object = None,
        uid: object = None,
    ) -> bool:
        """Count one event, in the forms `Hail.count` takes, soon; returns at once and never raises.

        It happened now unless `at` says otherwise, and has an id of its own unless it is given one,
        so it counts once however often it has to be sent. False when it was dropped or cannot be
        written down; what the service refuses is logged and in `stats`.
        """
        return self._put(
            "/count",
            pk=pk,
            dimensions=dimensions,
            dimension=dimension,
            metrics=metrics,
            metric=metric,
            at=at,
            id=id,
            uid=uid,
        )

    def count_decision(
        self,
        pk: object = None,
        option: object = None,
        dimensions: object = None,
        metrics: object = None,
        at: object = None,
        id: object = None,
        *,
        dimension: object = None,
        metric: object = None,
        decision: object = None,
        uid: object = None,
    ) -> bool:
        """Count, as `count` does, that an option was shown, or what came of it."""
        return self._put(
            "/count_decision",
            pk=pk,
            option=option,
            dimensions=dimensions,
            dimension=dimension,
            metrics=metrics,
            metric=metric,
            at=at,
            id=id,
            decision=decision,
            uid=uid,
        )

    @property
    def stats(self) -> Stats:
        """What became of the events so far, those that were lost among them."""
        return self._outbox.stats

    def _put(self, path: str, **fields: object) -> bool:
        try:
            text = event_text(fields, time.time())
        except (TypeError, ValueError, RecursionError) as fault:
            self._outbox.refuse(str(fault))
            return False
        return self._outbox.put(path, text)
