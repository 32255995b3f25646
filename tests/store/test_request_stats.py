"""The counts of requests, on each engine: see protocol.RequestStatsStore."""

from __future__ import annotations

from hailwhale.store.protocol import RequestStatsStore


def test_refusals_are_summed_up_by_reason(request_stats: RequestStatsStore) -> None:
    assert request_stats.refused() == {}
    request_stats.add_refused({"rate": 3, "seal-expired": 1})
    request_stats.add_refused({"rate": 2})
    assert request_stats.refused() == {"rate": 5, "seal-expired": 1}


def test_requests_answered_are_summed_up_by_name(request_stats: RequestStatsStore) -> None:
    request_stats.add_answered({"/count\t200\t1": 2, "decisions": 1})
    request_stats.add_answered({"/count\t200\t1": 3})
    assert request_stats.answered() == {"/count\t200\t1": 5, "decisions": 1}
