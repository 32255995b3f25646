"""Facade for the buffer: `Hail`, on the class or on an instance.

It passes values on to the parsers and services, and has no logic of its own.
"""

from __future__ import annotations

from hailwhale.core.query.parameters import parse_spy
from hailwhale.core.time.period_text import plain_arguments
from hailwhale.default_instance import ClassOrInstance, either
from hailwhale.services.json_shapes import events_json
from hailwhale.store.types import AcceptStatus
from hailwhale.types import DimensionsLike, Label, MetricsLike, PathLike, SpyEvent, TimeLike


class Hail(ClassOrInstance):
    """Takes events into the store's buffer, for a drain (`hailwhale drain`) to count.

    Faster for the caller than `Whale.count_now`, and equally durable: when `count` returns, the
    store has the event. Every method works on the class and on an instance, as `Whale`'s do, and
    every keyword that can be singular or plural is accepted in both spellings.

    >>> from hailwhale import Hail
    >>> Hail.count("Signup", {"campaign": "spring"})
    True
    >>> Hail.flush()
    1
    """

    @either
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
        """Buffer one event; it can be read when a drain has counted it.

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
            False if an event with this `id` came before, else True.

        Raises:
            BadInput: A parameter has an invalid value; nothing is counted.
            StoreUnavailable: The store does not answer.
            BufferFull: The buffer is full; a drain has to catch up first.

        Example:
            >>> from hailwhale import Hail
            >>> Hail.count(["Mug", 7], {"country": "US"}, {"revenue": 9.5}, id="order-17")
            True
            >>> Hail.count(["Mug", 7], {"country": "US"}, {"revenue": 9.5}, id="order-17")
            False
        """
        fields = plain_arguments(
            pk=pk,
            dimensions=dimensions,
            metrics=metrics,
            at=at,
            id=id,
            uid=uid,
            dimension=dimension,
            metric=metric,
        )
        return self.services.hail.count(fields) is AcceptStatus.ACCEPTED

    @either
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
        """Buffer that an option was shown to a visitor, or its result.

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
            False if an event with this `id` came before, else True.

        Raises:
            BadInput: A parameter has an invalid value; nothing is counted.
            StoreUnavailable: The store does not answer.
            BufferFull: The buffer is full; a drain has to catch up first.

        Example:
            >>> from hailwhale import Hail
            >>> Hail.count_decision("Page", "a", {"country": "US"}, {"spent": 0.5})
            True
        """
        fields = plain_arguments(
            pk=pk,
            option=option,
            options=options,
            dimensions=dimensions,
            metrics=metrics,
            at=at,
            id=id,
            dimension=dimension,
            metric=metric,
            decision=decision,
            uid=uid,
        )
        return self.services.exposing.count(fields) is AcceptStatus.ACCEPTED

    count_decided = count_decision

    @either
    def flush(self) -> int:
        """Count all buffered events now.

        Returns:
            How many events were counted.

        Raises:
            StoreUnavailable: The store does not answer.

        Example:
            >>> from hailwhale import Hail
            >>> Hail.count("Signup"), Hail.count("Signup")
            (True, True)
            >>> Hail.flush()
            2
        """
        return self.services.drain.flush()

    @either
    def spy(
        self,
        pk: PathLike | None = None,
        uid: str | int | None = None,
        limit: int | None = None,
    ) -> list[SpyEvent]:
        """Return the last events at or below a pk, newest first.

        Only the latest events are kept, and during bursts only the newest of those. Events that are
        still buffered are not among them.

        Args:
            pk: What is asked about: a label such as "Shop", or a path of labels such as
                ["Product", 7]. None is the unnamed pk, "_".
            uid: Return the events of this visitor alone.
            limit: How many events to return, from 1 to 1,000. None is 100.

        Returns:
            A mapping for each event: `at` in epoch seconds, `pk` and `dimensions` as paths,
            `metrics` by name and, where the event had a uid, the hash `visitor`. Private values are
            `"***"`.

        Raises:
            BadInput: A parameter has an invalid value.
            StoreUnavailable: The store does not answer.

        Example:
            >>> from hailwhale import Hail
            >>> Hail.count("Signup", "spring", at="2026-03-15T12:10:00Z"), Hail.flush()
            (True, 1)
            >>> Hail.spy("Signup", limit=1)
            [{'at': 1773576600, 'pk': ['Signup'], 'dimensions': [['spring']],
              'metrics': {'hits': 1}}]
        """
        services = self.services
        question = parse_spy(plain_arguments(pk=pk, uid=uid, limit=limit), services.settings.limits)
        return events_json(services.spying.recent(question))

    get_spy = spy_log = spy
