"""Events: one parser for every way in, and a hit that comes out of the buffer as it went in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from decimal import Context, Decimal, Inexact, localcontext
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.dimensions import parse_label
from hailwhale.core.event import (
    EVENT_PARAMETERS,
    Event,
    decode_head,
    decode_metrics,
    encode_hit,
    parse_event,
    split_hit,
)
from hailwhale.core.limits import Limits
from hailwhale.core.literal import parse_json, parse_literal
from hailwhale.core.metrics import parse_metric_name, within_bounds
from hailwhale.errors import BadInput

NOW_S = 1_767_225_600.75
NEW_YEAR_S = 1_767_225_600

T = TypeVar("T")

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.just(object()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=4)
    ),
    max_leaves=10,
)
names = st.sampled_from([*EVENT_PARAMETERS, "dimension", "metric", "_", "_t", "pks", "", "\ud800"])


def accepts(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except BadInput:
        return False
    return True


labels = st.text(min_size=1, max_size=8).filter(
    lambda text: text != "_" and accepts(parse_label, text)
)
metric_names = st.text(min_size=1, max_size=8).filter(lambda text: accepts(parse_metric_name, text))
amounts = st.builds(
    lambda units, decimals: Decimal(units).scaleb(-decimals, Context(prec=60)),
    st.integers(-(10**30) + 1, 10**30 - 1),
    st.integers(0, 30),
)
paths = st.lists(labels, min_size=1, max_size=4)
events = st.builds(
    lambda pk, dimensions, metrics, at_s: parse_event(
        {"pk": pk, "dimensions": dimensions, "metrics": metrics, "at": at_s}, NOW_S
    ),
    paths,
    st.lists(paths, max_size=4),
    st.dictionaries(metric_names, amounts, max_size=4),
    st.integers(-2_000_000_000, NEW_YEAR_S),
)


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
    from_body = parse_json(body, "body")
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
def test_what_is_not_an_object_is_no_event(value: object) -> None:
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
def test_an_event_is_held_to_the_limits_it_is_given(
    fields: dict[str, object], limits: Limits
) -> None:
    assert parse_event(fields, NOW_S)
    with pytest.raises(BadInput, match="at most 1 "):
        parse_event({"metrics": {"hits": 1}} | fields, NOW_S, limits)


@pytest.mark.parametrize(
    ("fields", "hit"),
    [
        ({}, '1767225600\t[["_"],[]]\t{"hits":1}'),
        (
            {"pk": ["Product", "123"], "dimensions": {"b": {"x": 1, "y": 2}}, "id": "unseen"},
            '1767225600\t[["Product","123"],[["b","x","1"],["b","y","2"]]]\t{"hits":1}',
        ),
        (
            {"metrics": {"z": "1e3", "a": "-.50", "Größe": 0}, "at": -1},
            '-1\t[["_"],[]]\t{"Größe":0,"a":-0.5,"hits":1,"z":1000}',
        ),
        (
            {"pk": 'say "hi"\\', "metrics": {'"x"': 1}},
            '1767225600\t[["say \\"hi\\"\\\\"],[]]\t{"\\"x\\"":1,"hits":1}',
        ),
    ],
)
def test_a_hit_is_compact_and_canonical(fields: dict[str, object], hit: str) -> None:
    assert encode_hit(parse_event(fields, NOW_S)).decode() == hit


@given(events)
@settings(max_examples=100, deadline=None)
def test_a_hit_comes_out_of_the_buffer_as_it_went_in(event: Event) -> None:
    at_s, head, metrics = split_hit(encode_hit(event))
    assert at_s == event.at_s
    assert decode_head(head) == (event.pk, event.dimensions)
    assert decode_metrics(metrics) == event.metrics


@given(events)
@settings(max_examples=50, deadline=None)
def test_the_same_event_in_another_order_is_the_same_hit(event: Event) -> None:
    backwards = dict(reversed(list(event.metrics.items())))
    again = Event(event.pk, event.dimensions, backwards, event.at_s, id="another")
    assert encode_hit(again) == encode_hit(event)


def test_whole_amounts_come_out_as_int_and_others_as_exact_decimals() -> None:
    found = decode_metrics(b'{"hits":1,"revenue":19.99}')
    assert [type(amount) for amount in found.values()] == [int, Decimal]
    assert found == {"hits": 1, "revenue": Decimal("19.99")}


@pytest.mark.parametrize(
    "hit",
    [
        b"",
        b"\t\t",
        b"1767225600",
        b'1767225600\t[["a"],[]]',
        b'1767225600\t[["a"],[]]\t{"hits":1}\t',
        b'x\t[["a"],[]]\t{"hits":1}',
        b'1.5\t[["a"],[]]\t{"hits":1}',
        b' 1767225600\t[["a"],[]]\t{"hits":1}',
        b'+1767225600\t[["a"],[]]\t{"hits":1}',
        b'1_767_225_600\t[["a"],[]]\t{"hits":1}',
        b'01\t[["a"],[]]\t{"hits":1}',
        b'-0\t[["a"],[]]\t{"hits":1}',
        b'99999999999\t[["a"],[]]\t{"hits":1}',
        b'-99999999999\t[["a"],[]]\t{"hits":1}',
        pytest.param(b"9" * 5000 + b'\t[["a"],[]]\t{"hits":1}', id="5000 digits"),
        b'\xff\t[["a"],[]]\t{"hits":1}',
    ],
)
def test_a_hit_without_an_instant_and_two_parts_is_malformed(hit: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        split_hit(hit)
    assert caught.value.parameter == "hit"


@pytest.mark.parametrize(
    "head",
    [
        "",
        "null",
        "{}",
        "[]",
        '[["a"]]',
        '[["a"],[],[]]',
        '[["a"],[]] ',
        ' [["a"],[]]',
        '[["a"],[]]x',
        '["a",[]]',
        "[[],[]]",
        '[[""],[]]',
        "[[1],[]]",
        "[[null],[]]",
        '[["a",["b"]],[]]',
        '[{"a":1},[]]',
        '[["a"],{}]',
        '[["a"],"b"]',
        '[["a"],["b"]]',
        '[["a"],[[]]]',
        '[["a"],[[""]]]',
        '[["a"],[["b",2]]]',
        '[["a"],[["_"]]]',
        '[["a"],[["b","_"]]]',
        '[["a\\u0000"],[]]',
        '[["a"],[["b\\t"]]]',
        '[["a"],[["\\u001f"]]]',
        '[["a\u2028"],[]]',
        '[["\\ud800"],[]]',
        "[" * 100_000,
        json.dumps([["a"] * 65, []]),
        json.dumps([["a"], [["b"] * 65]]),
        json.dumps([["a"], [[f"b{n}"] for n in range(1001)]]),
    ],
)
def test_a_head_that_no_event_could_have_is_malformed(head: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode_head(head.encode())
    assert caught.value.parameter == "hit"


@pytest.mark.parametrize(
    "metrics",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"a":1} ',
        '{"a":1}x',
        '{"a":true}',
        '{"a":null}',
        '{"a":"1"}',
        '{"a":[1]}',
        '{"a":{"b":1}}',
        '{"a":NaN}',
        '{"a":Infinity}',
        '{"a":.5}',
        '{"a":1,"a":2}',
        '{"a":1,"\\u0061":2}',
        '{"":1}',
        '{" a":1}',
        '{"a:b":1}',
        '{"a\\u003ab":1}',
        '{"a\\u0000":1}',
        '{"\\ud800":1}',
        '{"5":1}',
        '{"a":' + "9" * 31 + "}",
        '{"a":' + "9" * 5000 + "}",
        '{"a":' + "9" * 31 + ".5}",
        '{"a":0.' + "0" * 30 + "1}",
        '{"a":1e30}',
        '{"a":1e-31}',
        '{"a":1e999999999}',
        '{"a":1e-999999999}',
        '{"a":1e99999999999999999999}',
        '{"a":' * 50_000,
    ],
)
def test_metrics_that_no_event_could_have_are_malformed(metrics: str) -> None:
    for context in (Context(), Context(prec=400, traps=[Inexact])):
        with localcontext(context), pytest.raises(BadInput) as caught:
            decode_metrics(metrics.encode())
        assert caught.value.parameter == "hit"


def test_text_that_is_not_utf_8_is_malformed() -> None:
    for decode in (decode_head, decode_metrics):
        for encoded in (b'[["\xff"],[]]', b'{"\xed\xa0\x80":1}'):
            with pytest.raises(BadInput, match=r"^hit: got "):
                decode(encoded)


@given(anything | st.dictionaries(names | st.integers() | st.none(), anything, max_size=4))
@settings(max_examples=200, deadline=None)
def test_whatever_comes_in_is_an_event_that_can_be_buffered_or_bad_input(fields: object) -> None:
    try:
        event = parse_event(fields, NOW_S)  # type: ignore[arg-type]
    except BadInput as fault:
        assert str(fault).startswith(f"{fault.parameter}: got ")  # noqa: PT017
    else:
        at_s, head, metrics = split_hit(encode_hit(event))
        assert (at_s, *decode_head(head)) == (event.at_s, event.pk, event.dimensions)
        assert decode_metrics(metrics) == event.metrics


@given(st.binary() | st.text('[]{}",:\\u0019 abe-.', max_size=30).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_whatever_is_in_the_buffer_is_decoded_or_bad_input(encoded: bytes) -> None:
    for part in (encoded, b"[[" + encoded + b"],[]]"):
        if head := decoded(decode_head, part):
            assert all(head[0])
    for part in (encoded, b'{"a":' + encoded + b"}"):
        for amount in (decoded(decode_metrics, part) or {}).values():
            assert within_bounds(amount)
    if parts := decoded(split_hit, encoded):
        assert b"%d\t%b\t%b" % parts == encoded


def decoded(decode: Callable[[bytes], T], encoded: bytes) -> T | None:
    """What comes out, None for a refusal; any other exception is the test's to fail on."""
    try:
        return decode(encoded)
    except BadInput:
        return None
