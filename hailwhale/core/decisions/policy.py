"""Policy: how a decision divides visitors among its options, and what it takes for evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of one decision, and the constants of the maths; docs/decisions.rst has both.

    Evidence loses half its weight each `half_life_days` (None: never). Results come `delay_s` after
    their exposures (None: the delay is learned). A `holdout` share of visitors always gets an
    option at random by `weights` (default 1). No option gets less than its `minimum` nor more than
    its `maximum` share. Without `explore` the option that looks best is given.

    The rest is the same for every decision. Spreads are relative to the decision's average:
    `root_spread` is how much options are assumed to differ before anything is known; `node_spread`
    and `pair_spread` are by how much more all dimensions, and all pairs of them, may change that.
    `*_trust` is the number of effects that such an assumption is worth. `pair_evidence` is how much
    likelier pairs must be to matter than not, in units of log-likelihood, and `change` how much
    likelier a change must be than none. `burn_in` is the number of conversions for which an option
    is given at random at first. A `hopeful` share of visitors gets the option that is best with
    `optimism` times the standard error in its favour. The draw that chooses an option for the
    others uses the part `caution` of the standard error.
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
