"""Formulas: what can be asked, what it comes to, and that nothing else is ever raised."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from datetime import date
from decimal import Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hailwhale.core.query.bucket_lengths import Bucket
from hailwhale.core.query.expression_parser import LENGTHS
from hailwhale.core.query.formula import Formula
from hailwhale.core.time.calendar_grid import parse_zone
from hailwhale.errors import BadInput

DAY = 86400
NEW_YORK = parse_zone("America/New_York")
JANUARY = [Bucket(0, DAY), Bucket(DAY, 2 * DAY), Bucket(2 * DAY, 3 * DAY)]
MONTHS = [Bucket(0, 31 * DAY), Bucket(31 * DAY, 59 * DAY)]


def decimals(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


COLUMNS = {
    "hits": decimals("4", "0", "2"),
    "dollars": decimals("6", "3", "-1"),
    "page-views": decimals("10", "20", "30"),
    "Größe in cm.": decimals("1", "2", "3"),
    "days": decimals("7", "8", "9"),
    "late": decimals("0", "5", "0"),
}


@pytest.mark.parametrize(
    ("text", "metrics"),
    [
        ("hits", ("hits",)),
        ("  hits ", ("hits",)),
        ("dollars/hits + dollars*2/fees", ("dollars", "hits", "fees")),
        ("page-views - page-loads", ("page-views", "page-loads")),
        ("-spent/earned", ("spent", "earned")),
        ("a -b", ("a -b",)),
        ("gross  -  net", ("gross", "net")),
        ("404 errors/2", ("404 errors",)),
        ("売上/来店", ("売上", "来店")),
        ("dollars/days", ("dollars",)),
        ("days", ("days",)),
        ("_count", ("_count",)),
        ("days:sum", ("days",)),
        ("hits:sum/hits:last", ("hits",)),
        ("hits : last", ("hits",)),
    ],
)
def test_a_formula_names_the_metrics_it_reads_in_order_of_appearance(
    text: str, metrics: tuple[str, ...]
) -> None:
    formula = Formula.parse(text)
    assert formula.metrics == metrics
    assert formula.text == text.strip()


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("hits", True),
        (" page-views ", True),
        ("days", True),
        ("(hits)", False),
        ("hits:sum", False),
        ("-hits", False),
    ],
)
def test_only_one_bare_name_is_plain(text: str, plain: bool) -> None:
    assert Formula.parse(text).is_plain is plain


@pytest.mark.parametrize(
    ("text", "values", "total"),
    [
        ("hits", ["4", "0", "2"], "6"),
        ("unknown", ["0", "0", "0"], "0"),
        ("dollars/hits", ["1.5", "0", "-0.5"], "1.3333333333333333"),
        ("dollars/unknown", ["0", "0", "0"], "0"),
        ("unknown/unknown", ["0", "0", "0"], "0"),
        ("-dollars/hits", ["-1.5", "0", "0.5"], "-1.3333333333333333"),
        ("-(dollars + hits)", ["-10", "-3", "-1"], "-14"),
        ("hits - -dollars", ["10", "3", "1"], "14"),
        ("hits - - dollars", ["10", "3", "1"], "14"),
        ("--hits", ["4", "0", "2"], "6"),
        ("page-views - hits - dollars", ["0", "17", "29"], "46"),
        ("page-views - (hits - dollars)", ["12", "23", "27"], "62"),
        ("page-views/hits/2", ["1.25", "0", "7.5"], "5"),
        ("page-views/(hits/2)", ["5", "0", "30"], "20"),
        ("hits + dollars*2", ["16", "6", "0"], "22"),
        ("(hits + dollars) * 2", ["20", "6", "2"], "28"),
        (" ( hits+dollars )*.5 ", ["5", "1.5", "0.5"], "7"),
        ("(hits) - (dollars)", ["-2", "-3", "3"], "-2"),
        ("hits*1.e-2", ["0.04", "0", "0.02"], "0.06"),
        ("Größe in cm./100", ["0.01", "0.02", "0.03"], "0.06"),
        ("dollars:sum", ["6", "9", "8"], "8"),
        ("late:last", ["0", "5", "5"], "5"),
        ("dollars:sum/hits:sum", ["1.5", "2.25", "1.3333333333333333"], "1.3333333333333333"),
        ("hits:last*2", ["8", "8", "4"], "4"),
    ],
)
def test_a_formula_is_worked_out_on_sums(text: str, values: list[str], total: str) -> None:
    formula = Formula.parse(text)
    assert formula.series(COLUMNS, JANUARY) == decimals(*values)
    assert formula.total(COLUMNS, JANUARY) == Decimal(total)


@pytest.mark.parametrize(
    ("text", "values", "total"),
    [
        ("sales*seconds", ["166060800", "135475200"], "601516800"),
        ("sales*minutes", ["2767680", "2257920"], "10025280"),
        ("sales*hours", ["46128", "37632"], "167088"),
        ("sales*days", ["1922", "1568"], "6962"),
        ("sales/days", ["2", "2"], "2"),
        ("sales*weeks", ["274.57142857142857", "224"], "994.57142857142857"),
        ("sales*years", ["5.2657534246575342", "4.2958904109589041"], "19.073972602739726"),
        ("sales/_days_in_month", ["2", "2"], "3.8064516129032258"),
        ("sales/_count", ["62", "56"], "59"),
    ],
)
def test_constants_stand_for_the_bucket_and_in_a_total_for_the_whole_span(
    text: str, values: list[str], total: str
) -> None:
    columns = {"sales": decimals("62", "56")}
    formula = Formula.parse(text)
    assert formula.series(columns, MONTHS) == decimals(*values)
    assert formula.total(columns, MONTHS) == Decimal(total)


@pytest.mark.parametrize(
    ("text", "value"),
    [("hits/days", "46"), ("hits/:days", "46"), ("hits/hours", "2"), ("hits*weeks*7", "46")],
)
def test_a_day_of_23_hours_is_a_day_and_has_23_hours(text: str, value: str) -> None:
    [begin_s, end_s] = [NEW_YORK.day_start(date(2026, 3, day)) for day in (8, 9)]
    assert end_s - begin_s == 23 * 3600
    columns, spring_forward = {"hits": decimals("46")}, [Bucket(begin_s, end_s, NEW_YORK)]
    assert Formula.parse(text).series(columns, spring_forward) == decimals(value)


@pytest.mark.parametrize("word", [*LENGTHS, "days_in_month"])
def test_a_span_without_a_beginning_has_no_length(word: str) -> None:
    ever = [Bucket(0, 1_767_225_600, grid=None)]
    formula = Formula.parse(f"hits/:{word}", "by_metric")
    for asked in (formula.series, formula.total, formula.defined_series, formula.defined_total):
        with pytest.raises(BadInput, match=r"^by_metric: .*all has no length"):
            asked({"hits": decimals("46")}, ever)
    assert Formula.parse("hits/:count").total({"hits": decimals("46")}, ever) == 46


@pytest.mark.parametrize("word", [*LENGTHS, "days_in_month", "count"])
def test_a_word_with_a_colon_is_the_word_without_and_never_a_metric(word: str) -> None:
    bare = word if word in LENGTHS else f"_{word}"
    columns = {"hits": decimals("46", "8"), bare: decimals("2", "4")}
    ours, either = Formula.parse(f"hits/:{word}"), Formula.parse(f"hits/{bare}")
    assert ours.total(columns, MONTHS) == either.total(columns, MONTHS)
    assert not ours.ambiguous
    assert either.ambiguous == {bare}
    counted = either.where_counted({"hits", bare})
    assert counted.metrics == ("hits", bare)
    assert counted.series(columns, MONTHS) == decimals("23", "2")
    assert counted.text == either.text
    assert ours.where_counted({"hits", bare}) is ours
    assert either.where_counted({"hits"}) is either
    assert counted.weight.metrics == (bare,)


@pytest.mark.parametrize(
    ("text", "total"),
    [("days", "24"), ("days:sum", "24"), ("days:last", "9"), ("days:sum/days", "8")],
)
def test_a_constants_word_alone_or_with_a_suffix_is_the_metric_of_that_name(
    text: str, total: str
) -> None:
    assert Formula.parse(text).total(COLUMNS, JANUARY) == Decimal(total)


def test_over_no_buckets_there_are_no_points_and_the_total_is_zero() -> None:
    for text in ("hits", "hits:last", "dollars/hits", "dollars/days", "hits*_count"):
        formula = Formula.parse(text)
        assert formula.series({}, []) == []
        assert formula.total({}, []) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12",
        "1/2",
        "(days)",
        "-days",
        "hours * 2",
        "a/",
        "a//b",
        "a +",
        "-",
        "a - ( - )",
        "(a",
        "a)",
        "()",
        "a (b)",
        "(a)-b",
        "a:avg",
        "a/:avg",
        "a/:sum",
        "a/:",
        "a:days",
        "a/:days:sum",
        ":days",
        "1e999999*a",
        "1e+999*a",
        "a*1e99999999999999999999",
        "a:sum b",
        "a:sum:last",
        ":sum",
        "2:sum",
        "(a):sum",
        "a,b",
        "a/b\n/c",
        "\ud800",
        "a\u2028b",
        "a*1" + "0" * 60,
        "a*1e-61",
        "a" * 1001,
        "(" * 21 + "a" + ")" * 21,
        "-" * 21 + "a",
    ],
)
def test_an_invalid_formula_is_refused_by_the_parameters_name(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        Formula.parse(text, "by_metric")
    assert caught.value.parameter == "by_metric"


@pytest.mark.parametrize("value", [None, 7, b"hits", ["hits"]])
def test_a_value_that_is_not_text_is_refused(value: object) -> None:
    with pytest.raises(BadInput, match=r"^metrics: "):
        Formula.parse(value)  # type: ignore[arg-type]


def test_an_error_says_where_and_what_was_expected() -> None:
    with pytest.raises(BadInput) as caught:
        Formula.parse("(a)-b")
    expected = "expected one of + * / or a minus with a space on each side, at character 4"
    assert expected in caught.value.message


@pytest.mark.parametrize(
    "text", ["a" * 1000, "(" * 20 + "a" + ")" * 20, "-" * 20 + "a", "+".join(["a"] * 500)]
)
def test_the_largest_formulas_are_read_and_worked_out(text: str) -> None:
    assert Formula.parse(text).series({"a": decimals("0")}, JANUARY[:1]) == [0]


def test_what_is_past_any_use_is_refused_and_names_the_formula() -> None:
    formula = Formula.parse("*".join(["a"] * 500), "by_metric")
    with pytest.raises(BadInput, match=r"^by_metric: .*below 10\^300"):
        formula.series({"a": decimals("1e59")}, JANUARY[:1])
    assert formula.series({"a": decimals("1e-59")}, JANUARY[:1]) == [0]


def test_sums_are_exact_and_what_is_made_of_them_has_17_digits() -> None:
    wide = decimals("123456789012345678901234567890", "0.000000000000000000000000000001")
    total = Decimal("123456789012345678901234567890.000000000000000000000000000001")
    assert Formula.parse("a").total({"a": wide}, JANUARY[:2]) == total
    assert Formula.parse("a:sum").series({"a": wide}, JANUARY[:2])[1] == total
    assert Formula.parse("a/1").total({"a": wide}, JANUARY[:2]) == Decimal("1.2345678901234568e29")


WIDE = "123456789012345678901234567890.000000000000000000000000000001"


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("-a", f"-{WIDE}"),
        ("a*1", WIDE),
        ("a + b", WIDE.replace("0.0", "1.0")),
        ("a*3 - a - a", WIDE),
        ("(a + b) - a", "1"),
        ("((a + b) - a)/b", "1"),
        ("a*:seconds", "10666666570666666657066666665696000.0000000000000000000000000864"),
        ("b*1e+20*1e-20", "1"),
        ("b*1E-20 + 1.e+2", "100.00000000000000000001"),
    ],
)
def test_nothing_is_rounded_where_nothing_is_divided(text: str, exact: str) -> None:
    columns = {"a": decimals(WIDE), "b": decimals("1")}
    formula = Formula.parse(text)
    assert formula.total(columns, JANUARY[:1]) == Decimal(exact)
    assert formula.series(columns, JANUARY[:1]) == decimals(exact)


def test_a_third_is_rounded_once_however_it_is_used() -> None:
    columns = {"a": decimals("1"), "b": decimals("3")}
    for text in ("a/b*3", "3*(a/b)", "a/b + a/b + a/b", "(a/b)/(a/b)"):
        assert Formula.parse(text).total(columns, JANUARY[:1]) == 1


@pytest.mark.parametrize(
    ("text", "values", "total"),
    [
        ("dollars/hits", ["1.5", None, "-0.5"], "1.3333333333333333"),
        ("dollars/hits + 1", ["2.5", None, "0.5"], "2.3333333333333333"),
        ("0*(dollars/hits)", ["0", None, "0"], "0"),
        ("unknown/unknown", [None, None, None], None),
        ("1/(dollars/unknown) + hits", [None, None, None], None),
        ("hits", ["4", "0", "2"], "6"),
    ],
)
def test_a_quotient_by_0_leaves_a_value_undefined_also_0_by_0(
    text: str, values: list[str | None], total: str | None
) -> None:
    formula = Formula.parse(text)
    expected = [None if value is None else Decimal(value) for value in values]
    assert formula.defined_series(COLUMNS, JANUARY) == expected
    assert formula.defined_total(COLUMNS, JANUARY) == (None if total is None else Decimal(total))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e+2*a", "700"),
        ("1e + 2*a", "14"),
        ("a+1e+2", "107"),
        ("a*1e+2 - 1", "699"),
        ("1e+2x + a", "7"),
    ],
)
def test_what_reads_as_a_number_is_one_and_with_spaces_a_metric(text: str, value: str) -> None:
    assert Formula.parse(text).total({"a": decimals("7")}, JANUARY[:1]) == Decimal(value)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("10000000000000000.5", "1.0000000000000000e16"),
        ("10000000000000001.5", "1.0000000000000002e16"),
    ],
)
def test_ties_are_rounded_to_the_even_digit(value: str, rounded: str) -> None:
    assert Formula.parse("a/1").total({"a": decimals(value)}, JANUARY[:1]) == Decimal(rounded)


def test_zero_has_no_sign() -> None:
    columns = {"a": decimals("0"), "b": decimals("-1")}
    for text in ("a*b", "a/b", "-a", "a*-1"):
        assert str(Formula.parse(text).total(columns, JANUARY[:1])) == "0"


def test_the_callers_decimal_context_is_neither_used_nor_changed() -> None:
    with localcontext(Context(prec=3, traps=[])) as callers:
        formula = Formula.parse("dollars/hits*1.23456")
        assert formula.total(COLUMNS, JANUARY) == Decimal("1.64608")
        assert Formula.parse("a").total({"a": decimals("1000", "1")}, []) == 1001
        assert callers.prec == 3
        assert not any(callers.flags.values())


def test_formulas_of_one_text_are_equal_values() -> None:
    assert Formula.parse("a/b", "metrics") == Formula.parse(" a/b ", "sort")
    assert len({Formula.parse("a/b"), Formula.parse("a/b"), Formula.parse("b/a")}) == 2


NAMES = {"a": Fraction(7), "b": Fraction(-3), "c": Fraction(1, 4), "d": Fraction(12)}
OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def by_python(node: ast.expr) -> Fraction:
    """The exact value of an expression as Python's own grammar reads it."""
    match node:
        case ast.Name(id=name):
            return NAMES[name]
        case ast.Constant(value=int(number)):
            return Fraction(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -by_python(operand)
        case ast.BinOp(left=left, op=sign, right=right):
            return OPERATIONS[type(sign)](by_python(left), by_python(right))
    raise AssertionError(ast.dump(node))


leaves = st.sampled_from([*NAMES, "2", "3", "9"])
signs = st.sampled_from([" + ", "+", " - ", "*", " * ", "/"])
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, signs, inner).map("".join),
        inner.map("({})".format),
        inner.map("-{}".format),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(expressions)
