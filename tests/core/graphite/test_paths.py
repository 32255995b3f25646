"""Dotted paths: every series has exactly one, which reads back, whatever its labels hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.core.events.paths import UNPRINTABLE
from hailwhale.core.graphite.paths import (
    PathNode,
    Pattern,
    SeriesPath,
    address_of,
    label_of,
    node_of,
)
from hailwhale.errors import BadInput

LABELS = st.text(min_size=1, max_size=12).filter(
    lambda text: not text.isspace() and not UNPRINTABLE.search(text)
)


@pytest.mark.parametrize(
    ("pk", "dimension", "metric", "path"),
    [
        (("Shop",), (), "hits", "Shop.hits"),
        (("Product", "7"), (), "revenue", "Product.7.revenue"),
        (("Shop",), ("country", "US"), "dollars/hits", "Shop.by.country.US.dollars/hits"),
        (("_",), (), "hits", "_.hits"),
        (("by",), ("by", "by"), "by", "%62y.by.%62y.%62y.%62y"),
        (("v1.2",), ("a{b,c}*",), "dollars:sum", "v1%2E2.by.a%7Bb%2Cc%7D%2A.dollars:sum"),
        (("Zürich",), ("城市", "東 京"), "hits", "Zürich.by.城市.東%20京.hits"),
        (("100%",), ("#A", "$x"), "(a + b)/hits", "100%25.by.%23A.%24x.%28a%20%2B%20b%29/hits"),
        (("€",), (), "hits", "%E2%82%AC.hits"),
    ],
)
def test_a_series_has_one_path_which_reads_back(
    pk: tuple[str, ...], dimension: tuple[str, ...], metric: str, path: str
) -> None:
    address = SeriesPath(pk, dimension, metric)
    assert address.path == path
    assert address_of(Pattern.parse(path)) == address


@given(st.lists(LABELS, min_size=1, max_size=4), st.lists(LABELS, max_size=4), LABELS)
def test_any_labels_make_a_path_that_reads_back(
    pk: list[str], dimension: list[str], metric: str
) -> None:
    address = SeriesPath(tuple(pk), tuple(dimension), metric)
    assert address_of(Pattern.parse(address.path)) == address


@given(LABELS)
def test_a_node_has_no_sign_that_a_pattern_or_a_target_means_something_by(label: str) -> None:
    assert set(node_of(label)).isdisjoint(".*?[]{}(),'\" #$;=&")
    assert not PathNode(node_of(label)).is_wild
    assert PathNode(node_of(label)).matching([label, f"{label}x"]) == [label]


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("*", ["CA", "New York", "US", "UK"]),
        ("U*", ["US", "UK"]),
        ("U?", ["US", "UK"]),
        ("{US,CA}", ["CA", "US"]),
        ("{U*,C?}", ["CA", "US", "UK"]),
        ("[UC]*", ["CA", "US", "UK"]),
        ("[!U]*", ["CA", "New York"]),
        ("New%20*", ["New York"]),
        ("US", ["US"]),
        ("us", []),
        ("{,U}S", ["US"]),
    ],
)
def test_patterns_match_labels_as_they_are_written(pattern: str, matched: list[str]) -> None:
    assert PathNode(pattern).matching(["US", "CA", "UK", "New York"]) == sorted(matched)


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "a..b", ".a", "a.", "a.{b", "a.b}", "a.{b.c}", "a.{b{c}}", "by.country.hits"),
        *("Shop.by.country.by.hits", "x" * 5_000),
    ],
)
def test_an_invalid_pattern_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as fault:
        Pattern.parse(text)
    assert fault.value.parameter == "target"


@pytest.mark.parametrize(
    "text", ["hits", "Shop.by.hits", "Shop.%zz.hits", "Shop.%ff.hits", "Shop.%00.hits", "Shop.%"]
)
def test_an_invalid_series_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        address_of(Pattern.parse(text))


def test_too_many_choices_are_refused() -> None:
    with pytest.raises(BadInput, match="at most 100 choices"):
        PathNode("{a,b,c,d,e}" * 3).matching(["a"])


def test_a_label_that_is_an_escape_is_not_one() -> None:
    assert label_of(node_of("%41")) == "%41"


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("*a" * 33, "at most 32 stars and brackets"),
        ("[" * 2_000, "at most 32 stars and brackets"),
        ("{" + ",".join(["a" * 100] * 50) + "}" + "{a,b}", "braces"),
    ],
)
def test_a_pattern_that_is_slow_to_compile_is_refused(node: str, expected: str) -> None:
    with pytest.raises(BadInput, match=expected):
        PathNode(node).matching(["US"])
