"""Sealed URLs over HTTP: a pixel counts what was sealed, a graph shows it, and nothing else."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from hailwhale.services.container import Services
from hailwhale.web.apps import hail_app, whale_app
from tests.conftest import Clock
from tests.web.client import Answer, Client
from tests.web.conftest import VISITS
from tests.web.queries import total

KEY = base64.urlsafe_b64encode(b"k" * 32).decode().rstrip("=")
OTHER = base64.urlsafe_b64encode(b"o" * 32).decode().rstrip("=")
SALE = {"pk": "Shop", "dimensions": {"country": "US"}, "metrics": {"dollars": "9.50"}}
GRAPH = {
    "pk": "Shop",
    "dimension": "country",
    "metrics": "revenue",
    "depth": 1,
    "period": "1d:1w",
    "title": "Income",
}

MakeServices = Callable[..., Services]


@pytest.fixture
def sealed(make_services: MakeServices) -> Services:
    """Services that count sealed pixels, and let nobody read."""
    return make_services(seal_keys=(KEY,), counting="sealed", reading="token")


@pytest.fixture
def reader(make_services: MakeServices) -> Client:
    """Somebody who may read what is in the same store."""
    return Client(whale_app(make_services()))


def pixel(services: Services, **options: Any) -> str:
    return f"/pixel/{services.sealing.pixel(SALE, **options)}.gif"


def is_pixel(answer: Answer) -> bool:
    return (answer.status, answer.body[:3], answer.headers["content-type"]) == (
        200,
        b"GIF",
        "image/gif",
    )


def refused(services: Services) -> dict[str, int]:
    services.tallies.flush()
    return services.store.request_stats.refused()


# Pixels


@pytest.mark.parametrize("make_app", [whale_app, hail_app])
def test_a_pixel_counts_what_was_sealed_in_it(
    sealed: Services, reader: Client, make_app: Callable[[Services], Any]
) -> None:
    client = Client(make_app(sealed))
    answer = client.get(pixel(sealed), "_=cache-buster")
    assert is_pixel(answer)
    assert "no-store" in answer.headers["cache-control"]
    sealed.drain.flush()
    assert (total(reader, "Shop"), str(total(reader, "Shop", "dollars"))) == (1, "9.5")
    assert total(reader, "Shop", dimension=["country", "US"]) == 1


def test_a_page_fills_the_slots_that_are_left_open(sealed: Services, reader: Client) -> None:
    client, path = Client(whale_app(sealed)), pixel(sealed, slots=["device"])
    assert is_pixel(client.get(path, {"device": "Mac OS X"}))
    assert is_pixel(client.get(path))
    assert total(reader, "Shop", dimension=["device", "Mac OS X"]) == 1
    for query in ('device=["a","b"]', "device=x%0Ay"):
        assert client.get(path, query).status == 400
    assert total(reader, "Shop") == 2


@pytest.mark.parametrize(
    "query",
    [
        "country=DE",
        "pk=Blog",
        "metrics={'dollars':1000000}",
        "at=2020-01-01",
        "id=x",
        "uid=ann",
        "dimensions=x",
        "dollars=5",
    ],
)
def test_nothing_can_be_added_to_a_pixel(sealed: Services, reader: Client, query: str) -> None:
    answer = Client(whale_app(sealed)).get(pixel(sealed), query)
    assert answer.status == 403
    assert query.partition("=")[0] in answer.error["message"]
    assert (total(reader, "Shop"), total(reader, "Blog")) == (0, 0)
    assert refused(sealed) == {"seal-slot": 1}


def test_each_invalid_pixel_is_reported_and_counted(
    make_services: MakeServices, sealed: Services, reader: Client, clock: Clock
) -> None:
    client, good = Client(whale_app(sealed)), pixel(sealed, expires="1h")
    foreign = pixel(make_services(seal_keys=(OTHER,)))
    graph = f"/pixel/{sealed.sealing.graph(GRAPH)}.gif"
    changed = f"{good[:60]}{'A' if good[60] != 'A' else 'B'}{good[61:]}"
    for word, path in (("modified", changed), ("key", foreign), ("another purpose", graph)):
        answer = client.get(path)
        assert (answer.status, word in answer.error["message"]) == (403, True)
    clock.now_s += 3600
    answer = client.get(good)
    assert (answer.status, "expired" in answer.error["message"]) == (403, True)
    assert refused(sealed) == {"seal-broken": 2, "seal-key": 1, "seal-expired": 1}
    assert total(reader, "Shop") == 0


@pytest.mark.parametrize("buffered", [True, False])
def test_a_pixel_for_once_counts_once_however_often_it_is_loaded(
    sealed: Services, reader: Client, *, buffered: bool
) -> None:
    client, path = Client(whale_app(sealed, buffered=buffered)), pixel(sealed, once=True)
    assert all(is_pixel(client.get(path)) for _ in range(3))
    sealed.drain.flush()
    assert total(reader, "Shop") == 1
    assert refused(sealed) == {"replayed": 2}


@pytest.mark.parametrize(
    ("counting", "open_count", "by_pixel"),
    [("open", 200, 200), ("sealed", 401, 200), ("off", 401, 401)],
)
def test_how_far_counting_is_open(
    make_services: MakeServices, counting: str, open_count: int, by_pixel: int
) -> None:
    services = make_services(seal_keys=(KEY,), counting=counting)
    for client in (Client(whale_app(services)), Client(hail_app(services))):
        assert client.get("/count", "pk=Shop").status == open_count
        assert client.post("/count", {"pk": "Shop"}).status == open_count
        assert client.get("/count_decision", "pk=Shop&option=a").status == open_count
        assert client.get(pixel(services)).status == by_pixel


def test_looking_at_a_pixels_head_counts_nothing(sealed: Services, reader: Client) -> None:
    assert Client(whale_app(sealed)).request("HEAD", pixel(sealed)).status == 405
    assert total(reader, "Shop") == 0


@pytest.mark.parametrize("token", ["", "x", "A" * 5_000, "%2e%2e%2f", "é", "a b", "..", "\x00"])
def test_whatever_stands_in_a_pixels_place_counts_nothing(sealed: Services, token: str) -> None:
    assert Client(whale_app(sealed)).get(f"/pixel/{token}.gif").status in (403, 404)


def test_without_keys_a_pixel_is_of_a_key_that_is_not_known(
    make_services: MakeServices, sealed: Services
) -> None:
    answer = Client(whale_app(make_services())).get(pixel(sealed))
    assert (answer.status, "key" in answer.error["message"]) == (403, True)


# Graphs


@pytest.fixture
def shown(sealed: Services, reader: Client) -> Client:
    """Whale with the VISITS of tests/web/conftest.py, where nobody may read."""
    visits = [
        {"pk": "Shop", "dimensions": ["country", *place], "metrics": {"revenue": revenue}, "at": at}
        for at, place, revenue in VISITS
    ]
    reader.post("/count", visits)
    reader.get("/count", "pk=Shop&dimensions=secret&metrics={'revenue':1}")
    return Client(whale_app(sealed))


@pytest.mark.parametrize("path", ["/totals", "/plotpoints", "/graph.json"])
def test_a_sealed_graph_answers_as_its_question_would(
    sealed: Services, shown: Client, reader: Client, path: str
) -> None:
    token = sealed.sealing.graph(GRAPH)
    asked = {name: value for name, value in GRAPH.items() if name != "title"}
    if path == "/totals":
        del asked["depth"]
    assert shown.get(path, asked).status == 401
    answer = shown.get(path, {"token": token})
    assert (answer.status, answer.json) == (200, reader.get(path, asked).json)
    assert "secret" not in answer.text


def test_a_sealed_graph_comes_as_csv_and_as_a_picture_too(
    sealed: Services, shown: Client, reader: Client
) -> None:
    token = sealed.sealing.graph(GRAPH)
    for path in ("/totals", "/plotpoints"):
        answer = shown.get(path, {"token": token, "format": "csv"})
        assert answer.headers["content-type"].startswith("text/csv")
    picture = shown.get("/graph.svg", {"token": token})
    assert picture.status == 200
    assert picture.body == reader.get("/graph.svg", GRAPH).body


def test_the_script_of_a_sealed_graph_does_not_say_what_it_asks(
    sealed: Services, shown: Client
) -> None:
    token = sealed.sealing.graph(GRAPH)
    answer = shown.get("/graph.js", {"token": token, "target": "#here"})
    called = answer.text[answer.text.rindex("})(") :]
    assert answer.status == 200
    assert "Income" in called
    assert token in called
    assert "#here" in called
    for word in ("Shop", "country", "revenue"):
        assert word not in called


@pytest.mark.parametrize(
    "more",
    ["pk=Blog", "depth=3", "period=1d:1y", "metrics=hits", "dimension=_", "tz=UTC", "limit=0"],
)
@pytest.mark.parametrize("path", ["/totals", "/plotpoints", "/graph.json", "/graph.svg"])
def test_nothing_more_can_be_asked_of_a_sealed_graph(
    sealed: Services, shown: Client, path: str, more: str
) -> None:
    answer = shown.get(path, f"token={sealed.sealing.graph(GRAPH)}&{more}")
    assert answer.status == 403
    assert refused(sealed) == {"seal-slot": 1}


@pytest.mark.parametrize(
    "path", ["/rank", "/subdimensions", "/pks", "/reasons", "/decide", "/reset"]
)
def test_a_sealed_graph_is_good_for_graphs_alone(
    sealed: Services, shown: Client, path: str
) -> None:
    token = sealed.sealing.graph(GRAPH)
    assert shown.get(path, f"token={token}").status == 401
    assert shown.get(path, "", authorization=f"Bearer {token}").status == 403


def test_a_sealed_graph_that_expired_or_was_changed_shows_nothing(
    sealed: Services, shown: Client, clock: Clock
) -> None:
    token = sealed.sealing.graph(GRAPH, expires="1h")
    assert shown.get("/totals", {"token": token[:-4] + "AAAA"}).status == 403
    assert shown.get("/totals", {"token": sealed.sealing.pixel(SALE)}).status == 403
    assert shown.get("/totals", {"token": ""}).status == 403
    clock.now_s += 3600
    answer = shown.get("/totals", {"token": token})
    assert (answer.status, "expired" in answer.error["message"]) == (403, True)
    assert refused(sealed) == {"seal-broken": 3, "seal-expired": 1}


def test_the_totals_of_a_sealed_graph_are_those_of_its_period_alone(
    sealed: Services, shown: Client
) -> None:
    token = sealed.sealing.graph({"pk": "Shop", "metric": "revenue"})
    assert set(shown.get("/totals", {"token": token}).json) == {"1d:1mo"}
