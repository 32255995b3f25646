"""Base of both clients: puts events into the outbox and returns at once.

Defines the parameters of counting. Knows nothing of queries, or of how events are sent.
"""

from __future__ import annotations

import time

from hailwhale.client.encoding import event_text
from hailwhale.client.outbox import Outbox, Stats
from hailwhale.client.transport import ServiceConnection
from hailwhale.errors import BadInput
from hailwhale.types import DimensionsLike, Label, MetricsLike, PathLike, TimeLike

_MAX_EVENTS = 100_000
_MAX_BYTES = 64 * 1024 * 1024


class ClientBase:
    """Base of both clients: counting puts an event into the queue."""

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
        """Prepare a client; nothing is sent, and no thread runs, before the first event.

        Args:
            url: The address of the service, such as "https://hw.example.com".
            token: A bearer token that may count (and read, for questions). None sends none.
            max_events: How many events wait in memory at most.
            max_bytes: About how many bytes of memory they take at most.
            linger_s: How many seconds after its first event a batch is sent, unless it is full.
            timeout_s: How many seconds the service may take for each part of an answer.
            close_timeout_s: How many seconds `close` waits at most; the program's end calls it.

        Raises:
            BadInput: The url or the token cannot be one.
        """
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
        pk: PathLike | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: MetricsLike | None = None,
        at: TimeLike | None = None,
        id: str | int | None = None,
        *,
        dimension: DimensionsLike | None = None,
        metric: MetricsLike | None = None,
        uid: str | int | None = None,
    ) -> bool:
        """Count one event in the background; returns at once and never raises.

        The event gets the time of the call and an id of its own, so it counts once however often it
        has to be sent.

        Args:
            pk: What is counted: a label such as "Shop", or a path of labels such as
                ["Product", 7], which counts at each of its prefixes. None is the unnamed pk, "_".
            dimensions: What the event can be split by: a label, a path of labels, a mapping such as
                {"country": "US"}, which may nest, or a list of paths.
            metrics: Amounts by name, such as {"revenue": 19.99}, or names that count 1 each. "hits"
                is 1 unless it is given.
            at: When it happened: epoch seconds or milliseconds, ISO 8601 text, a datetime or a date
                (UTC without an offset). None is now.
            id: A key that makes the event count once in 24 hours, however often it is sent.
            uid: Who did it, for the metric "uniques"; only a keyed hash of it is stored.
            dimension, metric: Aliases of `dimensions` and `metrics`; give only one of each.

        Returns:
            True if the event was queued; False if it was dropped because the queue is full, or
            refused because a value has no JSON. What the service refuses is logged and in `stats`.

        Example:
            >>> client.count(["Mug", 7], {"country": "US"}, {"revenue": 9.5})
            True
            >>> client.flush()
            True
            >>> client.stats.counted
            1
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
        pk: PathLike | None = None,
        option: Label | None = None,
        dimensions: DimensionsLike | None = None,
        metrics: MetricsLike | None = None,
        at: TimeLike | None = None,
        id: str | int | None = None,
        *,
        options: Label | None = None,
        dimension: DimensionsLike | None = None,
        metric: MetricsLike | None = None,
        decision: str | None = None,
        uid: str | int | None = None,
    ) -> bool:
        """Count, in the background, that an option was shown to a visitor, or its result.

        Returns at once and never raises, as `count`.

        Args:
            pk: The decision: a label such as "Page", or a path of labels.
            option: The option that was shown.
            dimensions: What is known of the visitor, such as {"country": "US"}.
            metrics: Amounts by name, such as {"spent": 0.5}. "hits" is 1, which counts an exposure,
                unless it is given; a result of an exposure counted before has {"hits": 0, ...}.
            at: When it happened: epoch seconds or milliseconds, ISO 8601 text, a datetime or a date
                (UTC without an offset). None is now.
            id: A key that makes the event count once in 24 hours, however often it is sent.
            decision: The id of the decision that /decide answered when asked to `log`.
            uid: Who the visitor is, for the metric "uniques".
            options, dimension, metric: Aliases of `option`, `dimensions` and `metrics`; give
                only one of each.

        Returns:
            True if the event was queued; False if it was dropped because the queue is full, or
            refused because a value has no JSON. What the service refuses is logged and in `stats`.

        Example:
            >>> client.count_decision("Page", "a", {"country": "US"}, {"spent": 0.5})
            True
        """
        return self._put(
            "/count_decision",
            pk=pk,
            option=option,
            options=options,
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
        """Return the statistics of all events so far, including those that were lost."""
        return self._outbox.stats

    def _put(self, path: str, **fields: object) -> bool:
        try:
            text = event_text(fields, time.time())
        except BadInput as error:
            self._outbox.refuse(str(error))
            return False
        return self._outbox.put(path, text)
