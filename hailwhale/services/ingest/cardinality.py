"""Admission: an event of a root pk, or with a metric, that there is no room for counts as `_other`.

The drain folds labels past their bound where they would stand. These two it cannot: a root pk says
in which shard an event is, and metrics are what is summed up. So they are looked at as an event
comes in. Knows events and the store; what is bounded elsewhere is not its business.
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

_REMEMBERED_S = 60  # after which it is seen that a root pk was reset


class CardinalityLimiter:
    """Lets events in as they are, or as `_other`. `clock` is monotonic.

    What was let in before is remembered, and costs nothing. While the store is away everything is
    let in, as far as the spool goes.
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
        """The event as it is to be counted."""
        known = self._known.get(event.pk[0])
        if known is not None and known.issuperset(event.metrics):
            return event
        if self._is_away():
            return event
        try:
            return self._asked(event)
        except StoreUnavailable:  # that is for whoever is to keep the event
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
    """Metrics with those that were not let in summed up as `_other`."""
    found: dict[str, Decimal] = {}
    with localcontext(EXACT):
        for name, value in metrics.items():
            settled = name if name in admitted else OTHER
            found[settled] = found.get(settled, Decimal(0)) + value
    return found
