"""Formulas over metric sums: parsed once, evaluated on sums, never summed themselves.

Implements the evaluation; `expression_parser` defines the grammar and `arithmetic` what is exact,
what a quotient is, and how an answer is rounded. Knows nothing of where sums come from, of periods,
or of how an answer is formatted.

A quotient by 0 is 0 in `series` and `totals`, and makes a value undefined, which is None, in
`defined_series` and `defined_totals`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, Overflow, localcontext

from hailwhale.core.events.metrics import UNIQUES
from hailwhale.core.query.arithmetic import PRODUCTS, WORKING, ZERO, answered, quotient
from hailwhale.core.query.bucket_lengths import Bucket, whole_of
from hailwhale.core.query.columns import MetricColumns, along_buckets, sums_of
from hailwhale.core.query.expression_parser import (
    ArithmeticStep,
    Constant,
    ExpressionStep,
    Read,
    divisor,
    exactness,
    is_linear,
    parse_steps,
    ratio,
)
from hailwhale.errors import BadInput

_UNDEFINED = Decimal("NaN")  # whatever is computed from it is undefined, too
_HAS_LENGTH = "a period that begins at some time, such as 1d:1y: all has no length"


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression over metrics; create one with `parse`.

    `text` is the expression as given, `metrics` the names it reads in order of appearance.

    Numbers and the following words may appear. `:seconds :minutes :hours :days :weeks :years` are
    the length of the bucket (or of the range of a total), `:days_in_month` the days of the month in
    which it starts, `:count` the number of buckets summed. Without the colon (`days`, `_count`)
    they are the same unless the word is the whole formula, or a metric that was counted: see
    `where_counted`. `name:sum` is the running total of a metric, `name:last` its last non-zero
    value.

    >>> rate = Formula.parse("dollars/hits")
    >>> rate.metrics
    ('dollars', 'hits')
    >>> days = [Bucket(0, 86400), Bucket(86400, 172800)]
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
    exact: tuple[bool, ...] = field(repr=False, compare=False)  # by step: see `exactness`
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
        return cls(text, tuple(metrics), steps, exactness(steps), parameter)

    @property
    def is_plain(self) -> bool:
        """Return whether the formula is just the name of one metric."""
        return self.text == self.metrics[0]

    @property
    def is_exact(self) -> bool:
        """Return whether its values are exact: nothing in it is divided."""
        return self.exact[-1]

    @property
    def is_additive(self) -> bool:
        """Return whether the values of parts add up to that of their whole; see `is_linear`."""
        return is_linear(self.steps)

    @property
    def ambiguous(self) -> frozenset[str]:
        """Return the words in it that are metrics if metrics of these names were counted."""
        return frozenset(
            step.name for step in self.steps if isinstance(step, Constant) and step.name
        )

    def where_counted(self, counted: Collection[str]) -> Formula:
        """Return the formula as it reads where these metrics were counted.

        >>> Formula.parse("revenue/hours").where_counted({"revenue", "hours"}).metrics
        ('revenue', 'hours')
        >>> Formula.parse("revenue/:hours").where_counted({"revenue", "hours"}).metrics
        ('revenue',)
        """
        if self.ambiguous.isdisjoint(counted):
            return self
        steps = tuple(
            [
                Read(step.name, "") if isinstance(step, Constant) and step.name in counted else step
                for step in self.steps
            ]
        )
        return Formula.of_steps(self.text, steps, self.parameter)

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
        return self._answers(self._along(columns, buckets, by_zero=ZERO))

    def defined_series(
        self, columns: MetricColumns, buckets: Sequence[Bucket]
    ) -> list[Decimal | None]:
        """Return `series`, with None where a quotient is by 0."""
        return self.rounded(self.full_series(columns, buckets))

    def full_series(
        self, columns: MetricColumns, buckets: Sequence[Bucket]
    ) -> list[Decimal | None]:
        """Return `defined_series` before rounding, for further computation."""
        return self._known(self._along(columns, buckets, by_zero=_UNDEFINED))

    def total(self, columns: MetricColumns, buckets: Sequence[Bucket]) -> Decimal:
        """Return its value over all buckets at once, evaluated on the sums of the columns.

        Raises `BadInput` for a value beyond 10^300.
        """
        return self.totals(self._sums(columns), buckets)[0]

    def defined_total(self, columns: MetricColumns, buckets: Sequence[Bucket]) -> Decimal | None:
        """Return `total`, or None if a quotient is by 0."""
        return self.defined_totals(self._sums(columns), buckets)[0]

    def totals(self, sums: MetricColumns, buckets: Sequence[Bucket]) -> list[Decimal]:
        """Return the totals of many series over the same buckets; `sums` has one value per series.

        Raises `BadInput` for a value beyond 10^300.

        >>> sums = {"dollars": [Decimal(6), Decimal(1)], "hits": [Decimal(4), Decimal(0)]}
        >>> Formula.parse("dollars/hits").totals(sums, [Bucket(0, 86400)])
        [Decimal('1.5'), Decimal('0')]
        """
        return self._answers(self.full_totals(sums, buckets))

    def defined_totals(
        self, sums: MetricColumns, buckets: Sequence[Bucket]
    ) -> list[Decimal | None]:
        """Return `totals`, with None where a quotient is by 0."""
        return self.rounded(self.full_defined_totals(sums, buckets))

    def full_totals(self, sums: MetricColumns, buckets: Sequence[Bucket]) -> list[Decimal]:
        """Return `totals` before rounding, for further computation."""
        return self._over(sums, buckets, by_zero=ZERO)

    def full_defined_totals(
        self, sums: MetricColumns, buckets: Sequence[Bucket]
    ) -> list[Decimal | None]:
        """Return `defined_totals` before rounding, for further computation."""
        return self._known(self._over(sums, buckets, by_zero=_UNDEFINED))

    def slopes(
        self, whole: Mapping[str, Decimal], parts: MetricColumns, buckets: Sequence[Bucket]
    ) -> list[Decimal]:
        """Return the derivative of the whole's total with respect to each part, to 34 digits.

        For a part it is the derivative of f(whole + h * part) by h at h = 0; both are sums by term.
        Uses forward differentiation: each value on the stack carries one slope per part.
        """
        span, stack = whole_of(buckets), []
        flat = [ZERO] * len(parts[self.terms[0]])
        with localcontext(WORKING):
            for step in self.steps:
                match step:
                    case Read():
                        stack.append((whole[step.term], list(parts[step.term])))
                    case Constant():
                        stack.append((self._constant(step.word, span, len(buckets)), flat))
                    case Decimal():
                        stack.append((step, flat))
                    case _:
                        right, left = stack.pop(), stack.pop()
                        stack.append(_sloped(step, left, right))
        return stack.pop()[1]

    def rounded(
        self, values: Sequence[Decimal | None], *, exact: bool | None = None
    ) -> list[Decimal | None]:
        """Return values as an answer has them: exact, or else to 17 digits; None stays None.

        `exact` is by default that of the formula. Raises `BadInput` beyond 10^300.
        """
        if len(self.steps) == 1 and exact is None:
            return list(values)  # plain sums
        exact = self.is_exact if exact is None else exact
        try:
            return [None if value is None else answered(value, exact=exact) for value in values]
        except Overflow as error:
            expected = "a formula whose values stay below 10^300"
            raise BadInput(self.parameter, self.text, expected) from error

    def _answers(self, values: Sequence[Decimal]) -> list[Decimal]:
        return [value for value in self.rounded(values) if value is not None]

    def _known(self, values: list[Decimal]) -> list[Decimal | None]:
        if ratio not in self.steps:
            return list(values)
        return [None if value.is_nan() else value for value in values]

    def _sums(self, columns: MetricColumns) -> MetricColumns:
        return {term: [value] for term, value in sums_of(columns, self.terms).items()}

    def _along(
        self, columns: MetricColumns, buckets: Sequence[Bucket], by_zero: Decimal
    ) -> list[Decimal]:
        zeros = [ZERO] * len(buckets)

        def along(read: Read) -> list[Decimal]:
            return along_buckets(columns.get(read.metric, zeros), read.suffix)

        return self._worked_out(along, buckets, count=1, by_zero=by_zero)

    def _over(
        self, sums: MetricColumns, buckets: Sequence[Bucket], by_zero: Decimal
    ) -> list[Decimal]:
        def known(read: Read) -> list[Decimal]:
            return list(sums[read.term])

        spans = [whole_of(buckets)] * len(sums[self.terms[0]])
        return self._worked_out(known, spans, count=len(buckets), by_zero=by_zero)

    def _worked_out(
        self,
        column: Callable[[Read], list[Decimal]],
        buckets: Sequence[Bucket],
        *,
        count: int,
        by_zero: Decimal,
    ) -> list[Decimal]:
        """Evaluate the steps on a stack of columns with one value per bucket."""
        stack: list[list[Decimal]] = []
        for step, exact in zip(self.steps, self.exact, strict=True):
            match step:
                case Read():
                    stack.append(column(step))
                case Constant():
                    stack.append([self._constant(step.word, each, count) for each in buckets])
                case Decimal():
                    stack.append([step] * len(buckets))
                case _:
                    right, left = stack.pop(), stack.pop()
                    stack.append(_applied(step, left, right, by_zero, exact=exact))
        return stack.pop()

    def _constant(self, word: str, bucket: Bucket, count: int) -> Decimal:
        """Return a property of a bucket; raise `BadInput` if the bucket does not have it."""
        if word == "count":
            return Decimal(count)
        found = bucket.property(word)
        if found is None:
            raise BadInput(self.parameter, self.text, _HAS_LENGTH)
        return WORKING.divide(Decimal(found.numerator), Decimal(found.denominator))


def _applied(
    step: ArithmeticStep,
    left: Sequence[Decimal],
    right: Sequence[Decimal],
    by_zero: Decimal,
    *,
    exact: bool,
) -> list[Decimal]:
    """Apply an operation to two columns; a quotient by 0 is `by_zero`."""
    pairs = zip(left, right, strict=True)
    if step is ratio:
        quotients = (quotient(part, whole) for part, whole in pairs)
        return [by_zero if found is None else found for found in quotients]
    with localcontext(PRODUCTS if exact else WORKING):
        return [step(a, b) for a, b in pairs]


def terms_of(formulas: Iterable[Formula]) -> list[str]:
    """Return the unique terms of several formulas."""
    return list(dict.fromkeys(term for formula in formulas for term in formula.terms))


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
