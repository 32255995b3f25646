"""What the comparison asks of a system: to run, to take sales, to answer, to be killed.

Owns the interface and the stream that every system is given. It does not know any system.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

METRICS = ("hits", "sales", "revenue")
BATCH = 5_000  # events in a request, where a system takes many at once
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
MONTH_DAYS = 30

# What is installed for the comparison alone; docs/benchmarks.rst has the commands.
YARDSTICKS = Path(sys.prefix) / "yardsticks"


@dataclass(frozen=True, slots=True)
class Sale:
    """One event of the stream. `number` is its place among all that were ever sent."""

    number: int
    at_s: int
    product: str
    country: str
    device: str
    hits: int
    sales: int
    revenue: Decimal

    @property
    def at_ns(self) -> int:
        """When it happened, a nanosecond of its own for each."""
        return self.at_s * 1_000_000_000 + self.number

    def amounts(self) -> tuple[tuple[str, int | Decimal], ...]:
        """Its metrics by name."""
        return ("hits", self.hits), ("sales", self.sales), ("revenue", self.revenue)


@dataclass(frozen=True, slots=True)
class Size:
    """What a system takes: memory of all its processes, and blocks of disk."""

    memory_bytes: int
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class Traits:
    """What a system does and does not do, in a few words each."""

    retention: str
    rollups: str
    dimensions: str
    ratios: str
    exact: str
    ids: str
    survives: str


class Running(Protocol):
    """A system that runs, empty at first. Sums are of the last 30 days, today included."""

    def sending(self, sales: Sequence[Sale]) -> Callable[[], None]:
        """What gives it the sales and returns when it has taken (not: counted) the last.

        Texts that a client makes of its events are made here, beforehand.
        """

    def total(self, product: str | None, metric: str) -> Decimal:
        """The sum of a metric of one product, or of all."""

    def by_day(self, product: str, metric: str) -> Sequence[float]:
        """A product's metric, day by day of the month."""

    def by_minute(self, product: str, metric: str) -> Sequence[float]:
        """A product's metric, minute by minute of the last hour."""

    def top(self, metric: str, count: int) -> Sequence[str]:
        """The products with the largest sums of the month, the largest first."""

    def size(self) -> Size:
        """What it takes now."""

    def kill(self) -> None:
        """SIGKILL the process that takes events, and return when there is one again."""

    def aside(self) -> str:
        """What else there is to say, measured now; empty for most."""


class System(Protocol):
    """One of the systems compared. `mapping` and `configured` are printed with its figures."""

    name: str
    traits: Traits
    mapping: str
    configured: str

    def missing(self) -> str | None:
        """The command that installs what is not here, or None when all is."""

    def version(self) -> str:
        """What was measured."""

    def running(self, folder: Path) -> AbstractContextManager[Running]:
        """Run it on an empty folder."""


def batches(sales: Sequence[Sale]) -> Iterator[Sequence[Sale]]:
    """The sales in parts of `BATCH`."""
    for first in range(0, len(sales), BATCH):
        yield sales[first : first + BATCH]
