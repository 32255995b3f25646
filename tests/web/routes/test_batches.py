"""Many events in one POST: each is accepted or refused on its own, and the answer says which."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hailwhale.services.container import Services
from hailwhale.services.ingest.buffer_writer import BUFFER_FULL
from hailwhale.web.apps import hail_app
from tests.web.client import FORM, JSON, LINES, Client
from tests.web.queries import total

SHOP = {"pk": "Shop"}


def lines(*events: object, end: str = "\n") -> str:
    return "".join(
        f"{event if isinstance(event, str) else json.dumps(event)}{end}" for event in events
    )


def refusals(answer: Any) -> list[tuple[int, str]]:
    return [(each["index"], each["error"]["parameter"]) for each in answer.json["rejected"]]


@pytest.fixture(params=["/count", "/count_now"])
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


# Whole batches


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ([SHOP, SHOP, SHOP], JSON),
        ([SHOP, SHOP, SHOP], "text/plain;charset=UTF-8"),
        ([SHOP, SHOP, SHOP], FORM),
        ([SHOP, SHOP, SHOP], ""),
        (lines(SHOP, SHOP, SHOP), LINES),
        (lines(SHOP, SHOP, SHOP), "application/jsonl; charset=utf-8"),
        (lines(SHOP, SHOP, SHOP, end="\r\n"), LINES),
        (lines(SHOP, SHOP, SHOP).removesuffix("\n"), LINES),
        ("\n\r\n" + lines(SHOP, "", SHOP, "  ", SHOP), LINES),
        ("\ufeff" + lines(SHOP, SHOP, SHOP), LINES),
        (lines(SHOP, SHOP, SHOP), JSON),
        (lines(SHOP, SHOP, SHOP, end="\r\n"), "text/plain"),
        (lines(SHOP, SHOP, SHOP), FORM),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_every_event_of_a_batch_counts(
    whale: Client, path: str, body: object, kind: str, chunked: bool
) -> None:
    answer = whale.post(path, body, kind, chunked=chunked)
    assert (answer.status, answer.body) == (200, b'{"accepted":3,"rejected":[]}')
    assert total(whale, "Shop") == 3


def test_a_batch_on_hail_waits_for_the_drain(
    hail: Client, whale: Client, services: Services
) -> None:
    pks = [{"pk": f"Shop {number % 20}"} for number in range(2_500)]
    assert hail.post("/count", pks).json == {"accepted": 2_500, "rejected": []}
    assert services.drain.flush() == 2_500
    assert [total(whale, f"Shop {number}") for number in range(20)] == [125] * 20


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\u001c", "\u000b"])
def test_only_a_newline_separates_lines(whale: Client, separator: str) -> None:
    event = json.dumps({"pk": "Shop", "_note": f"a{separator}b"}, ensure_ascii=separator < "\u0080")
    assert whale.post("/count", lines(event, event), LINES).json["accepted"] == 2
    assert total(whale, "Shop") == 2


@pytest.mark.parametrize(
    ("body", "kind"), [([], JSON), ([SHOP], JSON), (lines(SHOP), LINES), (lines(SHOP) * 2, JSON)]
)
def test_a_batch_of_few_is_still_answered_as_a_batch(
    whale: Client, body: object, kind: str
) -> None:
    answer = whale.post("/count", body, kind)
    assert answer.status == 200
    assert answer.json == {"accepted": total(whale, "Shop"), "rejected": []}


def test_the_pixel_is_no_answer_to_a_batch(whale: Client) -> None:
    answer = whale.post("/count.gif", [SHOP, SHOP], accept="image/*")
    assert answer.json == {"accepted": 2, "rejected": []}


# Partial batches


def test_98_of_100_events_count_and_the_answer_names_the_other_two(
    whale: Client, path: str
) -> None:
    events: list[object] = [SHOP] * 100
    events[3] = {"pk": "Shop", "metrics": {"dollars": "many"}}
    events[70] = {"pk": "Shop", "metrcis": {"dollars": 1}}
    answer = whale.post(path, events)
    assert answer.status == 200
    assert answer.json["accepted"] == 98
    assert answer.json["rejected"][0] == {
        "index": 3,
        "error": {
            "parameter": "metrics",
            "message": "got 'many'; expected a number below 10^30 with at most 30 decimals",
        },
    }
    assert refusals(answer) == [(3, "metrics"), (70, "metrcis")]
    assert total(whale, "Shop") == 98


@pytest.mark.parametrize(
    ("line", "parameter"),
    [
        ("{", "event"),
        ("{]}", "event"),
        ('{"pk": "Shop"} {"pk": "Shop"}', "event"),
        ("[]", "event"),
        ("3", "event"),
        ("null", "event"),
        ('"pk=Shop"', "event"),
        ('{"pk": "Shop", "pk": "Other"}', "event"),
        ('{"pk": "Shop", "metrics": {"a": NaN}}', "event"),
        ('{"pk": "Shop", "metrics": {"a": 1e999}}', "metrics"),
        ('{"pk": "Shop", "metrics": {"a/b": 1}}', "metrics"),
        ('{"pk": "Shop", "at": "yesterday"}', "at"),
        ('{"pk": "Shop", "id": {}}', "id"),
        ('{"pk": {"a": 1}}', "pk"),
        ('{"pk": "Shop", "dimensions": [["a"], "b"]}', "dimensions"),
        ("[" * 5_000, "event"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_broken_line_is_refused_alone(
    whale: Client, line: str, parameter: str, place: int
) -> None:
    sent: list[object] = [SHOP, SHOP]
    sent.insert(place, line)
    answer = whale.post("/count", lines(*sent), LINES)
    assert answer.status == 200
    assert answer.json["accepted"] == 2
    assert refusals(answer) == [(place, parameter)]
    assert total(whale, "Shop") == 2


@pytest.mark.parametrize("item", [None, 3, "pk=Shop", [], [SHOP], {"pk": []}, {"nonsense": 1}])
def test_a_wrong_item_of_an_array_is_refused_alone(whale: Client, item: object) -> None:
    answer = whale.post("/count", [SHOP, item, SHOP])
    assert (answer.status, answer.json["accepted"]) == (200, 2)
    assert [each["index"] for each in answer.json["rejected"]] == [1]
    assert total(whale, "Shop") == 2


@pytest.mark.parametrize(
    "item",
    [
        *('{"pk": "Shop", "metrics": {"a": NaN}}', "-Infinity", "nonsense"),
        *(
            '{"pk": "Shop", "pk": "Other"}',
            '{"pk": "Shop" "at": 1}',
            '{"pk": [1, 2,]}',
            "{'pk': 1}",
        ),
        *('{"pk": "a, ]}{[" "b"}', '{"metrics": {"a": 1e99999999999999999999}}', "nul"),
        *('{"pk": "Shop", "metrics": {"a": ' + "9" * 2_000 + "}}", "[" * 4_000 + "]" * 4_000),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_item_that_is_not_json_is_refused_alone(whale: Client, item: str, place: int) -> None:
    sent = [json.dumps(SHOP), json.dumps(SHOP)]
    sent.insert(place, item)
    for body in (f"[{','.join(sent)}]", " [\n " + "\n,\t".join(sent) + "\n]\n"):
        answer = whale.post("/count", body)
        assert (answer.status, answer.json["accepted"]) == (200, 2)
        assert refusals(answer) == [(place, "event")]


@pytest.mark.parametrize("broken", [b'{"pk": "Gr\xfcn"}', b"\xff", b'{"pk": "\xed\xa0\x80"}'])
def test_an_event_that_is_not_utf_8_is_refused_alone(whale: Client, broken: bytes) -> None:
    sound = json.dumps({"pk": "Gr\u00fcn"}, ensure_ascii=False).encode()
    for body, kind in (
        (b"[" + b",".join([sound, broken, sound]) + b"]", JSON),
        (b"\n".join([sound, broken, sound]), LINES),
    ):
        answer = whale.post("/count", body, kind)
        assert (answer.status, answer.json["accepted"]) == (200, 2)
        assert refusals(answer) == [(1, "event")]
    assert total(whale, "Gr\u00fcn") == 4


@pytest.mark.parametrize(
    ("body", "kind"),
    [([3, {"pk": []}], JSON), (lines("{", "}"), LINES), (lines("{", "]"), JSON)],
)
def test_a_batch_that_is_all_wrong_is_refused(
    whale: Client, path: str, body: object, kind: str
) -> None:
    answer = whale.post(path, body, kind)
    assert answer.status == 400
    assert answer.json["accepted"] == 0
    assert [each["index"] for each in answer.json["rejected"]] == [0, 1]


@pytest.mark.parametrize(
    "body",
    [
        '[\n{"pk": "Shop"},\n{"pk": "Shop"}\n{"pk": "Shop"}\n]',
        '[\n{"pk": "Shop"},\n{"pk": "Shop"},\n',
        '[{"pk": "Shop"}, {"pk": "Shop"}',
        '[{"pk": "Shop"}, {"pk": "Shop}]',
        '[{"pk": "Shop"},]',
        '[{"pk": "Shop"},, {"pk": "Shop"}]',
        '[{"pk": "Shop"}] x',
        '[{"pk": "Shop"}]]',
        '[{"pk": "Shop"}, {"pk": ["Shop"}}]',
        "[",
    ],
)
def test_an_array_that_is_not_json_counts_nothing(whale: Client, body: str) -> None:
    answer = whale.post("/count", body)
    assert answer.status == 400
    assert answer.error["parameter"] == "body"
    assert "valid JSON" in answer.error["message"]
    assert total(whale, "Shop") == 0


# Ids


def test_an_event_that_was_there_already_is_accepted_and_called_a_duplicate(
    whale: Client, path: str
) -> None:
    events = [{"pk": "Shop", "id": id} for id in ("a", "b", "a", "c")]
    first = whale.post(path, events)
    assert first.json == {"accepted": 4, "rejected": [], "duplicates": 1}
    again = whale.post(path, lines(*events, {"pk": "Shop", "id": "d"}), LINES)
    assert again.json == {"accepted": 5, "rejected": [], "duplicates": 4}
    assert total(whale, "Shop") == 4


def test_the_same_id_under_another_root_is_another_event(whale: Client, path: str) -> None:
    events = [{"pk": pk, "id": "a"} for pk in ("Shop", "Blog", "Shop")]
    assert whale.post(path, events).json == {"accepted": 3, "rejected": [], "duplicates": 1}
    assert (total(whale, "Shop"), total(whale, "Blog")) == (1, 1)


# A full buffer


@pytest.fixture
def small_hail(make_services: Callable[..., Services]) -> Client:
    """Hail whose shards buffer two hits each."""
    return Client(hail_app(make_services(buffer_limit=2)))


def test_a_full_buffer_is_503_and_says_when_to_come_again(
    small_hail: Client, whale: Client, services: Services
) -> None:
    for _ in range(2):
        assert small_hail.get("/count", "pk=Shop").status == 200
    for answer in (small_hail.get("/count", "pk=Shop"), small_hail.post("/count", SHOP)):
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.error == {
            "parameter": None,
            "message": BUFFER_FULL,
        }
    assert services.drain.flush() == 2
    assert small_hail.get("/count", "pk=Shop").status == 200
    assert services.drain.flush() == 1
    assert total(whale, "Shop") == 3


def test_a_batch_that_fits_in_part_names_the_events_to_send_again(
    small_hail: Client, whale: Client, services: Services
) -> None:
    events: list[object] = [SHOP, 3, SHOP, SHOP, {"pk": "Blog"}, SHOP]
    answer = small_hail.post("/count", events)
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json["accepted"] == 3
    assert refusals(answer) == [(1, "event")]
    assert answer.json["unbuffered"] == [3, 5]
    services.drain.flush()
    again = small_hail.post("/count", [events[place] for place in answer.json["unbuffered"]])
    assert again.json == {"accepted": 2, "rejected": []}
    services.drain.flush()
    assert (total(whale, "Shop"), total(whale, "Blog")) == (4, 1)


def test_an_event_that_found_the_buffer_full_may_come_again_with_its_id(
    small_hail: Client, whale: Client, services: Services
) -> None:
    small_hail.post("/count", [SHOP, SHOP])
    assert small_hail.get("/count", "pk=Shop&id=order-1").status == 503
    services.drain.flush()
    for _ in range(2):
        assert small_hail.get("/count", "pk=Shop&id=order-1").status == 200
    services.drain.flush()
    assert total(whale, "Shop") == 3
