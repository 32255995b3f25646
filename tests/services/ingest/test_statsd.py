"""The StatsD intake: what is counted, what waits during an outage, and what is logged."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal

import pytest

from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.core.query.parameters import parse_totals
from hailwhale.core.statsd.aggregate import MetricNaming
from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.ingest.statsd import StatsdIntake
from hailwhale.services.query.quantiles import QuantileQueries
from tests.conftest import Clock

Totals = Mapping[str, object]


class Rig:
    """An intake over real services, and the lines that it refused."""

    def __init__(self, services: Services, most_kept: int = 1000) -> None:
        self.services = services
        self.tallied: Counter[str] = Counter()
        self.intake = StatsdIntake(
            hail=services.hail,
            counting=services.counting,
            refused=lambda reason, count: self.tallied.update({reason: count}),
            naming=MetricNaming(),
            limits=DEFAULT_LIMITS,
            clock=services.clock,
            most_kept=most_kept,
        )

    def fed(self, *packets: bytes) -> bool:
        for packet in packets:
            self.intake.feed(packet)
        return self.intake.flush()

    def total(self, pk: list[str], metric: str, dimension: object = "_") -> object:
        self.services.drain.flush()
        question = {"pk": pk, "metrics": metric, "dimensions": [dimension], "period": "all"}
        [answer] = self.services.reporting.totals(parse_totals(question))
        return next(iter(answer.by_path.values()))[metric]


@pytest.fixture
def rig(services: Services) -> Rig:
    return Rig(services)


def test_the_lines_of_packets_are_counted_once_each(rig: Rig) -> None:
    assert rig.fed(b"shop.paid:1|c\nshop.paid:2|c|#country:US\n", b"\n\nshop.revenue:9.5|c")
    assert rig.fed()
    assert rig.total(["shop"], "paid") == 3
    assert rig.total(["shop"], "revenue") == Decimal("9.5")
    assert rig.total(["shop"], "hits") == 3
    assert rig.total(["shop"], "paid", ["country", "US"]) == 2


def test_a_gauge_is_the_last_value_and_the_mean_of_all(rig: Rig) -> None:
    rig.fed(b"queue.depth:10|g")
    rig.fed(b"queue.depth:4|g\nqueue.depth:+3|g")
    rig.fed(b"queue.depth:-1|g")
    assert rig.total(["queue"], "depth") == 6
    assert rig.total(["queue"], "depth_sum/depth_count") == 7


def test_gauges_of_several_hosts_add_up(rig: Rig) -> None:
    rig.fed(b"queue.depth:10|g|#host:a\nqueue.depth:5|g|#host:b")
    rig.fed(b"queue.depth:1|g|#host:a")
    assert rig.total(["queue"], "depth") == 6
    assert rig.total(["queue"], "depth", ["host", "b"]) == 5


def test_the_members_of_a_set_are_uniques(rig: Rig) -> None:
    rig.fed(b"site.visitors:al|s\nsite.visitors:bo|s\nsite.visitors:al|s")
    rig.fed(b"site.visitors:al|s")
    assert rig.total(["site", "visitors"], "uniques") == 2
    assert rig.total(["site", "visitors"], "hits") == 4


def test_timings_have_quantiles_for_every_pk_and_dimension(rig: Rig) -> None:
    rig.fed(
        *[f"web.api.t:{ms}|ms|#country:{'US' if ms % 2 else 'CA'}".encode() for ms in range(1, 101)]
    )
    rig.fed(b"web.site.t:100000|ms")
    rig.services.drain.flush()
    quantiles = QuantileQueries(rig.services.store.labels, rig.services.reporting)
    question = parse_totals(
        {
            "pk": ["web", "api"],
            "metric": "t",
            "dimensions": [["_"], ["country", "US"]],
            "period": "all",
        }
    )
    [found] = quantiles.totals(question, (0.5, 0.95))
    for path, true_p50, true_p95 in (((), 50, 95), (("country", "US"), 49, 95)):
        assert float(found.by_path[path]["t:p50"]) == pytest.approx(true_p50, rel=0.05)
        assert float(found.by_path[path]["t:p95"]) == pytest.approx(true_p95, rel=0.05)
    [above] = quantiles.totals(parse_totals({"pk": "web", "metric": "t", "period": "all"}), (1,))
    assert float(above.by_path[()]["t:p100"]) == pytest.approx(100_000, rel=0.05)
    assert rig.services.reporting.known(("web",)).metrics == ("hits", "t_count", "t_sum")


def test_unparsable_lines_are_logged_and_counted_and_the_rest_counts(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        rig.fed(b"bad\n_e{1,1}:a|b\nshop.paid:1|c\n_sc|x|0\n\xff:1|c", b"shop.paid:1|c|T9999999999")
        rig.fed(b"\n".join([b"worse"] * 50))
        rig.fed()
    assert rig.total(["shop"], "paid") == 1
    assert rig.tallied == {"statsd_line": 2 + 1 + 50, "statsd_event": 1, "statsd_service_check": 1}
    assert "not counted: statsd_line: got 'bad'" in caplog.text
    assert "a time in the years 1900 to 2200" in caplog.text
    assert caplog.text.count("got 'worse'") == 20
    assert "30 more lines were refused" in caplog.text


class Away:
    """Takes a service's method away while the store is, and brings it back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, services: Services) -> None:
        self._patch = monkeypatch
        self._services = services

    def go(self) -> None:
        def refuse(*_: object) -> None:
            raise StoreUnavailable("the store is unavailable")

        self._patch.setattr(self._services.hail, "count_many", refuse)
        self._patch.setattr(self._services.counting, "update_counts_to", refuse)

    def come_back(self) -> None:
        self._patch.undo()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch, services: Services) -> Away:
    return Away(monkeypatch, services)


