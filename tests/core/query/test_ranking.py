"""Rankings: children compared with their parent, which of them count, and which come first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hailwhale.core.numbers import decimal_text
from hailwhale.core.query.bucket_lengths import Bucket
from hailwhale.core.query.formula import Formula
from hailwhale.core.query.ranking import (
    COLUMNS,
    ChildIndex,
    ParentWithChildren,
    Sort,
    column,
    compare_to_parents,
    top_n,
    top_n_downwards,
)
from hailwhale.errors import BadInput

DAYS = [Bucket(0, 86400), Bucket(86400, 172800)]
COUNTRY = ("country",)


def family_of(whole: Mapping[str, str], **children: Mapping[str, str]) -> ParentWithChildren:
    """A family below `country`, numbers as text; what a child has not is 0."""
    parts = {term: [Decimal(each.get(term, "0")) for each in children.values()] for term in whole}
    known = {term: Decimal(text) for term, text in whole.items()}
    return ParentWithChildren(COUNTRY, known, list(children), parts)


# The children are their parent, all together.
SHOP = family_of(
    {"dollars": "100", "hits": "20"},
    CA={"dollars": "30", "hits": "10"},
    DE={"dollars": "-10", "hits": "2"},
    US={"dollars": "80", "hits": "8"},
)


def told(formula: str, family: ParentWithChildren = SHOP) -> dict[str, list[str | None]]:
    """The numbers of a family's standings as text, one list a name."""
    found = compare_to_parents(Formula.parse(formula), family, DAYS)
    names = (*COLUMNS, "parent_value")
    return {name: [text_of(getattr(standing, name)) for standing in found] for name in names}


def text_of(value: Decimal | None) -> str | None:
    return None if value is None else decimal_text(value)


# Compared with the parent


def test_of_a_sum_the_importance_is_the_share() -> None:
    assert told("dollars") == {
        "value": ["30", "-10", "80"],
        "parent_value": ["100", "100", "100"],
        "share": ["0.3", "-0.1", "0.8"],
        "difference": ["-70", "-110", "-20"],
        "relative": ["-0.7", "-1.1", "-0.2"],
        "importance": ["0.3", "-0.1", "0.8"],
    }


def test_of_a_ratio_it_is_the_difference_weighted_by_the_share_of_the_denominator() -> None:
    assert told("dollars/hits") == {
        "value": ["3", "-5", "10"],
        "parent_value": ["5", "5", "5"],
        "share": ["0.5", "0.1", "0.4"],
        "difference": ["-2", "-10", "5"],
        "relative": ["-0.4", "-2", "1"],
        "importance": ["-0.2", "-0.2", "0.4"],
    }


@pytest.mark.parametrize(
    ("formula", "share", "importance"),
    [
        ("100 * dollars/hits", ["0.5", "0.1", "0.4"], ["-0.2", "-0.2", "0.4"]),
        ("dollars/hits - 1", ["0.5", "0.1", "0.4"], ["-0.25", "-0.25", "0.5"]),
        ("dollars/days", ["0.3", "-0.1", "0.8"], ["0.3", "-0.1", "0.8"]),
        ("-dollars", ["0.3", "-0.1", "0.8"], ["-0.3", "0.1", "-0.8"]),
        ("dollars + hits * 5", ["0.4", "0", "0.6"], ["0.4", "0", "0.6"]),
        ("dollars * hits", ["0.15", "-0.01", "0.32"], ["0.8", "0", "1.2"]),
        ("hits/hits", ["0.5", "0.1", "0.4"], ["0", "0", "0"]),
    ],
)
def test_every_formula_has_a_share_and_an_importance(
    formula: str, share: list[str], importance: list[str]
) -> None:
    found = told(formula)
    assert (found["share"], found["importance"]) == (share, importance)


def test_importance_has_the_right_sign_below_a_negative_parent() -> None:
    losses = family_of({"dollars": "-100"}, CA={"dollars": "-150"}, US={"dollars": "50"})
    found = told("dollars", losses)
    assert found["share"] == ["1.5", "-0.5"]
    assert found["importance"] == ["-1.5", "0.5"]
    assert (found["difference"], found["relative"]) == (["-50", "150"], ["-0.5", "1.5"])


