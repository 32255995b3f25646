"""compare: the same stream into HailWhale and into what people use instead, side by side.

Every system gets the sales twice: first with every series new, then with all of them known. Its
answers are compared with exact sums computed here. Then its accepting process is killed right after
it took some more; what is missing afterwards was lost. For a system that is not installed, the
command that installs it is printed.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.compared.hailwhale import HailWhale
from benchmarks.compared.hincrby import Hincrby
from benchmarks.compared.influxdb import InfluxDB
from benchmarks.compared.statsd import StatsD
from benchmarks.compared.system import METRICS, Running, Sale, Size, System
from benchmarks.measuring import Effort, aligned, number
from benchmarks.traffic import skewed_events

SYSTEMS: tuple[System, ...] = (HailWhale(), StatsD(), InfluxDB(), Hincrby())

COMPARE = "compare"

_TOP = 10
_LOOK_S = 0.02
_PATIENCE_S = 240.0
_PATIENCE_AFTER_KILL_S = 5.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Events a second until the last was taken, and until all could be asked for."""

    accepted: float
    queryable: float


@dataclass(frozen=True, slots=True)
class Found:
    """What was measured of one system; `errors` are answers less the truth, by metric."""

    name: str
    version: str
    new: Rates
    known: Rates
    by_day_ms: float
    by_day_of_twice_ms: float  # when twice as many events have been counted
    by_minute_ms: float
    top_ms: float
    top_is_right: bool
    size: Size
    errors: dict[str, Decimal]
    lost_by_kill: int
    killed_after: int
    aside: str = ""

    def as_json(self) -> dict[str, Any]:
        """It as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Absent:
    """A system that is not installed here, and what installs it."""

    name: str
    command: str

    def as_json(self) -> dict[str, Any]:
        """It as plain values."""
        return {"name": self.name, "not_installed": self.command}


class Truth:
    """Sums of all that was sent."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str | None, str], Decimal] = defaultdict(Decimal)

    def add(self, sales: Iterable[Sale]) -> None:
        """Count some more."""
        for sale in sales:
            for metric, amount in sale.amounts():
                self.sums[None, metric] += amount
                self.sums[sale.product, metric] += amount

    def top(self, metric: str, count: int) -> list[str]:
        """The products with the largest sums."""
        products = [product for product, name in self.sums if product and name == metric]
        return sorted(products, key=lambda product: -self.sums[product, metric])[:count]

    def is_answered(self, running: Running, products: Sequence[str]) -> bool:
        """Whether a system's sums are these, to the rounding of a double: of some, then of all."""
        asked = [*((product, "hits") for product in products), *((None, name) for name in METRICS)]
        return all(
            abs(running.total(*one) - self.sums[one]) <= self.sums[one] * Decimal("1e-6")
            for one in asked
        )


def compare(
    effort: Effort, systems: Sequence[System] = SYSTEMS, say: Callable[[str], None] = print
) -> list[Found | Absent]:
    """Measure each system that is installed, one after the other."""
    found: list[Found | Absent] = []
    for system in systems:
        command = system.missing()
        if command is not None:
            found.append(Absent(system.name, command))
            continue
        say(f"measuring {system.name} …")
        with TemporaryDirectory(prefix="hwc") as folder, system.running(Path(folder)) as running:
            found.append(_measured(system, running, effort))
    return found


