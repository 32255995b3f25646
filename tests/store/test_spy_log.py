"""The log of recent hits, on each engine: see protocol.SpyStore."""

from __future__ import annotations

from hailwhale.store.protocol import Store
from hailwhale.store.types import CommitOutcome, EncodedHit, SpyEntries
from tests.conftest import NOW_S
from tests.store.samples import SHARD, one_hit

ANN, BOB = "Annnnnnnnnnn", "Bobbbbbbbbbb"


def test_hits_go_into_the_spy_log_with_the_step_and_not_without(store: Store) -> None:
    hits = [b'%d\t[["Shop"],[],["hits"]]\t1\tAnnnnnnnnnnn' % n for n in range(4)]
    store.buffers.accept([EncodedHit("Shop", hit) for hit in hits], NOW_S)
    window = store.buffers.window(SHARD, 10)
    spied = SpyEntries({"Shop": hits}, most=3, kept_s=60)
    made = one_hit(position=window.position, taken=4, spied=spied)
    assert store.commits.commit(made, NOW_S).outcome is CommitOutcome.COMMITTED
    assert store.commits.commit(made, NOW_S).outcome is CommitOutcome.STALE
    for visitor in (None, ANN, "Axxxxxxxxxxx"):
        seen = store.spy_log.read("Shop", visitor, 10)
        assert (seen.number, seen.hits) == (4, hits[1:])
    assert store.spy_log.read("Shop", BOB, 10).hits == []
    assert store.spy_log.read("Shop", None, 2).hits == hits[2:]
    store.spy_log.erase("Shop", [hits[2]])
    assert (
        store.spy_log.read("Shop", None, 10).hits
        == store.spy_log.read("Shop", ANN, 10).hits
        == [hits[1], hits[3]]
    )
    store.spy_log.forget("Shop")
    for visitor in (None, ANN):
        seen = store.spy_log.read("Shop", visitor, 10)
        assert (seen.number, seen.hits) == (0, [])