def test_precedence_is_that_of_python(text: str) -> None:
    assume(set(text) & set(NAMES))
    try:
        exact = by_python(ast.parse(text, mode="eval").body)
    except ZeroDivisionError:
        assume(False)
    columns = {name: [Decimal(x.numerator) / x.denominator] for name, x in NAMES.items()}
    found = Fraction(Formula.parse(text).total(columns, JANUARY[:1]))
    assert abs(found - exact) <= max(Fraction(1), abs(exact)) / 10**15


pieces = st.sampled_from(
    ["a", "b", "days", ":sum", ":", "(", ")", " - ", "-", "/", "*", "+", "1", " "]
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(pieces, max_size=25).map("".join)))
def test_whatever_comes_in_is_a_formula_or_bad_input(text: str) -> None:
    try:
        formula = Formula.parse(text)
    except BadInput:
        return
    columns = {metric: decimals("0", "-1.5", "1e9") for metric in formula.metrics}
    assert all(value.is_finite() for value in formula.series(columns, JANUARY))
    assert formula.total(columns, JANUARY).is_finite()


values = st.decimals(min_value=-(10**20), max_value=10**20, places=6)


@settings(max_examples=100, deadline=None)
@given(st.lists(values, min_size=1, max_size=20))
def test_the_total_of_a_plain_metric_is_exactly_the_sum_of_its_series(
    column: list[Decimal],
) -> None:
    buckets = [Bucket(at * DAY, (at + 1) * DAY) for at in range(len(column))]
    plain, running = Formula.parse("a"), Formula.parse("a:sum")
    series = plain.series({"a": column}, buckets)
    total = plain.total({"a": column}, buckets)
    assert Fraction(total) == sum(map(Fraction, series))
    assert total == running.total({"a": column}, buckets)
    assert total == running.series({"a": column}, buckets)[-1]


