"""Formulas over metric sums: read once from text, then worked out on sums and never summed.

    sum      =  product { ("+" | " - ") product }
    product  =  operand { ("*" | "/") operand }
    operand  =  "-" operand | "(" sum ")" | number | name [":sum" | ":last"]

A minus between two operands has a space on each side: `page-views` is one name. Names may contain
anything but `/ : ( ) * + ,` and control characters.

This module owns the grammar and the arithmetic. It must not know where the sums come from, what a
period is, or how a number is written in an answer.

Sums of metrics are exact. What a formula makes of them is worked out to 34 digits and rounded to 17
at the end; there are no floats, and the decimal context of the caller is neither used nor changed.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import (
    MAX_EMAX,
    MIN_EMIN,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    localcontext,
)
from itertools import accumulate

from hailwhale.errors import BadInput

MAX_CHARS = 1000
MAX_DEPTH = 20
ZERO = Decimal(0)
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")

_FAULTS = [InvalidOperation, DivisionByZero, Overflow]
EXACT = Context(prec=1000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[*_FAULTS, Inexact])
WORKING = Context(34, ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=_FAULTS)
# What is answered has to survive being read as a double: up to 10^300, and down to 10^-300.
_ANSWER = Context(17, ROUND_HALF_EVEN, Emin=-284, Emax=299, traps=_FAULTS)

Columns = Mapping[str, Sequence[Decimal]]


@dataclass(frozen=True, slots=True)
class Bucket:
    """The span `[start_s, end_s)` of a point, and the days of the month it starts in."""

    start_s: int
    end_s: int
    days_in_month: int


@dataclass(frozen=True, slots=True)
class _Read:
    """A metric's own values, or with a suffix their running total or the last that was not 0."""

    metric: str
    suffix: str


@dataclass(frozen=True, slots=True)
class _Constant:
    """A word that stands for something the bucket says of itself."""

    word: str


