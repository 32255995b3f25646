"""Metrics: accepted forms, names, and that an amount is never rounded on its way in or out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.events.limits import Limits
from hailwhale.core.events.literals import parse_relaxed_json
from hailwhale.core.events.metrics import parse_metric_name, parse_metrics
from hailwhale.core.numbers import as_number, decimal_text, finite, parse_number, within_bounds
from hailwhale.core.query.formula import Formula
from hailwhale.errors import BadInput

# Every amount that is within bounds: up to 30 digits before the point and 30 after it.
amounts = st.builds(
    lambda units, decimals: Decimal(units).scaleb(-decimals, Context(prec=60)),
    st.integers(-(10**30) + 1, 10**30 - 1),
    st.integers(0, 30),
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=5)
    | st.text("0123456789.-+eE_ ", max_size=8)
    | st.binary(max_size=3)
    | st.just(object()),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=4)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "metrics"),
    [
        (None, {"hits": "1"}),
        ({}, {"hits": "1"}),
        ([], {"hits": "1"}),
        ("sales", {"sales": "1", "hits": "1"}),
        (["sales"], {"sales": "1", "hits": "1"}),
        (("sales", "views"), {"sales": "1", "views": "1", "hits": "1"}),
        ("hits", {"hits": "1"}),
        ({"revenue": 19.99, "sales": 1}, {"revenue": "19.99", "sales": "1", "hits": "1"}),
        ({"hits": 0}, {"hits": "0"}),
        ({"hits": 5, "a": 1}, {"hits": "5", "a": "1"}),
        ({"dollars": -2000}, {"dollars": "-2000", "hits": "1"}),
        ({"spent": Decimal("0.50")}, {"spent": "0.5", "hits": "1"}),
        ({"a": "19.99"}, {"a": "19.99", "hits": "1"}),
        ({"a": "-3"}, {"a": "-3", "hits": "1"}),
        ({"a": ".5"}, {"a": "0.5", "hits": "1"}),
        ({"a": "1e3"}, {"a": "1000", "hits": "1"}),
    ],
)
def test_metrics_come_as_an_object_a_list_of_names_or_a_name(
    value: object, metrics: dict[str, str]
) -> None:
    found = parse_metrics(value)
    assert {name: str(amount) for name, amount in found.items()} == metrics
    assert list(found) == list(metrics)
    assert all(type(amount) is Decimal for amount in found.values())


@pytest.mark.parametrize(
    "value",
    [
        "",
        5,
        1.5,
        True,
        b"hits",
        object(),
        {"a": True},
        {"a": None},
        {"a": "x"},
        {"a": ""},
        {"a": [1]},
        {"a": {"b": 1}},
        {"a": math.nan},
        {"a": math.inf},
        {"": 1},
        {1: 1},
        {None: 1},
        ["a", "a"],
        ["a", 1],
        [None],
        [["a"]],
        "a/b",
        {"a:sum": 1},
    ],
)
def test_no_other_value_is_metrics(value: object) -> None:
    with pytest.raises(BadInput) as caught:
        parse_metrics(value)
    assert caught.value.parameter == "metrics"


@pytest.mark.parametrize("value", [None, {}, [], {"queued": 12}, {"hits": 3, "a": 2}])
def test_hits_are_not_added_when_a_value_is_to_be_set(value: dict[str, int]) -> None:
    assert parse_metrics(value, add_hits=False) == dict(value or {})


def test_an_event_may_name_as_many_metrics_as_the_limit_and_hits_come_free() -> None:
    limits = Limits(metrics=2)
    assert list(parse_metrics({"a": 1, "b": 2}, limits)) == ["a", "b", "hits"]
    with pytest.raises(BadInput, match="at most 2 metrics"):
        parse_metrics({"a": 1, "b": 2, "hits": 1}, limits)


@pytest.mark.parametrize(
    "name",
    [
        "hits",
        "page-views",
        "page- views",
        "Größe in cm.",
        "売上",
        "404 errors",
        "1e3x",
        "a.b",
        "5%",
        "$",
        "_count",
        "hits -",
        "x" * 256,
    ],
)
def test_a_metric_name_may_be_almost_any_label(name: str) -> None:
    assert parse_metric_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *(f"a{sign}b" for sign in "/:()*+,"),
        "",
        " ",
        " a",
        "a ",
        "a\u00a0",
        "-a",
        "-",
        "a - b",
        "5",
        "-5",
        "1e3",
        "1E-3",
        ".5",
        "5.",
        "0.5",
        "a\nb",
        "a\x00",
        "a\u2028b",
        "\ud800",
        "x" * 257,
        5,
        True,
        None,
        ["a"],
    ],
)
def test_a_name_that_a_formula_or_a_cell_cannot_hold_is_refused(name: object) -> None:
    with pytest.raises(BadInput) as caught:
        parse_metric_name(name, parameter="by_metric")
    assert caught.value.parameter == "by_metric"


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" -./")))
@settings(max_examples=200, deadline=None)
def test_a_metric_name_read_as_a_formula_is_that_metric(text: str) -> None:
    if accepts(parse_metric_name, text):
        assert Formula.parse(text).metrics == (text,)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        ("-0", "0"),
        ("0.000", "0"),
        ("0e99", "0"),
        (1, "1"),
        (-1.9, "-1.9"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e22, "10000000000000000000000"),
        (1e-7, "0.0000001"),
        ("+5", "5"),
        (" 5 ", "5"),
        ("5.", "5"),
        ("007", "7"),
        ("19.990", "19.99"),
        ("1E+5", "100000"),
        ("1e-30", "0." + "0" * 29 + "1"),
        (Decimal("1E+29"), "1" + "0" * 29),
        (10**30 - 1, "9" * 30),
        (1 - 10**30, "-" + "9" * 30),
        ("9" * 30 + "." + "9" * 30, "9" * 30 + "." + "9" * 30),
        ("1." + "0" * 500, "1"),
        ("0" * 500 + "1", "1"),
        ("0.12345678901234567", "0.12345678901234567"),
        ("12345678901234567.89", "12345678901234567.89"),
    ],
)
def test_an_amount_is_exactly_what_was_given(value: object, text: str) -> None:
    number = parse_number(value)
    assert f"{number:f}" == text
    assert decimal_text(number) == text


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(10**30, id="10^30"),
        pytest.param(-(10**30), id="-10^30"),
        pytest.param(10**9999, id="10^9999"),
        1e30,
        1e300,
        1e-31,
        "1e30",
        "1e-31",
        "0." + "0" * 30 + "1",
        "9" * 30 + "." + "9" * 31,
        "1e999999999",
        "-1e999999999",
        "1e-999999999",
        "1e99999999999999999999",
        Decimal("1E+999999"),
        Decimal("1E-999999"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        math.nan,
        -math.inf,
        True,
        False,
        None,
        "",
        " ",
        ".",
        "-",
        "e5",
        "1e",
        "1e5.0",
        "1_000",
        "1,5",
        "1 000",
        "0x10",
        "٣",
        "５",
        "nan",
        "inf",
        "--5",
        "1" * 100_000 + "x",
        b"5",
        [5],
        5j,
        object(),
    ],
)
def test_no_other_value_is_an_amount(value: object) -> None:
    with pytest.raises(BadInput) as caught:
        parse_number(value, "threshold")
    assert caught.value.parameter == "threshold"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-5, "-5"),
        (100, "100"),
        (10**40, "1" + "0" * 40),
        (Decimal(0), "0"),
        (Decimal("-0.00"), "0"),
        (Decimal("1E+5"), "100000"),
        (Decimal(100), "100"),
        (Decimal("100.00"), "100"),
        (Decimal("-0.50"), "-0.5"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("1234567890" * 10 + ".5"), "1234567890" * 10 + ".5"),
    ],
)
def test_a_number_is_written_in_plain_digits(value: Decimal | int, text: str) -> None:
    assert decimal_text(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("3", 3),
        ("3.00", 3),
        ("-0.0", 0),
        ("1E+20", 10**20),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("19.99", 19.99),
        ("-0.5", -0.5),
        ("19.990", 19.99),
        ("12345678901234.5", 12345678901234.5),
        ("0.12345678901234567890", Decimal("0.1234567890123456789")),
        ("12345678901234567.89", Decimal("12345678901234567.89")),
        ("1E-400", Decimal("1E-400")),
    ],
)
def test_an_answer_is_the_plainest_number_that_says_the_same(value: str, number: object) -> None:
    found = as_number(Decimal(value))
    assert found == number
    assert type(found) is type(number)


@given(amounts)
@settings(max_examples=200, deadline=None)
def test_an_amount_survives_being_written_and_read_in_every_form(amount: Decimal) -> None:
    text = decimal_text(amount)
    assert Decimal(text) == amount
    assert decimal_text(Decimal(text)) == text
    assert parse_number(text) == parse_number(amount) == amount
    assert parse_number(parse_relaxed_json(text, "body")) == amount
    assert within_bounds(parse_number(amount))


@given(amounts)
@settings(max_examples=200, deadline=None)
def test_a_caller_of_little_precision_loses_nothing(amount: Decimal) -> None:
    exact = decimal_text(amount)
    with localcontext(Context(prec=3)):
        assert decimal_text(parse_number(exact)) == exact
        assert decimal_text(amount) == exact
        assert decimal_text(Decimal(str(as_number(amount)))) == exact


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e29, max_value=1e29))
@settings(max_examples=200, deadline=None)
def test_a_float_comes_back_as_the_same_float(number: float) -> None:
    if accepts(parse_number, number):
        assert float(as_number(parse_number(number))) == number


@given(amounts)
@settings(max_examples=200, deadline=None)
def test_a_number_in_an_answer_says_exactly_the_sum(amount: Decimal) -> None:
    number = as_number(amount)
    if isinstance(number, int | float):
        assert json.loads(json.dumps(number), parse_float=Decimal) == amount
    else:
        assert number is amount
        assert Decimal(repr(float(amount))) != amount


@given(anything)
@settings(max_examples=200, deadline=None)
def test_whatever_comes_in_is_metrics_or_bad_input(value: object) -> None:
    if accepts(parse_metrics, value):
        found = parse_metrics(value)
        assert "hits" in found
        assert all(within_bounds(amount) for amount in found.values())
    if accepts(parse_number, value):
        assert parse_number(value) == finite(value)


def accepts(parse: Callable[[object], object], value: object) -> bool:
    """Whether a value is taken; any other exception than BadInput is the test's to fail on."""
    try:
        parse(value)
    except BadInput:
        return False
    return True
