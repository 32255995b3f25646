"""Formulas over metric sums: parsed once, evaluated on sums, never summed themselves.

Implements the arithmetic; `expression_parser` defines the grammar. Knows nothing of where sums come
from, of periods, or of how an answer is formatted.

Sums of metrics are exact. Formulas are computed with 34 digits and rounded to 17 at the end. No
floats are used, and the caller's decimal context is neither used nor changed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
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

from hailwhale.core.events.metrics import UNIQUES
from hailwhale.core.query.expression_parser import (
    UNITS_S,
    ArithmeticStep,
    Constant,
    ExpressionStep,
    Read,
    divisor,
    parse_steps,
    ratio,
)
from hailwhale.errors import BadInput

ZERO = Decimal(0)

_FAULTS = [InvalidOperation, DivisionByZero, Overflow]
EXACT = Context(prec=1000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[*_FAULTS, Inexact])
WORKING = Context(34, ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=_FAULTS)
# Results must be representable as a double: from 10^-300 to 10^300.
_ANSWER = Context(17, ROUND_HALF_EVEN, Emin=-284, Emax=299, traps=_FAULTS)

MetricColumns = Mapping[str, Sequence[Decimal]]


class NonAdditiveColumn(list[Decimal]):
    """A column whose total is not its sum, such as visitors counted in several buckets.

    >>> sums_of({"uniques": NonAdditiveColumn([Decimal(2), Decimal(2)], Decimal(3))}, ["uniques"])
    {'uniques': Decimal('3')}
    """

    def __init__(self, values: Iterable[Decimal], whole: Decimal) -> None:
        super().__init__(values)
        self.whole = whole


@dataclass(frozen=True, slots=True)
class Bucket:
    """The span `[start_s, end_s)` of a point, and the number of days in the month it starts in."""

    start_s: int
    end_s: int
    days_in_month: int


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression over metrics; create one with `parse`.

    `text` is the expression as given, `metrics` the names it reads in order of appearance.

    Numbers and the following keywords may appear, unless the keyword is the whole formula: then it
    is a metric. `seconds minutes hours days weeks years` are the length of the bucket (or of the
    range of a total), `_days_in_month` the days of the month the bucket starts in, `_count` the
    number of buckets summed. `name:sum` is the running total of a metric, `name:last` its last
    non-zero value. Division by 0 gives 0.

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
    steps: tuple[ExpressionStep, ...] = field(
        repr=False
    )  # in postfix order: no tree to recurse into
    parameter: str = field(default="metrics", repr=False, compare=False)

    @classmethod
    def parse(cls, text: str, parameter: str = "metrics") -> Formula:
        """Parse a formula; `BadInput` names `parameter` if it is invalid or has no metric."""
        if not isinstance(text, str):
            raise BadInput(parameter, text, "a metric or a formula such as dollars/hits")
        text = text.strip()
        steps = parse_steps(text, parameter)
        if not any(isinstance(step, Read) for step in steps):
            raise BadInput(
                parameter, text, "a formula with at least one metric, such as dollars/hits"
            )
        if any(isinstance(step, Read) and step.suffix and step.metric == UNIQUES for step in steps):
            raise BadInput(
                parameter, text, "uniques without :sum or :last: they cannot be added up"
            )
        return cls.of_steps(text, steps, parameter)

    @classmethod
    def of_steps(cls, text: str, steps: tuple[ExpressionStep, ...], parameter: str) -> Formula:
        """Create a formula from parsed steps."""
        metrics = dict.fromkeys(step.metric for step in steps if isinstance(step, Read))
        return cls(text, tuple(metrics), steps, parameter)

    @property
    def lead(self) -> str:
        """Return the first metric, whose shares the threshold of plotpoints compares."""
        return self.metrics[0]

    @property
    def is_plain(self) -> bool:
        """Return whether the formula is just the name of one metric."""
        return self.text == self.lead

    @property
    def terms(self) -> tuple[str, ...]:
        """Return what its total needs from a series: sums of metrics, and `price:last`."""
        return tuple(dict.fromkeys(step.term for step in self.steps if isinstance(step, Read)))

    @property
    def weight(self) -> Formula:
        """Return the weight of its value when series are combined: its denominator, else itself.

        >>> Formula.parse("100 * dollars/hits").weight.metrics
        ('hits',)
        """
        steps = divisor(self.steps)
        return Formula.of_steps(self.text, steps, self.parameter) if steps else self

    def series(self, columns: MetricColumns, buckets: Sequence[Bucket]) -> list[Decimal]:
        """Return its value in each bucket; `columns` has one sum per bucket, 0 if missing.

        Raises `BadInput` for a value beyond 10^300.
        """
        zeros = [ZERO] * len(buckets)

        def along(read: Read) -> list[Decimal]:
            return _along(columns.get(read.metric, zeros), read.suffix)

        return self._answered(self._worked_out(along, buckets, count=1))

    def total(self, columns: MetricColumns, buckets: Sequence[Bucket]) -> Decimal:
        """Return its value over all buckets at once, evaluated on the sums of the columns.

        Raises `BadInput` for a value beyond 10^300.
        """
        sums = {term: [value] for term, value in sums_of(columns, self.terms).items()}
        return self.totals(sums, buckets)[0]

    def totals(self, sums: MetricColumns, buckets: Sequence[Bucket]) -> list[Decimal]:
        """Return the totals of many series over the same buckets; `sums` has one value per series.

        Raises `BadInput` for a value beyond 10^300.

        >>> sums = {"dollars": [Decimal(6), Decimal(1)], "hits": [Decimal(4), Decimal(0)]}
        >>> Formula.parse("dollars/hits").totals(sums, [Bucket(0, 86400, 31)])
        [Decimal('1.5'), Decimal('0')]
        """
        return self._answered(self.full_totals(sums, buckets))

    def full_totals(self, sums: MetricColumns, buckets: Sequence[Bucket]) -> list[Decimal]:
        """Return `totals` before rounding, for further computation."""

        def known(read: Read) -> list[Decimal]:
            return list(sums[read.term])

        spans = [_whole(buckets)] * len(sums[self.terms[0]])
        return self._worked_out(known, spans, count=len(buckets))

    def slopes(
        self, whole: Mapping[str, Decimal], parts: MetricColumns, buckets: Sequence[Bucket]
    ) -> list[Decimal]:
        """Return the derivative of the whole's total with respect to each part, to 34 digits.

        For a part it is the derivative of f(whole + h * part) by h at h = 0; both are sums by term.
        Uses forward differentiation: each value on the stack carries one slope per part.
        """
        span, stack = _whole(buckets), []
        flat = [ZERO] * len(parts[self.terms[0]])
        with localcontext(WORKING):
            for step in self.steps:
                match step:
                    case Read():
                        stack.append((whole[step.term], list(parts[step.term])))
                    case Constant():
                        stack.append((_constant(step.word, span, len(buckets)), flat))
                    case Decimal():
                        stack.append((step, flat))
                    case _:
                        right, left = stack.pop(), stack.pop()
                        stack.append(_sloped(step, left, right))
        return stack.pop()[1]

    def rounded(self, values: Sequence[Decimal]) -> list[Decimal]:
        """Round values to the 17 digits of an answer; raise `BadInput` beyond 10^300."""
        try:
            with localcontext(_ANSWER):
                return [+value for value in values]
        except Overflow as error:
            expected = "a formula whose values stay below 10^300"
            raise BadInput(self.parameter, self.text, expected) from error

    def _worked_out(
        self, column: Callable[[Read], list[Decimal]], buckets: Sequence[Bucket], count: int
    ) -> list[Decimal]:
        """Evaluate the steps on a stack of columns with one value per bucket."""
        stack: list[list[Decimal]] = []
        with localcontext(WORKING):
            for step in self.steps:
                match step:
                    case Read():
                        stack.append(column(step))
                    case Constant():
                        stack.append([_constant(step.word, each, count) for each in buckets])
                    case Decimal():
                        stack.append([step] * len(buckets))
                    case _:
                        right, left = stack.pop(), stack.pop()
                        stack.append([step(a, b) for a, b in zip(left, right, strict=True)])
        return stack.pop()

    def _answered(self, values: list[Decimal]) -> list[Decimal]:
        """Return plain sums unchanged, and results of a formula rounded."""
        return values if len(self.steps) == 1 else self.rounded(values)


def terms_of(formulas: Iterable[Formula]) -> list[str]:
    """Return the unique terms of several formulas."""
    return list(dict.fromkeys(term for formula in formulas for term in formula.terms))


def sums_of(columns: MetricColumns, terms: Sequence[str]) -> dict[str, Decimal]:
    """Return the value of each term of a series: sums, and last values for `price:last`."""
    found = {}
    with localcontext(EXACT):
        for term in terms:
            metric, _, last = term.partition(":")
            values = columns.get(metric, ())
            if isinstance(values, NonAdditiveColumn):
                found[term] = values.whole
                continue
            found[term] = next(filter(None, reversed(values)), ZERO) if last else sum(values, ZERO)
    return found


def _along(values: Sequence[Decimal], suffix: str) -> list[Decimal]:
    if suffix == "sum":
        with localcontext(EXACT):
            return list(accumulate(values))
    if suffix == "last":
        return list(accumulate(values, _carried))
    return list(values)


def _carried(last: Decimal, value: Decimal) -> Decimal:
    return value or last


def _whole(buckets: Sequence[Bucket]) -> Bucket:
    """Return the span of all buckets together."""
    if not buckets:
        return Bucket(0, 0, 0)
    return Bucket(buckets[0].start_s, buckets[-1].end_s, buckets[0].days_in_month)


def _constant(word: str, bucket: Bucket, count: int) -> Decimal:
    if word == "_count":
        return Decimal(count)
    if word == "_days_in_month":
        return Decimal(bucket.days_in_month)
    return Decimal(bucket.end_s - bucket.start_s) / UNITS_S[word]


_Sloped = tuple[Decimal, list[Decimal]]


def _sloped(operation: ArithmeticStep, left: _Sloped, right: _Sloped) -> _Sloped:
    """Apply an operation to two values and their slopes: rules of sum, product and quotient."""
    (a, rising), (b, other) = left, right
    value = operation(a, b)
    pairs = zip(rising, other, strict=True)
    if operation is operator.mul:
        return value, [a * db + b * da for da, db in pairs]
    if operation is ratio:
        square = b * b
        return value, [ratio(da * b - a * db, square) for da, db in pairs]
    return value, [operation(da, db) for da, db in pairs]
