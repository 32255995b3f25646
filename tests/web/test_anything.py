"""Any input on every route gets an answer or a named error, never an internal error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hailwhale.services.container import Services, assemble
from hailwhale.settings import Settings
from hailwhale.store.embedded import EmbeddedValkey
from hailwhale.store.open import open_store
from hailwhale.web.apps import hail_app, whale_app
from tests.conftest import Clock
from tests.web.client import FORM, JSON, LINES, Answer, Client

ROUTES = [
    "/count",
    "/count.gif",
    "/count_now",
    "/update_count_to",
    "/totals",
    "/plotpoints",
    "/rank",
    "/subdimensions",
    "/flush_hail",
    "/reset",
]
NAMES = [
    *("pk", "dimension", "dimensions", "metric", "metrics", "at", "id"),
    *("period", "periods", "tz", "tzoffset", "format", "depth", "threshold", "limit", "sort"),
    *("other", "of", "by", "_", ""),
]
KINDS = [JSON, FORM, LINES, "text/plain;charset=UTF-8", "", "multipart/form-data; boundary=x", ";"]
WORDS = st.sampled_from(
    [
        *(
            "",
            "_",
            "a",
            "hits",
            "a/b",
            "a:sum",
            "-a",
            "all",
            "1d:1mo",
            "1h:3h",
            "mtd|-500",
            "today",
        ),
        *("1m:1h", "2026-01-01..2026-01-31", "1/1/0001-12/30/9999", "UTC", "Asia/Tokyo", "-0800"),
        *(
            "0",
            "1",
            "8",
            "-1",
            "0.1",
            ".5",
            "1e999",
            "NaN",
            "9" * 40,
            "true",
            "null",
            "csv",
            "pks",
            "importance",
            "json",
        ),
        *("[", "{", "[]", "{}", "'", '"', "['a',", "[[]]", "\x00", "\ud800", "\u2028", "%", "\\"),
    ]
)
TEXTS = WORDS | st.text(max_size=8)
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**30, 10**400, -(10**29), 1e-300])
PLAIN = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    PLAIN,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=8,
)
PARAMETERS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)
HEADER_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20)
ROUTE = st.sampled_from(ROUTES)
modestly = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def anything(valkey: EmbeddedValkey) -> Iterator[Services]:
    settings = Settings.from_env({}, redis_url=valkey.url, namespace="anything")
    opened = open_store(settings)
    yield assemble(settings, opened.store, Clock())
    opened.close()


@pytest.fixture(scope="module")
def whale(anything: Services) -> Client:
    return Client(whale_app(anything))


@pytest.fixture(scope="module")
def hail(anything: Services) -> Client:
    return Client(hail_app(anything))


def assert_fine(answer: Answer) -> None:
    """An answer of the kinds there are, its shape as promised, and nothing in the server's log."""
    assert answer.errors == ""
    assert answer.status in (200, 400, 413), answer.text
    if answer.status == 200:
        assert answer.body
        return
    body = answer.json
    if "error" in body:
        assert set(body["error"]) == {"parameter", "message"}
        assert body["error"]["parameter"]
        assert body["error"]["message"].startswith("got ")
        assert "; expected " in body["error"]["message"]
    else:  # a batch that was all wrong
        assert body["accepted"] == 0
        assert all(each["error"]["parameter"] for each in body["rejected"])
        assert [each["index"] for each in body["rejected"]] == list(range(len(body["rejected"])))


