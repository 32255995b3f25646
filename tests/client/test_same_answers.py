"""Whale and the clients answer alike: the same calls on one store, and the answers compared."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hailwhale import AsyncClient, BadInput, Client, Hail, NotAllowed, NotYours, Period, Whale
from hailwhale.core.events.histogram import bucket_metric
from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.errors import StoreUnavailable
from hailwhale.protocols import Queries
from hailwhale.services.container import Services
from hailwhale.services.security.bearer_tokens import Scope
from hailwhale.types import MetricsLike
from hailwhale.web.apps import whale_app
from tests.client.conftest import MakeClient, Serve
from tests.conftest import NOW_S
from tests.loops import run_async

US = {"country": "US"}
TODAY = date(2026, 3, 15)


@dataclass(frozen=True)
class Call:
    """A call of a method, and how it reads in the name of a test."""

    method: str
    given: tuple[Any, ...]
    named: dict[str, Any]

    def __str__(self) -> str:
        given = [repr(each) for each in self.given]
        named = [f"{name}={value!r}" for name, value in self.named.items()]
        return f"{self.method}({', '.join([*given, *named])})"

    def on(self, answerer: Any) -> Any:
        return getattr(answerer, self.method)(*self.given, **self.named)


def call(method: str, *given: Any, **named: Any) -> Call:
    return Call(method, given, named)


ALIKE = [
    call("totals", "Shop", metrics=["dollars", "dollars/hits", "dollars/sales"]),
    call("totals", ["Shop", 7], [["country", "US"]], "hits", "1d:1w"),
    call("totals"),
    call("totals", "Shop", dimension=US, metric="dollars", period=timedelta(days=7)),
    call("totals", "Shop", periods=[Period.parse("mtd"), TODAY, (date(2026, 3, 1), TODAY)]),
    call("totals", "Shop", period=datetime(2026, 3, 15, tzinfo=UTC), tz=ZoneInfo("UTC")),
    call("totals", "Shop", "country", "hits,dollars", "1h:1d", tzoffset=-500),
    call("total", "Shop"),
    call("total", "Shop", "dollars", Period.parse("today"), US),
    call("total", "Shop", metrics="dollars/hits", periods="1d:1w", dimensions=[["country", "CA"]]),
    call("today", "Shop", "dollars"),
    call("today", "Shop", metrics="hits", dimensions="country", tz="America/New_York"),
    call("yesterday", "Shop", metric="sales", dimension=US),
    call("quantiles", "Shop", "wait", "today", shares=[0.5, Decimal("0.999")]),
    call("quantiles", "Shop", metric="wait", period=TODAY, dimension=US, shares="0.5,0.9"),
    call("plotpoints", "Shop", "country", "dollars", "1d:1w", 1, threshold=0),
    call(
        "plotpoints", "Shop", depth=1, metric="hits", period=timedelta(hours=3), limit=1, other=True
    ),
    call("plotpoints", "Shop", depth=2, threshold=Decimal("0.1"), sort="dollars", periods=TODAY),
    call("rank", "Shop", of="pks", metric="dollars/hits", by="importance"),
    call("rank", "Shop", "country", "dollars", TODAY, limit=0, threshold=0.001),
    call("rank", "Shop", depth="all", metrics=["hits", "dollars"], sort="-hits"),
    call("subdimensions", "Shop"),
    call("subdimensions", "Shop", dimension="country", depth=1),
    call("pks"),
    call("pks", "Shop"),
    call("pks", ["Shop", 7]),
    call("known", "Shop"),
    call("known", "Page"),
    call("known"),
    call("spy", "Shop"),
    call("spy", ["Shop", 7], limit=1),
    call("spy", "Shop", "visitor-17"),
    call("decide", "Page", ["a", "b"], by_metric="earned", uid="visitor-17"),
    call("decide", "Page", option="a", dimension=US, by_metric="earned/spent", goal="min"),
    call("decide", "Page", ["a", "b"], by_metric="earned", slots=2, uid="visitor-18"),
    call(
        "decide",
        "Page",
        "a,b",
        by_metric="earned",
        slots=1,
        uid="visitor-19",
        half_life=timedelta(7),
    ),
    call("reasons", "Page", ["a", "b"], US, by_metric="earned/spent"),
    call("reasons", "Page", by_metric="earned", delay=timedelta(0), half_life="7d"),
    call("reasons", "Page", known_data=US, by_metric="earned", weights={"a": Decimal("0.5")}),
    call("weighted_reasons", "Page", by_metric="earned", minimum=0.1, options=["a", "b"]),
]

BAD = [
    (call("totals", "Shop", period="5x"), "period"),
    (call("totals", "Shop", period=timedelta(microseconds=1)), "period"),
    (call("totals", "Shop", period=timedelta(days=-1)), "period"),
    (call("totals", "Shop", period=datetime(2026, 3, 15, 12)), "period"),
    (call("totals", "Shop", period=(TODAY, date(2026, 3, 1))), "period"),
    (call("totals", "Shop", periods=[TODAY, 7]), "period"),
    (call("totals", "Shop", period=Period("mtd", None, None)), "period"),
    (call("totals", "Shop", tz=1j), "tz"),
    (call("totals", 1j), "pk"),
    (call("totals", "Shop", metric="hits", metrics="hits"), "metrics"),
    (call("totals", "Shop", period="today", periods="today"), "periods"),
    (call("totals", "Shop", dimension=US, dimensions=US), "dimensions"),
    (call("total", "Shop", metrics=["hits", "dollars"]), "metric"),
    (call("total", "Shop", period=["1d:1w", "1d:1mo"]), "period"),
    (call("today", "Shop", dimension=[["country"], ["_"]]), "dimension"),
    (call("total", "Shop", "hits", metrics="hits"), "metrics"),
    (call("today", "Shop", "hits", metrics="hits"), "metrics"),
    (call("yesterday", "Shop", dimension=US, dimensions=US), "dimensions"),
    (call("plotpoints", "Shop", periods="1d:1w", period="1d:1w"), "periods"),
    (call("plotpoints", "Shop", depth=-1), "depth"),
    (call("rank", "Shop", by="beauty"), "by"),
    (call("quantiles", "Shop", "dollars/hits"), "metrics"),
    (call("quantiles", "Shop", "wait", shares=2), "shares"),
    (call("subdimensions", "Shop", "country", dimension="country"), "dimensions"),
    (call("pks", [1j]), "pk"),
    (call("known", [""]), "pk"),
    (call("spy", "Shop", limit=0), "limit"),
    (call("spy", "Shop", uid=1.5), "uid"),
    (call("decide", "Page", ["a"], option="a", by_metric="earned"), "options"),
    (call("decide", "Page", ["a"], by_metric="earned", half_life=timedelta(0)), "half_life"),
    (call("decide", "Page", ["a"], by_metric="earned", half_life=timedelta(days=-1)), "half_life"),
    (call("decide", "Page", ["a"], US, known_data=US, by_metric="earned"), "known_data"),
    (call("reasons", "Page", ["a", "a"], by_metric="earned"), "options"),
    (call("weighted_reasons", "Page", ["a"]), "by_metric"),
    (call("update_count_to", "Queue"), "metrics"),
    (call("update_count_to", "Queue", metric={"jobs": 1}, metrics={"jobs": 1}), "metrics"),
    (call("reset", ""), "pk"),
    (call("reset", "Shop", [["a"], ["b"]]), "dimensions"),
    (call("reset", "Shop", "a", dimension="a"), "dimensions"),
]


@pytest.fixture
def sold(services: Services) -> Services:
    whale = library(services)
    for sku, country, dollars in (
        (7, "US", "19.99"),
        (7, "CA", "0.01"),
        (8, "US", "1234567.0000000001"),
        (8, "US", "12345678901234567.25"),
    ):
        metrics: MetricsLike = {"dollars": dollars, "sales": 3, bucket_metric("wait", 5 * sku): 1}
        whale.count_now(
            ["Shop", sku], {"country": country}, metrics, NOW_S, uid=f"visitor-{sku + 10}"
        )
    whale.count_now("Shop", US, {"sales": 1}, date(2026, 3, 14))
    for option, earned in (("a", 1), ("b", 3)):
        for _ in range(20):
            whale.count_decision("Page", option, US, {"spent": 0.5, "earned": earned}, NOW_S)
    return services


def library(services: Services) -> Whale:
    whale = Whale(settings=services.settings)
    whale._services = services
    return whale


def exact(answer: Any) -> str:
    """An answer as text, in which 1, 1.0 and Decimal(1) differ; mappings in the order of keys."""
    if isinstance(answer, dict):
        return str({name: exact(answer[name]) for name in sorted(answer)})
    if isinstance(answer, list | tuple):
        return str([exact(each) for each in answer])
    return repr(answer)


@pytest.mark.parametrize("question", ALIKE, ids=str)
def test_whale_and_both_clients_answer_alike(sold: Services, url: str, question: Call) -> None:
    whale = library(sold)
    answers = [question.on(whale)]
    with Client(url) as client:
        answers.append(question.on(client))

    async def ask() -> Any:
        async with AsyncClient(url) as client:
            return await question.on(client)

    answers.append(run_async(ask()))
    assert answers[0] == answers[1] == answers[2]
    assert exact(answers[1]) == exact(answers[2]) == exact(answers[0])


@pytest.mark.parametrize(("question", "parameter"), BAD, ids=str)
def test_whale_and_both_clients_refuse_alike(
    sold: Services, url: str, question: Call, parameter: str
) -> None:
    async def ask() -> Any:
        async with AsyncClient(url) as client:
            return await question.on(client)

    with Client(url) as client:
        answers: list[Callable[[], Any]] = [
            lambda: question.on(library(sold)),
            lambda: question.on(client),
            lambda: run_async(ask()),
        ]
        for answer in answers:
            with pytest.raises(BadInput) as refused:
                answer()
            assert refused.value.parameter == parameter
            assert refused.value.expected


def test_every_question_is_compared() -> None:
    asked = {each.method for each in ALIKE} | {"update_count_to", "reset"}
    questions = {name for name, _ in inspect.getmembers(Queries, inspect.isfunction)}
    assert asked == {name for name in questions if not name.startswith("_")}
    assert {each.method for each, _ in BAD} == asked


def test_clients_set_counters_and_erase_as_the_library_does(sold: Services, url: str) -> None:
    whale = library(sold)

    async def work() -> list[object]:
        async with AsyncClient(url) as client:
            await client.update_count_to("Queue", metrics={"jobs": 7}, dimension={"host": "b"})
            return [await client.total("Queue", "jobs", "all"), await client.reset("Queue", "host")]

    with Client(url) as client:
        client.update_count_to("Queue", metric={"jobs": Decimal("12.5")}, dimension={"host": "a"})
        assert whale.total("Queue", "jobs", "all") == 12.5
        total, erased = run_async(work())
        assert total == 19.5
        assert erased
        assert whale.subdimensions("Queue") == {"_": []}
        assert client.reset("Queue") > 0
        assert whale.total("Queue", "jobs", "all") == 0
        with pytest.raises(BadInput):
            whale.reset("")


def test_times_are_accepted_as_objects_wherever_something_is_counted(
    services: Services, url: str
) -> None:
    whale, hail = library(services), Hail(settings=services.settings)
    hail._services = services
    noon = datetime(2026, 3, 14, 12, tzinfo=ZoneInfo("America/New_York"))
    with Client(url) as client:
        for at in (noon, date(2026, 3, 14), noon.timestamp(), Decimal(1_773_500_000), "2026-03-14"):
            assert whale.count_now("Shop", at=at)
            assert hail.count("Shop", at=at)
            assert whale.count_decision("Page", options="a", at=at)
            assert hail.count_decision("Page", "a", at=at)
            assert client.count("Shop", at=at)
            assert client.count_decision("Page", options="a", at=at)
        assert client.flush()
    hail.flush()
    assert whale.total("Shop", period=date(2026, 3, 14)) == 15
    assert whale.total("Page", period=timedelta(days=7)) == 15


@pytest.mark.parametrize("at", [timedelta(hours=1), object(), (2026, 3, 14), True])
def test_an_invalid_time_is_refused_by_name(services: Services, url: str, at: Any) -> None:
    hail = Hail(settings=services.settings)
    hail._services = services
    for count in (library(services).count_now, hail.count):
        with pytest.raises(BadInput) as refused:
            count("Shop", at=at)
        assert refused.value.parameter == "at"
    with Client(url, linger_s=0) as client:
        client.count("Shop", at=at)
        client.flush()
        assert client.stats.refused == 1
        assert client.stats.last_fault.startswith("at: ")


def test_an_option_that_is_given_in_two_spellings_is_refused(services: Services) -> None:
    hail = Hail(settings=services.settings)
    hail._services = services
    for count in (library(services).count_decision, hail.count_decision):
        with pytest.raises(BadInput) as refused:
            count("Page", "a", options="a")
        assert refused.value.parameter == "option"


def test_a_token_bound_to_a_root_asks_below_its_root_alone(
    make_services: Callable[..., Services], serve: Serve, make_client: MakeClient
) -> None:
    services = make_services(counting="off")
    for root in ("Shop", "Blog"):
        library(services).count_now([root, "x"])
    _, token = services.tokens.add("reads", [Scope.READ], ["Shop"], DEFAULT_LIMITS, NOW_S)
    client = make_client(serve(whale_app(services)), token)
    assert client.pks() == [["Shop"]]
    assert client.pks("Shop") == [["Shop", "x"]]
    with pytest.raises(NotYours):
        client.pks("Blog")
    with pytest.raises(NotAllowed):
        client.reset("Shop")


def test_several_questions_can_be_awaited_together(sold: Services, url: str) -> None:
    async def ask() -> tuple[object, object]:
        async with AsyncClient(url) as client:
            today, ever = await asyncio.gather(
                client.today("Shop"), client.total("Shop", period="all")
            )
            return today, ever

    assert run_async(ask()) == (4, 5)


def test_a_service_that_is_not_there_is_unavailable_to_each_question() -> None:
    client = Client("http://127.0.0.1:9", close_timeout_s=0)
    for question in ALIKE:
        with pytest.raises(StoreUnavailable):
            question.on(client)