@pytest.mark.parametrize(
    ("text", "additive"),
    [
        *[
            (text, True)
            for text in ("sales", "-sales", "sales + tax", "2*sales - tax/4", "sales:sum")
        ],
        *[(text, True) for text in ("sales/:days", "(sales + 0)*3", "0*sales", "(2 + 3)*sales")],
        *[(text, False) for text in ("sales + 5", "5 - sales", "sales + :days", "sales*tax")],
        *[
            (text, False)
            for text in ("sales/tax", "2/sales", "price:last", "uniques", "sales - 2*3")
        ],
    ],
)
def test_only_sums_and_their_multiples_are_additive(text: str, additive: bool) -> None:
    assert Formula.parse(text).is_additive is additive


OPERANDS = st.recursive(
    st.sampled_from(["a", "b", "2", "0", "7"]),
    lambda inner: st.builds(
        "({}{}{})".format, inner, st.sampled_from(["+", " - ", "*", "/"]), inner
    ),
    max_leaves=6,
)
AMOUNTS = st.integers(-20, 20).map(Decimal)


@given(OPERANDS, st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=2, max_size=3))
def test_the_parts_of_an_additive_formula_add_up_to_the_whole(
    text: str, parts: list[tuple[Decimal, Decimal]]
) -> None:
    try:
        formula = Formula.parse(text)
    except BadInput:
        return  # a formula without a metric
    if formula.is_additive:
        day = [Bucket(0, 86_400)]
        columns = [{"a": [a], "b": [b]} for a, b in parts]
        whole = {name: [sum((each[name][0] for each in columns), Decimal())] for name in ("a", "b")}
        added = sum(formula.series(each, day)[0] for each in columns)
        assert abs(added - formula.series(whole, day)[0]) < Decimal("1e-9")
