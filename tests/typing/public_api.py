"""A program that uses the whole public API, for a type checker: mypy --strict finds nothing wrong.

It is checked and not run; `assert_type` says what each call returns.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import assert_type
from zoneinfo import ZoneInfo

import hailwhale
from hailwhale import (
    AsyncClient,
    AsyncQueries,
    BadInput,
    BadSeal,
    BadSetting,
    BufferFull,
    Client,
    DamagedData,
    DataDirInUse,
    Hail,
    HailWhaleError,
    Interval,
    NotAllowed,
    NotYours,
    Period,
    Queries,
    Rollup,
    Settings,
    Stats,
    StoreMismatch,
    StoreUnavailable,
    TooLarge,
    TooMany,
    Whale,
    __version__,
)
from hailwhale.core.time.calendar_grid import UTC as UTC_GRID
from hailwhale.types import (
    DimensionsLike,
    GraphOptions,
    Known,
    MetricsLike,
    Number,
    PathLike,
    PeriodLike,
    Plotpoints,
    RankRow,
    Reasons,
    SpyEvent,
    Subdimensions,
    TimeLike,
    Totals,
)

PKS: list[PathLike | None] = [None, "Shop", 7, ["Shop", 7], ("Shop", "x"), Decimal(7)]
DIMENSIONS: list[DimensionsLike | None] = [
    *(None, "country", 7, ["country", "US"], [["country", "US"], ["device"]]),
    {"country": "US", "tag": ["x", "y"], "b": {"x": 1, "y": {"z": 2}}, 7: True},
]
METRICS: list[MetricsLike | None] = [
    *(None, "sales", ["sales", "signups"], {"dollars": 19.99}, {"dollars": Decimal("0.1")}),
    {"dollars": "19.99", "sales": 1},
]
TIMES: list[TimeLike | None] = [
    *(None, 1_773_576_630, 1.5, Decimal(7), "2026-03-15T12:00Z"),
    *(datetime.now(UTC), date(2026, 3, 15)),
]
PERIODS: list[PeriodLike | None] = [
    *(None, "1d:1mo", Period.parse("today"), timedelta(days=7), date(2026, 3, 15)),
    (date(2026, 3, 1), date(2026, 3, 15)),
]


def count(whale: Whale, hail: Hail, client: Client, awaited: AsyncClient) -> None:
    for pk, at in zip(PKS, TIMES, strict=True):
        for dimensions, metrics in zip(DIMENSIONS, METRICS, strict=True):
            assert_type(Whale.count_now(pk, dimensions, metrics, at, "order-17"), bool)
            assert_type(whale.count_now(pk, dimension=dimensions, metric=metrics, uid=7), bool)
            assert_type(Hail.count(pk, dimensions, metrics, at, id=17), bool)
            assert_type(hail.count(pk, dimension=dimensions, metric=metrics, uid="v"), bool)
            assert_type(client.count(pk, dimensions, metrics, at, "order-17"), bool)
            assert_type(awaited.count(pk, dimension=dimensions, metric=metrics, uid=7), bool)
            Whale.update_count_to(pk, dimensions, metrics)
    assert_type(Whale.count_decision("Page", "a", {"country": "US"}, {"spent": 0.5}), bool)
    assert_type(whale.count_decided_now("Page", options=1, metric="hits", decision="d"), bool)
    assert_type(Hail.count_decision("Page", "a", id="x", uid="visitor-17"), bool)
    assert_type(hail.count_decided("Page", "a", dimension="vip"), bool)
    assert_type(client.count_decision("Page", "a", metrics={"hits": 0, "earned": 2}), bool)
    assert_type(awaited.count_decision("Page", options="a"), bool)
    assert_type(Hail.flush(), int)
    assert_type(Hail.spy("Shop", "visitor-17", 10), list[SpyEvent])
    assert_type(hail.get_spy("Shop", limit=1) + hail.spy_log("Shop"), list[SpyEvent])


def ask(source: Queries) -> None:
    for period in PERIODS:
        assert_type(source.totals("Shop", period=period), Totals)
        assert_type(source.total("Shop", "dollars", period), Number)
        assert_type(source.plotpoints("Shop", period=period), Plotpoints)
        assert_type(source.rank("Shop", period=period), list[RankRow])
    several: list[PeriodLike] = [
        "1d:1w",
        Period.parse("1d:1mo"),
        timedelta(hours=6),
        date(2026, 3, 15),
    ]
    assert_type(source.totals("Shop", {"country": "US"}, "hits,dollars", several), Totals)
    assert_type(source.totals("Shop", periods=several, tz=ZoneInfo("Europe/Berlin")), Totals)
    assert_type(source.totals(dimension="a", metric="b", period="all", tzoffset=-500), Totals)
    assert_type(source.total("Shop", metrics="hits", periods="all", dimensions="a"), Number)
    assert_type(source.today("Shop", "dollars/hits", {"country": "US"}, tz="UTC"), Number)
    assert_type(source.yesterday("Shop", metric="hits", dimension="a"), Number)
    assert_type(source.quantiles("Api", "latency", "today", shares=[0.5, 0.95]), Totals)
    points = source.plotpoints("Shop", "country", "dollars", "1d:1w", 1, threshold=0.1, limit=3)
    for start_ms, value in points["_"]["dollars"]:
        assert_type(start_ms, Number)
        assert_type(value, Number)
    source.plotpoints("Shop", depth=2, sort="-hits", other=True, threshold=Decimal("0.1"))
    for row in source.rank("Shop", "country", depth="all", of="dimensions", by="importance"):
        assert_type(row["value"], Number | None)
        assert_type(row["share"], Number | None)
        assert_type(row["metrics"], dict[str, Number | None])
    assert_type(source.subdimensions("Shop", {"country": "US"}, 2), Subdimensions)
    assert_type(source.pks("Shop"), list[list[str]])
    assert_type(source.known("Shop"), Known)
    assert_type(source.spy("Shop", uid=17, limit=1)[0]["metrics"], dict[str, Number | str])


def decide(source: Queries) -> None:
    visitor = {"country": "US", "device": "phone"}
    option = source.decide("Page", ["a", "b"], visitor, by_metric="earned/spent", uid="visitor-17")
    assert_type(option, str)
    assert_type(source.decide("Page", "a,b", by_metric="earned", slots=2), list[str])
    assert_type(source.decide("Page", by_metric="earned", slots=None), str)
    source.decide(
        *("Page", [1, 2]),
        by_metric="earned",
        goal="min",
        weights={"1": 3, "2": 1.5},
        holdout=0.1,
        minimum=0.05,
        maximum={"1": Decimal("0.9")},
        half_life=timedelta(days=7),
        delay="12h",
        explore=False,
        log=True,
    )
    reasons = source.reasons("Page", option="a", dimension="vip", by_metric="earned")
    assert_type(reasons, Reasons)
    assert_type(reasons["winner"], str | None)
    assert_type(reasons["options"]["a"]["interval"], list[float])
    assert_type(reasons["sample_ratio"]["decided"], dict[str, int])
    shares = source.weighted_reasons("Page", known_data=visitor, by_metric="earned")
    assert_type(shares, dict[str, float])


def change(source: Queries) -> None:
    source.update_count_to("Queue", metrics={"jobs": 12}, dimension={"host": "a"})
    assert_type(source.reset("Queue", ["host", "a"]), int)


async def ask_awaited(source: AsyncQueries) -> None:
    assert_type(await source.totals("Shop", periods=["1d:1w"]), Totals)
    assert_type(await source.total("Shop", period=timedelta(days=7)), Number)
    assert_type(await source.today("Shop"), Number)
    assert_type(await source.yesterday("Shop"), Number)
    assert_type(await source.quantiles("Api", "latency"), Totals)
    assert_type(await source.plotpoints("Shop", depth=1), Plotpoints)
    assert_type(await source.rank("Shop", of="pks"), list[RankRow])
    assert_type(await source.subdimensions("Shop"), Subdimensions)
    assert_type(await source.pks(), list[list[str]])
    assert_type(await source.known("Shop"), Known)
    assert_type(await source.spy("Shop"), list[SpyEvent])
    assert_type(await source.decide("Page", ["a"], by_metric="earned"), str)
    assert_type(await source.decide("Page", ["a"], by_metric="earned", slots=1), list[str])
    assert_type(await source.reasons("Page", by_metric="earned"), Reasons)
    assert_type(await source.weighted_reasons("Page", by_metric="earned"), dict[str, float])
    await source.update_count_to("Queue", metrics={"jobs": 12})
    assert_type(await source.reset("Queue"), int)


def draw() -> None:
    look: GraphOptions = {"title": "Sales", "height": 240, "view": "area", "live": True}
    assert_type(Whale.graph_tag("Shop", metrics="dollars", hwurl="/hw", **look), str)
    assert_type(Whale.sealed_graph_tag("Shop", period=timedelta(days=7), depth=1, **look), str)
    assert_type(Whale.sealed_graph_url("Shop", metric="dollars", expires=timedelta(days=30)), str)
    assert_type(Whale.pixel_tag(["Mug", 7], metrics={"revenue": 9.5}, once=True), str)
    assert_type(Whale.pixel_url("Signup", slots=["country", "uid"], expires="30d"), str)


async def use_clients(token: str) -> None:
    with Client("https://hw.example.com", token, max_events=10, linger_s=0.5) as client:
        assert_type(client, Client)
        ask(client)
        decide(client)
        change(client)
        assert_type(client.flush(timeout_s=3), bool)
        assert_type(client.close(), bool)
        assert_type(client.stats, Stats)
        assert_type(client.stats.counted, int)
    async with AsyncClient("https://hw.example.com", token=token) as awaited:
        await ask_awaited(awaited)
        assert_type(await awaited.flush(), bool)
        assert_type(await awaited.close(), bool)
        count(Whale(), Hail(settings=Settings()), client, awaited)


def use_library() -> None:
    assert_type(__version__, str)
    assert_type(hailwhale.Whale.today("Shop"), Number)
    ask(Whale("redis://localhost"))
    ask(Whale.default())
    decide(Whale(settings=Settings.from_env()))
    change(Whale())
    assert_type(Whale.decide("Page", ["a"], by_metric="earned"), str)
    assert_type(Whale.decide("Page", ["a"], by_metric="earned", slots=1), list[str])
    Whale.close()
    Hail.close()
    assert_type(Hail.default(), Hail)


def use_periods() -> tuple[int, int] | None:
    period = Period.parse("1d:1mo")
    assert_type(period.text, str)
    assert_type(period.interval, Interval | None)
    assert_type(period.is_all, bool)
    assert_type(Rollup.parse("1h:35d").name, str)
    return period.days(UTC_GRID, period.edges(UTC_GRID, now_s=1_773_576_630))


def explain(error: HailWhaleError) -> str:
    match error:
        case TooLarge() | NotYours() | BadInput():
            return f"{error.parameter}: {error.message}; expected {error.expected}"
        case BadSeal() | NotAllowed():
            return error.reason
        case TooMany():
            return f"again in {error.retry_after_s} s"
        case BufferFull() | StoreUnavailable() | StoreMismatch() | BadSetting():
            return str(error)
        case DamagedData() | DataDirInUse():
            return str(error)
    return "unknown"
