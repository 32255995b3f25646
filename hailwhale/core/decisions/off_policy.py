"""Off-policy evaluation: estimates the value of another rule from a log of decisions.

Implements the estimators. A reward counts more if the other rule would have given its option more
often. Its importance weight is the option's probability under that rule divided by the logged
probability. The estimate is unbiased if every option of that rule had a positive probability in the
log (Horvitz and Thompson 1952, JASA 47). It is doubly robust if a model provides the expected value
of options that the log does not show (Dudik, Langford and Li 2011, ICML).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hailwhale.core.decisions.evidence import Floats, Places, bounded

_Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations
_MOST_IMPORTANT = 1e12  # a logged probability that is smaller than its inverse counts as that
_TINY = 1e-12
_SQUARES_FIT = 400  # numbers below 2 to this power have squares, and many of them a sum


@dataclass(frozen=True, slots=True)
class DecisionLog:
    """n decisions among K options: which option was given, and its outcome.

    A row of `chances` has the probability of each option, a row of `expected` the value per unit of
    weight that a model predicts for each. Options that a decision did not offer are 0 in both.
    """

    given: Places  # [n] place of the option
    chances: Floats  # [n, K]
    rewards: Floats  # [n]
    weights: Floats  # [n], the denominators: 1 for what is per decision
    expected: Floats  # [n, K]


@dataclass(frozen=True, slots=True)
class ValueEstimate:
    """A value with its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The estimated value of a rule per unit of weight, by each estimator.

    `logged` is what the log itself earned. `ips` is inverse propensity scoring; `snips` is the same
    divided by the sum of its weights (slightly biased, less variance); `dr` is doubly robust.
    `size` is the effective sample size: how many decisions of the rule's own the log is worth. If
    it is small, no estimate is reliable.
    """

    logged: ValueEstimate
    ips: ValueEstimate
    snips: ValueEstimate
    dr: ValueEstimate
    size: float


def evaluate(log: DecisionLog, target: Floats) -> Evaluation:
    """Estimate the value of a rule that gives options with the probabilities `target`, [n, K].

    >>> log = DecisionLog(
    ...     given=np.array([0, 1, 0, 1]),
    ...     chances=np.full((4, 2), 0.5),
    ...     rewards=np.array([1.0, 0.0, 1.0, 0.0]),
    ...     weights=np.ones(4),
    ...     expected=np.zeros((4, 2)),
    ... )
    >>> always_first = evaluate(log, np.array([[1.0, 0.0]] * 4))
    >>> always_first.ips.value, always_first.size
    (1.0, 2.0)
    """
    log = DecisionLog(
        log.given, log.chances, bounded(log.rewards), bounded(log.weights), bounded(log.expected)
    )
    rows = np.arange(len(log.given))
    chances = np.maximum(log.chances[rows, log.given], 1 / _MOST_IMPORTANT)
    importance = bounded(target[rows, log.given] / chances)
    ones = np.ones(len(rows))
    logged = _quotient(log.rewards, log.weights)
    total = importance.sum()
    size = float(total**2 / (importance**2).sum()) if total > 0 else 0.0
    per_decision = bool((log.weights == 1).all())
    weighted = _quotient(importance * log.rewards, importance * log.weights)
    ips = _quotient(importance * log.rewards, ones) if per_decision else weighted
    return Evaluation(logged, ips, weighted, _doubly_robust(log, target, importance), size)


def _doubly_robust(log: DecisionLog, target: Floats, importance: Floats) -> ValueEstimate:
    rows = np.arange(len(log.given))
    model = (target * log.expected).sum(axis=1)
    left = log.rewards - log.expected[rows, log.given] * log.weights
    unit = _mean_weight(log.weights) or 1.0
    return _mean(model + importance * left / unit)


def _quotient(top: Floats, bottom: Floats) -> ValueEstimate:
    """Return the quotient of two sums; its interval is computed by the delta method."""
    below = _mean_weight(bottom)
    if below == 0:
        return ValueEstimate(0.0, 0.0, 0.0)
    value = float(top.mean() / below)
    _, half = _mean_and_half_width((top - value * bottom) / below)
    return ValueEstimate(value, value - half, value + half)


def _mean_weight(weights: Floats) -> float:
    """Return the mean of weights; 0 if negative ones leave nothing but rounding."""
    mean = float(weights.mean())
    return mean if abs(mean) > _TINY * float(np.abs(weights).mean()) else 0.0


def _mean(values: Floats) -> ValueEstimate:
    value, half = _mean_and_half_width(values)
    return ValueEstimate(value, value - half, value + half)


def _mean_and_half_width(values: Floats) -> tuple[float, float]:
    """Return the mean of values and half the width of its interval."""
    # Squares of huge values overflow. A power of two is taken out of them without rounding.
    exponent = max(int(np.frexp(np.abs(values).max())[1]) - _SQUARES_FIT, 0)
    values = np.ldexp(values, -exponent)
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return float(np.ldexp(values.mean(), exponent)), _Z * float(np.ldexp(error, exponent))
