"""Whatever stands for a value, or for a body: it is refused by name, or it is data."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from hailwhale.services.container import Services
from hailwhale.web.apps import hail_app, whale_app
from tests.attacks.hostile import ASKED, DIGITS, NUMBERS, RAW, SCRIPTS, TEXTS, around, names_of
from tests.web.client import FORM, JSON, LINES, Answer, Client
from tests.web.queries import total

EVERYTHING = [*NUMBERS, *TEXTS, SCRIPTS[0]]


def assert_harmless(answer: Answer) -> None:
    """An answer, or a refusal that a person can read; nothing of ours broke."""
    assert answer.status in (200, 400, 403, 413), answer.text[:400]
    assert answer.errors == ""
    if answer.status != 200 and answer.headers["content-type"] == JSON:
        errors = [answer.json.get("error"), *answer.json.get("rejected", ())]
        assert any(errors)
    assert len(answer.body) < 200_000


@pytest.mark.parametrize("path", ASKED)
def test_no_hostile_value_of_any_parameter_is_more_than_refused(whale: Client, path: str) -> None:
    """Every value for every second parameter: there are some thousand requests all the same."""
    for place, name in enumerate(names_of(path)):
        rest = around(path, name)
        for value in EVERYTHING[place % 2 :: 2]:
            if (path, name, value) != ("/spy", "live", "true"):
                assert_harmless(whale.get(path, f"{rest}&{name}={quote(value)}"))


@pytest.mark.parametrize("path", ASKED)
def test_a_number_of_a_hundred_thousand_digits_is_refused_by_every_parameter(
    whale: Client, path: str
) -> None:
    for name in names_of(path):
        assert whale.get(path, f"{name}={DIGITS}").status in (400, 413)
        if "text/javascript" not in whale.get(path).headers["content-type"]:
            answer = whale.post(path, f'{{"{name}": {DIGITS}}}')
            assert answer.status in (400, 405, 413), answer.text[:200]


@pytest.mark.parametrize("raw", RAW)
@pytest.mark.parametrize("path", ["/count", "/totals", "/rank", "/decide", "/graph.js", "/spy"])
def test_invalid_utf_8_is_refused_anywhere(whale: Client, path: str, raw: bytes) -> None:
    for query in (b"pk=" + raw, raw + b"=1", b"pk=a&" + raw):
        assert_harmless(whale.get(path, query))
    assert_harmless(whale.post("/count", b'{"pk": "' + raw + b'"}'))


@pytest.mark.parametrize(
    "body",
    [
        '{"pk": "a", "pk": "b"}',
        '{"metrics": {"a": 1, "a": 2}}',
        '{"metrics": {"a": NaN}}',
        '{"metrics": {"a": -Infinity}}',
        '{"metrics": {"a": 1e999999}}',
        f'{{"metrics": {{"a": {"9" * 60_000}}}}}',
        '{"at": 1e999999}',
        '{"id": {"a": 1}}',
        '{"pk": "\\ud800"}',
        '{"pk": "a\\u0000b"}',
        '{"pk": "a\\nb"}',
        json.dumps({"pk": "x" * 60_000}),
        json.dumps({"pk": ["x"] * 20_000}),
        json.dumps({"dimensions": {str(n): {} for n in range(5_000)}}),
        json.dumps({"dimensions": [["a"]] * 5_000 + [["b", ["c"]]]}),
        json.dumps({"metrics": {str(n): 1 for n in range(5_000)}}),
        '{"dimensions": ' + '{"a":' * 12_000 + "1" + "}" * 12_000 + "}",
        "\x00",
        "\ufeff\ufeff{}",
        "1",
        '"pk"',
        "null",
    ],
    ids=lambda body: repr(body[:40]),
)
@pytest.mark.parametrize("kind", [JSON, LINES])
def test_no_hostile_body_counts_anything(
    services: Services, whale: Client, body: str, kind: str
) -> None:
    answer = whale.post("/count", body, kind)
    assert answer.status in (400, 413)
    assert answer.errors == ""
    assert services.store.labels.subpks(()) == set()


def test_a_batch_of_bombs_and_one_event_counts_the_event(whale: Client) -> None:
    bombs = ["[" * 100_000, '{"pk":' * 5_000, DIGITS, '{"metrics": {"a": 1e99999999999}}', "\x00"]
    answer = whale.post("/count", "\n".join([*bombs, '{"pk": "Shop"}']), LINES)
    assert (answer.json["accepted"], len(answer.json["rejected"])) == (1, len(bombs))
    assert total(whale, "Shop") == 1


def test_a_compressed_body_is_not_unpacked(whale: Client) -> None:
    bomb = gzip.compress(b'{"pk": "' + b"x" * 10_000_000 + b'"}')
    assert whale.post("/count", bomb, content_encoding="gzip").status == 400
    assert whale.post("/count", gzip.compress(b'{"pk": "Shop"}'), FORM).status in (200, 400)
    assert total(whale, "Shop") == 0


@pytest.mark.parametrize("make_app", [whale_app, hail_app])
@pytest.mark.parametrize(
    "announced", ["-1", "1e3", "+5", " 5", "٣", "0x10", "9" * 19, "9" * 5_000, "5, 5", "5\r\nX: 1"]
)
def test_a_length_that_is_no_number_of_bytes_reads_nothing(
    services: Services, make_app: Callable[[Services], object], announced: str
) -> None:
    client = Client(make_app(services))  # type: ignore[arg-type]
    environ = {"CONTENT_LENGTH": announced}
    answer = client.request("POST", "/count", body=b'{"pk": "Shop"}', kind=JSON, environ=environ)
    assert answer.status in (400, 413)
    assert services.drain.flush() == 0


def test_sums_stay_exact_and_finite_whatever_is_added(whale: Client) -> None:
    largest = "9" * 30 + "." + "9" * 30
    for amount in (largest, f"-{largest}", "0.000000000000000000000000000001", largest):
        assert whale.post("/count", {"pk": "Sums", "metrics": {"m": amount}}).status == 200
    for amount in ("1e30", "1e999999", "NaN", "Infinity"):
        assert whale.post("/count", {"pk": "Sums", "metrics": {"m": amount}}).status == 400
    text = whale.get("/totals", "pk=Sums&metric=m&period=all").text
    assert text == '{"all":{"_":{"m":1000000000000000000000000000000}}}'
