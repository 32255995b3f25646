"""Policy: how a decision divides visitors among its options, and what it takes for evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of one decision, and the constants of the maths; docs/decisions.rst has both.

    Evidence loses half its weight each `half_life_days` (None: for ever); results come `delay_s`
    after their exposures (None: as late as they are seen to). A `holdout` share of visitors gets an
    option at random by `weights` (1 where none is given), always. No option gets less than its
    `minimum` nor more than its `maximum` share. Without `explore` the option that looks best is
    given.

    The rest is the same for every decision. Spreads are relative to the decision's average: what
    options are taken to differ by before anything is known (`root_spread`), and by how much more
    dimensions (`node_spread`) and pairs of them (`pair_spread`) may change that, all together;
    `*_trust` are how many effects such a guess is worth. `pair_evidence` is how much likelier pairs
    must be to matter than not, in units of log-likelihood, `change` how much likelier it must be
    that things have changed. `burn_in` is how many conversions an option gets at random at first.
    A `hopeful` part gets what would be best with `optimism` times the doubt in its favour; the draw
    by which the others get an option sees the part `caution` of the doubt.
    """

    half_life_days: float | None = None
    delay_s: int | None = None
    holdout: float = 0.0
    minimum: Mapping[str, float] = field(default_factory=dict)
    maximum: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    explore: bool = True

    root_spread: float = 0.15
    root_trust: float = 2.0
    node_spread: float = 0.2
    node_trust: float = 5.0
    pair_spread: float = 0.2
    pair_trust: float = 5.0
    pair_evidence: float = -2.0
    base_spread: float = 0.5
    burn_in: float = 5.0
    burn_in_most: float = 25.0
    hopeful: float = 0.8
    optimism: float = 1.0
    caution: float = 0.6
    change: float = 5.0