def _measured(system: System, running: Running, effort: Effort) -> Found:
    count, more = effort.pick(20_000, 200), effort.pick(5_000, 100)
    sales = _sales(count, int(time.time()))
    truth = Truth()
    products = sorted({sale.product for sale in sales})[:: max(1, count // 1_000)]
    new = _rates(running, sales, truth, products)
    hottest = truth.top("hits", 1)[0]
    by_day_ms = _ms(effort, lambda: running.by_day(hottest, "revenue"))
    known = _rates(running, _again(sales, 1), truth, products)
    found = Found(
        name=system.name,
        version=system.version(),
        new=new,
        known=known,
        by_day_ms=by_day_ms,
        by_day_of_twice_ms=_ms(effort, lambda: running.by_day(hottest, "revenue")),
        by_minute_ms=_ms(effort, lambda: running.by_minute(hottest, "revenue")),
        top_ms=_ms(effort, lambda: running.top("revenue", _TOP), few=True),
        top_is_right=list(running.top("revenue", _TOP)) == truth.top("revenue", _TOP),
        size=running.size(),
        errors={name: running.total(None, name) - truth.sums[None, name] for name in METRICS},
        lost_by_kill=0,
        killed_after=more,
    )
    lost = _lost_by_kill(running, _again(sales[:more], 2), truth)
    return replace(found, lost_by_kill=lost, aside="" if effort.quick else running.aside())


def _rates(running: Running, sales: Sequence[Sale], truth: Truth, products: Sequence[str]) -> Rates:
    """Send the sales, and ask until the answers hold them all."""
    truth.add(sales)
    send = running.sending(sales)
    start_s = time.perf_counter()
    send()
    accepted_s = time.perf_counter() - start_s
    while True:
        asked_s = time.perf_counter() - start_s
        if truth.is_answered(running, products):
            return Rates(len(sales) / accepted_s, len(sales) / max(asked_s, accepted_s))
        if asked_s > _PATIENCE_S:
            raise RuntimeError(f"not all of {len(sales)} events can be asked for")
        time.sleep(_LOOK_S)


def _lost_by_kill(running: Running, sales: Sequence[Sale], truth: Truth) -> int:
    """Send some, kill who took them, and wait until no more come; how many never do."""
    truth.add(sales)
    send = running.sending(sales)
    send()
    running.kill()
    wanted = truth.sums[None, "hits"]
    deadline_s = time.monotonic() + _PATIENCE_AFTER_KILL_S
    while (hits := running.total(None, "hits")) < wanted and time.monotonic() < deadline_s:
        time.sleep(_LOOK_S)
    return int(wanted - hits)


def _sales(count: int, now_s: int) -> list[Sale]:
    return [
        Sale(
            place,
            event.at_s,
            event.pk[1],
            event.dimensions[0][1],
            event.dimensions[1][1],
            int(event.metrics["hits"]),
            int(event.metrics["sales"]),
            event.metrics["revenue"],
        )
        for place, event in enumerate(skewed_events(count, now_s))
    ]


def _again(sales: Sequence[Sale], turn: int) -> list[Sale]:
    """The same sales once more, as others."""
    return [replace(sale, number=sale.number + turn * 1_000_000) for sale in sales]


def _ms(effort: Effort, ask: Callable[[], object], few: bool = False) -> float:
    """The median time of a question, in milliseconds."""
    taken = []
    for _ in range(effort.pick(3 if few else 20, 2)):
        start_s = time.perf_counter()
        ask()
        taken.append(1_000 * (time.perf_counter() - start_s))
    return median(taken)


def comparison(found: Sequence[Found | Absent]) -> str:
    """Return the table: a column for each system that was measured, and notes below it."""
    there = [one for one in found if isinstance(one, Found)]
    systems = {system.name: system for system in SYSTEMS}
    rows: list[tuple[str, ...]] = [("", *(one.name for one in there))]
    for title, shown in _MEASURED:
        rows.append((title, *(shown(one) for one in there)))
    for title, trait in _TRAITS:
        rows.append((title, *(getattr(systems[one.name].traits, trait) for one in there)))
    said = [
        f"{one.name}: {text}"
        for one in there
        for text in (
            one.version,
            f"mapped: {systems[one.name].mapping}",
            f"configured: {systems[one.name].configured}",
            one.aside,
        )
        if text
    ]
    absent = [
        f"{one.name}: not installed: {one.command}" for one in found if isinstance(one, Absent)
    ]
    return "\n".join([*aligned(rows), "", *said, *absent])


_MEASURED: tuple[tuple[str, Callable[[Found], str]], ...] = (
    ("accepted, series new, events/s", lambda one: number(one.new.accepted)),
    ("queryable, series new, events/s", lambda one: number(one.new.queryable)),
    ("accepted, series known, events/s", lambda one: number(one.known.accepted)),
    ("queryable, series known, events/s", lambda one: number(one.known.queryable)),
    ("30 days of a product by day, ms", lambda one: number(one.by_day_ms)),
    ("… after twice the events, ms", lambda one: number(one.by_day_of_twice_ms)),
    ("its last hour by minute, ms", lambda one: number(one.by_minute_ms)),
    ("top 10 products by revenue, ms", lambda one: number(one.top_ms)),
    ("… and they are the right ones", lambda one: "yes" if one.top_is_right else "no"),
    ("memory, MB", lambda one: number(one.size.memory_bytes / 1e6)),
    ("disk, MB", lambda one: number(one.size.disk_bytes / 1e6)),
    ("error in hits", lambda one: _error(one, "hits")),
    ("error in sales", lambda one: _error(one, "sales")),
    ("error in revenue", lambda one: _error(one, "revenue")),
    (
        "lost by a kill right after",
        lambda one: f"{one.lost_by_kill:,} of {one.killed_after:,}",
    ),
)
_TRAITS = (
    ("retention", "retention"),
    ("rollups", "rollups"),
    ("dimensions", "dimensions"),
    ("ratios", "ratios"),
    ("exactness", "exact"),
    ("idempotent ids", "ids"),
    ("survives a kill of who accepts", "survives"),
)


def _error(found: Found, metric: str) -> str:
    error = found.errors[metric]
    return f"{error:.1e}" if error else "0"
