"""Caches the posterior of each decision and keeps it fresh.

Decides when evidence is read again. Only the first request of a decision, and the first after a
pause, wait for that. All others are answered from the cached posterior while a new one is computed.
If the maths fails, the last posterior stays, or one that knows nothing takes its place.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock, Thread

from hailwhale.core.decisions import DecisionSums, Objective, Posterior, fit, unfitted
from hailwhale.core.decisions.parameters import MAX_OPTIONS, DecisionQuery
from hailwhale.errors import HailWhaleError
from hailwhale.services.decisions.evidence import EvidenceReader

log = logging.getLogger("hailwhale.deciding")

FRESH_S = 1.0  # a younger posterior is not recomputed
STALE_S = 30.0  # an older posterior is not used
_EFFORT = 50  # fresh for so many times its computing time, at most half of STALE_S
_KEPT = 256
_KEPT_NUMBERS = 10_000_000  # of all posteriors together, 8 bytes each


@dataclass(slots=True)
class _CachedPosterior:
    """A posterior, when it was computed (`ticks` of the cache) and how long it is fresh.

    With `by_options` each set of requested options has a posterior of its own: there are too many
    options to fit all of them together.
    """

    lock: Lock = field(default_factory=Lock)
    posterior: Posterior | None = None
    made_s: float = 0.0
    fresh_s: float = FRESH_S
    renewing: bool = False
    by_options: bool = False


class PosteriorCache:
    """Cache posteriors by decision, formula and policy; keep the most recently used."""

    def __init__(self, evidence: EvidenceReader, ticks: Callable[[], float]) -> None:
        """Initialize; `ticks` returns the seconds of a monotonic clock."""
        self._evidence = evidence
        self._ticks = ticks
        self._models: OrderedDict[object, _CachedPosterior] = OrderedDict()
        self._lock = Lock()

    def of(self, choice: DecisionQuery) -> Posterior:
        """Return the posterior of a decision, at most STALE_S old."""
        model = self._model(choice)
        posterior, age_s = model.posterior, self._ticks() - model.made_s
        if posterior is None or age_s > STALE_S:
            return self._waited_for(model, choice)
        if age_s > model.fresh_s:
            self._renew(model, choice)
        return posterior

    def _waited_for(self, model: _CachedPosterior, choice: DecisionQuery) -> Posterior:
        """Return a fresh posterior, computed once for all threads that wait for it."""
        with model.lock:
            if not model.by_options:  # it may have become so while this thread waited
                posterior = model.posterior
                if posterior is None or self._ticks() - model.made_s > STALE_S:
                    posterior = self._make(model, choice)
                return posterior
        return self.of(choice)

    def _model(self, choice: DecisionQuery) -> _CachedPosterior:
        with self._lock:
            model = self._kept(_key(choice))
            return self._kept(_key_of_options(choice)) if model.by_options else model

    def _of_options(self, choice: DecisionQuery) -> _CachedPosterior:
        """Return the model of the requested options, which they have from now on."""
        with self._lock:
            self._kept(_key(choice)).by_options = True
            return self._kept(_key_of_options(choice))

    def _kept(self, key: object) -> _CachedPosterior:
        model = self._models.setdefault(key, _CachedPosterior())
        self._models.move_to_end(key)
        if len(self._models) > _KEPT:
            self._models.popitem(last=False)
        return model

    def _forget_oldest(self) -> None:
        """Drop the posteriors used least recently if all together are too large."""
        with self._lock:
            numbers = 0
            for key, model in reversed(list(self._models.items())):
                numbers += model.posterior.numbers if model.posterior else 0
                if numbers > _KEPT_NUMBERS:
                    del self._models[key]

    def _make(self, model: _CachedPosterior, choice: DecisionQuery) -> Posterior:
        start_s = self._ticks()
        formula = self._evidence.where_counted(choice.pk, choice.formula)
        objective = Objective.of(formula, choice.goal)
        counted = self._evidence.options(choice.pk)
        options = self._requested(choice, counted)
        tally = self._evidence.tally(
            choice.pk,
            options,
            objective.metrics,
            objective.products,
            counted if len(counted) <= MAX_OPTIONS else options,
        )
        if len(tally.options) < len(counted):
            model = self._of_options(choice)
        posterior = self._fitted(tally, objective, choice, model.posterior)
        end_s = self._ticks()
        model.fresh_s = min(STALE_S / 2, max(FRESH_S, _EFFORT * (end_s - start_s)))
        model.posterior, model.made_s = posterior, end_s
        self._forget_oldest()
        return posterior

    def _requested(self, choice: DecisionQuery, counted: Sequence[str]) -> Sequence[str]:
        """Return the counted options among those that are requested."""
        if choice.options:
            return [option for option in counted if option in choice.options]
        return self._evidence.busiest_options(choice.pk, MAX_OPTIONS)

    @staticmethod
    def _fitted(
        tally: DecisionSums, objective: Objective, choice: DecisionQuery, last: Posterior | None
    ) -> Posterior:
        """Fit a posterior; if that fails, log it and return the last one, or one of nothing.

        No sums are known for which it fails. A visitor gets an option even then.
        """
        try:
            return fit(tally, objective, choice.policy)
        except Exception as fault:  # noqa: BLE001 - whatever it is, visitors get options
            kept = "what was known before" if last is not None else "chance"
            log.error("%s is decided by %s: its model cannot be fitted: %r", choice.pk, kept, fault)
            return last or unfitted(tally.options, objective, choice.policy)

    def _renew(self, model: _CachedPosterior, choice: DecisionQuery) -> None:
        """Compute a new posterior in the background, unless that is already running."""
        with model.lock:
            if model.renewing:
                return
            model.renewing = True

        def renew() -> None:
            try:
                self._make(model, choice)
            except HailWhaleError as fault:
                log.warning("decisions for %s use the previous model: %s", choice.pk, fault)
            finally:
                model.renewing = False

        Thread(target=renew, name="renew", daemon=True).start()


def _key(choice: DecisionQuery) -> tuple[object, ...]:
    return choice.pk, choice.formula.text, choice.goal, repr(choice.policy)


def _key_of_options(choice: DecisionQuery) -> tuple[object, ...]:
    return *_key(choice), frozenset(choice.options)
