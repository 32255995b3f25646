"""Decides: chooses the option for a visitor, and reports on every option with reasons.

Implements the use case: which options to offer, the same one for the same visitor, each decision
counted. The math is in `core.decisions`, what is read for it in `evidence`, caching in `models`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from hailwhale.core.decisions import Assignment, DecisionReport, Posterior, sample_ratio
from hailwhale.core.decisions.exposure import DECIDED, nodes_of
from hailwhale.core.decisions.parameters import MAX_OPTIONS, DecisionQuery
from hailwhale.core.events.event import Event
from hailwhale.core.events.metrics import HITS
from hailwhale.core.events.paths import Path
from hailwhale.core.time.calendar_grid import DAY_S
from hailwhale.errors import BadInput
from hailwhale.services.decisions.evidence import EvidenceReader
from hailwhale.services.decisions.journal import DecisionJournal
from hailwhale.services.decisions.model_cache import PosteriorCache
from hailwhale.store.protocol import AssignmentStore
from hailwhale.store.types import AcceptStatus

SUSPICIOUS = 0.001  # with sound traffic, one check in a thousand falls below this

ShareTaking = Callable[[Event], AcceptStatus]


@dataclass(frozen=True, slots=True)
class Decision:
    """The options a visitor gets, `given[0]` first, and the journal's id if it was logged.

    `report` covers every option, if it was requested.
    """

    given: Sequence[Assignment]
    report: DecisionReport | None
    id: str | None


@dataclass(frozen=True, slots=True)
class SampleRatioCheck:
    """How often each option was given and exposed, everything ever, and whether that fits together.

    `p` is the probability of a difference at least this large if every given option is exposed with
    the same probability. It is None where it cannot be computed, such as for exposures without a
    decision.
    """

    decided: dict[str, int]
    exposed: dict[str, int]
    p: float | None

    @property
    def warning(self) -> str | None:
        """Return the warning to show if the two do not match, else None."""
        if self.p is None or self.p >= SUSPICIOUS:
            return None
        return (
            "options are not shown in the proportions in which they were chosen: check whether "
            "an option loads slower, fails, or is not counted for some visitors"
        )


@dataclass(frozen=True, slots=True)
class DecisionReasons:
    """The report on every option for a visitor, and whether the traffic is sound."""

    report: DecisionReport
    sample_ratio: SampleRatioCheck


class Decider:
    """Decide, and report the reasons."""

    def __init__(
        self,
        *,
        assignments: AssignmentStore,
        evidence: EvidenceReader,
        models: PosteriorCache,
        journal: DecisionJournal,
        clock: Callable[[], float],
        term_days: int,
        chance: random.Random,
        name_of: Callable[[str], str],
    ) -> None:
        """Initialize; a visitor keeps an option at least `term_days` after its last decision.

        `name_of` hashes the uid of a visitor, always in the same way.
        """
        self._assignments = assignments
        self.evidence = evidence
        self._models = models
        self.journal = journal
        self._clock = clock
        self._term_s = term_days * DAY_S
        self._chance = chance
        self._name_of = name_of

    def decide(self, choice: DecisionQuery, take: ShareTaking) -> Decision:
        """Return the options for one visitor; `take` counts that they were given.

        Raises `BadInput` if there are no options, or fewer than slots.
        """
        options = self._options(choice)
        posterior = self._models.of(choice)
        visitor = nodes_of(choice.dimensions)
        given = posterior.choose(visitor, options, self._chance, choice.slots)
        if choice.uid is not None:
            given = self._assignments.keep(
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

    def reasons(self, choice: DecisionQuery) -> DecisionReasons:
        """Return the report on every option for a visitor, and whether the traffic is sound."""
        options = self._options(choice)
        posterior = self._models.of(choice)
        report = posterior.report(nodes_of(choice.dimensions), options)
        return DecisionReasons(report, self._sample_ratio(choice.pk, options))

    def posterior(self, choice: DecisionQuery) -> Posterior:
        """Return the current posterior of a decision."""
        return self._models.of(choice)

    def _options(self, choice: DecisionQuery) -> Sequence[str]:
        options = choice.options or tuple(self.evidence.busiest_options(choice.pk, MAX_OPTIONS))
        if not options:
            expected = 'options such as ["a", "b"]: none has been counted for this decision yet'
            raise BadInput("options", None, expected)
        if choice.slots > len(options):
            raise BadInput("slots", choice.slots, f"at most {len(options)}, the number of options")
        return options

    def _decided(self, pk: Path, option: str) -> Event:
        metrics = {HITS: Decimal(0), DECIDED: Decimal(1)}
        return Event((*pk, option), (), metrics, int(self._clock()))

    def _sample_ratio(self, pk: Path, options: Sequence[str]) -> SampleRatioCheck:
        counts = self.evidence.totals(pk, options, (DECIDED, HITS))
        decided = [int(given) for given, _ in counts]
        exposed = [int(seen) for _, seen in counts]
        sound = all(0 <= seen <= given for given, seen in zip(decided, exposed, strict=True))
        p = sample_ratio(exposed, decided) if sound and any(decided) and len(options) > 1 else None
        return SampleRatioCheck(
            dict(zip(options, decided, strict=True)), dict(zip(options, exposed, strict=True)), p
        )
