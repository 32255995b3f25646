"""The sample-ratio check against values from tables and against its own promise."""

from __future__ import annotations

import numpy as np
import pytest

from hailwhale.core.decisions import sample_ratio
from hailwhale.core.decisions.sample_ratio import upper_gamma


@pytest.mark.parametrize(
    ("degrees", "statistic", "p"),
    [
        (1, 3.841458820694124, 0.05),
        (1, 10.827566170662733, 0.001),
        (2, 5.991464547107979, 0.05),
        (5, 11.070497693516351, 0.05),
        (10, 2.558212160187211, 0.99),
        (49, 66.33864886296886, 0.05),
        (1, 0.0, 1.0),
        (3, 2_000.0, 0.0),
    ],
)
def test_chi_square_tails_are_those_of_the_tables(degrees: int, statistic: float, p: float) -> None:
    assert upper_gamma(degrees / 2, statistic / 2) == pytest.approx(p, abs=1e-9)


@pytest.mark.parametrize(
    ("exposed", "allocated", "suspicious"),
    [
        ([490, 400], [500, 500], True),
        ([490, 485], [500, 500], False),
        ([90, 9], [100, 10], False),
        ([100, 100], [100, 100], False),
        ([0, 0], [100, 100], False),
        ([5, 0], [5, 0], False),
        ([], [], False),
    ],
)
def test_lost_exposures_of_one_option_are_suspicious(
    exposed: list[int], allocated: list[int], suspicious: bool
) -> None:
    assert (sample_ratio(exposed, allocated) < 0.001) is suspicious


def test_sound_traffic_is_suspected_as_seldom_as_the_p_value_says() -> None:
    chance = np.random.default_rng(3)
    allocated = [600, 300, 100]

    found = [
        sample_ratio(chance.binomial(allocated, 0.9).tolist(), allocated) for _ in range(2_000)
    ]

    assert 0.03 < np.mean(np.array(found) < 0.05) < 0.07
