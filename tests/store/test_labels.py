"""The known labels of a store, on each engine: see protocol.LabelStore."""

from __future__ import annotations

from decimal import Decimal

from hailwhale.store.protocol import Store
from hailwhale.store.types import CommitStep
from tests.conftest import NOW_S
from tests.store.samples import PK, ROOT, SHARD, US, increments


def test_committed_labels_are_known(store: Store) -> None:
    labels = {(PK, ()): ["country"], (PK, ("country",)): ["US", "CA", "L'Aquila||x"]}
    store.commits.commit(
        CommitStep(shard=SHARD, increments=increments({(0, "hits"): 1}, US, labels=labels)), NOW_S
    )
    assert store.labels.children([(PK, ()), (PK, ("country",)), (PK, US)]) == [
        {"country"},
        {"US", "CA", "L'Aquila||x"},
        set(),
    ]
    assert store.labels.sizes([(PK, ()), (PK, ("country",)), (PK, US)]) == [1, 3, 0]
    assert store.labels.subpks(()) == {ROOT}


def test_metrics_ever_counted_under_a_pk_are_known(store: Store) -> None:
    sums: dict[tuple[int, str], Decimal | int] = {
        (0, "hits"): 1,
        (0, "dollars"): Decimal("2.5"),
        (0, "a b"): 1,
    }
    store.commits.commit(CommitStep(shard=SHARD, increments=increments(sums)), NOW_S)
    while store.commits.apply_next(SHARD):
        pass
    store.commits.commit(
        CommitStep(shard=SHARD, increments=increments({(0, "of the US"): 1}, US)), NOW_S
    )
    while store.commits.apply_next(SHARD):
        pass
    assert store.labels.metrics(PK) == {"hits", "dollars", "a b"}
    assert store.labels.metrics(("Nothing",)) == set()


def below(store: Store) -> list[set[str]]:
    """The labels below the pk, its overall and its countries."""
    return [store.labels.subpks(PK), *store.labels.children([(PK, ()), (PK, ("country",))])]


def commit_some(store: Store) -> None:
    labels = {(PK, ()): ["country"], (PK, ("country",)): ["US", "CA"]}
    made = increments({(0, "hits"): 1}, labels=labels)
    made.sublabels[PK] = {"7": None, "8": None}
    store.commits.commit(CommitStep(shard=SHARD, increments=made), NOW_S)
    assert below(store) == [{"7", "8"}, {"country"}, {"US", "CA"}]
    assert store.stats.vitals().series == 6  # the root pk is one


def test_labels_are_forgotten_one_by_one(store: Store) -> None:
    commit_some(store)
    store.labels.forget((*PK, "7"), ())
    store.labels.forget(PK, US)
    assert below(store) == [{"8"}, {"country"}, {"CA"}]
    store.labels.forget(PK, ())
    assert store.labels.subpks(()) == set()
    assert store.stats.vitals().series == 3


def test_sets_of_labels_are_erased_whole(store: Store) -> None:
    commit_some(store)
    store.labels.erase_children([(PK, ("country",)), (PK, US)])
    assert below(store) == [{"7", "8"}, {"country"}, set()]
    store.labels.erase_subpks([(*PK, "7"), PK])
    assert below(store) == [set(), {"country"}, set()]
    assert store.labels.subpks(()) == {ROOT}
    assert store.stats.vitals().series == 2
