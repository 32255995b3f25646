"""Lateness: how late results are is seen from the counts alone, and only where they are."""

from __future__ import annotations

import numpy as np
import pytest

from hailwhale.core.decisions.evidence import Floats
from hailwhale.core.decisions.reward_delay import RewardDelay, learned

HOUR_S, DAY_S = 3_600.0, 86_400.0
VISITORS_A_DAY, RATE = 1_000, 0.03


def counted(days: int, late_s: float, spread: bool, seed: int = 0) -> tuple[Floats, ...]:
    """Exposures, rewards, squares [B, K] of three options whose shares change, ages and widths."""
    rng = np.random.default_rng(seed)
    count = days * VISITORS_A_DAY
    at_s = np.arange(count) * DAY_S / VISITORS_A_DAY
    swing = 0.3 * np.sin(np.arange(count) / 4_000)
    shares = np.stack([1 / 3 + swing, np.full(count, 1 / 3), 1 / 3 - swing], axis=1)
    option = (rng.random(count)[:, None] > shares.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    takes_s = rng.exponential(late_s, count) if spread else np.full(count, late_s)
    comes_s = at_s + takes_s
    seen = (rng.random(count) < RATE) & (comes_s < days * DAY_S)
    edges = np.concatenate(
        [np.arange(days - 1) * DAY_S, np.arange((days - 2) * 24 + 24, days * 24 + 1) * HOUR_S]
    )
    exposed, rewards = np.zeros((2, len(edges) - 1, 3))
    np.add.at(exposed, (np.searchsorted(edges, at_s, side="right") - 1, option), 1)
    bucket = np.searchsorted(edges, comes_s[seen], side="right") - 1
    np.add.at(rewards, (bucket, option[seen]), 1)
    return exposed, rewards, rewards, days * DAY_S - edges[1:], np.diff(edges)


@pytest.mark.parametrize("days", [3, 5, 10, 40])
def test_results_that_come_at_once_are_not_taken_to_be_late(days: int) -> None:
    assert [learned(*counted(days, 0, False, seed)) for seed in range(5)] == [None] * 5


@pytest.mark.parametrize("days", [3, 5, 10, 40])
def test_a_fixed_lag_of_two_days_is_found(days: int) -> None:
    lag = learned(*counted(days, 2 * DAY_S, False))
    assert lag is not None
    assert (lag.lag_s, lag.spread) == (2 * DAY_S, False)


@pytest.mark.parametrize("days", [20, 40])
def test_a_lag_that_is_spread_counts_as_many_exposures_as_have_had_their_time(days: int) -> None:
    exposed, rewards, squares, ages_s, widths_s = counted(days, DAY_S, True)
    lag = learned(exposed, rewards, squares, ages_s, widths_s)
    assert lag is not None
    due = lag.moved(exposed, ages_s, widths_s).sum() / exposed.sum()
    assert due == pytest.approx(1 - 1 / days, abs=0.03)


def test_revenue_has_the_evidence_of_its_number_of_payments() -> None:
    exposed, rewards, squares, ages_s, widths_s = counted(10, 2 * DAY_S, False)
    paid = learned(exposed, 50 * rewards, 2_500 * squares, ages_s, widths_s)
    assert paid == learned(exposed, rewards, squares, ages_s, widths_s)
    assert paid == learned(exposed, -50 * rewards, 2_500 * squares, ages_s, widths_s)


@pytest.mark.parametrize("rewards", [0.0, 1.0])
def test_nothing_is_learned_from_next_to_nothing(rewards: float) -> None:
    sums = np.full((4, 1), rewards)
    hours = np.full(4, HOUR_S)
    assert learned(np.full((4, 1), 9.0), sums, sums, hours.cumsum()[::-1] - HOUR_S, hours) is None


def test_an_exposure_counts_from_when_its_result_is_due() -> None:
    ages_s, widths_s = np.array([DAY_S, 0.0]), np.array([DAY_S, DAY_S])
    sums = np.array([8.0, 4.0])
    assert RewardDelay(DAY_S).moved(sums, ages_s, widths_s).tolist() == [0.0, 8.0]
    assert RewardDelay(DAY_S / 2).moved(sums, ages_s, widths_s).tolist() == [4.0, 6.0]
    assert RewardDelay(9 * DAY_S).moved(sums, ages_s, widths_s).tolist() == [0.0, 0.0]
