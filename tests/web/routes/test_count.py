"""/count of one event: each way to send it, each way it is answered, and what it counts."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hailwhale.services.container import Services
from hailwhale.web.responses import PIXEL
from tests.web.client import FORM, JSON, Client
from tests.web.queries import total

CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"
FIREFOX = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"
OLDER_FIREFOX = "image/webp,*/*"
SAFARI = (
    "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,"
    "image/svg+xml,image/*;q=0.8,*/*;q=0.5"
)
OLDER_SAFARI = "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5"
A_PAGE = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8"
)
NEVER_CACHED = {
    "cache-control": "no-store, no-cache, must-revalidate, max-age=0",
    "pragma": "no-cache",
    "expires": "0",
}


# How it is answered


def test_a_counted_event_is_answered_ok_as_text(whale: Client) -> None:
    answer = whale.get("/count", "pk=Shop")
    assert (answer.status, answer.body) == (200, b"OK")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert total(whale, "Shop") == 1


@pytest.mark.parametrize(
    "accept",
    [CHROME, FIREFOX, OLDER_FIREFOX, SAFARI, OLDER_SAFARI, "image/gif", "text/html;q=0.5, image/*"],
)
@pytest.mark.parametrize("path", ["/count", "/count_now"])
def test_an_image_tag_gets_a_gif(whale: Client, path: str, accept: str) -> None:
    answer = whale.get(path, "pk=Shop", accept=accept)
    assert (answer.status, answer.body) == (200, PIXEL)
    assert answer.headers["content-type"] == "image/gif"
    assert total(whale, "Shop") == 1


def test_the_pixel_is_a_transparent_gif_of_one_pixel() -> None:
    assert PIXEL[:6] == b"GIF89a"
    assert PIXEL[6:10] == b"\x01\x00\x01\x00"
    assert PIXEL[19:22] == b"!\xf9\x04"  # a graphic control extension,
    assert PIXEL[22] & 1  # which makes a colour transparent,
    assert PIXEL[25] == 0  # the first one
    assert PIXEL[-1:] == b";"


@pytest.mark.parametrize(
    "accept",
    [A_PAGE, "*/*", "", "text/plain", "application/json", "image/*;q=0.5,*/*", "image/*;q=oops"],
)
def test_what_does_not_want_an_image_first_gets_text(whale: Client, accept: str) -> None:
    assert whale.get("/count", "pk=Shop", accept=accept).body == b"OK"


@pytest.mark.parametrize("path", ["/count.gif", "/count_now.gif"])
@pytest.mark.parametrize("accept", ["*/*", A_PAGE, CHROME])
def test_a_path_that_ends_in_gif_always_answers_the_gif(
    whale: Client, path: str, accept: str
) -> None:
    answer = whale.get(path, "pk=Shop", accept=accept)
    assert (answer.status, answer.body) == (200, PIXEL)
    assert total(whale, "Shop") == 1


@pytest.mark.parametrize("path", ["/count", "/count.gif", "/count_now", "/count_now.gif"])
@pytest.mark.parametrize("query", ["pk=Shop", "pk=Shop&metrics=[", "nonsense=1"])
def test_no_answer_of_counting_may_be_cached(whale: Client, path: str, query: str) -> None:
    headers = whale.get(path, query).headers
    assert {name: headers[name] for name in NEVER_CACHED} == NEVER_CACHED


@pytest.mark.parametrize("path", ["/count", "/count.gif", "/count_now", "/count_now.gif"])
def test_head_counts_nothing(whale: Client, path: str) -> None:
    answer = whale.request("HEAD", path, "pk=Shop")
    assert (answer.status, answer.body) == (405, b"")
    assert answer.headers["allow"] == "GET, POST"
    assert total(whale, "Shop") == 0


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_count_nothing(whale: Client, method: str) -> None:
    answer = whale.request(method, "/count", "pk=Shop")
    assert answer.status == 405
    assert answer.error["message"].endswith("use GET, POST")
    assert total(whale, "Shop") == 0


# How it is sent


@pytest.mark.parametrize(
    ("query", "revenue"),
    [
        ('pk=["Shop","7"]&dimensions={"country":"US"}&metrics={"revenue":19.99}', "19.99"),
        ('pk=["Shop","7"]&dimension={"country":"US"}&metric={"revenue":"19.99"}', "19.99"),
        ("pk=['Shop',7]&dimension={'country':'US'}&metric={'revenue':.50}", "0.50"),
        ('pk=["Shop",7]&dimensions=["country","US"]&metrics={"revenue": -1e1}', "-10"),
        ('pk=["Shop",7]&dimensions=[["country","US"]]&metrics=revenue&_=1767225600', "1"),
        ('pk=["Shop",7]&dimensions=["country","US"]&metrics=["revenue"]&_=1&_=2', "1"),
    ],
)
def test_an_event_in_the_url(whale: Client, query: str, revenue: str) -> None:
    assert whale.get("/count", query).body == b"OK"
    for pk in (["Shop"], ["Shop", "7"]):
        for dimension in ("_", "country", ["country", "US"]):
            assert total(whale, pk, "revenue", dimension) == Decimal(revenue)
            assert total(whale, pk, "hits", dimension) == 1


@pytest.mark.parametrize(
    "query",
    [
        b"pk=Z%C3%BCrich",
        "pk=Zürich".encode(),
        b"pk=Z%c3%bcrich&",
        b"\xef\xbb\xbfpk=Z%C3%BCrich",
    ],
)
def test_a_label_of_any_script_in_the_url(whale: Client, query: bytes) -> None:
    assert whale.get("/count", query).status == 200
    assert total(whale, "Zürich") == 1


def test_a_plus_and_an_escaped_space_are_the_same_label(whale: Client) -> None:
    whale.get("/count", "pk=Mac+OS+X")
    whale.get("/count", "pk=Mac%20OS%20X")
    assert total(whale, "Mac OS X") == 2


def test_an_event_with_no_parameters_counts_a_hit_of_the_unnamed_pk(whale: Client) -> None:
    assert whale.get("/count").body == b"OK"
    assert total(whale) == 1


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('pk=Shop&metric={"revenue": 19.99}', FORM),
        ("pk=Shop&metric=%7B%22revenue%22%3A+19.99%7D", f"{FORM}; charset=UTF-8"),
        ({"pk": "Shop", "metrics": {"revenue": 19.99}}, JSON),
        ({"pk": "Shop", "metric": {"revenue": "19.99"}}, "application/json; charset=utf-8"),
        ({"pk": "Shop", "metrics": {"revenue": 19.99}}, "Application/JSON"),
        # What navigator.sendBeacon sends of a text, and curl of a -d without a -H.
        ({"pk": "Shop", "metrics": {"revenue": 19.99}}, "text/plain;charset=UTF-8"),
        ({"pk": "Shop", "metrics": {"revenue": 19.99}}, FORM),
        ({"pk": "Shop", "metrics": {"revenue": 19.99}}, ""),
        (b'\xef\xbb\xbf{"pk": "Shop", "metrics": {"revenue": 19.99}}', JSON),
        (b'{\r\n "pk": "Shop",\r\n "metrics": {"revenue": 19.99}\r\n}\r\n', JSON),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_one_event_in_a_body(whale: Client, body: object, kind: str, chunked: bool) -> None:
    assert whale.post("/count", body, kind, chunked=chunked).status == 200
    assert total(whale, "Shop", "revenue") == Decimal("19.99")
    assert total(whale, "Shop", "hits") == 1


@pytest.mark.parametrize("kind", [JSON, "application/json;charset=utf-8", "Application/JSON"])
def test_one_event_of_json_is_answered_in_json(whale: Client, kind: str) -> None:
    answer = whale.post("/count", {"pk": "Shop"}, kind)
    assert answer.json == {"accepted": 1, "rejected": []}


@pytest.mark.parametrize("kind", [FORM, "text/plain;charset=UTF-8"])
def test_one_event_of_a_form_or_a_beacon_is_answered_ok(whale: Client, kind: str) -> None:
    body = "pk=Shop" if kind == FORM else '{"pk": "Shop"}'
    assert whale.post("/count", body, kind).body == b"OK"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_post_without_a_body_counts_what_its_url_says(whale: Client, chunked: bool) -> None:
    assert whale.post("/count", b"", "", query="pk=Shop", chunked=chunked).body == b"OK"
    assert total(whale, "Shop") == 1


def test_a_cache_buster_may_stand_in_the_url_of_a_post(whale: Client) -> None:
    assert whale.post("/count", {"pk": "Shop"}, query="_=1767225600").status == 200
    assert total(whale, "Shop") == 1


def test_parameters_in_both_the_url_and_the_body_are_refused(whale: Client) -> None:
    answer = whale.post("/count", {"pk": "Shop"}, query="pk=Shop")
    assert answer.status == 400
    assert answer.error["parameter"] == "body"
    assert total(whale, "Shop") == 0


# Ids


@pytest.mark.parametrize("path", ["/count", "/count_now"])
def test_an_id_counts_once_however_often_it_is_sent(whale: Client, path: str) -> None:
    for _ in range(3):
        assert whale.get(path, "pk=Shop&id=order-1").body == b"OK"
    answer = whale.post(path, {"pk": "Shop", "id": "order-1"})
    assert answer.body == b'{"accepted":1,"rejected":[],"duplicates":1}'
    assert total(whale, "Shop") == 1


@pytest.mark.parametrize("id", ["[1]", "{x", "007", "1e3"])
def test_an_id_in_the_url_is_text_as_it_is(whale: Client, id: str) -> None:
    whale.get("/count", {"pk": "Shop", "id": id})
    whale.post("/count", {"pk": "Shop", "id": id})
    assert total(whale, "Shop") == 1


def test_an_id_buffered_on_hail_counts_once(
    hail: Client, whale: Client, services: Services
) -> None:
    hail.get("/count", "pk=Shop&id=order-1")
    services.drain.flush()
    hail.get("/count", "pk=Shop&id=order-1")
    services.drain.flush()
    whale.get("/count_now", "pk=Shop&id=order-1")
    assert total(whale, "Shop") == 1


# Hail and whale


def test_on_hail_an_event_waits_for_the_drain(
    hail: Client, whale: Client, services: Services
) -> None:
    assert hail.get("/count", "pk=Shop").body == b"OK"
    assert total(whale, "Shop") == 0
    assert whale.get("/healthz").json["buffered"] == 1
    assert services.drain.flush() == 1
    assert total(whale, "Shop") == 1


def test_on_whale_alone_an_event_counts_at_once(whale: Client) -> None:
    whale.get("/count", "pk=Shop")
    assert total(whale, "Shop") == 1
    assert whale.get("/healthz").json["buffered"] == 0


def test_with_a_separate_drain_whale_buffers_as_hail_does(
    buffering_whale: Client, services: Services
) -> None:
    assert buffering_whale.get("/count", "pk=Shop").body == b"OK"
    assert total(buffering_whale, "Shop") == 0
    assert buffering_whale.get("/count_now", "pk=Shop").body == b"OK"
    assert total(buffering_whale, "Shop") == 1
    assert services.drain.flush() == 1
    assert total(buffering_whale, "Shop") == 2


def test_hail_answers_no_questions(hail: Client) -> None:
    for path in ("/totals", "/plotpoints", "/count_now", "/reset", "/flush_hail"):
        assert hail.get(path).status == 404


def test_the_instant_of_an_event_is_the_one_it_gives(whale: Client) -> None:
    whale.get("/count", "pk=Shop&at=2026-03-14T12:00:00Z")
    whale.get("/count", "pk=Shop&at=1773489600")
    whale.get("/count", "pk=Shop&at=1773489600000")
    assert total(whale, "Shop", period="yesterday") == 3
    assert total(whale, "Shop", period="today") == 0
