"""The limits on root pks and metrics, on each engine: see protocol.CardinalityStore."""

from __future__ import annotations

from decimal import Decimal

from hailwhale.store.protocol import Store
from hailwhale.store.types import CommitStep
from tests.conftest import NOW_S
from tests.store.samples import ROOT, SHARD, increments


def test_root_pks_are_admitted_up_to_the_limit_and_stay_admitted(store: Store) -> None:
    admit = store.cardinality.admit_root
    assert [admit(root, 2) for root in ("a", "b", "c", "a", "b")] == [
        True, True, False, True, True
    ]  # fmt: skip
    assert admit("c", 3)


def test_metrics_are_admitted_up_to_the_limit_of_each_root_pk(store: Store) -> None:
    admit = store.cardinality.admit_names
    assert admit("a", ["hits", "dollars"], 3) == {"hits", "dollars"}
    assert admit("a", ["dollars", "x", "y"], 3) == {"dollars", "x"}
    assert admit("b", ["y"], 3) == {"y"}


def test_known_labels_are_admitted_over_the_limit(store: Store) -> None:
    sums: dict[tuple[int, str], Decimal | int] = {(0, "hits"): 1}
    store.commits.commit(CommitStep(shard=SHARD, increments=increments(sums)), NOW_S)
    assert store.cardinality.admit_root("Elsewhere", 1)
    assert store.cardinality.admit_root(ROOT, 1)
    assert store.cardinality.admit_names(ROOT, ["dollars"], 1) == {"dollars"}
    assert store.cardinality.admit_names(ROOT, ["hits", "tax"], 1) == {"hits"}


def test_a_root_pk_that_is_forgotten_makes_room_for_others(store: Store) -> None:
    admit = store.cardinality.admit_root
    assert admit("a", 1)
    store.cardinality.admit_names("a", ["hits"], 1)
    store.cardinality.forget("a")
    assert admit("b", 1)
    assert not admit("a", 1)
    assert store.cardinality.admit_names("a", ["dollars"], 1) == {"dollars"}
