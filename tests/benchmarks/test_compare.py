"""The comparison: what it measures of each system, and what it says of one that is not there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks import compare as comparing
from benchmarks.compare import SYSTEMS, Absent, Found, Rates, compare, comparison
from benchmarks.compared.hailwhale import HailWhale
from benchmarks.compared.hincrby import Hincrby
from benchmarks.compared.influxdb import InfluxDB
from benchmarks.compared.statsd import StatsD
from benchmarks.compared.system import Running, Sale, Size, System, Traits
from benchmarks.measuring import Effort

QUICK = Effort(quick=True)


def quietly(systems: Sequence[System]) -> list[Found | Absent]:
    return compare(QUICK, systems, say=lambda _text: None)


@pytest.mark.parametrize(
    ("system", "off_by"),
    [(HailWhale(), Decimal(0)), (Hincrby(), Decimal("1e-6"))],
    ids=["HailWhale", "HINCRBY"],
)
def test_what_is_always_there_answers_for_all_that_it_took(system: System, off_by: Decimal) -> None:
    (found,) = quietly([system])
    assert isinstance(found, Found)
    rates = (found.new.accepted, found.new.queryable, found.known.accepted, found.known.queryable)
    assert min(*rates, found.by_day_ms, found.by_minute_ms, found.top_ms) > 0
    assert found.top_is_right
    assert min(found.size.memory_bytes, found.size.disk_bytes) > 0
    assert not found.errors["hits"]
    assert not found.errors["sales"]
    assert abs(found.errors["revenue"]) <= off_by
    assert not found.lost_by_kill


@dataclass
class Forgetful:
    """A system in memory that counts `kept` of its sales, and forgets the last ones when killed."""

    kept: float = 1.0
    name: str = "forgetful"
    traits: Traits = field(default_factory=lambda: Traits(*["none"] * 7))
    mapping: str = "as they are"
    configured: str = "not at all"
    sums: dict[tuple[str | None, str], Decimal] = field(default_factory=dict)
    last: Sequence[Sale] = ()

    def missing(self) -> str | None:
        return None

    def version(self) -> str:
        return "0.1"

    @contextmanager
    def running(self, folder: Path) -> Iterator[Running]:
        yield self

    def sending(self, sales: Sequence[Sale]) -> Callable[[], None]:
        def send() -> None:
            self.last = sales
            self._add(sales, 1)

        return send

    def _add(self, sales: Sequence[Sale], sign: int) -> None:
        for sale in sales:
            for metric, amount in sale.amounts():
                for key in ((None, metric), (sale.product, metric)):
                    self.sums[key] = self.sums.get(key, Decimal(0)) + sign * amount

    def total(self, product: str | None, metric: str) -> Decimal:
        return self.sums.get((product, metric), Decimal(0)) * Decimal(str(self.kept))

    def by_day(self, product: str, metric: str) -> Sequence[float]:
        return []

    by_minute = by_day

    def top(self, metric: str, count: int) -> Sequence[str]:
        return ["another"]

    def size(self) -> Size:
        return Size(1, 1)

    def kill(self) -> None:
        self._add(self.last, -1)

    def aside(self) -> str:
        return ""


def test_what_a_kill_lost_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "_PATIENCE_AFTER_KILL_S", 0.0)
    (found,) = quietly([Forgetful()])
    assert isinstance(found, Found)
    assert (found.lost_by_kill, found.killed_after) == (100, 100)


def test_a_wrong_top_and_a_rounded_sum_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "_PATIENCE_AFTER_KILL_S", 0.0)
    (found,) = quietly([Forgetful(kept=0.99999999)])
    assert isinstance(found, Found)
    assert not found.top_is_right
    assert found.errors["hits"] == Decimal("-0.000004")


def test_what_never_answers_for_all_ends_the_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "_PATIENCE_S", 0.0)
    with pytest.raises(RuntimeError, match="not all of 200 events can be asked for"):
        quietly([Forgetful(kept=0.9)])


@pytest.mark.parametrize(
    ("system", "module", "attribute", "command"),
    [
        (InfluxDB(), "influxdb", "_program", "apt-get install influxdb"),
        (StatsD(), "statsd", "_node", "apt-get install nodejs npm"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_what_is_not_installed_is_said_with_the_command_for_it(
    monkeypatch: pytest.MonkeyPatch, system: System, module: str, attribute: str, command: str
) -> None:
    monkeypatch.setattr(f"benchmarks.compared.{module}.{attribute}", lambda: "")
    assert quietly([system]) == [Absent(system.name, command)]
    assert f"{system.name}: not installed: {command}" in comparison([Absent(system.name, command)])


def test_the_table_has_a_column_a_system_and_every_figure_and_trait() -> None:
    found = Found(
        name="HINCRBY pipeline",
        version="redis-py 5",
        new=Rates(2_000, 1_999),
        known=Rates(2_100, 2_099),
        by_day_ms=0.5,
        by_day_of_twice_ms=0.6,
        by_minute_ms=0.7,
        top_ms=80,
        top_is_right=False,
        size=Size(12_500_000, 57_000_000),
        errors={"hits": Decimal(0), "sales": Decimal(0), "revenue": Decimal("-0.0000000000054")},
        lost_by_kill=7,
        killed_after=5_000,
        aside="it was raining",
    )
    lines = comparison([found, Absent("InfluxDB", "apt-get install influxdb")]).splitlines()
    assert lines[0].split() == ["HINCRBY", "pipeline"]
    cells = dict(re.split("  +", line, maxsplit=1) for line in lines[2 : lines.index("")])
    assert cells["accepted, series new, events/s"] == "2,000"
    assert cells["… and they are the right ones"] == "no"
    assert cells["memory, MB"] == "12.5"
    assert (cells["error in hits"], cells["error in revenue"]) == ("0", "-5.4e-12")
    assert cells["lost by a kill right after"] == "7 of 5,000"
    assert cells["idempotent ids"] == Hincrby.traits.ids
    assert lines[-2:] == [
        "HINCRBY pipeline: it was raining",
        "InfluxDB: not installed: apt-get install influxdb",
    ]


def test_the_docs_say_how_to_install_each() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "benchmarks.rst").read_text()
    for system in SYSTEMS:
        assert system.name in docs
    for command in ("apt-get install influxdb", "npm install --prefix .venv/yardsticks statsd"):
        assert command in docs
