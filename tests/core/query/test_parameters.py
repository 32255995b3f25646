"""What a question may ask, and what is refused by name."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.core.query.parameters import parse_children, parse_plot, parse_rank, parse_totals
from hailwhale.errors import BadInput

HUGE = 10**5000  # more digits than Python turns into text


def test_a_plot_has_defaults() -> None:
    plot = parse_plot({})
    assert (plot.pk, plot.dimensions, plot.period.text) == (("_",), ((),), "1d:1mo")
    assert [formula.text for formula in plot.formulas] == ["hits"]
    assert (plot.depth, plot.threshold, plot.limit, plot.other) == (0, Decimal(0), 10, False)
    assert (plot.sort.formula.text, plot.sort.descending) == ("hits", True)


def test_the_threshold_is_a_tenth_once_descendants_are_asked_for() -> None:
    assert parse_plot({"depth": "1"}).threshold == Decimal("0.1")


def test_totals_have_five_periods_unless_asked() -> None:
    assert len(parse_totals({}).periods) == 5
    assert [period.text for period in parse_totals({"period": "today, all"}).periods] == [
        "today",
        "all",
    ]


def test_a_ranking_has_defaults() -> None:
    rank = parse_rank({"metrics": "dollars/hits, hits"})
    assert (rank.pk, rank.dimensions, rank.of_pks, rank.period.text) == (
        *(("_",), ((),), False, "1d:1mo"),
    )
    assert [formula.text for formula in rank.formulas] == ["dollars/hits", "hits"]
    assert (rank.depth, rank.threshold, rank.limit, rank.by) == (1, Decimal(0), 10, "value")
    assert (rank.sort.formula.text, rank.sort.descending) == ("dollars/hits", True)


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"depth": "all"}, ("depth", 8)),
        ({"depth": "3"}, ("depth", 3)),
        ({"of": "pks"}, ("of_pks", True)),
        ({"of": "dimensions"}, ("of_pks", False)),
        ({"by": "importance"}, ("by", "importance")),
        ({"by": "", "of": "", "depth": "", "limit": "", "sort": ""}, ("by", "value")),
        ({"limit": 0}, ("limit", 0)),
        ({"threshold": ".01"}, ("threshold", Decimal("0.01"))),
    ],
)
def test_what_a_ranking_may_ask(fields: dict[str, object], found: tuple[str, object]) -> None:
    name, value = found
    assert getattr(parse_rank(fields), name) == value


@pytest.mark.parametrize(
    ("fields", "parameter"),
    [
        ({"depth": "x"}, "depth"),
        ({"depth": 1.5}, "depth"),
        ({"depth": HUGE}, "depth"),
        ({"depth": True}, "depth"),
        ({"limit": -1}, "limit"),
        ({"limit": HUGE}, "limit"),
        ({"threshold": "1.1"}, "threshold"),
        ({"threshold": "nan"}, "threshold"),
        ({"threshold": HUGE}, "threshold"),
        ({"other": "maybe"}, "other"),
        ({"other": HUGE}, "other"),
        ({"other": []}, "other"),
        ({"tzoffset": HUGE}, "tzoffset"),
        ({"tzoffset": "utc"}, "tzoffset"),
        ({"tz": 5}, "tz"),
        ({"tz": "UTC", "tzoffset": "-0800"}, "tzoffset"),
        ({"sort": 5}, "sort"),
        ({"period": ["today", "all"]}, "period"),
        ({"period": 5}, "period"),
        ({"metrics": {"a": 1}}, "metrics"),
        ({"metrics": "a/"}, "metrics"),
        ({"dimensions": {"": "x"}}, "dimensions"),
        ({"pk": []}, "pk"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_parameter(
    fields: dict[str, object], parameter: str
) -> None:
    with pytest.raises(BadInput) as fault:
        parse_plot(fields)
    assert fault.value.parameter == parameter


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
names = st.sampled_from(
    [
        "pk",
        "dimensions",
        "metric",
        "period",
        "tz",
        "tzoffset",
        "depth",
        "threshold",
        "limit",
        "sort",
        "other",
        "of",
        "by",
        "format",
    ]
)


@given(st.dictionaries(names, plain))
def test_whatever_is_asked_is_answered_or_refused(fields: dict[str, object]) -> None:
    for parse in (parse_plot, parse_rank, parse_totals, parse_children):
        with suppress(BadInput):  # and nothing else
            assert parse(fields).pk
