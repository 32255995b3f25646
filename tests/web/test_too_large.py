"""413: what is over a size limit is refused before it costs anything, and nothing of it counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hailwhale.services.container import Services
from hailwhale.web.apps import hail_app, whale_app
from tests.web.client import FORM, JSON, LINES, Client
from tests.web.queries import total

EVENT_BYTES, BATCH_BYTES, BATCH_EVENTS = 200, 1_000, 5
SHOP = {"pk": "Shop"}


@pytest.fixture
def small(make_services: Callable[..., Services]) -> Services:
    return make_services(
        max_event_bytes=EVENT_BYTES, max_batch_bytes=BATCH_BYTES, max_batch_events=BATCH_EVENTS
    )


@pytest.fixture
def small_whale(small: Services) -> Client:
    return Client(whale_app(small))


@pytest.fixture
def small_hail(small: Services) -> Client:
    return Client(hail_app(small))


def event_of(bytes_long: int, letter: str = "x") -> str:
    """The JSON of an event of pk Shop, so many bytes long in all."""
    empty = json.dumps({"pk": "Shop", "_": ""})
    return empty.replace('""', f'"{letter * ((bytes_long - len(empty)) // len(letter.encode()))}"')


def query_of(bytes_long: int) -> str:
    return "pk=Shop&_=".ljust(bytes_long, "x")


def refused(answer: Any) -> tuple[int, str]:
    return answer.status, answer.error["parameter"]


# One event


@pytest.mark.parametrize("path", ["/count", "/count_now", "/count.gif"])
@pytest.mark.parametrize(
    ("bytes_long", "status", "counted"), [(EVENT_BYTES, 200, 1), (EVENT_BYTES + 1, 413, 0)]
)
def test_an_event_has_a_maximum_number_of_bytes(
    small_whale: Client, path: str, bytes_long: int, status: int, counted: int
) -> None:
    answers = [
        small_whale.get(path, query_of(bytes_long)),
        small_whale.post(path, query_of(bytes_long), FORM),
        small_whale.post(path, "", FORM, query=query_of(bytes_long)),
        small_whale.post(path, event_of(bytes_long)),
        small_whale.post(path, event_of(bytes_long), chunked=True),
        small_whale.post(path, event_of(bytes_long), "text/plain"),
    ]
    assert [answer.status for answer in answers] == [status] * len(answers)
    assert total(small_whale, "Shop") == counted * len(answers)


def test_the_size_of_an_event_is_in_bytes_not_characters(small_whale: Client) -> None:
    event = event_of(EVENT_BYTES + 30, "é")
    assert len(event) < EVENT_BYTES < len(event.encode())
    assert refused(small_whale.post("/count", event)) == (413, "event")


def test_an_overlong_event_says_what_the_limit_is(small_whale: Client) -> None:
    answer = small_whale.post("/count", event_of(EVENT_BYTES + 1))
    assert answer.error["parameter"] == "event"
    assert answer.error["message"] == "got '201 characters'; expected at most 200 bytes"


def test_an_overlong_event_counts_nothing_on_hail(small_hail: Client, small: Services) -> None:
    assert refused(small_hail.post("/count", event_of(EVENT_BYTES + 1))) == (413, "event")
    assert refused(small_hail.get("/count", query_of(EVENT_BYTES + 1))) == (413, "query")
    assert small.store.stats.loads() == []


@pytest.mark.parametrize(
    "path",
    [
        "/totals",
        "/plotpoints",
        "/rank",
        "/subdimensions",
        "/update_count_to",
        "/flush_hail",
        "/reset",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_overlong_query_is_refused_on_every_route(
    small_whale: Client, path: str, method: str
) -> None:
    answer = small_whale.request(method, path, query_of(EVENT_BYTES + 1), b"")
    assert refused(answer) == (413, "query")


# Batches


@pytest.mark.parametrize("kind", [JSON, LINES, "text/plain"])
def test_an_overlong_event_of_a_batch_is_refused_alone(small_whale: Client, kind: str) -> None:
    events = [event_of(20), event_of(EVENT_BYTES), event_of(EVENT_BYTES + 1), event_of(20)]
    body = "\n".join(events) if kind == LINES else f"[{','.join(events)}]"
    answer = small_whale.post("/count", body, kind)
    assert (answer.status, answer.json["accepted"]) == (200, 3)
    assert [each["index"] for each in answer.json["rejected"]] == [2]
    assert answer.json["rejected"][0]["error"]["parameter"] == "event"
    assert total(small_whale, "Shop") == 3


@pytest.mark.parametrize("kind", [JSON, LINES])
@pytest.mark.parametrize(
    ("events", "status", "counted"), [(BATCH_EVENTS, 200, BATCH_EVENTS), (BATCH_EVENTS + 1, 413, 0)]
)
def test_a_batch_has_a_maximum_number_of_events(
    small_whale: Client, kind: str, events: int, status: int, counted: int
) -> None:
    texts = [json.dumps(SHOP)] * events
    body = "\n".join(texts) if kind == LINES else f"[{','.join(texts)}]"
    answer = small_whale.post("/count", body, kind)
    assert answer.status == status
    assert total(small_whale, "Shop") == counted


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("bytes_long", "status", "counted"), [(BATCH_BYTES, 200, 2), (BATCH_BYTES + 1, 413, 0)]
)
def test_a_batch_has_a_maximum_number_of_bytes(
    small_whale: Client, chunked: bool, bytes_long: int, status: int, counted: int
) -> None:
    body = json.dumps([SHOP, SHOP]).ljust(bytes_long)
    answer = small_whale.post("/count", body, chunked=chunked)
    assert answer.status == status
    assert total(small_whale, "Shop") == counted


def test_a_body_with_a_large_content_length_is_refused_unread(small_whale: Client) -> None:
    answer = small_whale.request(
        "POST", "/count", body=b"", kind=JSON, environ={"CONTENT_LENGTH": "1000000000000"}
    )
    assert refused(answer) == (413, "body")


# Bodies that are not what they were said to be


@pytest.mark.parametrize(
    "length", ["-1", "-5", "+17", "1_0", "ten", "1e3", " 17", "0x10", "²", "9" * 5_000]
)
def test_a_length_that_is_no_number_of_bytes_is_refused(whale: Client, length: str) -> None:
    body = b'{"pk": "Shop"}   '
    answer = whale.request(
        "POST", "/count", body=body, kind=JSON, environ={"CONTENT_LENGTH": length}
    )
    assert refused(answer) == (400, "Content-Length")
    assert total(whale, "Shop") == 0
    assert total(whale) == 0


def test_a_truncated_body_counts_nothing(whale: Client) -> None:
    whole = b'{"pk": "Shop"}\n{"pk": "Shop"}\n'
    answer = whale.request(
        "POST", "/count", body=whole[:20], kind=LINES, environ={"CONTENT_LENGTH": str(len(whole))}
    )
    assert refused(answer) == (400, "body")
    assert answer.error["message"] == "got '20 bytes'; expected the 30 bytes of the Content-Length"
    assert total(whale, "Shop") == 0


class _BrokenInput:
    """A body whose chunks end in the middle, as a server tells of it."""

    def read(self, _size: int) -> bytes:
        raise EOFError("no more chunks")


def test_a_chunked_body_that_breaks_off_is_refused_without_a_trace(whale: Client) -> None:
    answer = whale.request(
        "POST", "/count", kind=JSON, environ={"wsgi.input": _BrokenInput(), "CONTENT_LENGTH": "9"}
    )
    assert refused(answer) == (400, "body")
    assert answer.errors == ""


@pytest.mark.parametrize(
    ("body", "kind", "parameter"),
    [
        (b"\xff\xfe{}", JSON, "body"),
        (b"pk=%ff", FORM, "body"),
        (b"pk=\xff", FORM, "body"),
        (b'{"pk": "\xe9"}', JSON, "body"),
        (b'{"pk": "Shop"', JSON, "body"),
        (b"pk=Shop", JSON, "body"),
        (b"pk=Shop", "text/plain", "body"),
        (b"3", JSON, "event"),
        (b'"pk"', JSON, "event"),
        (b"<pk>Shop</pk>", "text/xml", "Content-Type"),
        (b"--x\r\n", "multipart/form-data; boundary=x", "Content-Type"),
        (b"&".join([b"pk=Shop"] * 101), FORM, "body"),
    ],
)
@pytest.mark.parametrize("path", ["/count", "/count_now"])
def test_a_body_that_cannot_be_read_is_refused(
    whale: Client, path: str, body: bytes, kind: str, parameter: str
) -> None:
    assert refused(whale.post(path, body, kind)) == (400, parameter)
    assert total(whale, "Shop") == 0
