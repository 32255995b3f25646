"""Computations on curves: sums, quotients, names and top-N.

Only additive series can be added. Adding ratios, last values or visitors is an error. Takes curves
and returns curves: `CurveSource` reads them, and `functions` calls these computations, in a decimal
context in which sums and products are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hailwhale.core.graphite.paths import Pattern, label_of
from hailwhale.core.graphite.target import Call
from hailwhale.core.query.arithmetic import quotient
from hailwhale.core.time.calendar_grid import Interval
from hailwhale.errors import BadInput

Value = Decimal | None

SUM_WORDS = ("sum", "total")
MAX_HIGHEST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A named series; a value that is unknown is None.

    `path` is the first path the curve was computed from. `starts_s` are the starts of its buckets
    and `end_s` the end of the last one. `additive` says whether such curves can be summed. `exact`
    says whether nothing was divided; other values have 34 digits and are rounded in the answer.
    """

    name: str
    path: str
    starts_s: tuple[int, ...]
    end_s: int
    values: tuple[Value, ...]
    additive: bool = True
    exact: bool = True


@dataclass(frozen=True, slots=True)
class CurveSource:
    """Provide curves: `read` returns those of a pattern at an interval (None: the default one).

    `begin_s` and `end_s` bound the request. `spend` is called with how many numbers
    each function computes.
    """

    read: Callable[[Pattern, Interval | None], list[Curve]]
    begin_s: int
    end_s: int
    interval: Interval | None = None
    spend: Callable[[int], None] = lambda _numbers: None


def alias(_call: Call, _source: CurveSource, curves: list[Curve], name: str) -> list[Curve]:
    return [replace(curve, name=name) for curve in curves]


def alias_by_node(
    call: Call, _source: CurveSource, curves: list[Curve], *places: Decimal
) -> list[Curve]:
    named = []
    for curve in curves:
        nodes = curve.path.split(".")
        if any(not -len(nodes) <= place < len(nodes) for place in places):
            raise BadInput("target", call.text, f"nodes of {curve.path}, counted from 0")
        name = ".".join(label_of(nodes[int(place)]) for place in places)
        named.append(replace(curve, name=name))
    return named


def alias_by_metric(call: Call, source: CurveSource, curves: list[Curve]) -> list[Curve]:
    return alias_by_node(call, source, curves, Decimal(-1))


def as_percent(
    call: Call, source: CurveSource, curves: list[Curve], total: list[Curve] | None = None
) -> list[Curve]:
    whole = sum_series(call, source, curves) if total is None else total
    parts = divide_series(call, source, curves, whole) if curves else []
    return [
        replace(part, name=f"asPercent({curve.name})", values=each(part.values, _hundredfold))
        for part, curve in zip(parts, curves, strict=True)
    ]


def consolidate_by(
    _call: Call, _source: CurveSource, curves: list[Curve], _how: str
) -> list[Curve]:
    return curves


def constant_line(_call: Call, source: CurveSource, value: Decimal) -> list[Curve]:
    middle_s = (source.begin_s + source.end_s) // 2
    starts = tuple(dict.fromkeys((source.begin_s, middle_s, source.end_s)))
    name = format(value, "f")
    values = (value,) * len(starts)
    return [Curve(name=name, path=name, starts_s=starts, end_s=source.end_s + 1, values=values)]


def divide_series(
    call: Call, _source: CurveSource, dividends: list[Curve], divisors: list[Curve]
) -> list[Curve]:
    if len(divisors) != 1:
        raise BadInput("target", call.text, f"one series as the divisor, not {len(divisors)}")
    [divisor] = divisors
    made = []
    for curve in dividends:
        _refuse_mixed(call, [curve, divisor])
        pairs = zip(curve.values, divisor.values, strict=True)
        values = tuple(None if a is None or b is None else quotient(a, b) for a, b in pairs)
        name = f"divideSeries({curve.name},{divisor.name})"
        made.append(replace(curve, name=name, values=values, additive=False, exact=False))
    return made


def highest(
    call: Call,
    _source: CurveSource,
    curves: list[Curve],
    count: Decimal = Decimal(1),
    by: str = "sum",
) -> list[Curve]:
    if not 1 <= count <= MAX_HIGHEST:
        raise BadInput("target", call.text, f"a number of series from 1 to {MAX_HIGHEST}")

    def height(curve: Curve) -> Decimal:
        values = [value for value in curve.values if value is not None]
        if by in SUM_WORDS:
            return sum(values, Decimal(0))
        return (max(values) if by == "max" else values[-1]) if values else Decimal("-Infinity")

    return sorted(curves, key=height, reverse=True)[: int(count)]


def scale(_call: Call, _source: CurveSource, curves: list[Curve], factor: Decimal) -> list[Curve]:
    by = format(factor, "f")
    return [
        replace(
            curve,
            name=f"scale({curve.name},{by})",
            values=each(curve.values, lambda value: value * factor),
        )
        for curve in curves
    ]


def summarize(
    call: Call, _source: CurveSource, curves: list[Curve], interval: str, how: str = "sum"
) -> list[Curve]:
    ending = f',"{interval}","{how}")'
    return [replace(curve, name=f"summarize({curve.name}{ending}") for curve in curves]


def sum_series(call: Call, _source: CurveSource, *lists: list[Curve]) -> list[Curve]:
    curves = [curve for each in lists for curve in each]
    if not curves:
        return []
    for curve in curves:
        if not curve.additive:
            instead = "divideSeries(sumSeries(…), sumSeries(…))"
            expected = f"series that can be added up; for ratios write {instead}"
            raise BadInput("target", curve.name, expected)
    _refuse_mixed(call, curves)
    columns = zip(*(curve.values for curve in curves), strict=True)
    values = tuple(_total(column) for column in columns)
    exact = all(curve.exact for curve in curves)
    return [replace(curves[0], name=call.text, values=values, exact=exact)]


def _total(column: Sequence[Value]) -> Value:
    known = [value for value in column if value is not None]
    return sum(known, Decimal(0)) if known else None


def _refuse_mixed(call: Call, curves: Sequence[Curve]) -> None:
    if any(curve.starts_s != curves[0].starts_s for curve in curves):
        raise BadInput("target", call.text, "series that all have the same interval")


def each(values: Sequence[Value], make: Callable[[Decimal], Decimal]) -> tuple[Value, ...]:
    return tuple(None if value is None else make(value) for value in values)


def _hundredfold(value: Decimal) -> Decimal:
    return value * 100
