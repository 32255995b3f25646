"""What samples of StatsD are counted as."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hailwhale.core.events.limits import Limits
from hailwhale.core.statsd.aggregate import MetricNaming, StatsdSums
from hailwhale.core.statsd.lines import LINE, parse_line
from hailwhale.errors import BadInput
from tests.conftest import NOW_S

D = Decimal


def summed(
    *lines: str, naming: MetricNaming | None = None, limits: Limits | None = None
) -> StatsdSums:
    sums = StatsdSums(naming or MetricNaming(), limits or Limits())
    for line in lines:
        sums.add(parse_line(line.encode()), NOW_S)
    return sums


def event(sums: StatsdSums) -> dict[str, object]:
    [only] = sums.take()
    return only


def metrics(*lines: str, naming: MetricNaming | None = None) -> dict[str, Decimal]:
    found = event(summed(*lines, naming=naming))["metrics"]
    assert isinstance(found, dict)
    return found


def gauges(*lines: str, naming: MetricNaming | None = None) -> dict[tuple[object, ...], Decimal]:
    kept = summed(*lines, naming=naming).gauges()
    return {(place.pk, place.metric, place.dimensions): value for place, value in kept.items()}


@pytest.mark.parametrize(
    ("line", "naming", "pk", "metric"),
    [
        ("shop.orders.paid:1|c", MetricNaming(), ["shop", "orders"], "paid"),
        ("logins:1|c", MetricNaming(), ["_"], "logins"),
        (".a..b.:1|c", MetricNaming(), ["a"], "b"),
        ("a/b c.d e:1|c", MetricNaming(), ["a-b_c"], "d_e"),
        ("shop.paid:1|c", MetricNaming(under=("StatsD",)), ["StatsD", "shop"], "paid"),
        (
            "shop.paid:1|c",
            MetricNaming(under=("StatsD",), whole_names=True),
            ["StatsD"],
            "shop.paid",
        ),
        ("shop.paid:1|c", MetricNaming(whole_names=True), ["_"], "shop.paid"),
    ],
)
def test_a_name_is_a_pk_and_a_metric(
    line: str, naming: MetricNaming, pk: list[str], metric: str
) -> None:
    found = event(summed(line, naming=naming))
    assert found["pk"] == pk
    assert found["metrics"] == {"hits": 1, metric: 1}
    assert found["at"] == NOW_S


@pytest.mark.parametrize(
    ("lines", "amount", "hits"),
    [
        (["a:1|c", "a:2.50|c"], "3.5", "2"),
        (["a:1:2:3|c"], "6", "3"),
        (["a:1|c|@0.1"], "10", "10"),
        (["a:1|c", "a:1|c|@0.25"], "5", "5"),
        (["a:1|c|@0.3", "a:1|c|@0.3", "a:1|c|@0.3"], "10", "10"),
        (["a:1|c|@0.7"], "1.428571428571", "1.428571428571"),
        (
            ["a:0.000000000000000000000000000001|c", "a:99999999999999999|c"],
            "99999999999999999.000000000000000000000000000001",
            "2",
        ),
        (["a:0.1|c"] * 1000, "100", "1000"),
    ],
)
def test_a_counter_adds_up_exactly_by_its_rate(lines: list[str], amount: str, hits: str) -> None:
    assert metrics(*lines) == {"hits": D(hits), "a": D(amount)}


def test_counters_of_one_pk_and_tags_are_one_event_whatever_their_order() -> None:
    found = event(summed("s.paid:1|c|#a:b,c:d,a:b", "s.revenue:5|c|#c:d,a:b"))
    assert found["dimensions"] == [["a", "b"], ["c", "d"]]
    assert found["metrics"] == {"hits": 2, "paid": 1, "revenue": 5}


def test_only_the_tags_named_are_dimensions() -> None:
    sums = summed("a:1|c|#country:US,user:7", naming=MetricNaming(tags=frozenset(["country"])))
    assert event(sums)["dimensions"] == [["country", "US"]]


def test_a_sample_counts_when_it_says() -> None:
    assert event(summed("a:1|c|T1767225600"))["at"] == 1767225600


@pytest.mark.parametrize(
    ("lines", "value", "counted"),
    [
        (["q.depth:5|g"], "5", {"hits": 1, "depth_sum": 5, "depth_count": 1}),
        (["q.depth:5|g", "q.depth:7|g"], "7", {"hits": 2, "depth_sum": 12, "depth_count": 2}),
        (["q.depth:5|g", "q.depth:-2|g"], "3", {"hits": 2, "depth_sum": 5, "depth_count": 1}),
        (["q.depth:0|g", "q.depth:-2|g"], "-2", {"hits": 2, "depth_sum": 0, "depth_count": 1}),
        (["q.depth:-2|g", "q.depth:+5|g"], None, {"hits": 2, "depth": 3}),
    ],
)
def test_a_gauge_is_set_and_its_sign_changes_it(
    lines: list[str], value: str | None, counted: dict[str, int]
) -> None:
    assert metrics(*lines) == counted
    assert gauges(*lines) == ({} if value is None else {(("q",), "depth", ()): D(value)})


def test_with_absolute_gauges_the_sign_is_the_values() -> None:
    found = gauges("q.depth:5|g", "q.depth:-2|g", naming=MetricNaming(absolute_gauges=True))
    assert found == {(("q",), "depth", ()): D(-2)}


def test_the_tags_of_a_gauge_are_one_path_so_that_it_is_set_in_one_place() -> None:
    found = gauges("q.depth:5|g|#host:a,env:prod", "q.depth:6|g|#env:prod,host:a")
    assert found == {(("q",), "depth", (("env", "prod", "host", "a"),)): D(6)}


def test_a_gauge_stays_until_its_value_is_committed() -> None:
    sums = summed("a:5|g")
    [(place, value)] = sums.gauges().items()
    sums.add(parse_line(b"a:+1|g"), NOW_S)
    sums.settled(place, value)
    assert sums.gauges() == {place: 6}
    sums.settled(place, D(6))
    assert sums.gauges() == {}


def test_the_members_of_a_set_are_uids_and_its_name_a_pk() -> None:
    found = summed("site.visitors:al|s", "site.visitors:bo:al|s").take()
    assert [(each["pk"], each["uid"], each["metrics"]) for each in found] == [
        (["site", "visitors"], "al", {"hits": 2}),
        (["site", "visitors"], "bo", {"hits": 1}),
    ]


def test_a_timing_is_a_sum_a_count_and_a_histogram() -> None:
    assert metrics("w.t:10|ms", "w.t:10:1000|h", "w.t:-0.5|d|@0.5") == {
        "hits": 5,
        "t_sum": 1019,
        "t_count": 5,
        "t~p24": 2,
        "t~p72": 1,
        "t~n-7": 2,
    }


def test_an_event_with_too_many_metrics_is_several_whose_hits_add_up() -> None:
    lines = [f"s.m{number}:1|c" for number in range(70)]
    found = summed(*lines).take()
    amounts = [each["metrics"] for each in found]
    assert all(isinstance(each, dict) and len(each) <= 32 for each in amounts)
    merged = {name: D(0) for each in amounts for name in each}  # type: ignore[attr-defined]
    for each in amounts:
        for name, amount in each.items():  # type: ignore[attr-defined]
            merged[name] += amount
    assert merged == {"hits": 70} | {f"m{number}": 1 for number in range(70)}


@pytest.mark.parametrize(
    "line",
    [
        "a.b.c.d.e.f.g.h.i.j:1|c",
        "a.b,c=d:1|c",
        "a.b*:1|c",
        ".:1|c",
        f"{'x' * 300}:1|c",
        "a:1|c|#x:\x07",
        "a:1|g|#a:1,b:2,c:3,d:4,e:5",
    ],
)
def test_a_name_or_tag_that_cannot_be_counted_is_refused_and_adds_nothing(line: str) -> None:
    sums = summed()
    with pytest.raises(BadInput) as fault:
        sums.add(parse_line(line.encode()), NOW_S)
    assert fault.value.parameter == LINE
    assert (sums.size, sums.take(), sums.gauges()) == (0, [], {})


def test_its_size_is_how_many_numbers_are_kept() -> None:
    sums = summed("a.b:1|c", "a.b:1|c", "a.c:1|c", "g:1|g")
    assert sums.size == 3 + 3 + 1  # hits b c, hits g_sum g_count, g
    sums.take()
    assert sums.size == 1