def text_of(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def quoted(parameters: dict[str, Any]) -> bytes:
    """Parameters as a query: escaped what must be, lone surrogates as they would come."""
    pairs = (f"{name}={text_of(value)}" for name, value in parameters.items())
    escaped = (pair.replace("%", "%25").replace("&", "%26").replace("+", "%2B") for pair in pairs)
    return "&".join(escaped).encode("utf-8", "surrogatepass")


@modestly
@given(ROUTE, st.sampled_from(["GET", "POST"]), st.binary(max_size=60))
@example("/count", "GET", b"pk=%")
@example("/count", "GET", b"\xff\xfe")
@example("/totals", "GET", b"&&&=&;=%00")
@example("/plotpoints", "POST", b"period=%2B%2B%2B")
def test_any_bytes_as_a_query(whale: Client, path: str, method: str, query: bytes) -> None:
    body = b"" if method == "POST" else None
    assert_fine(whale.request(method, path, query, body))


@modestly
@given(ROUTE, PARAMETERS)
def test_any_parameters_in_a_query(whale: Client, path: str, parameters: dict[str, Any]) -> None:
    assert_fine(whale.get(path, quoted(parameters)))


@modestly
@given(ROUTE, st.binary(max_size=60), st.sampled_from(KINDS) | HEADER_TEXT, st.booleans())
@example("/count", b"\xef\xbb\xbf", JSON, False)
@example("/count", b"\n", LINES, True)
@example("/count", b"\n{", "text/plain", True)
def test_any_bytes_as_a_body(
    whale: Client, path: str, body: bytes, kind: str, chunked: bool
) -> None:
    assert_fine(whale.post(path, body, kind, chunked=chunked))


@modestly
@given(ROUTE, PARAMETERS | VALUES, st.sampled_from(KINDS))
def test_any_json_as_a_body(whale: Client, path: str, value: object, kind: str) -> None:
    assert_fine(whale.post(path, json.dumps(value), kind))


@modestly
@given(st.lists(PARAMETERS | VALUES, max_size=4), st.booleans())
def test_any_batch(whale: Client, hail: Client, events: list[object], on_hail: bool) -> None:
    texts = [json.dumps(event) for event in events]
    app = hail if on_hail else whale
    answers = [
        app.post("/count", f"[{','.join(texts)}]"),
        app.post("/count", "\n".join(texts), LINES),
    ]
    for answer in answers:
        assert_fine(answer)
    if events:
        # An array that holds NaN is not JSON and refused as a whole; of lines, only that line is.
        batches = [answer.json for answer in answers if "error" not in answer.json]
        assert batches
        for batch in batches:
            assert batch["accepted"] + len(batch["rejected"]) == len(events)


@modestly
@given(
    st.sampled_from([*ROUTES, "/", "/healthz", "/static/dashboard.html"]),
    st.dictionaries(
        st.sampled_from(
            [
                *("ACCEPT", "AUTHORIZATION", "SEC_FETCH_SITE", "TRANSFER_ENCODING", "COOKIE"),
                *("ORIGIN", "HOST", "RANGE", "IF_MODIFIED_SINCE", "X_FORWARDED_FOR", "EXPECT"),
            ]
        ),
        HEADER_TEXT
        | st.sampled_from(["image/*;q=", "q=1;q=nan,,;", "bytes=0-1", "chunked", "none"]),
        max_size=4,
    ),
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "OPTIONS", "BREW", "get", ""]),
    st.sampled_from(["", "0", "-1", "3", "99999999999999999999", "x"]) | HEADER_TEXT,
)
def test_any_headers_and_methods(
    whale: Client, path: str, headers: dict[str, str], method: str, length: str
) -> None:
    environ = {f"HTTP_{name}": text for name, text in headers.items()}
    environ |= {"REQUEST_METHOD": method, "CONTENT_LENGTH": length}
    answer = whale.request("GET", path, "pk=a", environ=environ)
    assert answer.errors == ""
    assert answer.status in (200, 206, 304, 400, 403, 404, 405, 413, 416), answer.text
    if answer.status >= 400 and method != "HEAD":
        assert answer.error["message"]


@modestly
@given(st.text(st.characters(max_codepoint=255), max_size=20))
@example("/static/%00/../..")
def test_any_path(whale: Client, path: str) -> None:
    answer = whale.request("GET", "/", environ={"PATH_INFO": f"/{path}"})
    assert answer.errors == ""
    assert answer.status in (200, 400, 403, 404)


@pytest.mark.parametrize("depth", [100, 500, 900, 950, 980, 990, 1_000, 1_010, 2_000, 20_000])
@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"dimensions":', '{"metrics":[', "[["])
@pytest.mark.parametrize("kind", [JSON, LINES])
def test_json_nested_however_deep(whale: Client, depth: int, opening: str, kind: str) -> None:
    closing = "".join({"[": "]", "{": "}"}.get(each, "") for each in reversed(opening))
    nested = f"{opening * depth}1{closing * depth}"
    for body in (nested, opening * depth, f'[{nested},"{"x" * 20_000}"]'):
        assert_fine(whale.post("/count", body, kind))
    assert whale.get("/totals", f"pk={nested[:2_000]}").status == 400
