"""The posterior: the value of each option to a visitor, which option to give, and why.

Computes the results of a model for one visitor at a time, and caches them: many visitors are alike.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, TypeVar

import numpy as np

from hailwhale.core.decisions.allocation import certain, explored, within
from hailwhale.core.decisions.evidence import Floats, NodePath
from hailwhale.core.decisions.model import Model
from hailwhale.core.decisions.policy import Policy
from hailwhale.core.decisions.prediction import Prediction, look
from hailwhale.core.decisions.reasons import DecisionReport, report

_REMEMBERED = 4_000_000  # numbers of results that are cached, and as many of reports
_OF_RESULT, _OF_REPORT = 10, 75  # numbers by option, 8 bytes each
_OF_ENTRY = 100

_Key = tuple[tuple[NodePath, ...], tuple[str, ...]]
_T = TypeVar("_T")


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


class _Cache(Generic[_T]):
    """Cache results by visitor and options, and start again when they have become too large."""

    def __init__(self, numbers_by_option: int) -> None:
        self._by_option = numbers_by_option
        self._found: dict[_Key, _T] = {}
        self._numbers = 0

    def get(self, key: _Key) -> _T | None:
        return self._found.get(key)

    def put(self, key: _Key, found: _T, more: int = 0) -> None:
        """Keep a result; `more` is its size without what it has of each option."""
        visitor, options = key
        chars = sum(len(label) for path in visitor for label in path)
        self._numbers += _OF_ENTRY + self._by_option * len(options) + chars // 8 + more
        if self._numbers > _REMEMBERED:
            self._found.clear()
            self._numbers = 0
        self._found[key] = found


class Posterior:
    """The estimates of a decision, and the choices that follow from them."""

    def __init__(self, model: Model, policy: Policy, sign: float = 1.0) -> None:
        self._model = model
        self._policy = policy
        self._sign = sign
        self._places = {option: place for place, option in enumerate(model.options)}
        self._known: _Cache[_Known] = _Cache(_OF_RESULT)
        self._reports: _Cache[DecisionReport] = _Cache(_OF_REPORT)
        self._conversions = np.append(model.conversions, 0.0)

    @property
    def numbers(self) -> int:
        """Return the size of the estimates, in numbers of 8 bytes."""
        return int(self._model.solution.covariances.size)

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
            self._reports.put(key, found)
        return found

    def _of(self, visitor: Sequence[NodePath], options: Sequence[str]) -> _Known:
        key = (tuple(visitor), tuple(options))
        found = self._known.get(key)
        if found is None:
            found = self._look(*key)
            self._known.put(key, found, 2 * len(found.outlook.columns))
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
