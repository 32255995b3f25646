"""Decimal arithmetic of answers: quotients, and the one place where numbers are rounded.

Sums, differences and products are exact. A quotient has 34 digits, and so has everything computed
from it; it is rounded to 17 digits in the answer and nowhere before. The caller's decimal context
is neither used nor changed. Knows nothing of formulas.
"""

from __future__ import annotations

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
)

ZERO = Decimal(0)

_FAULTS = [InvalidOperation, DivisionByZero, Overflow]
EXACT = Context(prec=1000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[*_FAULTS, Inexact])
# Products of many sums may have more digits than any answer; these are cut after 1000.
PRODUCTS = Context(prec=1000, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=_FAULTS)
WORKING = Context(34, ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=_FAULTS)
# Answers must be representable as a double: from 10^-300 to 10^300.
_ANSWER = Context(17, ROUND_HALF_EVEN, Emin=-284, Emax=299, traps=_FAULTS)
_EXACT_ANSWER = Context(prec=1000, Emin=MIN_EMIN, Emax=299, traps=_FAULTS)
_SMALLEST_EXPONENT = -300


def quotient(part: Decimal, whole: Decimal) -> Decimal | None:
    """Divide a part by its whole, to 34 digits; None if the whole is 0, also for 0 by 0.

    >>> quotient(Decimal(3), Decimal(4)), quotient(Decimal(0), Decimal(0))
    (Decimal('0.75'), None)
    """
    return WORKING.divide(part, whole) if whole else None


def answered(value: Decimal, *, exact: bool) -> Decimal:
    """Return a number of an answer: as it is if it is exact, else rounded to 17 digits.

    Raises `decimal.Overflow` from 10^300 on. Decimals beyond the 300th are rounded away.

    >>> third = WORKING.divide(Decimal(1), Decimal(3))
    >>> answered(third, exact=False), answered(Decimal(10**20 + 1), exact=True)
    (Decimal('0.33333333333333333'), Decimal('100000000000000000001'))
    """
    if not exact:
        return _ANSWER.plus(value)
    found = _EXACT_ANSWER.plus(value)
    exponent = found.as_tuple().exponent
    if isinstance(exponent, int) and exponent < _SMALLEST_EXPONENT:
        return _EXACT_ANSWER.quantize(found, Decimal((0, (1,), _SMALLEST_EXPONENT)))
    return found
