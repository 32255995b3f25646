"""Hits: what comes out of the buffer is what went in, and what is none of ours is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.events.event import Event, parse_event
from hailwhale.core.events.hit_codec import (
    decode_amount,
    decode_head,
    decode_instant,
    encode_hit,
    split_hit,
)
from hailwhale.core.numbers import within_bounds
from hailwhale.errors import BadInput
from tests.core.events.samples import NOW_S, decoded_hit, events

T = TypeVar("T")


@pytest.mark.parametrize(
    ("fields", "hit"),
    [
        ({}, '1767225600\t[["_"],[],["hits"]]\t1'),
        (
            {"pk": ["Product", "123"], "dimensions": {"b": {"x": 1, "y": 2}}, "id": "unseen"},
            '1767225600\t[["Product","123"],[["b","x","1"],["b","y","2"]],["hits"]]\t1',
        ),
        (
            {"metrics": {"z": "1e3", "a": "-.50", "Größe": 0}, "at": "1969-12-31T23:59:59Z"},
            '-1\t[["_"],[],["Größe","a","hits","z"]]\t0,-0.5,1,1000',
        ),
        (
            {"pk": 'say "hi"\\', "metrics": {'"x"': 1}},
            '1767225600\t[["say \\"hi\\"\\\\"],[],["\\"x\\"","hits"]]\t1,1',
        ),
    ],
)
def test_a_hit_is_compact_and_canonical(fields: dict[str, object], hit: str) -> None:
    assert encode_hit(parse_event(fields, NOW_S)).decode() == hit


@given(events)
@settings(max_examples=100, deadline=None)
def test_a_hit_comes_out_of_the_buffer_as_it_went_in(event: Event) -> None:
    assert decoded_hit(encode_hit(event)) == replace(event, id=None)


@given(events)
@settings(max_examples=50, deadline=None)
def test_the_same_event_in_another_order_is_the_same_hit(event: Event) -> None:
    backwards = dict(reversed(list(event.metrics.items())))
    again = Event(event.pk, event.dimensions, backwards, event.at_s, id="another")
    assert encode_hit(again) == encode_hit(event)


def test_whole_amounts_come_out_as_int_and_others_as_exact_decimals() -> None:
    found = [decode_amount(text) for text in (b"1", b"19.99", b"-0.5", b"0")]
    assert found == [1, Decimal("19.99"), Decimal("-0.5"), 0]
    assert [type(amount) for amount in found] == [int, Decimal, Decimal, int]


@pytest.mark.parametrize(
    "hit",
    [
        b"",
        b"\t",
        b"1767225600",
        b'1767225600\t[["a"],[],["hits"]]',
        b"1\t2\t3\t",
        b"1\t2\t3\tAnn",
        b"1\t2\t3\t0123456789ab\t",
    ],
)
def test_a_hit_that_is_not_three_parts_is_malformed(hit: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        split_hit(hit)
    assert caught.value.parameter == "hit"


@pytest.mark.parametrize(
    "at",
    [
        b"",
        b"x",
        b"1.5",
        b" 1767225600",
        b"+1767225600",
        b"1_767_225_600",
        b"01",
        b"-0",
        b"--1",
        b"1-",
        b"99999999999",
        b"-99999999999",
        pytest.param(b"9" * 5000, id="5000 digits"),
        b"\xff",
        "\u0661".encode(),
    ],
)
def test_an_instant_that_no_event_could_have_is_malformed(at: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        decode_instant(at)
    assert caught.value.parameter == "hit"


@pytest.mark.parametrize(
    "head",
    [
        "",
        "null",
        "{}",
        "[]",
        '[["a"],[]]',
        '[["a"],[],[]]',
        '[["a"],[],["hits"],[]]',
        '[["a"],[],["hits"]] ',
        ' [["a"],[],["hits"]]',
        '[["a"],[],["hits"]]x',
        '["a",[],["hits"]]',
        '[[],[],["hits"]]',
        '[[""],[],["hits"]]',
        "[[1],[],['hits']]",
        "[[null],[],['hits']]",
        '[["a",["b"]],[],["hits"]]',
        '[{"a":1},[],["hits"]]',
        '[["a"],{},["hits"]]',
        '[["a"],"b",["hits"]]',
        '[["a"],["b"],["hits"]]',
        '[["a"],[[]],["hits"]]',
        '[["a"],[[""]],["hits"]]',
        '[["a"],[["b",2]],["hits"]]',
        '[["a"],[["_"]],["hits"]]',
        '[["a"],[["b","_"]],["hits"]]',
        '[["a\\u0000"],[],["hits"]]',
        '[["a"],[["b\\t"]],["hits"]]',
        '[["a"],[["\\u001f"]],["hits"]]',
        '[["a\u2028"],[],["hits"]]',
        '[["\\ud800"],[],["hits"]]',
        "[" * 100_000,
        json.dumps([["a"] * 65, [], ["hits"]]),
        json.dumps([["a"], [["b"] * 65], ["hits"]]),
        json.dumps([["a"], [[f"b{n}"] for n in range(1001)], ["hits"]]),
        '[["a"],[],{}]',
        '[["a"],[],"hits"]',
        '[["a"],[],[1]]',
        '[["a"],[],[null]]',
        '[["a"],[],[""]]',
        '[["a"],[],["hits","hits"]]',
        '[["a"],[],["a","\\u0061"]]',
        '[["a"],[],[" a"]]',
        '[["a"],[],["a:b"]]',
        '[["a"],[],["a\\u003ab"]]',
        '[["a"],[],["a\\u0000"]]',
        '[["a"],[],["\\ud800"]]',
        '[["a"],[],["5"]]',
        json.dumps([["a"], [], [f"m{n}" for n in range(1001)]]),
    ],
)
def test_a_head_that_no_event_could_have_is_malformed(head: str) -> None:
    with pytest.raises(BadInput) as caught:
        decode_head(head.encode())
    assert caught.value.parameter == "hit"


@pytest.mark.parametrize(
    "amount",
    [
        b"",
        b" 1",
        b"1 ",
        b"1\n",
        b"+1",
        b"01",
        b"1.",
        b".5",
        b"1e3",
        b"1,2",
        b"NaN",
        b"Infinity",
        b"true",
        b"--1",
        b"1_0",
        b"9" * 31,
        b"9" * 5000,
        b"9" * 31 + b".5",
        b"0." + b"0" * 30 + b"1",
        "\u0661".encode(),
    ],
)
def test_an_amount_that_no_event_could_have_is_malformed(amount: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        decode_amount(amount)
    assert caught.value.parameter == "hit"


def test_a_head_that_is_not_utf_8_is_malformed() -> None:
    for encoded in (b'[["\xff"],[],["hits"]]', b'[["\xed\xa0\x80"],[],["hits"]]'):
        with pytest.raises(BadInput, match=r"^hit: got "):
            decode_head(encoded)


@given(st.binary() | st.text('[]{}",:\\u0019 abe-.', max_size=30).map(str.encode))
@settings(max_examples=200, deadline=None)
def test_whatever_is_in_the_buffer_is_decoded_or_bad_input(encoded: bytes) -> None:
    for part in (encoded, b"[[" + encoded + b'],[],["hits"]]'):
        if head := decoded(decode_head, part):
            assert all(head.pk)
    if (amount := decoded(decode_amount, encoded)) is not None:
        assert within_bounds(amount)
    if (at_s := decoded(decode_instant, encoded)) is not None:
        assert b"%d" % at_s == encoded
    if parts := decoded(split_hit, encoded):
        assert b"\t".join(parts[: 4 if parts[3] else 3]) == encoded


def decoded(decode: Callable[[bytes], T], encoded: bytes) -> T | None:
    """What comes out, None for a refusal; any other exception is the test's to fail on."""
    try:
        return decode(encoded)
    except BadInput:
        return None
