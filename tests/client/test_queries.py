"""Questions by the clients: the library's answers, and its faults."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hailwhale.client import AsyncClient, Client
from hailwhale.core.events.histogram import bucket_metric
from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.errors import (
    BadInput,
    HailWhaleError,
    NotAllowed,
    NotYours,
    StoreUnavailable,
    TooLarge,
    TooMany,
)
from hailwhale.services.container import Services
from hailwhale.services.security.bearer_tokens import Scope
from hailwhale.web.apps import whale_app
from hailwhale.whale import Whale
from tests.client.conftest import MakeClient, Serve, count
from tests.conftest import NOW_S
from tests.deploy.running import DEADLINE_S
from tests.loops import run_async

US = [["country", "US"]]
QUESTIONS: list[tuple[str, tuple[object, ...], dict[str, object]]] = [
    ("totals", ("Shop",), {"metrics": ["dollars", "dollars/hits", "dollars/sales"]}),
    ("totals", (["Shop", 7], US, "hits"), {"period": "1d:1w"}),
    ("totals", (), {}),
    ("quantiles", ("Shop", "wait"), {"period": "today", "shares": [0.5, 0.999]}),
    ("plotpoints", ("Shop", "country", "dollars", "1d:1w", 1), {"threshold": 0}),
    ("rank", ("Shop",), {"of": "pks", "metric": "dollars/hits", "by": "importance"}),
    ("decide", ("Page", ["a", "b"]), {"by_metric": "earned", "uid": "visitor-17"}),
]


@pytest.fixture
def sold(services: Services) -> Services:
    for sku, country, dollars in (
        (7, "US", "19.99"),
        (7, "CA", "0.01"),
        (8, "US", "1234567.0000000001"),
    ):
        event = {"pk": ["Shop", sku], "dimensions": {"country": country}, "at": NOW_S}
        metrics = {"dollars": dollars, "sales": 3, bucket_metric("wait", 5 * sku): 1}
        services.counting.count_now({**event, "metrics": metrics})
    return services


def library(services: Services) -> Whale:
    whale = Whale(settings=services.settings)
    whale._services = services
    return whale


@pytest.mark.parametrize(("question", "given", "asked"), QUESTIONS)
def test_a_client_answers_as_the_library_does(
    client: Client,
    sold: Services,
    question: str,
    given: tuple[object, ...],
    asked: dict[str, object],
) -> None:
    answer = getattr(client, question)(*given, **asked)
    expected = getattr(library(sold), question)(*given, **asked)
    if question == "plotpoints":
        expected = {
            path: {metric: [list(point) for point in points] for metric, points in metrics.items()}
            for path, metrics in expected.items()
        }
    assert answer == expected
    assert repr(answer) == repr(expected)


def test_several_slots_get_an_option_each(client: Client) -> None:
    given = client.decide("Page", ["a", "b"], {"country": "US"}, by_metric="earned", slots=2)
    assert sorted(given) == ["a", "b"]


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"period": "5x"}, "period"),
        ({"pk": object()}, "pk"),
        ({"metrics": [object()]}, "metrics"),
    ],
)
def test_a_wrong_question_is_the_same_fault(
    client: Client, fields: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(BadInput) as fault:
        client.totals(**fields)
    assert fault.value.parameter == parameter
    assert f"{parameter}: {fault.value.message}" == str(fault.value)


@pytest.mark.parametrize("name", ["metrcis", "format"])
@pytest.mark.parametrize("question", ["totals", "plotpoints", "rank", "decide", "reasons"])
def test_a_parameter_that_a_question_does_not_have_is_an_error_of_the_call(
    client: Client, question: str, name: str
) -> None:
    for answerer in (client, Whale):
        with pytest.raises(TypeError, match=name):
            getattr(answerer, question)("Shop", **{name: "csv"})


def test_a_token_opens_what_it_may(
    make_services: Callable[..., Services], serve: Serve, make_client: MakeClient
) -> None:
    services = make_services(counting="off")
    counts, reads = (
        services.tokens.add(scope.value, [scope], roots, DEFAULT_LIMITS, NOW_S)[1]
        for scope, roots in ((Scope.COUNT, []), (Scope.READ, ["Shop"]))
    )
    url = serve(whale_app(services))
    client = make_client(url, counts)
    count(client, 2)
    assert client.flush(DEADLINE_S)
    assert client.stats.counted == 2
    with pytest.raises(NotAllowed) as strange:
        make_client(url).totals("Shop")
    assert not strange.value.token_shown
    with pytest.raises(NotAllowed) as wrong:
        client.totals("Shop")
    assert wrong.value.token_shown
    with pytest.raises(NotYours):
        make_client(url, reads).totals("Blog")
    assert make_client(url, reads).totals("Shop", period="all") == {"all": {"_": {"hits": 2}}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        ("413 Too Large", b"", TooLarge),
        ("429 Too Many", b"", TooMany),
        ("502 Bad Gateway", b"<h1>nginx</h1>", StoreUnavailable),
        ("302 Found", b"", HailWhaleError),
        ("404 Not Found", b"null", HailWhaleError),
    ],
)
def test_each_refusal_is_a_fault_of_its_kind(
    serve: Serve, make_client: MakeClient, status: str, body: bytes, kind: type[Exception]
) -> None:
    def refuses(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response(status, [("Location", "/totals"), ("Retry-After", "7")])
        return [body]

    with pytest.raises(kind) as fault:
        make_client(serve(refuses)).totals("Shop")
    assert type(fault.value) is kind
    assert getattr(fault.value, "retry_after_s", 7) == 7


def test_a_service_that_is_not_there_is_unavailable() -> None:
    client = Client("http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match=r"http://127\.0\.0\.1:9 does not answer"):
        client.decide("Page", ["a", "b"], by_metric="earned")


def test_the_client_of_asyncio_counts_and_asks_while_the_loop_goes_on(
    sold: Services, serve: Serve
) -> None:
    app = whale_app(sold)

    async def works() -> None:
        at_work, goes_on = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def held_up(environ: dict[str, Any], start_response: Any) -> Any:
            loop.call_soon_threadsafe(at_work.set)
            asyncio.run_coroutine_threadsafe(goes_on.wait(), loop).result(DEADLINE_S)
            return app(environ, start_response)

        async with AsyncClient(serve(held_up), linger_s=0) as client:
            assert client.count("Shop", metrics={"dollars": 2}, at=NOW_S)
            await asyncio.wait_for(at_work.wait(), 30)  # the service waits for us now
            goes_on.set()
            assert await client.flush(DEADLINE_S)
            answers = await asyncio.gather(
                client.totals("Shop", metrics="sales,hits", period="all"),
                client.rank("Shop", of="pks", metrics="sales"),
                client.plotpoints("Shop", period="1d:1w"),
                client.decide("Page", ["a", "b"], by_metric="earned"),
            )
            assert answers[0] == {"all": {"_": {"sales": 9, "hits": 4}}}
            assert [row["pk"] for row in answers[1]] == ['["Shop", "7"]', '["Shop", "8"]']
            assert len(answers[2]["_"]["hits"]) == 7
            assert answers[3] in ("a", "b")
            with pytest.raises(BadInput):
                await client.totals("Shop", period="5x")
        assert not client.count("Shop")

    run_async(works())