_Operation = Callable[[Decimal, Decimal], Decimal]
_Step = Decimal | _Read | _Constant | _Operation


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression over metrics, as `parse` reads it.

    `text` is the expression as it was asked, `metrics` the names it reads in order of appearance.

    Numbers and these words may stand in it, unless the word is all there is: then it is a metric.
    `seconds minutes hours days weeks years` are the length of the bucket (or of the span of a
    total), `_days_in_month` the days of the month the bucket starts in, `_count` how many buckets
    were summed up. `name:sum` is the running total of a metric, `name:last` its last value that was
    not 0. Anything divided by 0 is 0.

    >>> rate = Formula.parse("dollars/hits")
    >>> rate.metrics
    ('dollars', 'hits')
    >>> days = [Bucket(0, 86400, 31), Bucket(86400, 172800, 31)]
    >>> columns = {"dollars": [Decimal(6), Decimal(3)], "hits": [Decimal(4), Decimal(0)]}
    >>> rate.series(columns, days)
    [Decimal('1.5'), Decimal('0')]
    >>> rate.total(columns, days)
    Decimal('2.25')
    """

    text: str
    metrics: tuple[str, ...]
    steps: tuple[_Step, ...] = field(repr=False)  # in postfix order: no tree to recurse into
    parameter: str = field(default="metrics", repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, parameter: str = "metrics") -> Formula:
        """Read a formula; `BadInput` names `parameter` when it cannot be read or has no metric."""
        if not isinstance(text, str):
            raise BadInput(parameter, text, "a metric or a formula such as dollars/hits")
        text = text.strip()
        if not 0 < len(text) <= MAX_CHARS:
            raise BadInput(parameter, text, f"a formula of 1 to {MAX_CHARS} characters")
        if any(unicodedata.category(char) in _UNPRINTABLE for char in text):
            raise BadInput(parameter, text, "a formula without control characters or line breaks")
        steps = _Parser(text, parameter).steps()
        metrics = tuple(dict.fromkeys(step.metric for step in steps if isinstance(step, _Read)))
        if not metrics:
            raise BadInput(parameter, text, "a formula that names at least one metric")
        return cls(text, metrics, steps, parameter)

    @property
    def lead(self) -> str:
        """The first metric it names: what a threshold measures shares of."""
        return self.metrics[0]

    @property
    def is_plain(self) -> bool:
        """Whether it is just the name of one metric."""
        return self.text == self.lead

    def series(self, columns: Columns, buckets: Sequence[Bucket]) -> list[Decimal]:
        """Its value in each bucket; `columns` has one sum a bucket, a missing column is all zeros.

        `BadInput` when a value is past 10^300.
        """
        zeros = [ZERO] * len(buckets)

        def along(read: _Read) -> list[Decimal]:
            return _along(columns.get(read.metric, zeros), read.suffix)

        return self._worked_out(along, buckets, count=1)

    def total(self, columns: Columns, buckets: Sequence[Bucket]) -> Decimal:
        """Its value over all the buckets at once: worked out on the sums of the columns.

        `BadInput` when the value is past 10^300.
        """
        span = Bucket(0, 0, 0)
        if buckets:
            span = Bucket(buckets[0].start_s, buckets[-1].end_s, buckets[0].days_in_month)

        def over_all(read: _Read) -> list[Decimal]:
            return [_over_all(columns.get(read.metric, ()), read.suffix)]

        return self._worked_out(over_all, [span], count=len(buckets))[0]

    def _worked_out(
        self, column: Callable[[_Read], list[Decimal]], buckets: Sequence[Bucket], count: int
    ) -> list[Decimal]:
        """Run the steps on a stack of columns, each with one value a bucket."""
        stack: list[list[Decimal]] = []
        with localcontext(WORKING):
            for step in self.steps:
                match step:
                    case _Read():
                        stack.append(column(step))
                    case _Constant():
                        stack.append([_constant(step.word, each, count) for each in buckets])
                    case Decimal():
                        stack.append([step] * len(buckets))
                    case _:
                        right, left = stack.pop(), stack.pop()
                        stack.append([step(a, b) for a, b in zip(left, right, strict=True)])
        values = stack.pop()
        return values if len(self.steps) == 1 else self._rounded(values)

    def _rounded(self, values: list[Decimal]) -> list[Decimal]:
        try:
            with localcontext(_ANSWER):
                return [+value for value in values]
        except Overflow as error:
            expected = "a formula whose values stay below 10^300"
            raise BadInput(self.parameter, self.text, expected) from error


def _along(values: Sequence[Decimal], suffix: str) -> list[Decimal]:
    if suffix == "sum":
        with localcontext(EXACT):
            return list(accumulate(values))
    if suffix == "last":
        return list(accumulate(values, _carried))
    return list(values)


def _over_all(values: Sequence[Decimal], suffix: str) -> Decimal:
    if suffix == "last":
        return next(filter(None, reversed(values)), ZERO)
    with localcontext(EXACT):
        return sum(values, ZERO)


def _carried(last: Decimal, value: Decimal) -> Decimal:
    return value or last


_UNITS_S = {
    "seconds": 1,
    "minutes": 60,
    "hours": 3600,
    "days": 86400,
    "weeks": 7 * 86400,
    "years": 365 * 86400,
}
_CONSTANTS = {*_UNITS_S, "_days_in_month", "_count"}


def _constant(word: str, bucket: Bucket, count: int) -> Decimal:
    if word == "_count":
        return Decimal(count)
    if word == "_days_in_month":
        return Decimal(bucket.days_in_month)
    return Decimal(bucket.end_s - bucket.start_s) / _UNITS_S[word]


def _ratio(part: Decimal, whole: Decimal) -> Decimal:
    return part / whole if whole else ZERO


_OPERATIONS: dict[str, _Operation] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _ratio,
}

_SPACE = re.compile(r"\s*")
_SIGN = re.compile(r"\s*(?:[+*/]| - )")
_CLOSE = re.compile(r"\s*\)")
_WORD = re.compile(r"(?:(?! - )[^/:()*+,])+")
_NUMBER = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)([eE]-?[0-9]{1,3})?")
_MAX_POWER = 60  # literals are bounded as the sums are: 10^-60 <= |x| < 10^60


class _Parser:
    """Recursive descent over one text, writing the steps down in postfix order."""

    def __init__(self, text: str, parameter: str) -> None:
        self._text = text
        self._parameter = parameter
        self._at = 0
        self._steps: list[_Step] = []

    def steps(self) -> tuple[_Step, ...]:
        self._sum(depth=0)
        if self._at < len(self._text):
            raise self._wrong("one of + * / or a minus with a space on each side")
        return tuple(self._steps)

    def _sum(self, depth: int) -> None:
        self._product(depth)
        while sign := self._sign("+-"):
            self._product(depth)
            self._steps.append(_OPERATIONS[sign])

    def _product(self, depth: int) -> None:
        self._operand(depth)
        while sign := self._sign("*/"):
            self._operand(depth)
            self._steps.append(_OPERATIONS[sign])

    def _sign(self, wanted: str) -> str:
        """The sign that comes next, and step over it, if it is one of those `wanted`."""
        found = _SIGN.match(self._text, self._at)
        sign = found.group().strip() if found else ""
        if not found or sign not in wanted:
            return ""
        self._at = found.end()
        return sign

    def _operand(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self._wrong(f"at most {MAX_DEPTH} levels of parentheses and leading minuses")
        self._take(_SPACE)
        if self._text.startswith("-", self._at):
            self._at += 1
            self._steps.append(ZERO)
            self._operand(depth + 1)
            self._steps.append(operator.sub)
        elif self._text.startswith("(", self._at):
            self._at += 1
            self._sum(depth + 1)
            if not self._take(_CLOSE):
                raise self._wrong("an operator or a closing parenthesis")
        else:
            self._leaf()

    def _leaf(self) -> None:
        word = self._take(_WORD)
        if not word:
            raise self._wrong("a metric, a number or a parenthesis")
        if _NUMBER.fullmatch(word):
            self._steps.append(self._number(word))
        elif self._text.startswith(":", self._at):
            self._at += 1
            suffix = self._take(_WORD)
            if suffix not in ("sum", "last"):
                raise self._wrong("sum or last after a metric's colon")
            self._steps.append(_Read(word, suffix))
        elif word in _CONSTANTS and word != self._text:
            self._steps.append(_Constant(word))
        else:
            self._steps.append(_Read(word, ""))

    def _number(self, word: str) -> Decimal:
        number = Decimal(word) or ZERO
        if number and not -_MAX_POWER <= number.adjusted() < _MAX_POWER:
            raise self._wrong(f"numbers from 10^-{_MAX_POWER} to 10^{_MAX_POWER}")
        return number

    def _take(self, pattern: re.Pattern[str]) -> str:
        """What matches next, without the spaces around it, and step over it; "" if nothing does."""
        found = pattern.match(self._text, self._at)
        if not found:
            return ""
        self._at = found.end()
        return found.group().strip()

    def _wrong(self, expected: str) -> BadInput:
        where = f"{expected}, at character {self._at + 1}"
        return BadInput(self._parameter, self._text, where)