def test_hits_keep_their_time_while_the_store_is_unavailable(
    rig: Rig, away: Away, clock: Clock
) -> None:
    away.go()
    assert not rig.fed(b"shop.paid:1|c\nqueue.depth:5|g\nsite.visitors:al|s")
    clock.now_s += 3600
    assert not rig.fed(b"shop.paid:2|c\nqueue.depth:+2|g")
    assert rig.intake.kept > 0
    away.come_back()
    assert rig.fed()
    assert rig.intake.kept == 0
    assert rig.total(["shop"], "paid") == 3
    assert rig.total(["queue"], "depth") == 7
    assert rig.total(["site", "visitors"], "uniques") == 1
    question = parse_totals({"pk": "shop", "metric": "paid", "period": "1h:1h"})
    [found] = rig.services.reporting.totals(question)
    assert found.by_path[()]["paid"] == 2


def test_the_queue_is_bounded_and_drops_are_counted(services: Services, away: Away) -> None:
    rig = Rig(services, most_kept=100)
    away.go()
    for number in range(1000):
        rig.intake.feed(f"shop.m{number}:1|c".encode())
    assert not rig.intake.flush()
    assert rig.intake.kept <= 101
    away.come_back()
    assert rig.fed()
    assert rig.fed(b"shop.paid:1|c")
    assert rig.tallied["statsd_dropped"] > 0
    assert rig.total(["shop"], "hits") == 1001 - rig.tallied["statsd_dropped"]


def test_when_memory_is_full_it_is_counted_before_its_time(services: Services) -> None:
    rig = Rig(services, most_kept=50)
    for number in range(500):
        rig.intake.feed(f"shop.m{number}:1|c".encode())
    rig.intake.flush()
    assert rig.total(["shop"], "hits") == 500
    assert not rig.tallied


def test_a_buffer_that_is_full_leaves_the_rest_for_the_next_time(
    make_services: Callable[..., Services],
) -> None:
    rig = Rig(make_services(buffer_limit=2))
    lines = [f"shop.paid:1|c|#host:{number}".encode() for number in range(5)]
    assert not rig.fed(*lines)
    rig.services.drain.flush()
    assert not rig.fed()
    rig.services.drain.flush()
    assert rig.fed()
    assert rig.total(["shop"], "paid") == 5


def test_a_gauge_that_cannot_be_set_is_refused_and_the_others_are_set(
    make_services: Callable[..., Services],
) -> None:
    rig = Rig(make_services(max_children=2))
    rig.fed(b"\n".join(f"q.depth:{n}|g|#host:{n}".encode() for n in (1, 2, 3)))
    rig.fed(b"q.depth:9|g|#host:1")
    assert rig.total(["q"], "depth", ["host", "1"]) == 9
    assert rig.tallied == {"statsd_line": 1}
    assert rig.intake.kept == 0
