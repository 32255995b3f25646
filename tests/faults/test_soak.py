"""A short run of the soak: what it draws differs from what the other tests go through in turn."""

from __future__ import annotations

import pytest

from benchmarks.soak import Soak, summary

MINUTES = 0.6


def test_nothing_is_lost_doubled_wrong_or_refused_whatever_fails_in_any_order(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    outcome = Soak(MINUTES, seed=7, rate=20).run(tmp_path_factory.mktemp("hw"))
    assert outcome.exact, summary(outcome)
    assert outcome.verdict.acknowledged > 100, summary(outcome)
    assert outcome.faults.total() > 3, summary(outcome)
