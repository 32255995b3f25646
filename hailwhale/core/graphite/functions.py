"""Graphite functions in targets: their arguments, their results and their index for editors.

Each function returns what is correct for sums. Only additive series can be added: adding ratios,
last values or visitors is an error. summarize reads wider buckets, so a formula is evaluated again
on their sums. A function that is not listed here is refused by name.

Knows nothing of where series come from: `CurveSource` reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, Overflow, localcontext

from hailwhale.core.graphite import curves
from hailwhale.core.graphite.curves import Curve, CurveSource
from hailwhale.core.graphite.paths import Pattern
from hailwhale.core.graphite.target import Argument, Call, Text
from hailwhale.core.graphite.times import parse_interval
from hailwhale.core.query.arithmetic import PRODUCTS, answered
from hailwhale.core.time.calendar_grid import Interval
from hailwhale.errors import BadInput

_KINDS = {list: "a path or a function", Decimal: "a number", str: "a quoted string"}


@dataclass(frozen=True, slots=True)
class FunctionParameter:
    """Describe one argument: its name and type as in Graphite's function index."""

    name: str
    kind: str
    required: bool = True
    multiple: bool = False
    default: object = None
    options: tuple[str, ...] = ()

    @property
    def type(self) -> type:
        """Return what the argument is parsed as: a list of curves, a number or a text."""
        types: Mapping[str, type] = {"seriesList": list, "float": Decimal, "integer": Decimal}
        return types.get(self.kind, Decimal if self.kind == "node" else str)


@dataclass(frozen=True, slots=True)
class GraphiteFunction:
    """Describe one function: its purpose, its arguments and its implementation."""

    group: str
    doc: str
    parameters: tuple[FunctionParameter, ...]
    make: Callable[..., list[Curve]]


def evaluate(expression: Argument, source: CurveSource) -> list[Curve]:
    """Return the curves of a target, rounded once; raise `BadInput` naming what failed."""
    try:
        return [_answered(curve) for curve in _evaluated(expression, source)]
    except Overflow as fault:
        text = getattr(expression, "text", expression)
        raise BadInput("target", text, "values that stay below 10^300") from fault


def _evaluated(expression: Argument, source: CurveSource) -> list[Curve]:
    if isinstance(expression, Pattern):
        return source.read(expression, source.interval)
    if not isinstance(expression, Call):
        raise BadInput(
            "target",
            expression,
            "a path or a function call such as sumSeries(Shop.by.country.*.hits)",
        )
    function = FUNCTIONS.get(expression.name)
    if function is None:
        raise BadInput("target", expression.name, f"one of the functions {', '.join(FUNCTIONS)}")
    if expression.name == "summarize":
        source = replace(source, interval=_interval_of(expression))
    given = _arguments(expression, function, source)
    source.spend(sum(len(curve.values) for each in given for curve in _curves(each)))
    with localcontext(PRODUCTS):
        return function.make(expression, source, *given)


def _curves(given: object) -> list[Curve]:
    return given if isinstance(given, list) else []


def index() -> dict[str, dict[str, object]]:
    """Return all functions in the format of Graphite's /functions."""
    return {
        name: {
            "name": name,
            "function": f"{name}({', '.join(each.name for each in function.parameters)})",
            "description": function.doc,
            "module": "hailwhale",
            "group": function.group,
            "params": [_told(each) for each in function.parameters],
        }
        for name, function in FUNCTIONS.items()
    }


def _told(parameter: FunctionParameter) -> dict[str, object]:
    told: dict[str, object] = {"name": parameter.name, "type": parameter.kind}
    told["required"] = parameter.required
    more = {"multiple": parameter.multiple, "default": parameter.default}
    more["options"] = list(parameter.options)
    return told | {name: value for name, value in more.items() if value}


# Arguments


def _arguments(call: Call, function: GraphiteFunction, source: CurveSource) -> list[object]:
    found: list[object] = []
    last = function.parameters[-1]
    most = 64 if last.multiple else len(function.parameters)
    for place, argument in enumerate(call.arguments):
        if place >= most:
            raise BadInput("target", call.text, f"at most {most} arguments for {call.name}")
        parameter = function.parameters[min(place, len(function.parameters) - 1)]
        found.append(_argument(call, argument, parameter, source))
    for parameter in function.parameters[len(found) :]:
        if parameter.required:
            raise BadInput("target", call.text, f"{call.name} with the argument {parameter.name}")
    return found


