"""Parses the text of a formula into steps; knows nothing of their evaluation.

    sum      =  product { ("+" | " - ") product }
    product  =  operand { ("*" | "/") operand }
    operand  =  "-" operand | "(" sum ")" | number | ":" word | name [":sum" | ":last"]

A minus between two operands has a space on each side: `page-views` is one name. Names may contain
anything but `/ : ( ) * + ,` and control characters. What reads as a number is one.

A word such as `:days` is a property of the period: no metric has a colon in its name. The same word
without the colon is that property, too, unless it is the whole formula or a metric of that name was
counted (see `Constant.name`).
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from hailwhale.core.events.metrics import UNIQUES
from hailwhale.core.numbers import finite, reads_as_number
from hailwhale.core.query.arithmetic import ZERO, quotient
from hailwhale.errors import BadInput

MAX_CHARS = 1000
MAX_DEPTH = 20
LENGTHS = ("seconds", "minutes", "hours", "days", "weeks", "years")
COUNTS = ("days_in_month", "count")
_BARE_WORDS = {**{word: word for word in LENGTHS}, **{f"_{word}": word for word in COUNTS}}
_WHOLE_NUMBERS = {"seconds", *COUNTS}  # properties that are not quotients
_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")
_SPACE = re.compile(r"\s*")
_SIGN = re.compile(r"\s*(?:[+*/]| - )")
_CLOSE = re.compile(r"\s*\)")
_WORD = re.compile(r"(?:(?! - )[^/:()*+,])+")
# A plus ends a name, so 1e+5 has to be recognised before names are.
_SIGNED_POWER = re.compile(
    r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE]\+[0-9]+(?=\s*(?:$|[/:()*+,]| - ))"
)
_MAX_POWER = 60  # literals are bounded as the sums are: 10^-60 <= |x| < 10^60


@dataclass(frozen=True, slots=True)
class Read:
    """A step that reads a metric, its running total (`:sum`) or last non-zero value (`:last`)."""

    metric: str
    suffix: str

    @property
    def term(self) -> str:
        """Return what the total needs from a series: its sum or its last value."""
        return f"{self.metric}:last" if self.suffix == "last" else self.metric


@dataclass(frozen=True, slots=True)
class Constant:
    """A step that reads a property of the bucket, such as its length in days.

    `name` is the metric that the text may mean instead, if it was counted; "" if it was written
    with a colon.
    """

    word: str
    name: str = ""


ArithmeticStep = Callable[[Decimal, Decimal], Decimal]
ExpressionStep = Decimal | Read | Constant | ArithmeticStep


def ratio(part: Decimal, whole: Decimal) -> Decimal:
    """Divide a part by its whole; return 0 if the whole is 0."""
    found = quotient(part, whole)
    return ZERO if found is None else found


_OPERATIONS: dict[str, ArithmeticStep] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": ratio,
}


def parse_steps(text: str, parameter: str) -> tuple[ExpressionStep, ...]:
    """Parse a formula into steps in postfix order; raise `BadInput` if it is invalid.

    >>> [step.metric for step in parse_steps("dollars/hits", "metrics") if isinstance(step, Read)]
    ['dollars', 'hits']
    """
    if not 0 < len(text) <= MAX_CHARS:
        raise BadInput(parameter, text, f"a formula of 1 to {MAX_CHARS} characters")
    if any(unicodedata.category(char) in _UNPRINTABLE for char in text):
        raise BadInput(parameter, text, "a formula without control characters or line breaks")
    return _Parser(text, parameter).steps()


def divisor(steps: Sequence[ExpressionStep]) -> tuple[ExpressionStep, ...]:
    """Return the steps of the final divisor if it contains a metric; else none.

    >>> divisor(parse_steps("100 * dollars/(hits + 1)", "metrics"))[0]
    Read(metric='hits', suffix='')
    >>> divisor(parse_steps("dollars/days", "metrics"))
    ()
    """
    found: tuple[ExpressionStep, ...] = ()
    starts: list[int] = []  # where each operand on the stack begins
    for at, step in enumerate(steps):
        if isinstance(step, Decimal | Read | Constant):
            starts.append(at)
            continue
        right = tuple(steps[starts.pop() : at])
        if step is ratio and any(isinstance(each, Read) for each in right):
            found = right
    return found


def exactness(steps: Sequence[ExpressionStep]) -> tuple[bool, ...]:
    """Return for each step whether its result is exact: whether nothing was divided up to it.

    Lengths of time are quotients, except seconds.

    >>> exactness(parse_steps("100 * dollars/hits", "metrics"))
    (True, True, True, True, False)
    """
    found: list[bool] = []
    stack: list[bool] = []
    for step in steps:
        if isinstance(step, Constant):
            exact = step.word in _WHOLE_NUMBERS
        elif isinstance(step, Decimal | Read):
            exact = True
        else:
            both = (stack.pop(), stack.pop())
            exact = step is not ratio and all(both)
        stack.append(exact)
        found.append(exact)
    return tuple(found)


def is_linear(steps: Sequence[ExpressionStep]) -> bool:
    """Return whether the values of parts add up to that of their whole: sums of metrics do.

    They may be multiplied or divided by numbers and by properties of the period. Visitors and last
    values are no sums.

    >>> [is_linear(parse_steps(text, "")) for text in ("2*sales - tax", "sales + 5", "sales*tax")]
    [True, False, False]
    """
    stack: list[_Kind] = []
    for step in steps:
        if isinstance(step, Decimal):
            stack.append(_Kind.NUMBER if step else _Kind.ZERO)
        elif isinstance(step, Constant):
            stack.append(_Kind.NUMBER)
        elif isinstance(step, Read):
            is_sum = step.suffix != "last" and step.metric != UNIQUES
            stack.append(_Kind.SUM if is_sum else _Kind.OTHER)
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(_combined(step, left, right))
    return stack[-1] is _Kind.SUM


class _Kind(Enum):
    """What a part of a formula is, for `is_linear`."""

    ZERO = "0"
    NUMBER = "the same for all parts of a whole"
    SUM = "adds up"
    OTHER = "does not add up"


def _combined(step: ArithmeticStep, left: _Kind, right: _Kind) -> _Kind:
    numbers = (_Kind.ZERO, _Kind.NUMBER)
    if left in numbers and right in numbers:
        return _Kind.NUMBER
    if step in (operator.add, operator.sub):
        return _Kind.SUM if {left, right} <= {_Kind.SUM, _Kind.ZERO} else _Kind.OTHER
    factors = (left, right) if step is operator.mul else (left,)
    is_scaled = right in numbers or (step is operator.mul and left in numbers)
    return _Kind.SUM if is_scaled and _Kind.SUM in factors else _Kind.OTHER


class _Parser:
    """Recursive-descent parser that emits steps in postfix order."""

    def __init__(self, text: str, parameter: str) -> None:
        self._text = text
        self._parameter = parameter
        self._at = 0
        self._steps: list[ExpressionStep] = []

    def steps(self) -> tuple[ExpressionStep, ...]:
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
        """Consume and return the next operator if it is one of those `wanted`."""
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
        word = self._take(_SIGNED_POWER) or self._take(_WORD)
        if reads_as_number(word):
            self._steps.append(self._number(word))
        elif self._text.startswith(":", self._at):
            self._at += 1
            self._steps.append(self._suffixed(word) if word else self._property())
        elif not word:
            raise self._wrong("a metric, a number or a parenthesis")
        elif word in _BARE_WORDS and word != self._text:
            self._steps.append(Constant(_BARE_WORDS[word], word))
        else:
            self._steps.append(Read(word, ""))

    def _suffixed(self, metric: str) -> Read:
        suffix = self._take(_WORD)
        if suffix not in ("sum", "last"):
            raise self._wrong("sum or last after a metric's colon")
        return Read(metric, suffix)

    def _property(self) -> Constant:
        word = self._take(_WORD)
        if word not in (*LENGTHS, *COUNTS):
            words = ", ".join(f":{each}" for each in (*LENGTHS, *COUNTS))
            raise self._wrong(f"a metric before the colon, or one of {words}")
        return Constant(word)

    def _number(self, word: str) -> Decimal:
        number = finite(word)
        if number is None or (number and not -_MAX_POWER <= number.adjusted() < _MAX_POWER):
            raise self._wrong(f"numbers from 10^-{_MAX_POWER} to 10^{_MAX_POWER}")
        return number or ZERO

    def _take(self, pattern: re.Pattern[str]) -> str:
        """Consume and return the text that matches next, without spaces; "" if nothing does."""
        found = pattern.match(self._text, self._at)
        if not found:
            return ""
        self._at = found.end()
        return found.group().strip()

    def _wrong(self, expected: str) -> BadInput:
        where = f"{expected}, at character {self._at + 1}"
        return BadInput(self._parameter, self._text, where)
