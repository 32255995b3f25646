"""Nothing acknowledged is lost and nothing is counted twice, whatever is killed, and when."""

from __future__ import annotations

import pytest

from tests.faults.harness import Assault, Victim, run

ASSAULTS = {
    "two_racing_drains": Assault(Victim.DRAIN, kills=5, seed=1, drains=2),
    "the_only_drain": Assault(Victim.DRAIN, kills=3, seed=2, drains=1),
    "the_hail_server_with_its_workers": Assault(Victim.HAIL, kills=4, seed=3, drains=1),
    "the_store": Assault(Victim.VALKEY, kills=3, seed=4, drains=2),
}


@pytest.mark.parametrize("assault", ASSAULTS.values(), ids=ASSAULTS.keys())
def test_every_cell_is_exact_after_kills_of(assault: Assault) -> None:
    report = run(assault)
    verdict = report.verdict
    assert report.kills == assault.kills
    assert verdict.acknowledged > 10 * assault.kills
    assert verdict.refused > 0
    assert (verdict.lost, verdict.doubled, verdict.unrefused) == (0, 0, 0)
    assert verdict.wrong == 0, verdict.examples
    assert verdict.counted == verdict.acknowledged + verdict.unknown_counted
