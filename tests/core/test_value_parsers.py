"""Every reader of values: what it takes, and what it says of the rest, to the letter."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.core.value_parsers import (
    is_absent,
    parse_bool,
    parse_decimal,
    parse_enum,
    parse_int,
    parse_name,
    parse_pattern,
    parse_text,
    parse_texts,
)
from hailwhale.errors import BadInput

HUGE = 10**5000  # more digits than Python turns into text
READERS: dict[str, Callable[[object, str], object]] = {
    "int": partial(parse_int, minimum=0, maximum=8, default=3),
    "bool": parse_bool,
    "decimal": parse_decimal,
    "decimal from": partial(parse_decimal, minimum=Decimal(0)),
    "share": partial(parse_decimal, minimum=0, maximum=1),
    "weight": partial(parse_decimal, minimum=0, maximum=1e6),
    "enum": partial(parse_enum, words=("line", "area")),
    "goal": partial(parse_enum, words=("max", "min"), expected="max or min"),
    "text": parse_text,
    "pattern": partial(parse_pattern, form=re.compile("[a-z]+"), expected="letters"),
    "texts": parse_texts,
    "name": parse_name,
}


@pytest.mark.parametrize(
    ("reader", "value", "found"),
    [
        *(("int", None, 3), ("int", "", 3), ("int", "0", 0), ("int", 8, 8), ("int", "2.0", 2)),
        *(("bool", value, True) for value in (True, 1, "1", "true", " True ")),
        *(("bool", value, False) for value in (False, 0, "0", "false", "", None, "None")),
        *(("decimal", " -.5 ", Decimal("-0.5")), ("decimal", 1e3, Decimal("1000.0"))),
        *(("decimal from", 0, Decimal(0)), ("share", "1", Decimal(1))),
        *(("enum", None, "line"), ("enum", "", "line"), ("enum", "area", "area")),
        *(("goal", "min", "min"), ("goal", "", "max")),
        *(
            ("text", None, ""),
            ("text", "a b", "a b"),
            ("text", 7, "7"),
            ("text", "x" * 200, "x" * 200),
        ),
        *(("pattern", "abc", "abc"), ("pattern", None, ""), ("pattern", "", "")),
        *(("texts", None, []), ("texts", "a , b", ["a", "b"]), ("texts", ("a",), ["a"])),
        *(("name", None, None), ("name", "", ""), ("name", 7, 7), ("name", "ann", "ann")),
    ],
)
def test_it_reads(reader: str, value: object, found: object) -> None:
    read = READERS[reader](value, "given")
    assert read == found
    assert type(read) is type(found)


REFUSED: list[tuple[str, str, list[object]]] = [
    ("int", "a whole number from 0 to 8", [9, -1, 2.5, "x", True, HUGE]),
    ("bool", "1 or 0", [2, "yes", [], {}, 0.5, HUGE]),
    ("decimal", "a number", ["x", "nan", True, [], None, ""]),
    ("decimal from", "a number from 0", [-1, "x", None]),
    ("share", "a number from 0 to 1", [1.01, -1, "inf", HUGE, "", None]),
    ("weight", "a number from 0 to 1e+06", [1e7, "a"]),
    ("enum", "one of line area", ["Line", 1, [], HUGE]),
    ("goal", "max or min", ["mean", 0, []]),
    ("text", "a string", [[], {}, ()]),
    ("text", "a line of at most 200 characters", ["x" * 201, "a\nb", HUGE]),
    ("pattern", "letters", ["ABC", "abc1", 1]),
    ("texts", "a string or a list of strings", [1, [1], {"a": 1}, [["a"]]]),
    ("name", "a string or a whole number", [True, 1.5, [], {}]),
]


@pytest.mark.parametrize(
    ("reader", "expected", "value"),
    [
        pytest.param(reader, expected, value, id=f"{reader}-{place}")
        for reader, expected, values in REFUSED
        for place, value in enumerate(values)
    ],
)
def test_it_refuses_by_name(reader: str, expected: str, value: object) -> None:
    with pytest.raises(BadInput) as refused:
        READERS[reader](value, "given")
    assert refused.value.parameter == "given"
    assert str(refused.value).startswith("given: got ")
    assert str(refused.value).endswith(f"; expected {expected}")


@given(
    st.sampled_from(sorted(READERS)),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.none().map(lambda _: HUGE),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=4,
    ),
)
def test_whatever_comes_is_read_or_refused_by_name(reader: str, value: object) -> None:
    parameter = "given"
    try:
        READERS[reader](value, "given")
    except BadInput as refused:
        parameter = refused.parameter
    assert parameter == "given"


@pytest.mark.parametrize("reader", ["int", "bool", "enum", "goal", "text", "pattern", "texts"])
def test_an_empty_text_is_as_absent_as_none(reader: str) -> None:
    assert READERS[reader]("", "given") == READERS[reader](None, "given")


def test_what_is_absent_is_none_or_an_empty_text() -> None:
    assert is_absent(None)
    assert is_absent("")
    assert not any(map(is_absent, (0, False, [], " ")))