def test_a_parent_of_0_has_no_quotient_not_even_0_by_0() -> None:
    level = family_of({"dollars": "0"}, CA={"dollars": "5"}, DE={}, US={"dollars": "-5"})
    found = told("dollars", level)
    for name in ("share", "relative", "importance"):
        assert found[name] == [None, None, None]
    assert found["difference"] == ["5", "0", "-5"]


def test_a_child_without_a_value_has_only_its_share() -> None:
    mixed = family_of(
        {"cost": "8", "clicks": "4", "dollars": "9", "hits": "3"},
        CA={"cost": "8", "clicks": "4", "dollars": "3", "hits": "1"},
        US={"dollars": "6", "hits": "2"},
    )
    assert told("cost/clicks + dollars/hits", mixed) == {
        "value": ["5", None],
        "parent_value": ["5", "5"],
        "share": ["0.33333333333333333", "0.66666666666666667"],
        "difference": ["0", None],
        "relative": ["0", None],
        "importance": ["0", "0"],
    }


def test_below_a_parent_without_a_value_children_have_their_own() -> None:
    level = family_of(
        {"dollars": "4", "hits": "0"},
        CA={"dollars": "6", "hits": "2"},
        US={"dollars": "-2", "hits": "-2"},
    )
    found = told("dollars/hits", level)
    assert (found.pop("value"), set(map(tuple, found.values()))) == (["3", "1"], {(None, None)})


def test_a_child_that_is_all_of_its_parent_does_not_move_a_ratio() -> None:
    alone = family_of({"dollars": "6", "hits": "2"}, US={"dollars": "6", "hits": "2"})
    assert told("dollars/hits", alone) == {
        "value": ["3"],
        "parent_value": ["3"],
        "share": ["1"],
        "difference": ["0"],
        "relative": ["0"],
        "importance": ["0"],
    }


def test_sums_and_their_differences_are_exact_and_the_rest_has_17_digits() -> None:
    wide = family_of({"hits": "300000000000000000000.3"}, US={"hits": "100000000000000000000.1"})
    with localcontext(Context(prec=2)):  # the caller's is not used
        found = told("hits", wide)
        thirds = told("hits/hits * 1", family_of({"hits": "3"}, US={"hits": "1"}))
    assert found["value"] == ["100000000000000000000.1"]
    assert found["difference"] == ["-200000000000000000000.2"]
    assert found["share"] == ["0.33333333333333333"]
    assert thirds["share"] == ["0.33333333333333333"]


def test_a_quotient_too_large_for_an_answer_is_refused_by_the_name_of_its_parameter() -> None:
    tiny = family_of({"a": "1e-30", "b": "1"}, US={"a": "1e30", "b": "1e-30"})
    huge = f"a/b{' * a' * 5}"
    with pytest.raises(BadInput, match=r"^metrics: .* below 10\^300"):
        compare_to_parents(Formula.parse(huge), tiny, DAYS)


FORMULAS = {
    "a": 1,
    "a + b": 1,
    "a/days": 1,
    "a * b/c": 1,
    "a/b": 0,
    "(a - b)/c": 0,
    "a/(b + c)": 0,
    "a/b + c/a": 0,
    "a/(b/c)/a": 0,
    "a * b": 2,
}
amounts = st.integers(1, 1_000)
triples = st.lists(st.tuples(amounts, amounts, amounts), min_size=1, max_size=5)


def parted(rows: Sequence[tuple[int, int, int]]) -> ParentWithChildren:
    """A parent that is its children together."""
    parts = {name: [Decimal(row[at]) for row in rows] for at, name in enumerate("abc")}
    whole = {name: sum(values, Decimal(0)) for name, values in parts.items()}
    return ParentWithChildren((), whole, [str(number) for number in range(len(rows))], parts)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(FORMULAS)), triples)
