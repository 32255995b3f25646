"""Objectives: converts a formula to a reward and the weight it comes with.

Reads a formula as numerator over denominator, both linear in metrics. Any other formula is
linearised at the sums of the whole decision (the delta method), per hit: accurate near the
decision's average, which is what matters for ranking options.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations_with_replacement

import numpy as np

from hailwhale.core.decisions.evidence import DecisionSums, Floats, WeightedSums, bounded
from hailwhale.core.events.metrics import HITS
from hailwhale.core.query.expression_parser import ExpressionStep, Read, ratio
from hailwhale.core.query.formula import Formula
from hailwhale.errors import BadInput

Linear = Mapping[str, float]  # coefficient by metric

_UNIT = ""  # the coefficient of no metric: a constant
_STEP = 1e-6  # of a sum, for slopes
_LARGEST = 1e100  # coefficient: with the bounds of sums, its square times a product is a double


@dataclass(frozen=True, slots=True)
class Objective:
    """What to optimise: `numerator` over `denominator`, else the tangent of `formula`.

    `sign` is -1 if the goal is the minimum.
    """

    formula: Formula
    sign: float
    numerator: Linear | None
    denominator: Linear | None

    @classmethod
    def of(cls, formula: Formula, goal: str = "max") -> Objective:
        """Create the objective of a formula. A formula without a denominator is per hit.

        Raises `BadInput` for one with lengths of time or running totals, which sums alone do not
        contain.

        >>> found = Objective.of(Formula.parse("(earned - tax)/spent"))
        >>> found.numerator, found.denominator
        ({'earned': 1.0, 'tax': -1.0}, {'spent': 1.0})
        >>> Objective.of(Formula.parse("sales")).denominator
        {'hits': 1.0}
        """
        quotient = _quotient(formula)
        sign = -1.0 if goal == "min" else 1.0
        if quotient is None:
            return cls(formula, sign, None, None)
        numerator, denominator = quotient
        _refuse_large(formula, [*numerator.values(), *denominator.values()])
        return cls(formula, sign, numerator, denominator or {HITS: 1.0})

    @property
    def metrics(self) -> tuple[str, ...]:
        """Return the metrics whose sums it needs."""
        return tuple(dict.fromkeys((*self.formula.metrics, HITS)))

    @property
    def products(self) -> tuple[tuple[str, str], ...]:
        """Return the pairs of metrics whose products it needs, for the variance of results."""
        return tuple(combinations_with_replacement(sorted(self.metrics), 2))

    def weigh(self, tally: DecisionSums) -> WeightedSums:
        """Convert the sums of a decision to rewards and weights."""
        numerator, denominator = self.numerator, self.denominator
        if numerator is None or denominator is None:
            numerator, denominator = self._tangent(tally), {HITS: 1.0}
        rewards = bounded(self.sign * _linear(numerator, tally.sums))
        weights = bounded(np.maximum(_linear(denominator, tally.sums), 0.0))
        squares = np.stack(
            [
                _quadratic(numerator, numerator, tally),
                self.sign * _quadratic(numerator, denominator, tally),
                _quadratic(denominator, denominator, tally),
            ],
            axis=-1,
        )
        hits = np.maximum(tally.sums[HITS][:, :, 0], 0.0)
        return WeightedSums(weights, rewards, bounded(squares, 2), hits)

    def _tangent(self, tally: DecisionSums) -> Linear:
        """Return the coefficient of each metric per hit, at the sums of the whole decision.

        Raises `BadInput` if the formula is too large there.
        """
        overall = {name: float(tally.sums[name][:, :, 0].sum()) for name in self.metrics}
        hits = overall[HITS]
        if hits <= 0:
            return {}
        value = _value(self.formula, overall)
        slopes = {}
        for name in self.metrics:
            step = max(abs(overall[name]), 1.0) * _STEP
            moved = overall | {name: overall[name] + step}
            back = overall | {name: overall[name] - step}
            slopes[name] = (_value(self.formula, moved) - _value(self.formula, back)) / (2 * step)
        found = {name: slope * hits for name, slope in slopes.items()}
        rest = value - sum(slope * overall[name] for name, slope in slopes.items())
        found = found | {HITS: found.get(HITS, 0.0) + rest}
        _refuse_large(self.formula, found.values())
        return found


def _value(formula: Formula, sums: Mapping[str, float]) -> float:
    columns = {name: [Decimal(repr(amount))] for name, amount in sums.items()}
    return float(formula.full_totals(columns, [])[0])


def _linear(coefficients: Linear, sums: Mapping[str, Floats]) -> Floats:
    total = np.zeros_like(next(iter(sums.values())))
    for name, coefficient in coefficients.items():
        total = total + coefficient * sums[name]
    return total


def _quadratic(left: Linear, right: Linear, tally: DecisionSums) -> Floats:
    """Return the sums over events of the product of two linear combinations of metrics."""
    total = np.zeros(tally.sums[HITS].shape[:2])
    for a, by in left.items():
        for b, times in right.items():
            low, high = sorted((a, b))
            total = total + by * times * tally.products[(low, high)]
    return total


def _quotient(formula: Formula) -> tuple[Linear, Linear] | None:
    """Return numerator and denominator, {} for 1; None if the formula is not such a quotient."""
    stack: list[tuple[dict[str, float], dict[str, float]] | None] = []
    for step in formula.steps:
        if isinstance(step, Read | Decimal):
            stack.append(({_named(step, formula): float(_amount(step))}, {}))
        elif callable(step):
            right, left = stack.pop(), stack.pop()
            stack.append(None if left is None or right is None else _combined(step, left, right))
        else:
            raise _refused(formula)
    found = stack.pop()
    if found is None:
        return None
    numerator, denominator = ({n: c for n, c in part.items() if c} for part in found)
    if _UNIT in numerator or _UNIT in denominator or not numerator:
        return None
    return numerator, denominator


def _combined(
    step: ExpressionStep,
    left: tuple[dict[str, float], dict[str, float]],
    right: tuple[dict[str, float], ...],
) -> tuple[dict[str, float], dict[str, float]] | None:
    (a, below), (b, under) = left, right
    if step in (operator.add, operator.sub):
        if not any(b.values()):
            return left
        if below != under and any(a.values()):
            return None
        sign = 1.0 if step is operator.add else -1.0
        return {n: a.get(n, 0.0) + sign * b.get(n, 0.0) for n in {**a, **b}}, under or below
    if step is operator.mul:
        if set(b) == {_UNIT} and not under:
            return _scaled(a, b[_UNIT]), below
        if set(a) == {_UNIT} and not below:
            return _scaled(b, a[_UNIT]), under
        return None
    if step is ratio and not under and not below:
        if set(b) == {_UNIT}:
            return (_scaled(a, 1 / b[_UNIT]), {}) if b[_UNIT] else None
        return a, b
    return None


def _scaled(linear: dict[str, float], by: float) -> dict[str, float]:
    return {name: coefficient * by for name, coefficient in linear.items()}


def _refuse_large(formula: Formula, coefficients: Iterable[float]) -> None:
    """Raise `BadInput` if a coefficient is not finite, or too large for its square to be."""
    if not all(abs(coefficient) <= _LARGEST for coefficient in coefficients):
        expected = "a formula whose numbers, multiplied by each other, stay below 10^100"
        raise BadInput("by_metric", formula.text, expected)


def _named(step: Read | Decimal, formula: Formula) -> str:
    if isinstance(step, Decimal):
        return _UNIT
    if step.suffix:
        raise _refused(formula)
    return step.metric


def _amount(step: Read | Decimal) -> float:
    return float(step) if isinstance(step, Decimal) else 1.0


def _refused(formula: Formula) -> BadInput:
    return BadInput(
        "by_metric", formula.text, "a formula of plain metrics and numbers, such as earned/spent"
    )
