"""Paths: every accepted form of pk and dimensions, every refusal, and that paths read back."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.events.limits import Limits
from hailwhale.core.events.literals import parse_literal
from hailwhale.core.events.paths import (
    OVERALL,
    UNPRINTABLE,
    Path,
    expand,
    parse_dimensions,
    parse_label,
    parse_pk,
    prefixes,
    written,
)
from hailwhale.errors import BadInput

labels = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20
)
good_labels = (
    labels | st.sampled_from(["[", "{", " [x", "]", '"', "'", "1", "true", "null"])
).filter(lambda label: label != "_" and not label.isspace())
paths = st.lists(good_labels, min_size=1, max_size=8).map(tuple)
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
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.integers() | st.none(), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (None, ("_",)),
        ("", ("_",)),
        ("_", ("_",)),
        (["_"], ("_",)),
        ("Product", ("Product",)),
        (["Product"], ("Product",)),
        (["Product", "123"], ("Product", "123")),
        (("Product", "123"), ("Product", "123")),
        (["Product", 123], ("Product", "123")),
        (7, ("7",)),
        (0, ("0",)),
        (-1, ("-1",)),
        (1.5, ("1.5",)),
        (Decimal("1.50"), ("1.50",)),
        (True, ("true",)),
        ([False, "x"], ("false", "x")),
        ([" padded "], (" padded ",)),
        ("a||b", ("a||b",)),
        ([*"abcdefgh"], tuple("abcdefgh")),
    ],
)
def test_a_pk_is_a_label_or_a_list_of_labels(value: object, path: Path) -> None:
    assert parse_pk(value) == path


@pytest.mark.parametrize(
    "value",
    [
        [],
        (),
        {},
        {"a": "b"},
        [[]],
        [["a"]],
        ["a", ["b"]],
        ["a", {"b": "c"}],
        [None],
        ["a", None],
        [""],
        ["a", ""],
        " ",
        "\u00a0\u3000",
        math.nan,
        [math.inf],
        -math.inf,
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        b"bytes",
        {"a", "b"},
        object(),
        [*"abcdefghi"],
        pytest.param(10**5000, id="5001 digits"),
        pytest.param(10**300, id="301 digits"),
    ],
)
def test_no_other_value_is_a_pk(value: object) -> None:
    with pytest.raises(BadInput) as caught:
        parse_pk(value)
    assert caught.value.parameter == "pk"


@pytest.mark.parametrize(
    ("value", "leaf_paths"),
    [
        (None, ()),
        ("", ()),
        ("_", ()),
        (["_"], ()),
        ([["_"]], ()),
        ([], ()),
        ({}, ()),
        ([[]], ()),
        ("country", (("country",),)),
        (["country"], (("country",),)),
        (["country", "US"], (("country", "US"),)),
        (("country", "US"), (("country", "US"),)),
        ([["country", "US"]], (("country", "US"),)),
        ([["country", "US"], ["device"]], (("country", "US"), ("device",))),
        ([["_"], ["device"]], (("device",),)),
        ([["a"], ["b"], ["a"]], (("a",), ("b",))),
        ({"country": "US"}, (("country", "US"),)),
        (
            {"country": "US", "device": "Mac OS X"},
            (("country", "US"), ("device", "Mac OS X")),
        ),
        ({"b": {"x": 1, "y": 2}}, (("b", "x", "1"), ("b", "y", "2"))),
        ({"tag": ["x", "y"]}, (("tag", "x"), ("tag", "y"))),
        ({"tag": ("x", "y", "x")}, (("tag", "x"), ("tag", "y"))),
        ({"a": {}}, (("a",),)),
        ({"a": []}, (("a",),)),
        ({"a": [{}]}, (("a",),)),
        ({"a": ["x", {"y": "z"}]}, (("a", "x"), ("a", "y", "z"))),
        ({"a": {"b": {"c": []}}}, (("a", "b", "c"),)),
        ({"a": 1}, (("a", "1"),)),
        ({"a": True, "b": False}, (("a", "true"), ("b", "false"))),
        ({1: "x", "1": "y"}, (("1", "x"), ("1", "y"))),
        ({"city": "L'Aquila"}, (("city", "L'Aquila"),)),
        (7, (("7",),)),
        (True, (("true",),)),
    ],
)
def test_dimensions_come_in_many_forms(value: object, leaf_paths: tuple[Path, ...]) -> None:
    assert parse_dimensions(value) == leaf_paths


@pytest.mark.parametrize(
    "value",
    [
        {"": "v"},
        {"a": ""},
        {"a": None},
        {"a": [None]},
        {"a": [""]},
        {"a": [["b"]]},
        {None: "a"},
        ["a", ""],
        ["a", None],
        [None],
        [["a"], "b"],
        ["a", ["b"]],
        [["a"], {"b": "c"}],
        [{"a": "b"}],
        ["a", {"b": "c"}],
        [[["a"]]],
        [["a", ["b"]]],
        ["_", "a"],
        ["a", "_"],
        {"_": "a"},
        {"a": "_"},
        {"a": ["_"]},
        {"a": {"_": {}}},
        [["a"], ["b", "_"]],
        "\t",
        "a\x00",
        math.nan,
        b"bytes",
        object(),
    ],
)
def test_no_other_value_is_dimensions(value: object) -> None:
    with pytest.raises(BadInput) as caught:
        parse_dimensions(value)
    assert caught.value.parameter == "dimensions"


@pytest.mark.parametrize(
    "label",
    [
        "Mac OS X",
        "naïve",
        "日本語",
        "עברית",
        "عربى",
        "नमस्ते",
        "👩\u200d🚀",
        "می\u200cخواهم",
        "\u202eright to left",
        "\u00a0x",
        "\ue000",
        "<script>alert(1)</script>",
        '"; DROP TABLE',
        "a/b:c(d)*e+f,g",
        "=1+1",
        "x" * 256,
        "é" * 128,
        "🐳" * 64,
    ],
)
def test_a_label_in_any_script_is_kept_exactly_as_given(label: str) -> None:
    assert parse_label(label) == label
    assert parse_pk([label, label]) == (label, label)
    assert parse_dimensions({label: label}) == ((label, label),)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("", "labels that are not empty"),
        (" ", "labels that are not empty"),
        ("\u2003\u3000", "labels that are not empty"),
        ("a\nb", "labels without control characters or line breaks"),
        ("\x00", "labels without control characters or line breaks"),
        ("a\tb", "labels without control characters or line breaks"),
        ("a\x1eb", "labels without control characters or line breaks"),
        ("\x7f", "labels without control characters or line breaks"),
        ("a\x85", "labels without control characters or line breaks"),
        ("a\u2028b", "labels without control characters or line breaks"),
        ("a\u2029b", "labels without control characters or line breaks"),
        ("a\ud800", "labels without control characters or line breaks"),
        ("\udfff", "labels without control characters or line breaks"),
        ("x" * 257, "labels of at most 256 bytes"),
        ("é" * 129, "labels of at most 256 bytes"),
        pytest.param(10**256, "labels of at most 256 bytes", id="257 digits"),
        pytest.param(10**9999, "labels of at most 256 bytes", id="10000 digits"),
        (None, "a string, a number, true or false"),
        (["a"], "a string, a number, true or false"),
    ],
)
def test_a_label_that_breaks_a_rule_is_refused_by_its_name(label: object, expected: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_label(label, parameter="id")
    assert caught.value.parameter == "id"
    assert caught.value.message.endswith(f"; expected {expected}")


def test_the_characters_refused_are_four_categories_of_unicode_and_no_others() -> None:
    everything = "".join(map(chr, range(0x110000)))
    wanted = [char for char in everything if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")]
    assert UNPRINTABLE.findall(everything) == wanted


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (1e16, "1E+16"),
        (Decimal("1E+5"), "1E+5"),
        (Decimal("1E+999999"), "1E+999999"),
        (Decimal("2.50"), "2.50"),
        (1e-7, "1E-7"),
    ],
)
def test_a_number_becomes_its_text(number: object, text: str) -> None:
    assert parse_label(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=100, deadline=None)
def test_a_float_is_the_same_label_as_the_same_number_in_json(number: float) -> None:
    assert [parse_label(number)] == [*parse_pk(parse_literal(f"[{number!r}]", "pk"))]


def nested(depth: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for level in range(depth):
        value = {f"l{level}": value}
    return value


@pytest.mark.parametrize(
    ("fits", "too_much", "expected"),
    [
        (["a", "b", "c"], ["a", "b", "c", "d"], "paths of at most 3 labels"),
        ([["a", "b", "c"]], [["a", "b", "c", "d"]], "paths of at most 3 labels"),
        ({"a": {"b": "c"}}, {"a": {"b": {"c": "d"}}}, "paths of at most 3 labels"),
        ({"a": {"b": ["c"]}}, {"a": {"b": {"c": ["d"]}}}, "paths of at most 3 labels"),
        (nested(3), nested(4), "paths of at most 3 labels"),
        (nested(3), nested(100_000), "paths of at most 3 labels"),
        ({"a": ["x", "y"]}, {"a": ["x", "y"], "b": "z"}, "at most 2 paths"),
        ([["a"], ["b"], ["a"], []], [["a"], ["b"], ["c"]], "at most 2 paths"),
        ({"12345": ["é1234"]}, {"1234567": "x"}, "labels of at most 6 bytes"),
        ({"a": {"é1234": {}}}, {"a": {"é12345": {}}}, "labels of at most 6 bytes"),
    ],
)
def test_dimensions_are_checked_against_the_limits(
    fits: object, too_much: object, expected: str
) -> None:
    limits = Limits(depth=3, paths=2, label_bytes=6)
    assert parse_dimensions(fits, limits)
    with pytest.raises(BadInput, match=expected):
        parse_dimensions(too_much, limits)


def test_a_pk_is_checked_against_the_limits() -> None:
    assert parse_pk(["a", "b"], Limits(depth=2)) == ("a", "b")
    with pytest.raises(BadInput, match="paths of at most 2 labels"):
        parse_pk(["a", "b", "c"], Limits(depth=2))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), "_"),
        (("country",), "country"),
        (("country", "US"), '["country", "US"]'),
        (("city", "L'Aquila"), '["city", "L\'Aquila"]'),
        (("größe", "日本"), '["größe", "日本"]'),
        (("a", 'say "hi"', "back\\slash"), '["a", "say \\"hi\\"", "back\\\\slash"]'),
        (("1",), "1"),
        ((" a ",), " a "),
        (("[x",), '["[x"]'),
        (("{x}",), '["{x}"]'),
        ((" [x]",), '[" [x]"]'),
        (("\u00a0{",), '["\u00a0{"]'),
        (("x[1]",), "x[1]"),
    ],
)
def test_a_path_is_written_as_its_label_or_as_a_list(path: Path, text: str) -> None:
    assert written(path) == text


@given(paths)
@settings(max_examples=200, deadline=None)
def test_a_written_path_reads_back_as_pk_and_as_dimension(path: Path) -> None:
    value = parse_literal(written(path), "dimension")
    assert parse_dimensions(value) == (path,)
    assert parse_pk(value) == path


def test_the_overall_reads_back_as_no_path_and_the_absent_pk_as_itself() -> None:
    assert parse_dimensions(parse_literal(written(OVERALL), "dimension")) == ()
    assert parse_pk(parse_literal(written(parse_pk(None)), "pk")) == parse_pk(None)


@given(st.lists(paths, max_size=6))
@settings(max_examples=100, deadline=None)
def test_a_list_of_paths_and_the_object_of_them_are_the_same_dimensions(some: list[Path]) -> None:
    distinct = tuple(dict.fromkeys(some))
    assert parse_dimensions([list(path) for path in some]) == distinct
    tree: dict[str, object] = {}
    for path in some:
        node = tree
        for label in path:
            node = node.setdefault(label, {})  # type: ignore[assignment]
    assert set(parse_dimensions(tree)) == leaves(distinct)


def leaves(some: tuple[Path, ...]) -> set[Path]:
    return {path for path in some if not any(path in prefixes(other)[:-1] for other in some)}


@pytest.mark.parametrize(
    ("some", "expanded"),
    [
        ([], [()]),
        ([("a",)], [(), ("a",)]),
        (
            [("country", "US"), ("device", "Mac OS X")],
            [(), ("country",), ("country", "US"), ("device",), ("device", "Mac OS X")],
        ),
        ([("b", "x"), ("b", "y"), ("b",)], [(), ("b",), ("b", "x"), ("b", "y")]),
        ([("a", "b"), ("b", "a")], [(), ("a",), ("a", "b"), ("b",), ("b", "a")]),
    ],
)
def test_an_event_counts_at_the_overall_and_each_prefix_once(
    some: list[Path], expanded: list[Path]
) -> None:
    assert list(expand(some)) == expanded


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4).map(tuple), max_size=6))
@settings(max_examples=200, deadline=None)
def test_expanding_yields_each_prefix_of_each_path_and_nothing_else(some: list[Path]) -> None:
    expanded = expand(some)
    wanted = {path[:length] for path in some for length in range(len(path) + 1)} | {()}
    assert len(expanded) == len(set(expanded)) == len(wanted)
    assert set(expanded) == wanted
    assert expand(expanded) == expanded
    assert all(expanded.index(path[:-1]) < expanded.index(path) for path in expanded if path)


@given(paths)
@settings(max_examples=50, deadline=None)
def test_a_path_has_as_many_prefixes_as_labels_and_is_the_last(path: Path) -> None:
    assert [len(prefix) for prefix in prefixes(path)] == list(range(1, len(path) + 1))
    assert prefixes(path)[-1] == path


@given(anything)
@settings(max_examples=200, deadline=None)
def test_whatever_comes_in_is_valid_paths_or_bad_input(value: object) -> None:
    if accepts(parse_pk, value):
        assert all(accepts(parse_label, label) for label in parse_pk(value))
    if accepts(parse_dimensions, value):
        found = parse_dimensions(value)
        assert parse_dimensions([list(path) for path in found]) == found


def accepts(parse: Callable[[object], object], value: object) -> bool:
    """Whether a value is taken; any other exception than BadInput is the test's to fail on."""
    try:
        parse(value)
    except BadInput:
        return False
    return True