def test_the_importances_of_all_parts_add_up_to_the_degree_of_the_formula(
    text: str, rows: list[tuple[int, int, int]]
) -> None:
    found = compare_to_parents(Formula.parse(text), parted(rows), DAYS)
    sign = (found[0].parent_value or Decimal(0)).compare(Decimal(0))
    if sign:
        importances = [standing.importance or Decimal(0) for standing in found]
        scale = max(Decimal(1), *map(abs, importances))
        assert abs(sum(importances) - FORMULAS[text] * sign) <= scale * Decimal("1e-14")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(FORMULAS)), triples)
def test_importance_is_what_the_parent_gains_when_the_child_grows_a_little(
    text: str, rows: list[tuple[int, int, int]]
) -> None:
    family = parted(rows)
    step = Fraction(1, 10**15)

    def value(*sums: Fraction) -> Fraction:
        named = dict(zip("abc", sums, strict=True)) | {"days": Fraction(2)}
        return Fraction(eval(text, {}, named))  # noqa: S307 - one of FORMULAS

    whole = [Fraction(family.whole[name]) for name in "abc"]
    before = value(*whole)
    for row, standing in zip(
        rows, compare_to_parents(Formula.parse(text), family, DAYS), strict=True
    ):
        after = value(*(total + step * part for total, part in zip(whole, row, strict=True)))
        if before:
            gain = (after - before) / step / abs(before)
            found = Fraction(standing.importance or 0)
            assert abs(found - gain) <= abs(gain) / 10**9 + Fraction(1, 10**9)


# Which count


LEADS = family_of(
    {"hits": "100"}, CA={"hits": "30"}, DE={"hits": "-10"}, FR={"hits": "0"}, US={"hits": "60"}
)


@pytest.mark.parametrize(
    ("threshold", "kept"),
    [
        ("0", ["CA", "DE", "FR", "US"]),
        ("0.1", ["CA", "DE", "US"]),
        ("0.11", ["CA", "US"]),
        ("0.3", ["CA", "US"]),
        ("0.31", ["US"]),
        ("0.61", []),
    ],
)
def test_a_child_counts_while_it_holds_the_threshold_of_its_parent_whatever_its_sign(
    threshold: str, kept: list[str]
) -> None:
    family = LEADS.holding(Decimal(threshold), Formula.parse("hits"), DAYS)
    assert family.labels == kept
    assert len(family.parts["hits"]) == len(kept)
    assert [family.path(place) for place in range(len(kept))] == [("country", k) for k in kept]


@pytest.mark.parametrize(
    ("whole", "parts", "kept"),
    [("0", ["5", "-5", "0"], [0, 1]), ("-4", ["1", "-1", "-9"], [0, 1, 2]), ("0", ["0"], [])],
)
def test_below_a_parent_of_0_what_is_not_0_is_all_there_is(
    whole: str, parts: list[str], kept: list[int]
) -> None:
    sums = {"hits": [Decimal(part) for part in parts]}
    family = ParentWithChildren(
        (), {"hits": Decimal(whole)}, [str(at) for at in range(len(parts))], sums
    )
    found = family.holding(Decimal("0.1"), Formula.parse("hits"), DAYS)
    assert found.labels == [str(at) for at in kept]


def test_what_has_no_weight_is_not_present() -> None:
    rates = family_of({"dollars": "9", "hits": "2"}, CA={"dollars": "9"}, DE={"hits": "2"}, US={})
    assert rates.present(Formula.parse("dollars/hits").weight, DAYS).labels == ["DE"]
    assert rates.present(Formula.parse("dollars"), DAYS).labels == ["CA"]
    assert SHOP.present(Formula.parse("hits"), DAYS) is SHOP


# Which come first


