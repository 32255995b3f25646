"""Erasing: everything of a pk or of one dimension goes, and only that, however often it is cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from hailwhale.errors import StoreUnavailable
from hailwhale.services.container import Services
from hailwhale.services.ingest.erase import Eraser
from hailwhale.store.protocol import Store
from tests.conftest import NOW_S, Clock
from tests.parts import watched
from tests.services.reading import every_total, keys_of, known, total

# In every rollup, at each end of what it keeps, and a day ahead.
AGES_S = [-86_400, 0, 8_000, 35 * 86_400, 1_098 * 86_400, 10**9]
PKS = [["Shop", "shoes", "red"], ["Shop", "hats"], ["Shopping"], ["Blog", "Shop"]]
EVENTS: list[dict[str, object]] = [
    {
        "pk": pk,
        "dimensions": {"country": {"US": "NY"}, "n": n},
        "at": NOW_S - age_s,
        "id": f"{pk[-1]} {n}",
    }
    for pk in PKS
    for n, age_s in enumerate(AGES_S)
]


@pytest.fixture
def counted(services: Services) -> Services:
    report = services.counting.count_many_now(EVENTS)
    assert (report.accepted, report.duplicates) == (len(EVENTS), 0)
    return services


@pytest.fixture
def keys(client: redis.Redis, namespace: str) -> Callable[[], set[str]]:
    """The keys that hold anything of a pk: all but the buffers' own and the statistics."""

    def found() -> set[str]:
        names = (key.partition("}:")[2] for key in keys_of(client, namespace))
        return {name for name in names if name not in ("", "position", "stats")}

    return found


Keys = Callable[[], set[str]]


def test_erasing_every_root_leaves_no_key(counted: Services, keys: Keys) -> None:
    assert len(keys()) > 100
    for root in ("Shop", "Shopping", "Blog"):
        counted.erasing.reset((root,))
    assert keys() == set()
    assert counted.store.labels.subpks(()) == set()


def test_erasing_says_how_many_chunks_of_cells_went_and_of_how_many_pks(
    services: Services, keys: Keys
) -> None:
    services.counting.count_now({"pk": ["Shop", "hats"], "dimensions": "a"})
    chunks = [name for name in keys() if "\x1e" in name and not name.startswith("kids")]
    assert services.erasing.reset(("Shop",)) == (len(chunks), 2) == (2 * 2 * 4, 2)
    assert services.erasing.reset(("Shop",)) == (0, 1)


@pytest.mark.parametrize(
    ("pk", "dimension"),
    [
        (("Shop",), ()),
        (("Shop", "shoes"), ()),
        (("Shop", "shoes", "red"), ()),
        (("Shop",), ("country",)),
        (("Shop",), ("country", "US")),
        (("Shop", "shoes"), ("n",)),
        (("Shop", "hats"), ("n", "3")),
        (("Shop",), ("nothing",)),
        (("Nothing",), ()),
        (("Shop", "nothing"), ()),
    ],
)
def test_what_is_erased_is_gone_and_everything_else_is_as_it_was(
    counted: Services, keys: Keys, pk: tuple[str, ...], dimension: tuple[str, ...]
) -> None:
    def erased(node: tuple[tuple[str, ...], tuple[str, ...]]) -> bool:
        return node[0][: len(pk)] == pk and node[1][: len(dimension)] == dimension

    nodes, sums = known(counted.store), every_total(counted, ["hits"])
    counted.erasing.reset(pk, dimension)
    assert known(counted.store) == [node for node in nodes if not erased(node)]
    assert every_total(counted, ["hits"]) == {
        where: amount for where, amount in sums.items() if not erased((where[0], where[1]))
    }
    if not dimension:
        gone = "\x1f".join(pk)
        assert not [name for name in keys() if f":{gone}\x1e" in name or f":{gone}\x1f" in name]


def test_a_root_erased_forgets_its_ids_and_no_others(counted: Services) -> None:
    counted.erasing.reset(("Shop",))
    counted.erasing.reset(("Blog", "Shop"))
    before = len(AGES_S)
    for pk, id, counts in (
        ("Shop", "hats 0", 1),
        ("Shopping", "Shopping 0", before),
        ("Blog", "Shop 0", before),
    ):
        counted.counting.count_now({"pk": pk, "id": id})
        assert total(counted, pk) == counts


def test_buffered_hits_are_erased_too(services: Services) -> None:
    services.hail.count({"pk": "Shop"})
    services.hail.count({"pk": "Blog"})
    services.erasing.reset(("Shop",))
    services.drain.flush()
    assert (total(services, "Shop"), total(services, "Blog")) == (0, 1)


def test_room_for_new_labels_is_made_by_erasing(make_services: Callable[..., Services]) -> None:
    services = make_services(max_children=2)
    for name in "abc":
        services.counting.count_now({"pk": ["Shop", name], "dimensions": {"city": name}})
    assert services.store.labels.subpks(("Shop",)) == {"a", "b", "_other"}
    for label in ("_other", "a"):
        services.erasing.reset(("Shop", label))
        services.erasing.reset(("Shop",), ("city", label))
    services.counting.count_now({"pk": ["Shop", "d"], "dimensions": {"city": "d"}})
    assert services.store.labels.subpks(("Shop",)) == {"b", "d"}
    assert total(services, ["Shop", "d"], {"city": "d"}) == 1


ERASED = ("buffers", "cells", "labels", "cardinality", "spy_log", "assignments", "journals")


def dying_at(store: Store, step: int) -> Store:
    """A store that dies at a step of erasing, when half of what it was given is done."""
    left = step

    def around(method: Callable[..., Any], *args: Any) -> Any:
        nonlocal left
        if not method.__name__.startswith(("erase", "forget")):
            return method(*args)
        left -= 1
        if left == 0:
            if not isinstance(args[0], (str, tuple)):  # many things, not one pk
                many = list(args[0])
                method(many[: len(many) // 2])
            raise StoreUnavailable("killed")
        return method(*args)

    return watched(store, around, *ERASED)


@pytest.mark.parametrize(
    ("dimension", "dies_at"),
    [((), step) for step in range(1, 10)]
    + [(("country",), step) for step in range(1, 7)]
    + [(("country", "US"), step) for step in range(1, 7)],
)
def test_an_interrupted_erasure_is_finished_by_a_second_call(
    counted: Services, keys: Keys, dimension: tuple[str, ...], dies_at: int
) -> None:
    counted.erasing.reset(("Shopping",))
    counted.erasing.reset(("Blog",))
    dying = Eraser(
        store=dying_at(counted.store, dies_at),
        grid=counted.settings.zone,
        rollups=counted.settings.rollups,
        clock=Clock(),
        drain=counted.drain,
        spying=counted.spying,
        name_of=str,
    )
    with pytest.raises(StoreUnavailable):
        dying.reset(("Shop",), dimension)
    counted.erasing.reset(("Shop",), dimension)
    if dimension:
        below = [path for _, path in known(counted.store) if path[: len(dimension)] == dimension]
        assert below == []
        assert not [name for name in keys() if "\x1f".join(dimension) in name.split("\x1e")[-1]]
    else:
        assert keys() == set()


def test_a_dimension_erased_is_not_its_namesake(services: Services) -> None:
    services.counting.count_now({"pk": "Shop", "dimensions": [["US"], ["country", "US"], ["USA"]]})
    services.erasing.reset(("Shop",), ("US",))
    found: Iterator[str] = (" > ".join(path) for _, path in known(services.store))
    assert list(found) == ["", "USA", "country", "country > US"]
