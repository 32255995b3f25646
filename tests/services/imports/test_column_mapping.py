"""The column mapping: its notation, what a row makes of it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.errors import BadInput
from hailwhale.services.imports.column_mapping import ColumnMapping

HEADER = ["sku", "country", "city", "no"]
ROW = ["a1", "US", "New York", "7"]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("Shop", ("Shop",)),
        ("Product > {sku}", ("Product", "a1")),
        ("Product>{sku}", ("Product", "a1")),
        ("{country} > {city}", ("US", "New York")),
        ("country > {country} > {city}", ("country", "US", "New York")),
        ("store > no. {no}, {city}", ("store", "no. 7, New York")),
        ("{ sku }", ("a1",)),
        ("{{sku}}", ("{sku}",)),
        ("{{{sku}}}", ("{a1}",)),
        ('["profit > loss", "{sku}"]', ("profit > loss", "a1")),
        ('["[sic]"]', ("[sic]",)),
        ("=Shop", ("=Shop",)),
        ("Straße > {sku}", ("Straße", "a1")),
    ],
)
def test_a_path_is_written_as_the_documentation_writes_paths(
    text: str, labels: tuple[str, ...]
) -> None:
    fields = ColumnMapping.parse(pk=text, dimensions=[text]).bind(HEADER)(ROW)
    assert fields["pk"] == labels
    assert fields["dimensions"] == [labels]


@pytest.mark.parametrize(
    ("row", "pk", "dimensions"),
    [
        (["a1", "US", "Boston", "7"], ("Product", "a1"), [("place", "US", "Boston"), ("no. 7",)]),
        (["a1", "US", "", "7"], ("Product", "a1"), [("place", "US"), ("no. 7",)]),
        (["a1", " ", "Boston", ""], ("Product", "a1"), [("place",)]),
        (["", "US", "Boston", "7"], ("Product",), [("place", "US", "Boston"), ("no. 7",)]),
    ],
)
def test_a_path_stops_at_the_first_label_with_an_empty_cell(
    row: list[str], pk: tuple[str, ...], dimensions: list[tuple[str, ...]]
) -> None:
    columns = ColumnMapping.parse(
        pk="Product > {sku}", dimensions=["place > {country} > {city}", "no. {no}"]
    )
    fields = columns.bind(HEADER)(row)
    assert (fields["pk"], fields["dimensions"]) == (pk, dimensions)


def test_metrics_are_columns_under_their_own_name_or_another_and_the_empty_ones_are_left_out() -> (
    None
):
    columns = ColumnMapping.parse(metrics=["no", "revenue = amount", "a=b=c"])
    fields = columns.bind(["no", "amount", "b=c"])
    assert fields(["7", "1.50", "2"])["metrics"] == {"no": "7", "revenue": "1.50", "a": "2"}
    assert fields(["7", " ", ""])["metrics"] == {"no": "7"}


def test_time_and_id_are_taken_as_they_are_even_when_empty() -> None:
    fields = ColumnMapping.parse(at="when", id="key").bind(["key", "when"])
    assert fields(["", "2026-03-01"]) == {
        "dimensions": [],
        "metrics": {},
        "at": "2026-03-01",
        "id": "",
    }


def test_the_uid_is_a_column_and_may_be_empty() -> None:
    fields = ColumnMapping.parse(uid="visitor").bind(["visitor"])
    assert fields(["ann"])["uid"] == "ann"
    assert "uid" not in fields([" "])


def test_names_in_the_header_may_have_space_around_them() -> None:
    assert ColumnMapping.parse(pk="{sku}").bind([" sku ", "x"])(["a1", ""])["pk"] == ("a1",)


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"pk": ""}, "pk"),
        ({"pk": "Product > "}, "pk"),
        ({"pk": "Product > > x"}, "pk"),
        ({"pk": "{sku"}, "pk"),
        ({"pk": "sku}"}, "pk"),
        ({"pk": "{}"}, "pk"),
        ({"pk": "{ }"}, "pk"),
        ({"pk": "{a{b}}"}, "pk"),
        ({"pk": "["}, "pk"),
        ({"pk": "[]"}, "pk"),
        ({"pk": "[1]"}, "pk"),
        ({"pk": '["a", ["b"]]'}, "pk"),
        ({"dimensions": ["country > {country}", ""]}, "dimension"),
        ({"metrics": [""]}, "metric"),
        ({"metrics": ["revenue="]}, "metric"),
        ({"metrics": ["=amount"]}, "metric"),
        ({"metrics": ["a/b"]}, "metric"),
        ({"metrics": ["a", "a=b"]}, "metric"),
        ({"at": ""}, "at"),
        ({"id": " "}, "id"),
    ],
)
def test_an_invalid_mapping_is_refused_by_the_name_of_its_option(
    given: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(BadInput) as refused:
        ColumnMapping.parse(**given)
    assert refused.value.parameter == parameter


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"pk": "{skew}"}, "pk"),
        ({"dimensions": ["country > {Country}"]}, "dimension"),
        ({"metrics": ["amount"]}, "metric"),
        ({"at": "when"}, "at"),
        ({"id": "key"}, "id"),
    ],
)
def test_a_column_that_the_header_lacks_is_refused_with_those_it_has(
    given: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(BadInput, match="sku, country, city, no") as refused:
        ColumnMapping.parse(**given).bind(HEADER)
    assert refused.value.parameter == parameter


def test_a_column_that_is_there_twice_is_refused_only_when_it_is_used() -> None:
    header = ["sku", "sku", "no"]
    assert ColumnMapping.parse(pk="{no}").bind(header)(["a", "b", "7"])["pk"] == ("7",)
    with pytest.raises(BadInput, match="occurs once"):
        ColumnMapping.parse(pk="{sku}").bind(header)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"pk": "Product > {sku}"}, {"pk": '["Product","{ sku }"]'}, True),
        ({"metrics": ["no"]}, {"metrics": ["no=no"]}, True),
        ({"pk": "{sku}"}, {"pk": "{{sku}}"}, False),
        ({"pk": "{sku}"}, {"dimensions": ["{sku}"]}, False),
        ({"pk": "a > b"}, {"pk": '["a > b"]'}, False),
        ({"at": "x"}, {"id": "x"}, False),
        ({"metrics": ["a=b"]}, {"metrics": ["b=a"]}, False),
    ],
)
def test_mappings_have_equal_texts_when_they_mean_the_same(
    one: dict[str, Any], other: dict[str, Any], equal: bool
) -> None:
    assert (ColumnMapping.parse(**one).text == ColumnMapping.parse(**other).text) is equal


@settings(max_examples=300, deadline=None)
@given(st.text(), st.text())
def test_any_text_is_a_mapping_or_bad_input(path: str, metric: str) -> None:
    assert _fault_or_none(pk=path) in (None, "pk")
    assert _fault_or_none(dimensions=[path]) in (None, "dimension")
    assert _fault_or_none(metrics=[metric]) in (None, "metric")


def _fault_or_none(**given: Any) -> str | None:
    """The option that the mapping is refused for, None when it is one."""
    try:
        return None if ColumnMapping.parse(**given).text else "no text"
    except BadInput as fault:
        return fault.parameter


def test_without_a_format_of_times_the_name_of_an_import_is_as_it_was() -> None:
    mapping = ColumnMapping.parse(pk="Shop", metrics=["amount"], at="when")
    assert mapping.text == '[[["Shop"]], [], [["amount", "amount"]], "when", null, null]'
    named = ColumnMapping.parse(pk="Shop", metrics=["amount"], at="when", at_format="year")
    assert named.text == '[[["Shop"]], [], [["amount", "amount"]], "when", null, null, "year"]'


def test_a_format_of_times_needs_the_column_of_the_time() -> None:
    with pytest.raises(BadInput, match=r"^at-format: got 'year'; expected --at with the column"):
        ColumnMapping.parse(pk="Shop", at_format="year")
