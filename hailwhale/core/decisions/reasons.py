"""Reports: explains each option in numbers that can be checked, and in words.

Uses the same posterior by which options are given, with the full standard error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hailwhale.core.decisions.allocation import normals
from hailwhale.core.decisions.evidence import Floats, NodePath
from hailwhale.core.decisions.model import Model
from hailwhale.core.decisions.prediction import Prediction

OptionVerdict = Literal["good", "bad", "test"]

SURE = 0.95
_Z = 1.959964  # 95 % of a normal distribution lie within so many standard deviations
_DRAWS = 4_096
_TINY = 1e-12
# The check for a winner is repeated, so it requires more than being sure once.
_WINNER_BEST, _WINNER_LOSS = 0.95, 0.005
# Likewise, a verdict of good or bad requires that the evidence makes a difference from the others
# this much likelier than none, in units of log-likelihood: valid under repeated checks.
_CLEAR = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionReport:
    """The report on one option for a visitor.

    `estimate` is its value by the formula, between `low` and `high` with 95 % probability. `best`
    is the probability that it is the best of the requested options. `loss` is by how much its value
    is expected to fall short of the best one. `weight` is its current share of visitors. `hits` is
    how often it was exposed. `verdict` is good or bad if the option is above or below the average
    of the options with 95 % probability, else test. `reason` names the largest part of the
    estimate.
    """

    option: str
    estimate: float
    low: float
    high: float
    best: float
    loss: float
    weight: float
    hits: float
    verdict: OptionVerdict
    reason: str


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """The report on all options.

    `winner` is an option that can be adopted, if there is one: false winners are rare however often
    the report is read (docs/decisions.rst says how rare).
    """

    options: tuple[OptionReport, ...]
    winner: str | None


def report(
    model: Model, outlook: Prediction, options: Sequence[str], shares: Floats, sign: float
) -> DecisionReport:
    """Return the report for a visitor. `sign` reverses values if the goal is a minimum."""
    draws = outlook.doubts * normals(len(options), _DRAWS)
    draws += outlook.means
    best = np.bincount(draws.argmax(axis=1), minlength=len(options)) / _DRAWS
    losses = (draws.max(axis=1)[:, None] - draws).mean(axis=0)
    above = (draws > draws.mean(axis=1)[:, None]).mean(axis=0)
    winner = None
    top = int(best.argmax())
    if len(options) > 1 and best[top] >= _WINNER_BEST and losses[top] <= _WINNER_LOSS:
        winner = options[top]
    found = []
    for place, option in enumerate(options):
        value = outlook.level + model.unit * outlook.means[place]
        doubt = _Z * model.unit * outlook.doubts[place]
        seen = outlook.places[place] >= 0
        found.append(
            OptionReport(
                option=option,
                estimate=sign * float(value),
                low=float(min(sign * (value - doubt), sign * (value + doubt))),
                high=float(max(sign * (value - doubt), sign * (value + doubt))),
                best=float(best[place]),
                loss=float(model.unit * losses[place]),
                weight=float(shares[place]),
                hits=float(model.sums.hits[outlook.places[place]]) if seen else 0.0,
                verdict=_verdict(model, outlook, place, above[place]),
                reason=_reason(model, outlook, place),
            )
        )
    return DecisionReport(tuple(found), winner)


def _verdict(model: Model, outlook: Prediction, place: int, above: float) -> OptionVerdict:
    """Return good or bad if an option differs from the others, else test.

    Requires both a clear posterior and a Bayes factor: how much less dense the posterior is at no
    difference than the prior was (Savage-Dickey; Dickey 1971, AMS 42).
    """
    count = len(outlook.means)
    if count < 2:
        return "test"
    others = np.delete(np.arange(count), place)
    apart = outlook.means[place] - outlook.means[others].mean()
    variance = outlook.doubts[place] ** 2 + (outlook.doubts[others] ** 2).mean() / (count - 1)
    before = float(
        (model.solution.spreads[model.family[outlook.columns]] * outlook.amounts**2).sum()
    )
    before *= count / (count - 1)
    variance = max(variance, _TINY * before)
    factor = 0.5 * np.log(variance / before) + 0.5 * apart**2 / variance
    if factor < _CLEAR:
        return "test"
    return "good" if above >= SURE else "bad" if above <= 1 - SURE else "test"


def _reason(model: Model, outlook: Prediction, place: int) -> str:
    """Return the largest part of the estimate, in words."""
    at = int(outlook.places[place])
    if at < 0 or (model.sums.hits[at] <= 0 and model.sums.weights[at, 0] <= 0):
        return "not shown yet: no data"
    effects, paths = model.solution.effects[at], model.nodes.paths
    lacking = {node: name for name, node in model.nodes.lacking.items()}
    of_pairs = len(outlook.columns) - len(outlook.pairs)
    parts, general = [], effects[0]
    for column, amount in zip(
        outlook.columns[1:of_pairs], outlook.amounts[1:of_pairs], strict=True
    ):
        if amount < 1:
            general += amount * effects[column]
            continue
        known = column < len(paths)
        where = f"for {_words(paths[column])}" if known else f"without {lacking[column]}"
        parts.append((where, effects[column]))
    for column, amount, pair in zip(
        outlook.columns[of_pairs:], outlook.amounts[of_pairs:], outlook.pairs, strict=True
    ):
        if amount < 1:
            general += amount * effects[column]
            continue
        low, high = model.nodes.pairs[pair]
        parts.append((f"for {_words(paths[low])} with {_words(paths[high])}", effects[column]))
    parts.append(("in general", general))
    where, effect = max(parts, key=lambda part: abs(part[1]))
    level = abs(outlook.level)
    base = level if level > _TINY * model.unit else model.unit
    percent = 100 * model.unit * effect / base
    if abs(percent) < 1:
        return "no known difference from the other options"
    return f"{percent:+.0f} % {where}"


def _words(path: NodePath) -> str:
    return " > ".join(path)
