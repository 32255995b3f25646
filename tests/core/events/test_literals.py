"""Literals: what text becomes which value, and what is refused with which reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Context, Decimal, localcontext

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.events.literals import parse_literal, parse_relaxed_json
from hailwhale.errors import BadInput

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
# Text that is nearly a literal finds more than text that is anything.
literal_like = st.lists(
    st.sampled_from([*"[]{},:'\"\\. -+eE019", "true", "null", "NaN", "\\u", "\\ud800", "é", "\n"])
).map("".join)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a"', "a"),
        ("7", 7),
        ("-7", -7),
        ("true", True),
        ("null", None),
        (" [1, 2] ", [1, 2]),
        ('{"a": {"b": []}}', {"a": {"b": []}}),
        ('"\\u00fc\\n"', "ü\n"),
        ('{"a": 1, "b": {"a": 1}}', {"a": 1, "b": {"a": 1}}),
        ('"\\ud800"', "\ud800"),
    ],
)
def test_json_becomes_plain_values(text: str, value: object) -> None:
    assert parse_relaxed_json(text, "body") == value


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("19.99", "19.99"),
        ("0.1", "0.1"),
        ("0.50", "0.50"),
        ("1e5", "1E+5"),
        ("0.12345678901234567890123", "0.12345678901234567890123"),
    ],
)
def test_a_number_with_a_fraction_or_exponent_is_an_exact_decimal(text: str, written: str) -> None:
    value = parse_relaxed_json(text, "body")
    assert isinstance(value, Decimal)
    assert str(value) == written


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "got ''; expected valid JSON: Expecting value at the end"),
        ("{", "Expecting property name enclosed in double quotes at the end"),
        ('{"a" 1}', "Expecting ':' delimiter at '1}'"),
        ("[1,]", "at "),
        ("[1] [2]", "Extra data at '[2]'"),
        ("['a']", "Expecting value at \"'a']\""),
        ("[.5]", "Expecting value at '.5]'"),
        ("[01]", "delimiter at '1]'"),
        ('"\n"', "Invalid control character at '"),
        ("\ufeff[]", "BOM"),
        ('{"a": 1, "a": 2}', "expected each key only once, but 'a' is repeated"),
        ('[{"b": {"a": 1, "\\u0061": 2}}]', "expected each key only once, but 'a' is repeated"),
        ("NaN", "expected finite numbers, not NaN"),
        ("[Infinity]", "expected finite numbers, not Infinity"),
        ('{"a": -Infinity}', "expected finite numbers, not -Infinity"),
        ("[" * 100_000, "expected JSON that is nested less deeply"),
        ('{"a":' * 100_000, "expected JSON that is nested less deeply"),
        ("9" * 1001, "expected numbers of at most 1000 digits"),
        ("[" + "9" * 100_000 + "]", "expected numbers of at most 1000 digits"),
        ("1e99999999999999999999", "expected JSON numbers with smaller exponents"),
    ],
)
def test_json_that_is_not_strict_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_relaxed_json(text, "body")
    assert caught.value.parameter == "body"
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("['a', 'b', 'c']", ["a", "b", "c"]),
        ("""{'a': "L'Aquila"}""", {"a": "L'Aquila"}),
        ("""['L\\'Aquila', 'say "hi"', 'a \\"b\\" c']""", ["L'Aquila", 'say "hi"', 'a "b" c']),
        ("['\\u00fc', '\\\\', '\\n']", ["ü", "\\", "\n"]),
        ("['']", [""]),
        ("""["it's", 'a, "b": .5']""", ["it's", 'a, "b": .5']),
        ('{"spent": .50}', {"spent": Decimal("0.50")}),
        (
            "[-.5, .5e3, 1.5, -1.5, 0.5]",
            [Decimal(n) for n in ("-0.5", "5E+2", "1.5", "-1.5", "0.5")],
        ),
        ("  {'a': {'b': [true, false, null, 1]}}  ", {"a": {"b": [True, False, None, 1]}}),
        ("\n[\n]", []),
        ("{}", {}),
    ],
)
def test_a_query_value_may_be_relaxed_json(text: str, value: object) -> None:
    assert parse_literal(text, "dimensions") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "_",
        "Product",
        " Product ",
        "19.99",
        ".5",
        "true",
        "'a'",
        '"a"',
        "a[1]",
        "L'Aquila",
        "a{",
    ],
)
def test_any_other_text_is_itself(text: str) -> None:
    assert parse_literal(text, "pk") == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "['a' 'b']",
            "got \"['a' 'b']\"; expected valid JSON: Expecting ',' delimiter at '\"b\"]'",
        ),
        ("['L'Aquila']", "Expecting ',' delimiter at "),
        ("['a", 'Expecting value at "\'a"'),
        ("['a\\", "Expecting value at "),
        ('["a', "Unterminated string"),
        ("[", "Expecting value at the end"),
        ("['a']]", "Extra data at ']'"),
        ("{a: 1}", "Expecting property name enclosed in double quotes at 'a: 1}'"),
        ("[..5]", "Expecting value at '..5]'"),
        ("[+.5]", "Expecting value at '+.5]'"),
        ("[5.]", "delimiter at '.]'"),
        ("[.]", "Expecting value at '.]'"),
        ("[.٣]", "Expecting value at '.٣]'"),
        ("[True]", "Expecting value at 'True]'"),
        ("['a\nb']", "Invalid control character"),
        ("['\\x41']", "Invalid \\escape"),
        ("{'a': 1, \"a\": 2}", "expected each key only once, but 'a' is repeated"),
        ("[NaN]", "expected finite numbers, not NaN"),
        ("[[[" * 50_000, "expected JSON that is nested less deeply"),
    ],
)
def test_a_broken_literal_is_refused_showing_the_place(text: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_literal(text, "dimensions")
    assert caught.value.parameter == "dimensions"
    assert message in caught.value.message


@pytest.mark.parametrize("piece", ["'\\", '"\\', "\\'", '\\"', "'\"", ".", "-", "1", "[", "{'"])
def test_hostile_text_of_the_largest_event_is_refused_without_being_looked_at_twice(
    piece: str,
) -> None:
    with pytest.raises(BadInput):
        parse_literal("[" + piece * (65_536 // len(piece)), "dimensions")


def test_a_caller_that_traps_nothing_gets_no_exception_for_a_monstrous_exponent() -> None:
    with localcontext(Context(traps=[])):
        value = parse_relaxed_json("[1e99999999999999999999]", "body")
    assert isinstance(value, list)
    assert value[0].is_nan()


@given(plain_values)
@settings(max_examples=200, deadline=None)
def test_strict_json_reads_the_same_relaxed(value: object) -> None:
    text = json.dumps([value])
    assert parse_literal(text, "body") == parse_relaxed_json(text, "body") == [value]


@given(st.lists(st.text()))
@settings(max_examples=200, deadline=None)
def test_any_text_reads_back_from_single_quotes(labels: list[str]) -> None:
    quoted = ["'" + json.dumps(label)[1:-1].replace("'", "\\'") + "'" for label in labels]
    assert parse_literal(f"[{', '.join(quoted)}]", "options") == labels


@given(st.text() | literal_like)
@settings(max_examples=200, deadline=None)
def test_whatever_the_text_only_bad_input_naming_the_parameter_is_raised(text: str) -> None:
    for whole in (text, f"[{text}]", f"{{{text}}}"):
        assert blamed(parse_relaxed_json, whole) in ("body", None)
        assert blamed(parse_literal, whole) in ("body", None)


def blamed(parse: Callable[[str, str], object], text: str) -> str | None:
    """The parameter that a refusal names, None when the text is accepted."""
    try:
        parse(text, "body")
    except BadInput as fault:
        return fault.parameter
    return None
