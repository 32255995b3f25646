"""Counting at once: where one event counts, for how long, and what happens past max_children."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
import redis

from hailwhale.core.events.paths import written
from hailwhale.core.query.parameters import parse_children
from hailwhale.core.time.calendar_grid import parse_zone
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.store.types import AcceptStatus
from tests.conftest import NOW_S, Clock
from tests.services.reading import keys_of, total

MakeServices = Callable[..., Services]
DAY_S = 86_400


@pytest.fixture
def cells(client: redis.Redis, namespace: str) -> Callable[[], dict[tuple[str, str], set[str]]]:
    """What is in the store: by pk and dimension, the rollups that hold cells of it."""

    def found() -> dict[tuple[str, str], set[str]]:
        nodes: dict[tuple[str, str], set[str]] = {}
        for key in keys_of(client, namespace):
            rollup, _, node = key.partition("}:")[2].partition(":")
            if "\x1e" in node and rollup != "kids":
                start_and_pk, dimension = node.replace("\x1f", " > ").split("\x1e")
                pk = start_and_pk.partition(":")[2]
                nodes.setdefault((pk, dimension or "_"), set()).add(rollup)
        return nodes

    return found


Cells = Callable[[], dict[tuple[str, str], set[str]]]


# Where one event counts


def test_one_event_counts_at_exactly_these_places(
    services: Services, client: redis.Redis, namespace: str, cells: Cells
) -> None:
    event = {
        "pk": ["Product", "123"],
        "dimensions": {"country": "US", "device": "Mac OS X"},
        "metrics": {"revenue": 19.99, "sales": 1},
    }
    assert services.counting.count_now(event) is AcceptStatus.ACCEPTED
    dimensions = ["_", "country", "country > US", "device", "device > Mac OS X"]
    rollups = {"1m", "1h", "1d", "all"}
    assert cells() == {
        (pk, dimension): rollups for pk in ("Product", "Product > 123") for dimension in dimensions
    }
    for key in keys_of(client, namespace):
        if "\x1e" in key and ":kids:" not in key:
            cells_of_it: Any = client.hgetall(key)
            fields = {name.split(b":")[1]: text for name, text in cells_of_it.items()}
            assert fields == {b"revenue": b"19.99", b"sales": b"1", b"hits": b"1"}


@pytest.mark.parametrize(
    ("dimensions", "counted"),
    [
        (None, {"_": 1}),
        ("_", {"_": 1}),
        ({"b": {"x": 1, "y": 2}}, {"_": 1, "b": 1, "b > x": 1, "b > x > 1": 1, "b > y": 1}),
        ({"tag": ["x", "y"]}, {"_": 1, "tag": 1, "tag > x": 1, "tag > y": 1, "tag > z": 0}),
        ([["a", "b"], ["a", "c"], ["a"]], {"_": 1, "a": 1, "a > b": 1, "a > c": 1}),
        ([["a", "b"], ["a", "b"]], {"_": 1, "a": 1, "a > b": 1}),
        (["a", "a", "a"], {"_": 1, "a": 1, "a > a": 1, "a > a > a": 1}),
    ],
)
def test_each_prefix_counts_once_however_many_paths_share_it(
    services: Services, dimensions: object, counted: dict[str, int]
) -> None:
    services.counting.count_now({"pk": "Shop", "dimensions": dimensions})
    found = {path: total(services, "Shop", path.split(" > ")) for path in counted}
    assert found == counted


def test_a_number_and_its_text_are_one_label(services: Services) -> None:
    for label in (7, "7", Decimal(7)):
        services.counting.count_now({"pk": ["Shop", label], "dimensions": {"n": label}})
    assert total(services, ["Shop", 7], {"n": "7"}) == 3


# When an event happened


@pytest.mark.parametrize(
    ("at", "rollups"),
    [
        ("2026-03-15T12:10:30Z", {"1m", "1h", "1d", "all"}),
        ("2026-03-15T10:10:00Z", {"1m", "1h", "1d", "all"}),  # its minute ended 2h ago less 30 s
        ("2026-03-15T10:09:59Z", {"1h", "1d", "all"}),
        ("2026-02-08T10:00:00Z", {"1h", "1d", "all"}),  # 35 days and 2 h for a clock set back
        ("2026-02-08T09:59:59Z", {"1d", "all"}),
        ("2023-03-13T00:00:00Z", {"1d", "all"}),  # 3 years of 366 days, and 2 h
        ("2023-03-12T23:59:59Z", {"all"}),
        ("1900-01-01T00:00:00Z", {"all"}),
        ("2026-03-16T12:10:30Z", {"1m", "1h", "1d", "all"}),  # a day ahead
    ],
)
def test_a_late_event_counts_in_every_rollup_that_retains_it_and_only_there(
    services: Services, cells: Cells, at: str, rollups: set[str]
) -> None:
    services.counting.count_now({"pk": "Shop", "dimensions": "a", "at": at})
    assert cells() == {("Shop", "_"): rollups, ("Shop", "a"): rollups}


def test_an_event_more_than_a_day_ahead_is_refused(services: Services) -> None:
    with pytest.raises(BadInput, match="at most 24 hours in the future"):
        services.counting.count_now({"pk": "Shop", "at": NOW_S + DAY_S + 1})
    assert services.store.labels.subpks(()) == set()


def test_an_event_ahead_counts_when_its_time_comes(services: Services, clock: Clock) -> None:
    services.counting.count_now({"pk": "Shop", "at": NOW_S + 3_600})
    assert total(services, "Shop", period="hour") == 0
    assert total(services, "Shop", period="day") == 0
    clock.now_s += 3_600
    assert total(services, "Shop", period="hour") == 1
    assert total(services, "Shop", period="day") == 1


def test_days_are_those_of_the_stores_time_zone(make_services: MakeServices) -> None:
    services = make_services(zone=parse_zone("America/New_York"))
    services.counting.count_now({"pk": "Shop", "at": "2026-03-15T03:00Z"})  # 23:00 on the 14th
    assert total(services, "Shop", period="yesterday") == 1
    assert total(services, "Shop", period="today") == 0


# Past max_children


@pytest.fixture
def narrow(make_services: MakeServices) -> Services:
    """Services that know three labels under a path."""
    return make_services(max_children=3)


def below(services: Services, pk: object, dimension: object = "_") -> list[str]:
    [found] = services.reporting.subdimensions(
        parse_children({"pk": pk, "dimension": dimension})
    ).values()
    return [written(path) for path in found]


@pytest.fixture(params=["at once", "each alone", "by the drain"])
def count_all(
    request: pytest.FixtureRequest,
) -> Callable[[Services, list[dict[str, object]]], None]:
    """The three ways to count some events."""

    def count(services: Services, events: list[dict[str, object]]) -> None:
        if request.param == "at once":
            services.counting.count_many_now(events)
        elif request.param == "each alone":
            for event in events:
                services.counting.count_now(event)
        else:
            services.hail.count_many(events)
            services.drain.flush()

    return count


CountAll = Callable[[Services, list[dict[str, object]]], None]


def test_labels_past_max_children_count_under_other(narrow: Services, count_all: CountAll) -> None:
    events: list[dict[str, object]] = [
        {"pk": "Shop", "dimensions": {"city": name}, "metrics": {"n": n}}
        for n, name in enumerate("abcde", 1)
        for _ in range(2)
    ]
    count_all(narrow, events[:6])
    count_all(narrow, events)
    assert below(narrow, "Shop", "city") == [
        '["city", "_other"]',
        '["city", "a"]',
        '["city", "b"]',
        '["city", "c"]',
    ]
    found = {name: total(narrow, "Shop", ["city", name], "n") for name in ["a", "b", "c", "_other"]}
    assert found == {"a": 4, "b": 8, "c": 12, "_other": 2 * (4 + 5)}
    assert total(narrow, "Shop", "city", "n") == total(narrow, "Shop", "_", "n") == 24 + 18
    assert total(narrow, "Shop", ["city", "d"], "n") == 0
    assert narrow.store.stats.counts()["folded"] > 0


def test_what_is_below_a_label_past_max_children_counts_below_other(
    narrow: Services, count_all: CountAll
) -> None:
    events: list[dict[str, object]] = [
        {"pk": "Shop", "dimensions": {"city": {name: "street"}}} for name in "abcde"
    ]
    count_all(narrow, events[:3])
    count_all(narrow, events)
    assert total(narrow, "Shop", ["city", "_other", "street"]) == 2
    assert total(narrow, "Shop", ["city", "a", "street"]) == 2
    assert total(narrow, "Shop", "city") == 8


def test_pks_past_max_children_count_under_other_and_their_parents_stay_exact(
    narrow: Services, count_all: CountAll
) -> None:
    events: list[dict[str, object]] = [
        {"pk": ["Shop", name, "x"], "dimensions": {"city": name}} for name in "abcde"
    ]
    count_all(narrow, events[:3])
    count_all(narrow, events)
    assert narrow.store.labels.subpks(("Shop",)) == {"a", "b", "c", "_other"}
    assert total(narrow, ["Shop", "_other"]) == 2
    assert total(narrow, ["Shop", "_other", "x"], "city") == 2
    assert total(narrow, ["Shop", "a", "x"]) == 2
    assert total(narrow, "Shop") == total(narrow, "Shop", "city") == 8
    assert total(narrow, "Shop", ["city", "_other"]) == 2


def test_root_pks_have_a_bound_of_their_own(
    make_services: MakeServices, count_all: CountAll
) -> None:
    services = make_services(max_children=3, max_roots=50)
    count_all(services, [{"pk": f"Shop {number}"} for number in range(52)])
    assert services.store.labels.subpks(()) == {
        "_other",
        *(f"Shop {number}" for number in range(50)),
    }
    assert total(services, "_other") == 2


def test_a_root_pk_that_is_known_needs_no_room_nor_does_one_that_made_some(
    make_services: MakeServices, count_all: CountAll, clock: Clock
) -> None:
    before = make_services()
    count_all(before, [{"pk": "a", "metrics": {"m": 1}}, {"pk": "b"}])
    before.store.cardinality.admit_root("c", 2)
    services = make_services(max_roots=2, max_names=2)
    count_all(services, [{"pk": "a", "metrics": {"m": 1, "n": 1}}, {"pk": "b"}, {"pk": "c"}])
    assert total(services, "a", metric="m") == 2
    assert total(services, "a", metric="_other") == 1
    assert total(services, "b") == 2
    assert services.store.labels.subpks(()) == {"a", "b", "_other"}
    services.erasing.reset(("b",))
    assert services.store.stats.vitals().series == 2
    count_all(services, [{"pk": "c"}])
    assert total(services, "c") == 1


def test_nothing_is_set_that_there_is_no_room_for(make_services: MakeServices) -> None:
    services = make_services(max_roots=1, max_names=2)
    services.counting.update_count_to({"pk": "a", "metrics": {"queue": 3}})
    services.counting.count_now({"pk": "a"})
    for fields in ({"pk": "b", "metrics": {"queue": 3}}, {"pk": "a", "metrics": {"n": 3}}):
        with pytest.raises(BadInput, match="the limit on new ones is reached"):
            services.counting.update_count_to(fields)
    assert services.store.labels.subpks(()) == {"a"}
    assert total(services, "a", metric="queue") == 3


def test_many_new_labels_in_one_step_fold_exactly(
    make_services: MakeServices, count_all: CountAll
) -> None:
    services = make_services(max_children=20)
    events: list[dict[str, object]] = [
        {"pk": ["Shop", str(n % 30)], "dimensions": {"city": n % 35}} for n in range(100)
    ]
    count_all(services, events)
    for parent in ("Shop", ["Shop", "_other"], ["Shop", "7"]):
        children = below(services, parent, "city")
        assert len(children) <= 21
        asked = [["city", path.split('"')[3]] for path in children]
        assert sum(total(services, parent, path) for path in asked) == total(services, parent)
    labels = services.store.labels.subpks(("Shop",))
    assert sum(total(services, ["Shop", label]) for label in labels) == 100


# Many at once


def test_events_counted_in_threads_all_count(services: Services) -> None:
    def count() -> None:
        for number in range(50):
            services.counting.count_now(
                {"pk": ["Shop", str(number % 5)], "metrics": {"dollars": "0.1"}}
            )

    for thread in running(count, count, count, count):
        thread.join()
    assert total(services, "Shop") == 200
    assert total(services, "Shop", metric="dollars") == 20


def test_an_id_sent_by_many_threads_counts_once(services: Services) -> None:
    receipts: list[AcceptStatus] = []

    def count() -> None:
        ids = map(str, range(20))
        receipts.extend(services.counting.count_now({"pk": "Shop", "id": id}) for id in ids)

    for thread in running(count, count, count, count):
        thread.join()
    assert receipts.count(AcceptStatus.ACCEPTED) == total(services, "Shop") == 20


def test_setters_at_once_leave_the_value_of_one_and_ancestors_that_add_up(
    services: Services,
) -> None:
    def setting(host: str, values: list[int]) -> Callable[[], None]:
        def set_them() -> None:
            for value in values:
                services.counting.update_count_to(
                    {
                        "pk": ["Queue", "mail"],
                        "dimensions": {"host": host},
                        "metrics": {"jobs": value},
                    }
                )

        return set_them

    threads = running(
        setting("a", [1, 20, 300]), setting("a", [7, 11, 13]), setting("b", [5, 50, 500])
    )
    for thread in threads:
        thread.join()
    a, b = (total(services, ["Queue", "mail"], ["host", host], "jobs") for host in "ab")
    assert a in (300, 13)
    assert b == 500
    assert (
        total(services, "Queue", "_", "jobs") == total(services, "Queue", "host", "jobs") == a + b
    )
    assert total(services, ["Queue", "mail"], "_", "jobs") == a + b


def running(*targets: Callable[[], None]) -> Iterator[Thread]:
    threads = [Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    return iter(threads)
