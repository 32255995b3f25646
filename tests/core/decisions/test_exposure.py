"""Exposures and results: what /count_decision takes, and what it counts for each event."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hailwhale.core.decisions.exposure import (
    MAX_PAIRED,
    nodes_of,
    pair_label,
    pair_paths,
    parse_exposure,
    products,
    read_pair,
)
from hailwhale.core.events.limits import Limits
from hailwhale.core.events.paths import PAIRS, Path
from hailwhale.errors import BadInput

NOW_S = 1_773_576_630
US, UK, MOBILE = ("country", "US"), ("country", "UK"), ("device", "mobile")


def test_an_exposure_is_counted_under_its_option_with_its_pairs_and_products() -> None:
    event = parse_exposure(
        {
            "pk": ["Shop", "PageVariation"],
            "option": "b",
            "dimensions": {"country": "US", "device": "mobile"},
            "metric": {"spent": ".50"},
            "id": "42",
        },
        NOW_S,
    )

    assert event.pk == ("Shop", "PageVariation", "b")
    assert event.dimensions == (US, MOBILE, (PAIRS, pair_label((US, MOBILE))))
    assert event.metrics == {
        "spent": Decimal("0.5"),
        "hits": Decimal(1),
        "spent^spent": Decimal("0.25"),
    }
    assert (event.at_s, event.id) == (NOW_S, "42")


def test_a_result_of_an_exposure_counted_already_brings_no_hit() -> None:
    event = parse_exposure({"pk": "P", "option": "b", "metrics": {"hits": 0, "earned": 25}}, NOW_S)

    assert event.metrics == {"hits": 0, "earned": 25, "earned^earned": 625}


def test_the_option_may_be_named_in_the_plural_too() -> None:
    assert parse_exposure({"pk": "P", "options": "a"}, NOW_S).pk == ("P", "a")


@pytest.mark.parametrize(
    ("fields", "parameter", "message"),
    [
        ({"pk": "P"}, "option", "the option that was shown"),
        ({"pk": "P", "option": ""}, "option", "the option that was shown"),
        ({"pk": "P", "option": ["a"]}, "option", "a string, a number, true or false"),
        ({"pk": "P", "optionx": "a"}, "optionx", "did you mean option"),
        ({"pk": "P", "option": "a", "options": "b"}, "option", "in one spelling"),
        ({"pk": "P", "option": "a", "metrics": {"a^b": 1}}, "metrics", "names without ^"),
        ({"pk": ["P"] * 8, "option": "a"}, "pk", "at most 7 labels"),
        (
            {"pk": "P", "option": "a", "dimensions": {"_pairs": "x"}},
            "dimensions",
            "which is reserved for decisions",
        ),
    ],
)
def test_an_invalid_exposure_is_refused_by_name(
    fields: dict[str, object], parameter: str, message: str
) -> None:
    with pytest.raises(BadInput) as fault:
        parse_exposure(fields, NOW_S)

    assert fault.value.parameter == parameter
    assert message in fault.value.message


@pytest.mark.parametrize(
    ("leaves", "nodes"),
    [
        ([], []),
        ([("vip",)], [("vip",)]),
        ([US, MOBILE], [US, MOBILE]),
        ([("country", "US", "NY")], [US, ("country", "US", "NY")]),
        ([US, ("country", "US", "NY")], [US, ("country", "US", "NY")]),
    ],
)
def test_nodes_distinguish_visitors(leaves: list[Path], nodes: list[Path]) -> None:
    assert nodes_of(leaves) == nodes


@pytest.mark.parametrize(
    ("leaves", "pairs"),
    [
        ((US,), []),
        ((US, MOBILE), [(US, MOBILE)]),
        ((US, UK), [(UK, US)]),
        # A region implies its country, so the two are no pair; each is one with the device.
        (
            (("country", "US", "NY"), MOBILE),
            [(US, MOBILE), (("country", "US", "NY"), MOBILE)],
        ),
    ],
)
def test_pairs_are_of_nodes_of_which_neither_implies_the_other(
    leaves: tuple[Path, ...], pairs: list[tuple[Path, Path]]
) -> None:
    assert [read_pair(label) for _, label in pair_paths(leaves)] == pairs


def test_only_the_first_of_many_nodes_are_paired() -> None:
    leaves = tuple((f"d{number:02}", "x") for number in range(20))

    pairs = [read_pair(label) for _, label in pair_paths(leaves)]

    assert len(pairs) == MAX_PAIRED * (MAX_PAIRED - 1) // 2
    assert {node for pair in pairs if pair for node in pair} == set(leaves[:MAX_PAIRED])


def test_a_pair_too_long_for_a_label_is_left_out() -> None:
    long = ("city", "x" * 40)

    assert pair_paths((US, MOBILE, long), Limits(label_bytes=60)) == pair_paths((US, MOBILE))


@pytest.mark.parametrize("label", ["_other", "[]", "[1,2]", '[["a"]]', "{"])
def test_a_label_that_is_no_pair_reads_as_none(label: str) -> None:
    assert read_pair(label) is None


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ({"hits": "1"}, {}),
        ({"hits": "1", "sold": "0"}, {}),
        ({"hits": "1", "sold": "1"}, {"sold^sold": "1"}),
        ({"hits": "0", "earned": "19.99"}, {"earned^earned": "399.6001"}),
        ({"hits": "1", "earned": "-3"}, {"earned^earned": "9"}),
        # A thousand equal hits: each earned 5, and 1,000 times 25 are 25,000.
        ({"hits": "1000", "earned": "5000"}, {"earned^earned": "25000"}),
        (
            {"hits": "1", "b": "2", "a": "3"},
            {"a^a": "9", "a^b": "6", "b^b": "4"},
        ),
        ({"hits": "1", "a": "1e20"}, {}),  # past what a cell may be given
        ({"hits": "1", "a": "1e-7"}, {}),  # too small to matter
        ({"hits": "1", "a": "1.23456789"}, {"a^a": "1.52415788"}),
        (
            {"hits": "1", "a": "1", "b": "1", "c": "1", "d": "1", "e": "1"},
            {"a^a": "1", "b^b": "1", "c^c": "1", "d^d": "1", "e^e": "1"},
        ),
    ],
)
def test_products_are_summed_for_the_scatter_of_results(
    metrics: dict[str, str], expected: dict[str, str]
) -> None:
    made = products({name: Decimal(amount) for name, amount in metrics.items()})

    assert made == {name: Decimal(amount) for name, amount in expected.items()}
