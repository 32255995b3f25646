"""Series: folding conserves what is stored, and what is shown follows from rules alone."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.dimensions import Path
from hailwhale.core.series import Candidate, Sort, add, choose, fold, share
from hailwhale.errors import BadInput


def decimals(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


@pytest.mark.parametrize(
    ("edges", "stored", "folded"),
    [
        ([0, 60], {}, ["0"]),
        ([0, 60, 120], {0: "1", 30: "2", 60: "4"}, ["3", "4"]),
        ([0, 60, 120, 180], {150: "1"}, ["0", "0", "1"]),
        ([60, 120], {59: "1", 60: "2", 119: "4", 120: "8"}, ["6"]),
        ([0, 60], {0: None, 30: "2"}, ["2"]),
        ([0, 60], {0: None, 30: None}, ["0"]),
        ([0, 60], {0: "0.1", 1: "0.2", 2: "-0.3"}, ["0.0"]),
        ([-120, -60, 0], {-120: "1", -61: "2", -1: "4"}, ["3", "4"]),
        ([0, 100, 350], {0: "1", 100: "2", 349: "4"}, ["1", "6"]),
        ([], {0: "1"}, []),
        ([0], {0: "1"}, []),
    ],
)
def test_stored_buckets_are_summed_into_the_bucket_they_start_in(
    edges: list[int], stored: dict[int, str | None], folded: list[str]
) -> None:
    values = [None if text is None else Decimal(text) for text in stored.values()]
    assert fold(edges, list(stored), values) == decimals(*folded)


stored_buckets = st.dictionaries(
    st.integers(-500, 500), st.none() | st.decimals(-(10**20), 10**20, places=6), max_size=40
)


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(-400, 400), min_size=2, max_size=12), stored_buckets)
def test_folding_conserves_the_sum_and_sums_each_bucket_alone(
    edge_set: set[int], stored: Mapping[int, Decimal | None]
) -> None:
    edges, starts = sorted(edge_set), sorted(stored)
    folded = fold(edges, starts, [stored[start] for start in starts])

    def exactly(low: int, high: int) -> Fraction:
        return sum((Fraction(stored[at] or 0) for at in starts if low <= at < high), Fraction(0))

    assert [Fraction(value) for value in folded] == [exactly(*pair) for pair in pairwise(edges)]
    assert sum(map(Fraction, folded)) == exactly(edges[0], edges[-1])


def test_folding_twice_is_folding_once() -> None:
    minutes, values = list(range(0, 7200, 60)), [Decimal(n) / 10 for n in range(120)]
    quarters = list(range(0, 7201, 900))
    once = fold([0, 3600, 7200], minutes, values)
    assert fold([0, 3600, 7200], quarters[:-1], fold(quarters, minutes, values)) == once
    assert once == decimals("177", "537")


def test_the_callers_decimal_context_is_not_used() -> None:
    with localcontext(Context(prec=2)):
        wide = decimals("1000", "0.01")
        assert fold([0, 60], [0, 1], wide) == decimals("1000.01")
        assert add({"a": wide[:1]}, {"a": wide[1:]}) == {"a": decimals("1000.01")}
        assert share(Decimal(1000), Decimal(1001)) < 1


def test_series_are_added_metric_by_metric_and_a_missing_one_is_zeros() -> None:
    left = {"hits": decimals("5", "7"), "sales": decimals("1", "2")}
    right = {"hits": decimals("2", "7"), "refunds": decimals("0.5", "0")}
    assert add(left, right) == {
        "hits": decimals("7", "14"),
        "sales": decimals("1", "2"),
        "refunds": decimals("0.5", "0"),
    }
    assert add({}, {}) == {}


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        ("1", "4", "0.25"),
        ("4", "4", "1"),
        ("-1", "4", "0.25"),
        ("1", "-4", "0.25"),
        ("6", "4", "1.5"),
        ("0", "4", "0"),
        ("0", "0", "0"),
        ("3", "0", "1"),
        ("-3", "0", "1"),
    ],
)
def test_a_share_is_a_size_beside_a_size(part: str, whole: str, expected: str) -> None:
    assert share(Decimal(part), Decimal(whole)) == Decimal(expected)


OVERALL: Path = ()
COUNTRY, DEVICE = ("country",), ("device",)
US, CA, FR = ("country", "US"), ("country", "CA"), ("country", "FR")
OHIO, TEXAS, QUEBEC = ("country", "US", "OH"), ("country", "US", "TX"), ("country", "CA", "QC")
LEADS = {US: 60, CA: 30, FR: 10, OHIO: 50, TEXAS: 10, QUEBEC: 30}


def chosen(
    leads: Mapping[Path, int],
    *,
    asked: Mapping[Path, int] | None = None,
    threshold: str = "0",
    limit: int = 0,
    descending: bool = True,
) -> list[Path]:
    asked = {COUNTRY: 100} if asked is None else asked
    shown = choose(
        {path: Decimal(lead) for path, lead in asked.items()},
        [Candidate(path, Decimal(lead), Decimal(lead)) for path, lead in leads.items()],
        threshold=Decimal(threshold),
        limit=limit,
        descending=descending,
    )
    assert shown[: len(asked)] == list(asked)
    return shown[len(asked) :]


def test_with_no_threshold_and_no_limit_every_descendant_is_shown_largest_first() -> None:
    assert chosen(LEADS) == [US, OHIO, CA, QUEBEC, FR, TEXAS]


def test_ascending_shows_the_smallest_first_and_ties_stay_in_the_order_of_their_paths() -> None:
    assert chosen(LEADS, descending=False) == [FR, TEXAS, CA, QUEBEC, OHIO, US]


def test_the_order_the_candidates_come_in_does_not_matter() -> None:
    turned = dict(reversed(LEADS.items()))
    assert chosen(turned, limit=4, threshold="0.1") == chosen(LEADS, limit=4, threshold="0.1")


@pytest.mark.parametrize(
    ("threshold", "shown"),
    [
        ("0.1", [US, OHIO, CA, QUEBEC, FR, TEXAS]),
        ("0.11", [US, OHIO, CA, QUEBEC, TEXAS]),
        ("0.3", [US, OHIO, CA, QUEBEC]),
        ("0.31", [US, OHIO]),
        ("0.61", []),
    ],
)
def test_a_child_stays_while_it_holds_the_threshold_of_its_own_parent(
    threshold: str, shown: list[Path]
) -> None:
    assert chosen(LEADS, threshold=threshold) == shown


def test_a_child_whose_parent_is_below_the_threshold_goes_with_it() -> None:
    leads = {CA: 5, QUEBEC: 5}
    assert chosen(leads, threshold="0.1") == []


def test_a_child_whose_parent_was_cut_by_the_limit_may_still_be_shown() -> None:
    shown = choose(
        {COUNTRY: Decimal(100)},
        [
            Candidate(US, lead=Decimal(60), rank=Decimal(1)),
            Candidate(OHIO, lead=Decimal(50), rank=Decimal(9)),
        ],
        threshold=Decimal("0.1"),
        limit=1,
        descending=True,
    )
    assert shown == [COUNTRY, OHIO]


@pytest.mark.parametrize(
    ("limit", "shown"), [(1, [US]), (2, [US, OHIO]), (4, [US, OHIO, CA, QUEBEC])]
)
def test_the_limit_counts_descendants_and_not_what_was_asked(limit: int, shown: list[Path]) -> None:
    assert chosen(LEADS, limit=limit) == shown
    assert chosen(LEADS, asked={COUNTRY: 100, DEVICE: 100}, limit=limit) == shown


def test_what_was_asked_is_shown_once_in_its_order_and_without_a_threshold() -> None:
    asked = {CA: 0, COUNTRY: 100}
    assert chosen(LEADS, asked=asked, threshold="0.5") == [US, OHIO, QUEBEC]


def test_descendants_of_the_overall_reach_through_every_dimension() -> None:
    leads = {COUNTRY: 100, US: 60, DEVICE: 90}
    assert chosen(leads, asked={OVERALL: 100}, threshold="0.5") == [COUNTRY, DEVICE, US]


def test_below_a_parent_that_cancels_out_to_zero_only_what_is_not_zero_stays() -> None:
    assert chosen({US: 5, CA: -5, FR: 0}, asked={COUNTRY: 0}, threshold="0.1") == [US, CA]


def test_a_descendant_without_a_way_up_to_what_was_asked_is_not_shown() -> None:
    assert chosen({OHIO: 50, ("device", "Mac"): 9}) == []


paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(tuple)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(paths, st.integers(-20, 20), max_size=25),
    st.sampled_from(["0", "0.1", "0.5"]),
    st.integers(0, 6),
    st.booleans(),
)
def test_a_limit_shows_the_head_of_what_no_limit_shows(
    leads: dict[Path, int], threshold: str, limit: int, descending: bool
) -> None:
    asked: dict[Path, int] = {OVERALL: 20}
    whole = chosen(leads, asked=asked, threshold=threshold, descending=descending)
    head = chosen(leads, asked=asked, threshold=threshold, limit=limit, descending=descending)
    assert head == (whole[:limit] if limit else whole)
    assert all(path[:-1] in {OVERALL, *whole} for path in whole)


@pytest.mark.parametrize(
    ("text", "formula", "descending"),
    [
        ("dollars", "dollars", False),
        ("-dollars", "dollars", True),
        (" - dollars ", "dollars", True),
        ("-dollars/hits", "dollars/hits", True),
        ("--spent/earned", "-spent/earned", True),
        ("page-views", "page-views", False),
        ("-days", "days", True),
        ("-(a + b)", "(a + b)", True),
    ],
)
def test_a_leading_minus_of_a_sort_is_its_direction(
    text: str, formula: str, descending: bool
) -> None:
    sort = Sort.parse(text)
    assert (sort.formula.text, sort.descending) == (formula, descending)


@pytest.mark.parametrize("text", ["", "-", "-2", "-a/", "a:avg", None, 7])
def test_what_is_no_sort_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"^sort: "):
        Sort.parse(text)
