"""Everything that is done with a store, on a cluster: counted, drained, asked, set, erased."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hailwhale.hail import Hail
from hailwhale.settings import Settings
from hailwhale.store.redis.keys import shard_of
from hailwhale.whale import Whale
from tests.cluster.clusters import Cluster, slot_of

SHOPS = [f"Shop {number}" for number in range(12)]
SALES = 3  # of every shop


@pytest.fixture
def settings(cluster: Cluster, namespace: str) -> Settings:
    return Settings.from_env({}, redis_url=cluster.url, namespace=namespace, replicas=1)


@pytest.fixture
def hail(settings: Settings) -> Iterator[Hail]:
    hail = Hail(settings=settings)
    yield hail
    hail.close()


@pytest.fixture
def whale(settings: Settings) -> Iterator[Whale]:
    whale = Whale(settings=settings)
    yield whale
    whale.close()


def sell(hail: Hail) -> None:
    """Some sales of every shop, each sent twice by its id."""
    for shop in SHOPS:
        for sale in range(SALES):
            for first in (True, False):
                is_new = hail.count(
                    [shop, f"product {sale}"],
                    dimensions={"country": ["US", "CA", "DE"][sale]},
                    metrics={"revenue": "0.1"},
                    id=f"{shop} {sale}",
                )
                assert is_new is first


def test_the_shops_of_these_tests_are_on_every_node(cluster: Cluster) -> None:
    homes = {cluster.home_of(slot_of(shard_of(shop))).name for shop in SHOPS}
    assert len(homes) >= 3


def test_what_hail_took_is_counted_and_asked_wherever_it_lies(hail: Hail, whale: Whale) -> None:
    sell(hail)
    assert hail.services.store.stats.counts()["accepted"] == len(SHOPS) * SALES
    assert len(hail.services.store.stats.loads()) == len({shard_of(shop) for shop in SHOPS})
    assert hail.flush() == len(SHOPS) * SALES
    assert whale.services.store.labels.subpks(()) == set(SHOPS)
    for shop in SHOPS:
        answer = whale.totals(shop, metrics=["hits", "revenue"], period="1d:1mo")
        assert answer == {"1d:1mo": {"_": {"hits": SALES, "revenue": 0.3}}}
        plotted = whale.plotpoints(shop, depth=2, threshold=0, period="1h:1d")
        sums = {name: sum(point[1] for point in of["hits"]) for name, of in plotted.items()}
        assert sums == {
            "_": 3, "country": 3, '["country", "US"]': 1, '["country", "CA"]': 1,
            '["country", "DE"]': 1,
        }  # fmt: skip


def test_a_root_is_erased_and_the_others_stay(hail: Hail, whale: Whale) -> None:
    sell(hail)
    hail.flush()
    whale.reset(SHOPS[0])
    assert whale.total(SHOPS[0]) == 0
    assert whale.services.store.labels.subpks(()) == set(SHOPS[1:])
    assert [whale.total(shop) for shop in SHOPS[1:]] == [SALES] * (len(SHOPS) - 1)


def test_counting_at_once_and_setting_a_total(whale: Whale) -> None:
    for shop in SHOPS:
        assert whale.count_now(shop, metrics={"stock": 5}, dimensions="size", id="once")
        assert not whale.count_now(shop, metrics={"stock": 5}, id="once")
        whale.update_count_to(shop, metrics={"stock": 12}, dimensions="size")
        assert (whale.total(shop, "stock"), whale.total(shop, "stock", dimension="size")) == (
            12,
            12,
        )
