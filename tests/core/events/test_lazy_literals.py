"""Values as they are written: read once, and what comes of them as of plain values."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hailwhale.core.events.event import parse_event
from hailwhale.core.events.limits import DEFAULT_LIMITS, Limits
from hailwhale.core.events.literals import LazyLiteral, parse_cached, unwrap
from hailwhale.errors import BadInput
from tests.conftest import NOW_S

QUERY = {
    "pk": "['Product', 12]",
    "dimension": '{"country": "US", "tag": ["x", "y"]}',
    "metrics": '{"revenue": 19.990, "sales": "2"}',
}


class Parser:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def __call__(self, value: object, limits: Limits) -> object:
        self.asked.append(value)
        if value == "bad":
            raise BadInput("pk", value, "something else")
        return (value, limits.depth)


def test_what_was_read_is_not_read_again() -> None:
    parser, written = Parser(), LazyLiteral("['a']", "pk")
    first = written.parse_cached(parser, DEFAULT_LIMITS)
    assert first == (["a"], 8)
    assert written.parse_cached(parser, DEFAULT_LIMITS) is first
    assert parser.asked == [["a"]]


def test_another_parser_or_other_limits_read_for_themselves() -> None:
    parser, other, written = Parser(), Parser(), LazyLiteral("a", "pk")
    written.parse_cached(parser, DEFAULT_LIMITS)
    assert written.parse_cached(other, DEFAULT_LIMITS) == ("a", 8)
    assert written.parse_cached(other, Limits(depth=3)) == ("a", 3)
    assert (parser.asked, other.asked) == (["a"], ["a", "a"])


def test_what_is_refused_is_refused_each_time() -> None:
    parser, written = Parser(), LazyLiteral("bad", "pk")
    for _ in range(2):
        with pytest.raises(BadInput, match="expected something else"):
            written.parse_cached(parser, DEFAULT_LIMITS)
    assert len(parser.asked) == 2


def test_a_broken_literal_is_refused_as_it_is_written() -> None:
    with pytest.raises(BadInput) as caught:
        LazyLiteral("[1,", "metrics")
    assert caught.value.parameter == "metrics"


def test_plain_values_are_read_as_they_are() -> None:
    assert parse_cached(["a"], Parser(), DEFAULT_LIMITS) == (["a"], 8)
    assert unwrap(["a"]) == unwrap(LazyLiteral("['a']", "pk")) == ["a"]
    assert repr(LazyLiteral("['a']", "pk")) == "['a']"


def test_an_event_of_written_values_is_that_of_their_plain_ones() -> None:
    written = {name: LazyLiteral(text, name) for name, text in QUERY.items()}
    values = {name: unwrap(value) for name, value in written.items()}
    expected = parse_event(values, NOW_S)
    assert [parse_event(written, NOW_S) for _ in range(2)] == [expected, expected]
    assert expected.metrics == {
        "revenue": Decimal("19.99"),
        "sales": Decimal(2),
        "hits": Decimal(1),
    }
    alone = parse_event(written, NOW_S, add_hits=False)
    assert alone.metrics == {"revenue": Decimal("19.99"), "sales": Decimal(2)}


@pytest.mark.parametrize(
    ("name", "text"),
    [("pk", "[]"), ("dimensions", '{"a": [[1]]}'), ("metrics", '{"a": "x"}'), ("metrcis", "[1]")],
)
def test_a_wrong_written_value_is_refused_in_the_words_for_the_plain_one(
    name: str, text: str
) -> None:
    written = LazyLiteral(text, name)
    messages = []
    for value in (written, written, unwrap(written)):
        with pytest.raises(BadInput) as caught:
            parse_event({name: value}, NOW_S)
        messages.append((caught.value.parameter, caught.value.message))
    assert len(set(messages)) == 1
