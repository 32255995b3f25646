"""The library's door to the buffer: `Hail`, on the class or on an instance.

A facade: it hands values on to the parsers and services, and has no logic of its own.
"""

from __future__ import annotations

from hailwhale.core.query.parameters import parse_spy
from hailwhale.default_instance import ClassOrInstance, either, given
from hailwhale.services.json_shapes import events_json
from hailwhale.store.types import AcceptStatus


class Hail(ClassOrInstance):
    """Takes events into the store's buffer, for a drain (`hailwhale drain`) to count.

    Quicker for the caller than `Whale.count_now`, and as safe: when `count` returns, the store has
    the event. Works on the class and on an instance, as `Whale` does.
    """

    @either
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
        """Buffer one event, in the forms `Whale.count_now` takes. False if its `id` came before."""
        fields = given(pk=pk, dimensions=dimensions, metrics=metrics, at=at, id=id, uid=uid)
        fields |= given(dimension=dimension, metric=metric)
        return self.services.hail.count(fields) is AcceptStatus.ACCEPTED

    @either
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
        """Buffer an exposure or a result, in the forms `Whale.count_decision` takes."""
        fields = given(pk=pk, option=option, dimensions=dimensions, metrics=metrics, at=at, id=id)
        fields |= given(dimension=dimension, metric=metric, decision=decision, uid=uid)
        return self.services.exposing.count(fields) is AcceptStatus.ACCEPTED

    count_decided = count_decision

    @either
    def flush(self) -> int:
        """Count now all that is buffered; how many hits that were."""
        return self.services.drain.flush()

    @either
    def spy(
        self, pk: object = None, uid: object = None, limit: object = None
    ) -> list[dict[str, object]]:
        """The last events at or below a pk, of a visitor if `uid` is given, newest first.

        Those that are buffered still are not among them.
        """
        services = self.services
        question = parse_spy(given(pk=pk, uid=uid, limit=limit), services.settings.limits)
        return events_json(services.spying.recent(question))

    get_spy = spy_log = spy