def ordered(
    ranks: Mapping[str, int],
    *,
    limit: int = 0,
    descending: bool = True,
    choose: Callable[..., list[ChildIndex]] = top_n,
) -> list[tuple[str, ...]]:
    """The paths in order of children by their paths as text, each parent a family."""
    by_parent: dict[str, dict[str, int]] = {}
    for path, rank in ranks.items():
        parent, _, label = path.rpartition(">")
        by_parent.setdefault(parent, {})[label] = rank
    families = [
        ParentWithChildren(tuple(parent.split(">")) if parent else (), {}, list(found), {})
        for parent, found in by_parent.items()
    ]
    numbers = [[Decimal(rank) for rank in found.values()] for found in by_parent.values()]
    chosen = choose(families, numbers, limit=limit, descending=descending)
    return [families[number].path(place) for number, place in chosen]


RANKS = {"US": 60, "CA": 30, "FR": 10, "US>OH": 50, "US>TX": 10, "CA>QC": 30}
LARGEST = [("US",), ("US", "OH"), ("CA",), ("CA", "QC"), ("FR",), ("US", "TX")]
SMALLEST = [("FR",), ("US", "TX"), ("CA",), ("CA", "QC"), ("US", "OH"), ("US",)]


def test_the_largest_or_the_smallest_come_first_and_equals_in_the_order_of_their_paths() -> None:
    assert ordered(RANKS) == LARGEST
    assert ordered(RANKS, descending=False) == SMALLEST


def test_the_order_they_come_in_does_not_matter() -> None:
    assert ordered(dict(reversed(RANKS.items())), limit=4) == LARGEST[:4]


def test_numbers_that_are_equal_though_written_otherwise_are_ties() -> None:
    family = ParentWithChildren((), {}, ["b", "a"], {})
    ranks = [[Decimal("1.0"), Decimal(1)]]
    assert top_n([family], ranks, limit=0, descending=True) == [(0, 1), (0, 0)]


paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(">".join)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(paths, st.integers(-3, 3), max_size=25), st.integers(1, 6), st.booleans())
def test_a_limit_shows_the_head_of_what_no_limit_shows(
    ranks: dict[str, int], limit: int, descending: bool
) -> None:
    whole = ordered(ranks, descending=descending)
    plainly = sorted(
        (-rank if descending else rank, tuple(path.split(">"))) for path, rank in ranks.items()
    )
    assert whole == [path for _, path in plainly]
    assert ordered(ranks, limit=limit, descending=descending) == whole[:limit]


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(paths, st.integers(-3, 3), max_size=25), st.integers(0, 6), st.booleans())
def test_downwards_each_child_comes_after_its_parent_and_else_by_rank(
    ranks: dict[str, int], limit: int, descending: bool
) -> None:
    found = ordered(ranks, limit=limit, descending=descending, choose=top_n_downwards)
    left = {tuple(path.split(">")): -rank if descending else rank for path, rank in ranks.items()}
    shown: list[tuple[str, ...]] = []
    while left and (not limit or len(shown) < limit):
        open_paths = [path for path in left if path[:-1] not in left]
        shown.append(min(open_paths, key=lambda path: (left[path], path)))
        del left[shown[-1]]
    assert found == shown


@pytest.mark.parametrize("by", COLUMNS)
def test_a_ranking_can_go_by_each_number(by: str) -> None:
    formula = Formula.parse("dollars/hits")
    expected = [getattr(standing, by) for standing in compare_to_parents(formula, SHOP, DAYS)]
    assert column(by, formula, SHOP, DAYS) == expected
    level = family_of({"dollars": "0"}, CA={"dollars": "5"})
    number = Decimal(5) if by in ("value", "difference") else None
    assert column(by, Formula.parse("dollars"), level, DAYS) == [number]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limit", [0, 2, 3])
def test_what_has_no_number_comes_last_whatever_the_direction(descending: bool, limit: int) -> None:
    family = ParentWithChildren((), {}, ["none", "negative", "zero"], {})
    ranks = [[None, Decimal(-1), Decimal(0)]]
    found = top_n([family], ranks, limit=limit, descending=descending)
    order = ["zero", "negative"] if descending else ["negative", "zero"]
    labels = [family.labels[place] for _, place in found]
    assert labels == [*order, "none"][: limit or None]


# What a sort says


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
def test_an_invalid_sort_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match=r"^sort: "):
        Sort.parse(text)
