"""Off-policy evaluation: replays the journal of a decision under another rule or formula.

Turns the lines of a journal into estimates of what a rule would have earned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hailwhale.core.decisions import DecisionLog, Evaluation, Objective, evaluate
from hailwhale.core.decisions.exposure import nodes_of
from hailwhale.core.decisions.parameters import DecisionQuery
from hailwhale.core.events.metrics import HITS
from hailwhale.errors import BadInput
from hailwhale.services.decisions.decide import Decider
from hailwhale.services.decisions.journal import JournalEntry, read_journal

RULES = ("logged", "uniform", "current", "best", "always:OPTION")


@dataclass(frozen=True, slots=True)
class LogReplay:
    """The estimated earnings of each rule, and the number of decisions they are based on."""

    decisions: int
    rules: Mapping[str, Evaluation]


class OffPolicyEvaluator:
    """Replay journals."""

    def __init__(self, deciding: Decider, clock: Callable[[], float]) -> None:
        self._deciding = deciding
        self._clock = clock

    def replay(
        self, choice: DecisionQuery, rules: Sequence[str], lines: Iterable[bytes] | None = None
    ) -> LogReplay:
        """Return what rules would have earned by the formula of `choice`.

        `lines` is a journal stored elsewhere; the default is the decision's own. Decisions younger
        than the delay of the choice are omitted. Raises `BadInput` for a formula that is not a
        quotient, for an unknown rule, and if no decision is left.
        """
        formula = self._deciding.evidence.where_counted(choice.pk, choice.formula)
        objective = Objective.of(formula, choice.goal)
        numerator, denominator = objective.numerator, objective.denominator
        if numerator is None or denominator is None:
            expected = "a metric, or sums of metrics divided by each other, such as earned/spent"
            raise BadInput("by_metric", choice.formula.text, expected)
        until_s = self._clock() - (choice.policy.delay_s or 0)
        journal = self._deciding.journal.lines(choice.pk) if lines is None else lines
        decided = [each for each in read_journal(journal) if each.at_s <= until_s]
        if not decided:
            raise BadInput("journal", "no decisions", "decisions that were made with log=1")
        options = sorted({option for each in decided for option in each.options})
        log = self._log(choice, decided, options, numerator, denominator)
        return LogReplay(
            len(decided),
            {rule: evaluate(log, self._target(rule, choice, decided, options)) for rule in rules},
        )

    def _log(
        self,
        choice: DecisionQuery,
        decided: Sequence[JournalEntry],
        options: Sequence[str],
        numerator: Mapping[str, float],
        denominator: Mapping[str, float],
    ) -> DecisionLog:
        at = {option: place for place, option in enumerate(options)}
        chances = np.zeros((len(decided), len(options)))
        expected = np.zeros_like(chances)
        posterior = self._deciding.posterior(choice)
        for row, each in enumerate(decided):
            places = [at[option] for option in each.options]
            chances[row, places] = each.shares
            chances[row, at[each.given.option]] = each.given.propensity
            known = posterior.report(nodes_of(each.dimensions), each.options).options
            expected[row, places] = [one.estimate for one in known]
        sums = [{**each.metrics, HITS: 1.0} for each in decided]  # a decision is one exposure
        return DecisionLog(
            np.array([at[each.given.option] for each in decided], dtype=np.intp),
            chances,
            np.array([_linear(numerator, each) for each in sums]),
            np.array([_linear(denominator, each) for each in sums]),
            expected,
        )

    def _target(
        self,
        rule: str,
        choice: DecisionQuery,
        decided: Sequence[JournalEntry],
        options: Sequence[str],
    ) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
        at = {option: place for place, option in enumerate(options)}
        target = np.zeros((len(decided), len(options)))
        for row, each in enumerate(decided):
            places = [at[option] for option in each.options]
            target[row, places] = self._shares(rule, choice, each)
        return target

    def _shares(self, rule: str, choice: DecisionQuery, decided: JournalEntry) -> Sequence[float]:
        options = decided.options
        if rule == "logged":
            return decided.shares
        if rule == "uniform":
            return [1 / len(options)] * len(options)
        if rule.startswith("always:"):
            wanted = rule.partition(":")[2]
            if wanted not in options:
                raise BadInput("rule", rule, f"one of the options {', '.join(options)}")
            return [float(option == wanted) for option in options]
        posterior, visitor = self._deciding.posterior(choice), nodes_of(decided.dimensions)
        if rule == "current":
            return [float(share) for share in posterior.shares(visitor, options)]
        if rule == "best":
            known = [one.estimate for one in posterior.report(visitor, options).options]
            best = max if choice.goal == "max" else min
            top = best(range(len(options)), key=lambda place: known[place])
            return [float(place == top) for place in range(len(options))]
        raise BadInput("rule", rule, f"one of {', '.join(RULES)}")


def _linear(coefficients: Mapping[str, float], amounts: Mapping[str, float]) -> float:
    return sum(times * amounts.get(name, 0.0) for name, times in coefficients.items())
