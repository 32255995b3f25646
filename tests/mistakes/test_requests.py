"""Mistakes in requests of a newcomer: each answer names what is wrong and what to send instead."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hailwhale.services.container import Services
from hailwhale.web.apps import hail_app, whale_app
from tests.web.client import FORM, JSON, LINES, Client

MISTAKES_IN_A_URL = [
    # what went wrong, the path, the query, the parameter named, what the message has
    ("curl removed the braces", "/count", 'metrics="dollars":30', "metrics", ["--data-urlencode"]),
    ("no quotes", "/count", "metrics={dollars:30}", "metrics", ["valid JSON", "double quotes"]),
    ("JSON is cut off", "/count", 'metrics={"dollars":30', "metrics", ["valid JSON", "the end"]),
    ("a decimal comma", "/count", 'metrics={"dollars":"12,50"}', "metrics", ["12,50", "number"]),
    ("a currency", "/count", 'metrics={"dollars":"$5"}', "metrics", ["$5", "number"]),
    ("a number as a name", "/count", "metrics=5", "metrics", ["'5'", "metric names"]),
    ("a list of numbers", "/count", "metrics=[1,2]", "metrics", ["name", "metric"]),
    (
        "lists too deep",
        "/count",
        'dimensions=[["country",["US"]]]',
        "dimensions",
        ["US", "nested object"],
    ),
    ("a time in words", "/count", "at=yesterday", "at", ["epoch seconds", "ISO 8601"]),
    ("a time in slashes", "/count", "at=12/01/2026", "at", ["epoch seconds", "ISO 8601"]),
    ("a time as digits", "/count", "at=202412011200", "at", ["T after the date", "two meanings"]),
    ("a day of a spreadsheet", "/count", "at=45627", "at", ["at least 9 digits", "ISO 8601"]),
    ("a time too late", "/count", "at=2030-01-01", "at", ["24 hours in the future"]),
    ("Latin-1", "/count", "pk=Zo%EB", "query", ["percent-encoded UTF-8"]),
    ("a parameter misspelt", "/totals", "metrcs=dollars", "metrcs", ["did you mean metric"]),
    ("a period in words", "/totals", "period=lastmonth", "period", ["1d:1mo", "today"]),
    ("no such rollup", "/totals", "period=10s:1h", "period", ["HAILWHALE_ROLLUPS", "10s"]),
    (
        "too many points",
        "/totals",
        "period=1m:1y",
        "period",
        ["wider interval", "HAILWHALE_MAX_POINTS"],
    ),
    ("a time zone misspelt", "/totals", "tz=Europe/Berln", "tz", ["IANA", "Europe/Berlin"]),
    ("an abbreviated zone", "/totals", "tz=CEST", "tz", ["IANA", "Europe/Berlin"]),
    ("no metric to decide by", "/decide", "options=a,b", "by_metric", ["metric", "formula"]),
    ("no options", "/decide", "by_metric=clicks", "options", ["expected"]),
]


@pytest.mark.parametrize(
    ("path", "query", "parameter", "words"),
    [row[1:] for row in MISTAKES_IN_A_URL],
    ids=[row[0] for row in MISTAKES_IN_A_URL],
)
def test_a_mistake_in_a_url_is_named_with_what_to_send(
    whale: Client, path: str, query: str, parameter: str, words: list[str]
) -> None:
    answer = whale.request("GET", path, query)
    assert answer.status == 400
    assert answer.error["parameter"] == parameter
    assert [word for word in words if word not in answer.error["message"]] == []


BODIES = [
    ("XML", "text/xml", b"<a/>", "Content-Type", ["application/json", LINES, FORM]),
    ("Latin-1", JSON, b'{"pk":"Zo\xeb"}', "body", ["UTF-8"]),
    ("null", JSON, b"null", "event", ["JSON object", '"pk"']),
    ("a comma too many", JSON, b'{"pk":"Shop",}', "body", ["valid JSON"]),
]


@pytest.mark.parametrize(
    ("kind", "body", "parameter", "words"),
    [row[1:] for row in BODIES],
    ids=[row[0] for row in BODIES],
)
def test_a_mistake_in_a_body_is_named_with_what_to_send(
    whale: Client, kind: str, body: bytes, parameter: str, words: list[str]
) -> None:
    answer = whale.request("POST", "/count", body=body, kind=kind)
    assert answer.status == 400
    assert answer.error["parameter"] == parameter
    assert [word for word in words if word not in answer.error["message"]] == []


def test_one_broken_line_is_rejected_by_its_index_and_the_others_count(whale: Client) -> None:
    body = b'{"pk":"A"}\n{"pk":"B",\n{"pk":"C"}\n'
    answer = whale.request("POST", "/count", body=body, kind=LINES).json
    assert answer["accepted"] == 2
    assert [each["index"] for each in answer["rejected"]] == [1]


@pytest.mark.parametrize("between", ["", " "])
def test_lines_without_line_breaks_are_rejected_with_how_curl_keeps_them(
    whale: Client, between: str
) -> None:
    body = between.join(['{"pk":"A"}', '{"pk":"B"}']).encode()
    answer = whale.request("POST", "/count", body=body, kind=LINES).json
    assert answer["accepted"] == 0
    assert "--data-binary" in answer["rejected"][0]["error"]["message"]


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/total", "/totals"),
        ("/Totals", "/totals"),
        ("/counts", "/count"),
        ("/count/", "/count"),
        ("/api/count", "/count"),
        ("/decides", "/decide"),
        ("/totals.json", "/totals"),
    ],
)
def test_an_unknown_path_is_answered_with_the_closest_one(
    whale: Client, path: str, meant: str
) -> None:
    answer = whale.get(path)
    assert answer.status == 404
    assert answer.error["message"].endswith(f"did you mean {meant}?")


@pytest.mark.parametrize("path", ["/wp-login.php", "/" + "x" * 5_000])
def test_a_path_that_resembles_none_is_answered_without_a_suggestion(
    whale: Client, path: str
) -> None:
    assert "did you mean" not in whale.get(path).error["message"]


def test_hail_suggests_only_its_own_paths(services: Services) -> None:
    assert "did you mean" not in Client(hail_app(services)).get("/totals").error["message"]


@pytest.mark.parametrize(
    ("method", "path", "use"), [("PUT", "/count", "GET, POST"), ("DELETE", "/totals", "GET")]
)
def test_a_wrong_method_is_answered_with_the_right_ones(
    whale: Client, method: str, path: str, use: str
) -> None:
    answer = whale.request(method, path)
    assert answer.status == 405
    assert use in answer.error["message"]


BEARER = "Authorization: Bearer <token>"


@pytest.mark.parametrize(
    ("headers", "query", "status", "word"),
    [
        ({}, "", 401, BEARER),
        ({"x_token": "secret"}, "", 401, BEARER),
        ({"authorization": "secret"}, "", 401, BEARER),
        ({"authorization": "Token secret"}, "", 401, BEARER),
        ({"authorization": "Bearer wrong"}, "", 403, "token"),
        ({}, "pk=Shop&token=secret", 403, BEARER),
    ],
    ids=["none", "another header", "no scheme", "wrong scheme", "wrong token", "in the URL"],
)
def test_a_token_forgotten_or_misplaced_is_answered_with_the_header(
    make_services: Callable[..., Services],
    headers: dict[str, str],
    query: str,
    status: int,
    word: str,
) -> None:
    whale = Client(whale_app(make_services(admin_token="secret", reading="token")))  # noqa: S106
    answer = whale.request("GET", "/totals", query, headers=headers)
    assert answer.status == status
    assert word in answer.error["message"]