def _argument(
    call: Call, argument: Argument, parameter: FunctionParameter, source: CurveSource
) -> object:
    if parameter.type is list and isinstance(argument, Call | Pattern):
        return _evaluated(argument, source)
    if parameter.type is Decimal and _suits(argument, parameter):
        return argument
    if parameter.type is str and isinstance(argument, Text):
        if not parameter.options or argument.value in parameter.options:
            return argument.value
        raise BadInput("target", argument.value, f"one of {' '.join(parameter.options)}")
    whole = "a whole number" if parameter.kind in ("integer", "node") else _KINDS[parameter.type]
    raise BadInput("target", call.text, f"{whole} as the argument {parameter.name} of {call.name}")


def _suits(argument: Argument, parameter: FunctionParameter) -> bool:
    if not isinstance(argument, Decimal):
        return False
    return parameter.kind == "float" or argument == argument.to_integral_value()


def _interval_of(call: Call) -> Interval:
    if len(call.arguments) < 2 or not isinstance(call.arguments[1], Text):
        raise BadInput("target", call.text, "summarize with an interval, such as '1d'")
    return parse_interval(call.arguments[1].value, "target")


def _answered(curve: Curve) -> Curve:
    """Round the values of a curve for an answer: sums keep every digit, quotients 17."""
    values = curves.each(curve.values, lambda value: answered(value, exact=curve.exact))
    return replace(curve, values=values)


_LIST = FunctionParameter("seriesList", "seriesList")
_LISTS = FunctionParameter("seriesLists", "seriesList", multiple=True)
_SUM = FunctionParameter("func", "string", required=False, default="sum", options=curves.SUM_WORDS)
_BY = FunctionParameter(
    "func", "string", False, default="sum", options=(*curves.SUM_WORDS, "max", "last")
)
_TOTAL = FunctionParameter("total", "seriesList", required=False)
_ADDED = "Adds series up, bucket by bucket. Ratios and visitors cannot be added up."

FUNCTIONS: dict[str, GraphiteFunction] = {
    "alias": GraphiteFunction(
        "Alias", "Names series.", (_LIST, FunctionParameter("newName", "string")), curves.alias
    ),
    "aliasByMetric": GraphiteFunction(
        "Alias", "Names series by their metric.", (_LIST,), curves.alias_by_metric
    ),
    "aliasByNode": GraphiteFunction(
        "Alias",
        "Names series by nodes of their path, counted from 0.",
        (_LIST, FunctionParameter("nodes", "node", multiple=True)),
        curves.alias_by_node,
    ),
    "asPercent": GraphiteFunction(
        "Combine",
        "Percentage of a total, or of the sum of all series.",
        (_LIST, _TOTAL),
        curves.as_percent,
    ),
    "consolidateBy": GraphiteFunction(
        "Special",
        "Wider buckets are always sums; any other function is refused.",
        (_LIST, FunctionParameter("consolidationFunc", "string", options=curves.SUM_WORDS)),
        curves.consolidate_by,
    ),
    "constantLine": GraphiteFunction(
        "Special",
        "Draws a horizontal line at a value.",
        (FunctionParameter("value", "float"),),
        curves.constant_line,
    ),
    "divideSeries": GraphiteFunction(
        "Combine",
        "Divides series by one series; null where the divisor is 0.",
        (
            FunctionParameter("dividendSeriesList", "seriesList"),
            FunctionParameter("divisorSeries", "seriesList"),
        ),
        curves.divide_series,
    ),
    "highest": GraphiteFunction(
        "Filter Series",
        "Keeps the n series with the largest totals.",
        (_LIST, FunctionParameter("n", "integer", required=False, default=1), _BY),
        curves.highest,
    ),
    "scale": GraphiteFunction(
        "Transform",
        "Multiplies series by a factor.",
        (_LIST, FunctionParameter("factor", "float")),
        curves.scale,
    ),
    "sum": GraphiteFunction("Combine", _ADDED, (_LISTS,), curves.sum_series),
    "sumSeries": GraphiteFunction("Combine", _ADDED, (_LISTS,), curves.sum_series),
    "summarize": GraphiteFunction(
        "Transform",
        "Uses buckets of an interval; formulas are evaluated for each bucket.",
        (_LIST, FunctionParameter("intervalString", "interval"), _SUM),
        curves.summarize,
    ),
}
