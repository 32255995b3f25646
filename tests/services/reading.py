"""How the tests of counting read what was counted, and what they compare it with.

`every_total` walks all that is known and asks for it; `brute_force` adds up the same numbers in the
plainest way there is, with none of the project's code for rollups or increments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

import redis

from hailwhale.core.events.limits import Limits
from hailwhale.core.events.paths import Path
from hailwhale.core.query.parameters import parse_totals
from hailwhale.services.container import Services
from hailwhale.store.protocol import Store

Sums = dict[tuple[Path, Path, str, str], Decimal]

# The edges of some periods when it is 2026-03-15 12:10:30 UTC.
EDGES_S = {
    "1m:1h": (1_773_573_060, 1_773_576_660),  # 11:11 to 12:11
    "1h:1d": (1_773_493_200, 1_773_579_600),  # 13:00 the day before to 13:00
    "1d:1mo": (1_771_200_000, 1_773_619_200),  # February 16 to the end of March 15
    "1mo:2mo": (1_769_904_000, 1_775_001_600),  # February and March 2026
    "all": (-(10**11), 10**11),
}


@dataclass(frozen=True, slots=True)
class Sent:
    """An event as a test sends it; `metrics` without hits counts one."""

    pk: Path
    leaves: tuple[Path, ...]
    at_s: int
    metrics: dict[str, Decimal] = field(default_factory=dict)
    id: str | None = None

    @property
    def fields(self) -> dict[str, object]:
        found: dict[str, object] = {
            "pk": list(self.pk),
            "dimensions": [list(leaf) for leaf in self.leaves],
            "metrics": self.metrics,
            "at": self.at_s,
        }
        return found if self.id is None else found | {"id": self.id}


def brute_force(events: Iterable[Sent]) -> Sums:
    """The total that each event adds to, for every pk, dimension, metric and period."""
    sums: Sums = {}
    seen: set[tuple[str, str]] = set()
    for event in events:
        if event.id is not None and (event.pk[0], event.id) in seen:
            continue
        seen.add((event.pk[0], event.id or ""))
        for pk, path, metric, amount in additions(event):
            for period, (begin_s, end_s) in EDGES_S.items():
                if begin_s <= event.at_s < end_s:
                    where = (pk, path, metric, period)
                    with localcontext(prec=100):
                        sums[where] = sums.get(where, Decimal(0)) + amount
    return without_zeros(sums)


def additions(event: Sent) -> Iterator[tuple[Path, Path, str, Decimal]]:
    """What one event adds, and to which pk, dimension and metric."""
    paths = {leaf[:length] for leaf in event.leaves for length in range(len(leaf) + 1)}
    for depth in range(1, len(event.pk) + 1):
        for path in paths | {()}:
            for metric, amount in ({"hits": Decimal(1)} | event.metrics).items():
                yield event.pk[:depth], path, metric, amount


def every_total(services: Services, metrics: Sequence[str]) -> Sums:
    """All totals that are not 0, of all pks and dimensions that are known."""
    paths: dict[Path, list[Path]] = {}
    for pk, path in known(services.store):
        paths.setdefault(pk, []).append(path)
    sums: Sums = {}
    for pk, found in paths.items():
        fields = {
            "pk": list(pk),
            "dimensions": [list(path) or ["_"] for path in found],
            "metrics": list(metrics),
            "periods": list(EDGES_S),
        }
        for each in services.reporting.totals(parse_totals(fields, Limits(paths=1_000))):
            for path, values in each.by_path.items():
                for metric, value in values.items():
                    sums[pk, path, metric, each.period] = value
    return without_zeros(sums)


def known(store: Store) -> list[tuple[Path, Path]]:
    """Every (pk, dimension) that the store's sets of labels lead to."""
    pks: list[Path] = [(root,) for root in sorted(store.labels.subpks(()))]
    for pk in pks:  # grows while it is walked
        pks += [(*pk, label) for label in sorted(store.labels.subpks(pk))]
    nodes: list[tuple[Path, Path]] = []
    level: list[tuple[Path, Path]] = [(pk, ()) for pk in pks]
    while level:
        nodes += level
        below = zip(level, store.labels.children(level), strict=True)
        level = [(pk, (*path, each)) for (pk, path), labels in below for each in sorted(labels)]
    return nodes


def keys_of(client: redis.Redis, namespace: str) -> list[str]:
    """The keys of one namespace, in order. All at once: a scan of what other tests left is slow."""
    found: Any = client.keys(f"{namespace}:*")
    return sorted(key.decode() for key in found)


def total(
    services: Services,
    pk: object,
    dimension: object = "_",
    metric: str = "hits",
    period: str = "all",
) -> Decimal | int:
    """One number, of everything ever unless another period is given."""
    fields = {"pk": pk, "dimensions": dimension, "metrics": metric, "periods": period}
    [answer] = services.reporting.totals(parse_totals(fields))
    [[number]] = [values.values() for values in answer.by_path.values()]
    return number


def without_zeros(sums: Sums) -> Sums:
    return {where: amount for where, amount in sums.items() if amount}
