"""The prior: what context may matter in all does not grow with how it is cut up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hailwhale.core.decisions.policy import Policy
from hailwhale.core.decisions.prior import baseline_precision, prior_of


@given(st.integers(2, 50), st.integers(0, 50))
def test_all_families_together_spread_as_far_as_one(families: int, of_pairs: int) -> None:
    policy = Policy()
    prior = prior_of(policy, families, of_pairs)
    assert len(prior.spreads) == len(prior.trust) == families + of_pairs
    assert prior.spreads[0] == policy.root_spread**2
    assert prior.spreads[1:families].sum() == pytest.approx(policy.node_spread**2)
    if of_pairs:
        assert prior.spreads[families:].sum() == pytest.approx(policy.pair_spread**2)
    assert prior.base == policy.base_spread


def test_a_decision_without_context_has_the_root_alone() -> None:
    assert list(prior_of(Policy(), 1).trust) == [Policy().root_trust]


def test_a_baseline_with_one_option_shrinks_to_the_average() -> None:
    both, alone = [5.0, 5.0], [5.0, 0.0]
    root, mixed, single = baseline_precision(np.array([both, both, alone]).T, base=0.5)
    assert root > single > 1_000 > mixed
    assert mixed == pytest.approx(1 / (0.5**2 * 0.5))
