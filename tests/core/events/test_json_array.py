"""Arrays item by item: the values of the whole, and the others if one is broken."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.core.events.json_array import array_items
from hailwhale.core.events.literals import parse_relaxed_json
from hailwhale.errors import BadInput

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
INDENTS = st.sampled_from([None, 1, 3])


@given(st.lists(VALUES), INDENTS)
def test_the_items_are_those_of_the_whole(values: list[object], indent: int | None) -> None:
    text = json.dumps(values, indent=indent)
    items = list(array_items(text, "body"))
    assert [item.value for item in items] == parse_relaxed_json(text, "body") == values
    assert [json.loads(text[item.begin : item.end]) for item in items] == values


@given(st.lists(VALUES, max_size=4), VALUES, st.integers(0, 4), INDENTS)
def test_an_item_with_a_fault_inside_costs_no_other(
    values: list[object], inside: object, place: int, indent: int | None
) -> None:
    values.insert(place, {"a": inside, "mark": "MARK"})
    text = json.dumps(values, indent=indent).replace('"MARK"', "NaN", 1)
    items = [item.value for item in array_items(text, "body")]
    wrong = [at for at, item in enumerate(items) if isinstance(item, BadInput)]
    assert wrong == [min(place, len(values) - 1)]
    assert [item for item in items if not isinstance(item, BadInput)] == [
        value for at, value in enumerate(values) if at not in wrong
    ]


@given(st.text(alphabet='[]{},:"\\ a1', max_size=30))
def test_any_text_is_items_or_one_error_and_what_is_json_is_as_a_whole(text: str) -> None:
    text = "[" + text
    try:
        found = [item.value for item in array_items(text, "body")]
    except BadInput:
        with pytest.raises(BadInput, match=r"^body: got"):
            parse_relaxed_json(text, "body")
        return
    if not any(isinstance(value, BadInput) for value in found):
        assert found == parse_relaxed_json(text, "body")


def test_items_are_parsed_one_after_the_other() -> None:
    items = array_items('[1, 2, {"never', "body")
    assert [next(items).value, next(items).value] == [1, 2]
    with pytest.raises(BadInput):
        next(items)
