"""Events: one parser for every way in."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.events.event import Event, parse_event
from hailwhale.core.events.hit_codec import encode_hit
from hailwhale.core.events.limits import Limits
from hailwhale.core.events.literals import parse_literal, parse_relaxed_json
from hailwhale.errors import BadInput
from tests.core.events.samples import NEW_YEAR_S, NOW_S, anything, decoded_hit, names


def test_an_event_is_pk_dimensions_metrics_time_and_id() -> None:
    fields = {
        "pk": ["Product", 123],
        "dimensions": {"country": "US", "device": "Mac OS X"},
        "metrics": {"revenue": 19.99, "sales": 1},
        "at": "2026-01-01",
        "id": "order 7",
    }
    assert parse_event(fields, NOW_S) == Event(
        pk=("Product", "123"),
        dimensions=(("country", "US"), ("device", "Mac OS X")),
        metrics={"revenue": Decimal("19.99"), "sales": Decimal(1), "hits": Decimal(1)},
        at_s=NEW_YEAR_S,
        id="order 7",
    )


def test_an_event_of_nothing_is_a_hit_now() -> None:
    assert parse_event({}, NOW_S) == Event(("_",), (), {"hits": Decimal(1)}, NEW_YEAR_S, None)


def test_hits_are_not_added_when_a_value_is_to_be_set() -> None:
    event = parse_event({"metrics": {"queued": 12}}, NOW_S, add_hits=False)
    assert event.metrics == {"queued": 12}


def test_an_event_cannot_be_changed() -> None:
    event = parse_event({}, NOW_S)
    with pytest.raises(FrozenInstanceError):
        event.at_s = 0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fields", "same"),
    [
        ({"dimension": "a"}, {"dimensions": "a"}),
        ({"metric": "a"}, {"metrics": "a"}),
        (
            {"metric": {"a": 1}, "dimension": ["b", "c"]},
            {"metrics": ["a"], "dimensions": {"b": "c"}},
        ),
        ({"_": "1767225600123", "_cachebuster": {}}, {}),
        ({"pk": 1, "id": 5}, {"pk": "1", "id": "5"}),
        ({"pk": None, "dimensions": None, "metrics": None, "at": None, "id": None}, {}),
    ],
)
def test_these_fields_say_the_same(fields: dict[str, object], same: dict[str, object]) -> None:
    assert parse_event(fields, NOW_S) == parse_event(same, NOW_S)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (
            {"pk": "['Product', 123]", "metrics": "{'spent': .50}"},
            '{"pk": ["Product", 123], "metrics": {"spent": 0.5}}',
        ),
        (
            {"dimension": """{'city': "L'Aquila"}""", "metric": "sales"},
            '{"dimensions": {"city": "L\'Aquila"}, "metrics": ["sales"]}',
        ),
        (
            {"dimensions": "[['a', 'b'], ['c']]", "at": "1767225600"},
            '{"dimensions": [["a", "b"], ["c"]], "at": 1767225600}',
        ),
    ],
)
def test_a_query_and_a_body_and_the_library_make_the_same_event(
    query: dict[str, str], body: str
) -> None:
    from_query = parse_event({k: parse_literal(v, k) for k, v in query.items()}, NOW_S)
    from_body = parse_relaxed_json(body, "body")
    assert isinstance(from_body, dict)
    assert parse_event(from_body, NOW_S) == from_query
    assert parse_event(json.loads(body), NOW_S) == from_query


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"pk": {}}, "pk"),
        ({"dimensions": {"": "v"}}, "dimensions"),
        ({"dimension": {"": "v"}}, "dimensions"),
        ({"metrics": {"a": "x"}}, "metrics"),
        ({"metric": {"a": "x"}}, "metrics"),
        ({"at": "soon"}, "at"),
        ({"at": NOW_S + 86_402}, "at"),
        ({"id": ""}, "id"),
        ({"id": " "}, "id"),
        ({"id": "a\nb"}, "id"),
        ({"id": "x" * 257}, "id"),
        ({"id": True}, "id"),
        ({"id": 1.5}, "id"),
        ({"id": ["a"]}, "id"),
        ({"dimension": "a", "dimensions": "a"}, "dimensions"),
        ({"metric": "a", "metrics": "b"}, "metrics"),
        ({"metrcis": "a"}, "metrcis"),
        ({"PK": "a"}, "PK"),
        ({"": "a"}, "parameter"),
    ],
)
def test_a_field_that_is_wrong_is_named(fields: dict[str, object], parameter: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_event(fields, NOW_S)
    assert caught.value.parameter == parameter


def test_an_unknown_field_is_refused_with_the_known_ones_and_the_closest() -> None:
    with pytest.raises(BadInput) as caught:
        parse_event({"dimentions": {"country": "US"}}, NOW_S)
    assert all(name in caught.value.message for name in ("pk", "metric(s)", "at", "id"))
    assert caught.value.message.endswith("did you mean dimensions?")


@pytest.mark.parametrize("value", [None, 5, "pk", ["pk"], [("pk", "a")], b"{}"])
def test_only_an_object_is_an_event(value: object) -> None:
    with pytest.raises(BadInput, match=r"^event: got .*; expected an object with pk, dimensions"):
        parse_event(value, NOW_S)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "limits"),
    [
        ({"pk": ["a", "b"]}, Limits(depth=1)),
        ({"dimensions": ["a", "b"]}, Limits(depth=1)),
        ({"dimensions": {"a": ["b", "c"]}}, Limits(paths=1)),
        ({"metrics": ["a", "b"]}, Limits(metrics=1)),
        ({"pk": "ab"}, Limits(label_bytes=1)),
        ({"dimensions": {"a": "é"}}, Limits(label_bytes=1)),
        ({"id": "ab"}, Limits(label_bytes=1)),
    ],
)
def test_an_event_is_checked_against_the_limits(fields: dict[str, object], limits: Limits) -> None:
    assert parse_event(fields, NOW_S)
    with pytest.raises(BadInput, match="at most 1 "):
        parse_event({"metrics": {"hits": 1}} | fields, NOW_S, limits)


@given(anything | st.dictionaries(names | st.integers() | st.none(), anything, max_size=4))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_in_is_an_event_that_can_be_buffered_or_bad_input(fields: object) -> None:
    try:
        event = parse_event(fields, NOW_S)  # type: ignore[arg-type]
    except BadInput as fault:
        assert str(fault).startswith(f"{fault.parameter}: got ")  # noqa: PT017
    else:
        assert decoded_hit(encode_hit(event)) == replace(event, id=None)
