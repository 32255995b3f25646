"""The spy log: the last events of a root pk and of its visitors, masked, rotating, erased."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from hailwhale.core.decisions.parameters import parse_decide
from hailwhale.core.query.parameters import parse_spy
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.services.ingest.spy_log import RecentPage, SpyRule
from hailwhale.services.json_shapes import events_json
from hailwhale.store.types import EncodedHit
from hailwhale.types import SpyEvent
from tests.conftest import NOW_S

MakeServices = Callable[..., Services]


def spied(services: Services, pk: object = "Shop", **asked: object) -> list[SpyEvent]:
    return events_json(services.spying.recent(parse_spy({"pk": pk, **asked})))


def numbers(events: list[SpyEvent]) -> list[object]:
    return [event["metrics"]["n"] for event in events]


def count(services: Services, *events: Mapping[str, object], buffered: bool = True) -> None:
    if buffered:
        services.hail.count_many(events)
        services.drain.flush()
    else:
        services.counting.count_many_now(events)


@pytest.mark.parametrize("buffered", [True, False])
def test_an_event_is_shown_as_it_was_counted(services: Services, buffered: bool) -> None:
    event = {
        "pk": ["Shop", "7"],
        "dimensions": {"country": "US", "tag": ["é", "y"]},
        "metrics": {"dollars": "19.99"},
    }
    count(services, event, buffered=buffered)
    assert spied(services) == [
        {
            "at": NOW_S,
            "pk": ["Shop", "7"],
            "dimensions": [["country", "US"], ["tag", "é"], ["tag", "y"]],
            "metrics": {"dollars": 19.99, "hits": 1},
        }
    ]


@pytest.mark.parametrize("buffered", [True, False])
def test_the_newest_come_first_and_the_oldest_go(
    make_services: MakeServices, buffered: bool
) -> None:
    services = make_services(spy_entries=10)
    for first in range(0, 30, 6):
        events = [{"pk": "Shop", "metrics": {"n": n}} for n in range(first, first + 6)]
        count(services, *events, buffered=buffered)
    assert numbers(spied(services)) == list(range(29, 19, -1))
    assert numbers(spied(services, limit=3)) == [29, 28, 27]


def test_a_pk_has_its_own_and_those_below_it(services: Services) -> None:
    pks: list[list[str]] = [["Shop"], ["Shop", "1"], ["Shop", "12"], ["Blog"]]
    count(services, *({"pk": pk, "metrics": {"n": n}} for n, pk in enumerate(pks)))
    assert numbers(spied(services, "Shop")) == [2, 1, 0]
    assert numbers(spied(services, ["Shop", "1"])) == [1]
    assert spied(services, "Nowhere") == []


def test_a_visitor_has_its_own_even_when_many_others_came_since(
    make_services: MakeServices,
) -> None:
    services = make_services(spy_entries=20)
    count(services, {"pk": "Shop", "uid": "ann", "metrics": {"n": -1}})
    count(services, *({"pk": "Shop", "metrics": {"n": n}} for n in range(50)))
    count(services, *({"pk": "Shop", "uid": f"u{n}", "metrics": {"n": n}} for n in range(50)))
    [event] = spied(services, uid="ann")
    assert event["metrics"] == {"n": -1, "hits": 1}
    assert event["visitor"] == services.visitors.name("ann")
    assert spied(services, uid="bob") == []
    assert spied(services, "Blog", uid="ann") == []


def test_private_settings_are_masked(make_services: MakeServices) -> None:
    services = make_services(spy_private=("email", "dollars", "uid"))
    dimensions = {"email": {"example.com": "ann"}, "country": "US"}
    count(
        services, {"pk": "Shop", "uid": "ann", "dimensions": dimensions, "metric": {"dollars": 5}}
    )
    [event] = spied(services, uid="ann")
    assert event["dimensions"] == [["email", "***", "***"], ["country", "US"]]
    assert event["metrics"] == {"dollars": "***", "hits": 1}
    assert event["visitor"] == "***"


def test_internal_counts_of_a_decision_are_not_shown(services: Services) -> None:
    dimensions = {"country": "US", "device": "phone"}
    services.exposing_now.count(
        {"pk": "Page", "option": "a", "dimensions": dimensions, "metric": {"spent": 2}}
    )
    [event] = spied(services, "Page")
    assert event["dimensions"] == [["country", "US"], ["device", "phone"]]
    assert event["metrics"] == {"spent": 2, "hits": 1}


def test_refused_and_duplicate_events_are_not_shown(services: Services) -> None:
    services.store.buffers.accept([EncodedHit("Shop", b"junk")], NOW_S)
    services.store.buffers.accept([EncodedHit("Shop", b'0\t[["Shop"],[],["hits"]]\t\xff')], NOW_S)
    event: dict[str, object] = {"pk": "Shop", "id": "x", "metrics": {"n": 1}}
    count(services, event, event)
    count(services, event, buffered=False)
    assert numbers(spied(services)) == [1]


def test_none_is_kept_where_the_settings_say_so(make_services: MakeServices) -> None:
    services = make_services(spy_entries=0)
    for buffered in (True, False):
        count(services, {"pk": "Shop", "uid": "ann"}, buffered=buffered)
    assert spied(services) == spied(services, uid="ann") == []


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"uid": [1]}, "uid"),
        ({"uid": True}, "uid"),
        ({"pks": "x"}, "pks"),
        ({"live": "maybe"}, "live"),
    ],
)
def test_invalid_input_is_refused_by_its_name(asked: dict[str, object], parameter: str) -> None:
    with pytest.raises(BadInput) as fault:
        parse_spy(asked)
    assert fault.value.parameter == parameter


# What of a large window is kept


def hits(root: str, number: int) -> list[bytes]:
    return [b'%d\t[["%s"],[],["hits"]]\t1' % (n, root.encode()) for n in range(number)]


HOT, RARE = b'[["hot"],[],["hits"]]', b'[["rare"],[],["hits"]]'
ROOTS = {HOT: "hot", RARE: "rare"}


def test_a_large_window_keeps_the_newest_of_each_root() -> None:
    window = [*hits("rare", 3), *hits("hot", 8_000)]
    kept = SpyRule(1_000, 60).last_of(window, ROOTS, ())
    assert kept is not None
    assert kept.hits == {"hot": window[-1_000:], "rare": window[:3]}


def test_how_much_of_a_window_is_kept_has_a_bound() -> None:
    heads = {b'[["%d"],[],["hits"]]' % n: str(n) for n in range(100)}
    window = [hit for n in range(100) for hit in hits(str(n), 300)]
    kept = SpyRule(1_000, 60).last_of(window, heads, ())
    assert kept is not None
    assert sum(map(len, kept.hits.values())) == 2_000


def test_no_options_keep_no_options() -> None:
    assert SpyRule(1_000, 60).last_of([], {}, ()) is None
    assert SpyRule(1_000, 60).last_of([b"junk", b"\t\t"], {}, ()) is None


# What came since


def test_new_events_since_the_last_read_are_shown_once(make_services: MakeServices) -> None:
    services = make_services(spy_entries=10)
    question = parse_spy({"pk": "Shop"})
    count(services, {"pk": "Shop", "metrics": {"n": 1}})
    first = services.spying.since(question, None)
    assert numbers(events_json(first.events)) == [1]
    assert services.spying.since(question, first.number) == RecentPage(first.number, ())
    count(services, *({"pk": "Shop", "metrics": {"n": n}} for n in (2, 3)))
    second = services.spying.since(question, first.number)
    assert numbers(events_json(second.events)) == [3, 2]
    count(services, *({"pk": "Shop", "metrics": {"n": n}} for n in range(30)))
    third = services.spying.since(question, second.number)
    assert numbers(events_json(third.events)) == list(range(29, 19, -1))


def test_what_came_since_can_be_that_of_one_visitor(services: Services) -> None:
    question = parse_spy({"pk": "Shop", "uid": "ann"})
    number = services.spying.since(question, None).number
    count(services, *({"pk": "Shop", "uid": uid} for uid in ("ann", "bob", "ann")))
    assert len(services.spying.since(question, number).events) == 2


def test_a_number_from_before_an_erasure_reveals_nothing(services: Services) -> None:
    question = parse_spy({"pk": "Shop"})
    count(services, *({"pk": "Shop"} for _ in range(5)))
    number = services.spying.since(question, None).number
    services.erasing.reset(("Shop",))
    assert services.spying.since(question, number) == RecentPage(0, ())


# Erasure


@pytest.fixture
def full(services: Services) -> Services:
    events: list[dict[str, object]] = [
        {"pk": pk, "uid": uid, "dimensions": {"country": country}, "metrics": {"n": n}}
        for n, (pk, uid, country) in enumerate(
            [
                (["Shop"], "ann", "US"),
                (["Shop", "1"], "ann", "CA"),
                (["Shop", "1", "a"], "bob", "US"),
                (["Shop", "2"], "bob", "CA"),
                (["Blog"], "ann", "US"),
            ]
        )
    ]
    count(services, *events)
    return services


def everything(services: Services) -> list[object]:
    left = [
        event
        for pk in ("Shop", "Blog")
        for asked in ({}, {"uid": "ann"}, {"uid": "bob"})
        for event in spied(services, pk, **asked)
    ]
    return sorted(set(numbers(left)))  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("pk", "dimension", "left"),
    [
        (("Shop",), (), [4]),
        (("Shop", "1"), (), [0, 3, 4]),
        (("Shop",), ("country", "US"), [1, 3, 4]),
        (("Shop", "1"), ("country",), [0, 3, 4]),
        (("Blog",), ("city",), [0, 1, 2, 3, 4]),
    ],
)
def test_what_is_erased_is_erased_from_the_spy_log(
    full: Services, pk: tuple[str, ...], dimension: tuple[str, ...], left: list[int]
) -> None:
    full.erasing.reset(pk, dimension)
    assert everything(full) == left


def test_a_visitor_is_forgotten_everywhere(full: Services) -> None:
    assert full.erasing.forget("ann") == 3
    assert everything(full) == [2, 3]
    assert full.erasing.forget("ann") == 0


def test_a_visitor_whose_hits_wait_is_forgotten_too(services: Services) -> None:
    services.hail.count({"pk": "Shop", "uid": "ann"})
    assert services.erasing.forget("ann") == 1
    assert spied(services) == []


def test_a_forgotten_visitor_gets_a_new_option(services: Services) -> None:
    question = {
        "pk": "Page",
        "options": ["a", "b"],
        "by_metric": "hits",
        "uid": "ann",
        "reasons": 0,
    }
    for option in ("a", "b"):
        services.exposing_now.count({"pk": "Page", "option": option})

    def decide(**more: object) -> str:
        choice = parse_decide({**question, **more})
        return services.deciding.decide(choice, services.counting.take).given[0].option

    first = decide()
    other = "b" if first == "a" else "a"
    held = {"maximum": {first: 0}, "explore": 0}
    assert decide(**held) == first
    services.erasing.forget("ann")
    assert decide(**held) == other
