"""Cardinality limits: excess root pks and metrics are counted as `_other`.

The drain folds excess labels when it commits them. It cannot do so for root pks, which determine
the shard of an event, or for metrics, which it sums. So both are checked when an event arrives.
Knows events and the store, and nothing of other limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal, localcontext

from hailwhale.core.events.aggregate import EXACT
from hailwhale.core.events.event import Event
from hailwhale.core.events.overflow import OTHER
from hailwhale.errors import StoreUnavailable
from hailwhale.store.protocol import CardinalityStore

_REMEMBERED_S = 60  # lifetime of the cache; a reset root pk is noticed after it


class CardinalityLimiter:
    """Map events to what they are counted as; `clock` is monotonic, in seconds.

    Root pks and metrics that were admitted before are cached and cost no round trip. While the
    store is unavailable every event passes unchanged.
    """

    def __init__(
        self,
        *,
        admitted: CardinalityStore,
        most_roots: int,
        most_names: int,
        clock: Callable[[], float],
        is_away: Callable[[], bool],
    ) -> None:
        self._admitted = admitted
        self._most_roots = most_roots
        self._most_names = most_names
        self._clock = clock
        self._is_away = is_away
        self._known: dict[str, frozenset[str]] = {}  # names of metrics by root pk
        self._since_s = clock()

    def settle(self, event: Event) -> Event:
        """Return the event as it is to be counted."""
        known = self._known.get(event.pk[0])
        if known is not None and known.issuperset(event.metrics):
            return event
        if self._is_away():
            return event
        try:
            return self._asked(event)
        except StoreUnavailable:  # reported by the code that stores the event
            return event

    def _asked(self, event: Event) -> Event:
        if self._clock() - self._since_s >= _REMEMBERED_S:
            self._known, self._since_s = {}, self._clock()
        root = event.pk[0]
        if root not in self._known and not self._admitted.admit_root(root, self._most_roots):
            root = OTHER
        known = self._known.get(root, frozenset())
        names = [name for name in event.metrics if name not in known and name != OTHER]
        admitted = known | {OTHER}
        if names:
            admitted |= self._admitted.admit_names(root, names, self._most_names)
        self._known[root] = admitted
        if root == event.pk[0] and admitted.issuperset(event.metrics):
            return event
        return replace(event, pk=(root, *event.pk[1:]), metrics=_folded(event.metrics, admitted))


def _folded(metrics: Mapping[str, Decimal], admitted: frozenset[str]) -> Mapping[str, Decimal]:
    """Sum the metrics that were not admitted under `_other`."""
    found: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for name, value in metrics.items():
            settled = name if name in admitted else OTHER
            found[settled] = found.get(settled, Decimal(0)) + value
    return found
