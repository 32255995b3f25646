"""The posterior: the value of each option to a visitor, which option to give, and why.

Computes the results of a model for one visitor at a time, and caches them: many visitors are alike.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from hailwhale.core.decisions.allocation import certain, explored, within
from hailwhale.core.decisions.evidence import Floats, NodePath
from hailwhale.core.decisions.model import Model
from hailwhale.core.decisions.policy import Policy
from hailwhale.core.decisions.prediction import Prediction, look
from hailwhale.core.decisions.reasons import DecisionReport, report

_REMEMBERED = 20_000

_Key = tuple[tuple[NodePath, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Assignment:
    """An option that is given to a visitor, and the probability with which it was chosen."""

    option: str
    propensity: float


@dataclass(frozen=True, slots=True)
class _Known:
    """Cached results for one kind of visitor; `cumulated` are the cumulative shares."""

    outlook: Prediction
    shares: Floats
    cumulated: tuple[float, ...]


class Posterior:
    """The estimates of a decision, and the choices that follow from them."""

    def __init__(self, model: Model, policy: Policy, sign: float = 1.0) -> None:
        self._model = model
        self._policy = policy
        self._sign = sign
        self._places = {option: place for place, option in enumerate(model.options)}
        self._known: dict[_Key, _Known] = {}
        self._reports: dict[_Key, DecisionReport] = {}
        self._conversions = np.append(model.conversions, 0.0)

    def shares(self, visitor: Sequence[NodePath], options: Sequence[str]) -> Floats:
        """Return the probability of giving each option to a visitor with these nodes."""
        return self._of(visitor, options).shares

    def choose(
        self,
        visitor: Sequence[NodePath],
        options: Sequence[str],
        chance: random.Random,
        slots: int = 1,
    ) -> list[Assignment]:
        """Choose unique options for a visitor, drawn by their shares.

        After the first, each is drawn by the shares of the remaining options: evenly if the first
        had all.
        """
        known = self._of(visitor, options)
        first = min(bisect(known.cumulated, chance.random()), len(options) - 1)
        chosen = [Assignment(options[first], float(known.shares[first]))]
        if slots > 1:
            left = np.array(known.shares)
            free = np.ones(len(options))
            last = first
            for _ in range(slots - 1):
                left[last] = free[last] = 0.0
                left = left / left.sum() if left.any() else free / free.sum()
                last = chance.choices(range(len(options)), left.tolist())[0]
                chosen.append(Assignment(options[last], float(left[last])))
        return chosen

    def report(self, visitor: Sequence[NodePath], options: Sequence[str]) -> DecisionReport:
        """Return the report on each option for a visitor."""
        key = (tuple(visitor), tuple(options))
        found = self._reports.get(key)
        if found is None:
            known = self._of(visitor, options)
            found = report(self._model, known.outlook, options, known.shares, self._sign)
            if len(self._reports) > _REMEMBERED:
                self._reports.clear()
            self._reports[key] = found
        return found

    def _of(self, visitor: Sequence[NodePath], options: Sequence[str]) -> _Known:
        key = (tuple(visitor), tuple(options))
        found = self._known.get(key)
        if found is None:
            if len(self._known) > _REMEMBERED:
                self._known.clear()
            found = self._known[key] = self._look(*key)
        return found

    def _look(self, visitor: Sequence[NodePath], options: Sequence[str]) -> _Known:
        outlook = look(self._model, visitor, options)
        shares = self._shares(options, outlook)
        return _Known(outlook, shares, tuple(accumulate(shares.tolist())))

    def _shares(self, options: Sequence[str], outlook: Prediction) -> Floats:
        policy = self._policy
        weights = np.array([policy.weights.get(option, 1.0) for option in options])
        at_random = (
            weights / weights.sum()
            if weights.sum() > 0
            else np.full(len(options), 1 / len(options))
        )
        conversions = self._conversions[outlook.places]
        enough = min(policy.burn_in * len(options), max(policy.burn_in_most, 2.0 * len(options)))
        if not policy.explore:
            shares = certain(outlook.means)
        elif conversions.sum() < enough:
            shares = at_random
        else:
            shares = explored(outlook.means, outlook.doubts, conversions, policy)
        shares = policy.holdout * at_random + (1 - policy.holdout) * shares
        least = np.array([policy.minimum.get(option, 0.0) for option in options])
        most = np.array([policy.maximum.get(option, 1.0) for option in options])
        return within(shares, least, most)
