"""Off-policy evaluation: what another rule would have earned, against what it does earn."""

from __future__ import annotations

import numpy as np
import pytest

from hailwhale.core.decisions import DecisionLog, evaluate

TRUE = np.array([0.1, 0.2, 0.4])
CHANCES = np.array([0.6, 0.3, 0.1])


def log(n: int = 40_000, model: float = 0.0, seed: int = 1) -> DecisionLog:
    """Decisions by fixed chances; `model` is how far the model is off what is true."""
    chance = np.random.default_rng(seed)
    given = chance.choice(3, size=n, p=CHANCES)
    rewards = (chance.random(n) < TRUE[given]).astype(float)
    expected = np.tile(TRUE + model, (n, 1))
    return DecisionLog(given, np.tile(CHANCES, (n, 1)), rewards, np.ones(n), expected)


@pytest.mark.parametrize(
    ("target", "earns"),
    [
        (CHANCES, 0.16),
        (np.full(3, 1 / 3), 0.7 / 3),
        (np.array([0.0, 0.0, 1.0]), 0.4),
        (np.array([1.0, 0.0, 0.0]), 0.1),
    ],
)
@pytest.mark.parametrize("model", [0.0, 0.3])
def test_every_estimator_finds_what_a_rule_earns(
    target: np.ndarray[tuple[int], np.dtype[np.float64]], earns: float, model: float
) -> None:
    found = evaluate(log(model=model), np.tile(target, (40_000, 1)))

    for estimate in (found.ips, found.snips, found.dr):
        assert estimate.value == pytest.approx(earns, abs=0.03)
        assert estimate.low < earns < estimate.high


def test_a_good_model_makes_the_estimate_tighter() -> None:
    target = np.tile([0.0, 0.0, 1.0], (40_000, 1))

    found = evaluate(log(), target)

    assert found.dr.high - found.dr.low < 0.8 * (found.ips.high - found.ips.low)


def test_a_log_is_worth_as_many_decisions_as_the_rule_would_have_made() -> None:
    of_its_own = evaluate(log(1_000), np.tile(CHANCES, (1_000, 1)))
    of_a_rare_one = evaluate(log(1_000), np.tile([0.0, 0.0, 1.0], (1_000, 1)))

    assert of_its_own.size == pytest.approx(1_000)
    assert of_a_rare_one.size == (log(1_000).given == 2).sum()


def test_intervals_hold_what_is_true_as_often_as_they_say() -> None:
    target = np.tile([0.2, 0.2, 0.6], (2_000, 1))
    earns = float(TRUE @ [0.2, 0.2, 0.6])

    held = [
        estimate.low < earns < estimate.high
        for seed in range(300)
        for estimate in (evaluate(log(2_000, seed=seed), target).dr,)
    ]

    assert 0.91 < np.mean(held) < 0.98


def test_a_quotient_is_estimated_as_a_quotient() -> None:
    found = log()
    spent = DecisionLog(
        found.given, found.chances, found.rewards, np.full(40_000, 0.5), found.expected
    )

    evaluation = evaluate(spent, np.tile([0.0, 0.0, 1.0], (40_000, 1)))

    assert evaluation.snips.value == pytest.approx(0.8, abs=0.05)
    assert evaluation.logged.value == pytest.approx(0.32, abs=0.02)


def test_a_rule_that_the_log_never_followed_is_worth_nothing() -> None:
    never = DecisionLog(
        np.zeros(3, dtype=np.intp),
        np.tile([1.0, 0.0], (3, 1)),
        np.ones(3),
        np.ones(3),
        np.zeros((3, 2)),
    )

    found = evaluate(never, np.tile([0.0, 1.0], (3, 1)))

    assert found.size == 0
    assert found.snips.value == 0
