"""Deciding: the option for a visitor, and what is known of every option, with reasons.

Owns the use case: which options, one visitor the same one, each decision noted. The maths is in
`core.decisions`, what is read for it in `evidence`, when it is read in `models`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hailwhale.core.decisions import DecisionReport, Policy, Posterior, sample_ratio
from hailwhale.core.decisions.exposure import DECIDED, nodes_of
from hailwhale.core.decisions.parameters import DecisionQuery, Rules
from hailwhale.core.events.event import Event
from hailwhale.core.events.metrics import HITS
from hailwhale.core.events.paths import Path
from hailwhale.core.time.calendar_grid import DAY_S
from hailwhale.errors import BadInput
from hailwhale.services.decisions.evidence import EvidenceReader
from hailwhale.services.decisions.journal import DecisionJournal
from hailwhale.services.decisions.model_cache import PosteriorCache
from hailwhale.store.protocol import Store
from hailwhale.store.types import AcceptStatus, Assignment
from hailwhale.types import OptionReasons, Reasons
from hailwhale.types import SampleRatio as SampleRatioAnswer

SUSPICIOUS = 0.001  # of shares that are as allocated, one in a thousand looks so far off

ShareTaking = Callable[[Event], AcceptStatus]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a visitor is given: `given[0]` first, and the id in the journal if it is written there.

    `report` is what is known of every option, when it was asked for.
    """

    given: Sequence[Assignment]
    report: DecisionReport | None
    id: str | None


@dataclass(frozen=True, slots=True)
class SampleRatio:
    """How often each option was given and exposed, everything ever, and whether that fits together.

    `p` is how probable a difference as large as this is when every option given is exposed with
    the same probability; None where that cannot be said, as of exposures that nobody asked for.
    """

    decided: dict[str, int]
    exposed: dict[str, int]
    p: float | None

    @property
    def warning(self) -> str | None:
        """What to say when the two do not fit together."""
        if self.p is None or self.p >= SUSPICIOUS:
            return None
        return (
            "options are not exposed in the shares they were given in: look whether some variation "
            "loads slower, fails, or is not counted for some visitors"
        )


class Decider:
    """Decides, and tells why."""

    def __init__(
        self,
        store: Store,
        evidence: EvidenceReader,
        models: PosteriorCache,
        journal: DecisionJournal,
        clock: Callable[[], float],
        term_days: int,
        chance: random.Random,
        name_of: Callable[[str], str],
    ) -> None:
        """`term_days` is how long a visitor keeps an option after the last decision at least;
        `name_of` hashes its uid, always in the same way."""
        self._store = store
        self.evidence = evidence
        self._models = models
        self.journal = journal
        self._clock = clock
        self._term_s = term_days * DAY_S
        self._chance = chance
        self._name_of = name_of

    def decide(self, choice: DecisionQuery, take: ShareTaking) -> Decision:
        """The options for one visitor; `take` counts that they were given.

        Raises `BadInput` where there is nothing to choose from.
        """
        options = self._options(choice)
        posterior = self._models.of(choice, policy_of(choice.rules))
        visitor = nodes_of(choice.dimensions)
        chosen = posterior.choose(visitor, options, self._chance, choice.slots)
        given = [Assignment(each.option, each.propensity) for each in chosen]
        if choice.uid is not None:
            given = self._store.keep(
                choice.pk,
                self._name_of(choice.uid),
                given,
                options,
                int(self._clock()),
                self._term_s,
            )
        for each in given:
            take(self._decided(choice.pk, each.option))
        id = None
        if choice.log:
            shares = [float(share) for share in posterior.shares(visitor, options)]
            id = self.journal.decided(choice.pk, options, shares, given, choice.dimensions)
        report = posterior.report(visitor, options) if choice.reasons else None
        return Decision(given, report, id)

    def reasons(self, choice: DecisionQuery) -> tuple[DecisionReport, SampleRatio]:
        """What is known of every option for a visitor, and whether the traffic is sound."""
        options = self._options(choice)
        posterior = self._models.of(choice, policy_of(choice.rules))
        report = posterior.report(nodes_of(choice.dimensions), options)
        return report, self._sample_ratio(choice.pk, options)

    def posterior(self, choice: DecisionQuery) -> Posterior:
        """What the evidence says now."""
        return self._models.of(choice, policy_of(choice.rules))

    def _options(self, choice: DecisionQuery) -> Sequence[str]:
        options = choice.options or tuple(self.evidence.options(choice.pk))
        if not options:
            expected = "options to choose among, for none of this decision is counted yet"
            raise BadInput("options", None, expected)
        if choice.slots > len(options):
            raise BadInput("slots", choice.slots, f"at most the {len(options)} options there are")
        return options

    def _decided(self, pk: Path, option: str) -> Event:
        metrics = {HITS: Decimal(0), DECIDED: Decimal(1)}
        return Event((*pk, option), (), metrics, int(self._clock()))

    def _sample_ratio(self, pk: Path, options: Sequence[str]) -> SampleRatio:
        counts = self.evidence.totals(pk, options, (DECIDED, HITS))
        decided = [int(given) for given, _ in counts]
        exposed = [int(seen) for _, seen in counts]
        sound = all(0 <= seen <= given for given, seen in zip(decided, exposed, strict=True))
        p = sample_ratio(exposed, decided) if sound and any(decided) and len(options) > 1 else None
        return SampleRatio(
            dict(zip(options, decided, strict=True)), dict(zip(options, exposed, strict=True)), p
        )


def policy_of(rules: Rules) -> Policy:
    """How the maths is to go about it, from the rules of a question."""
    return Policy(
        half_life_days=rules.half_life_days,
        delay_s=rules.delay_s,
        holdout=rules.holdout,
        minimum=rules.minimum,
        maximum=rules.maximum,
        weights=rules.weights,
        explore=rules.explore,
    )


def reasons_answer(report: DecisionReport, ratio: SampleRatio) -> Reasons:
    """What /reasons answers: what is known of each option, and of its traffic."""
    sample: SampleRatioAnswer = {"decided": ratio.decided, "exposed": ratio.exposed, "p": ratio.p}
    if ratio.warning:
        sample["warning"] = ratio.warning
    return {
        "options": report_answer(report),
        "winner": report.winner,
        "sample_ratio": sample,
    }


def report_answer(report: DecisionReport) -> dict[str, OptionReasons]:
    """What is known of each option, in the shape of the HTTP answers; see README."""
    return {
        each.option: {
            "estimate": _rounded(each.estimate),
            "interval": [_rounded(each.low), _rounded(each.high)],
            "best": _rounded(each.best),
            "loss": _rounded(each.loss),
            "share": _rounded(each.weight),
            "hits": _rounded(each.hits),
            "verdict": each.verdict,
            "reason": each.reason,
        }
        for each in report.options
    }


def _rounded(number: float) -> float | int:
    """To the digits that an estimate can have."""
    short = float(f"{number:.5g}")
    return int(short) if short.is_integer() else short
