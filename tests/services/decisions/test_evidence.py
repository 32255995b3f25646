"""Evidence: what is counted of a decision is found again in its tally, sum for sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from hailwhale.core.decisions import DecisionSums
from hailwhale.core.events.paths import OVERALL, Path
from hailwhale.core.time.rollups import parse_rollups
from hailwhale.services.container import Services
from hailwhale.services.decisions import evidence as evidence_module
from hailwhale.services.decisions.evidence import EvidenceReader
from hailwhale.services.query.ranges import RangeReader
from tests.conftest import NOW_S, Clock

DAY_S, HOUR_S = 86_400, 3_600
US, UK, MOBILE = ("country", "US"), ("country", "UK"), ("device", "mobile")
PK = ("Shop", "Layout")

MakeServices = Callable[..., Services]


@pytest.fixture
def reader(services: Services, clock: Clock) -> EvidenceReader:
    return reader_of(services, clock)


def reader_of(services: Services, clock: Clock) -> EvidenceReader:
    settings = services.settings
    store = services.store
    spans = RangeReader(
        cells=store.cells,
        visitors=store.visitors,
        grid=settings.zone,
        rollups=settings.rollups,
        since={},
        clock=clock,
        max_points=10_000,
    )
    return EvidenceReader(store.labels, store.cells, spans, clock)


def expose(services: Services, option: str, **fields: object) -> None:
    services.exposing_now.count({"pk": list(PK), "option": option, **fields})


def ever(tally: DecisionSums, metric: str, option: str, node: Path = OVERALL) -> float:
    """A sum over all buckets."""
    place = tally.nodes.index(node)
    found: float = tally.sums[metric][:, tally.options.index(option), place].sum()
    return found


def test_a_tally_holds_every_sum_by_option_node_and_pair(
    services: Services, reader: EvidenceReader
) -> None:
    expose(services, "a", dimensions={"country": "US", "device": "mobile"}, metrics={"spent": 2})
    expose(services, "a", dimensions={"country": "US"}, metrics={"spent": 3})
    expose(services, "b", dimensions={"country": "UK"}, metrics={"hits": 0, "earned": 25})

    tally = reader.tally(PK, ["a", "b", "never"], ["earned", "spent"], [])

    assert tally.options == ("a", "b", "never")
    assert tally.nodes == (OVERALL, UK, US, MOBILE)
    assert set(tally.sums) == {"hits", "earned", "spent"}
    assert [ever(tally, "hits", option) for option in tally.options] == [2, 0, 0]
    assert [ever(tally, "spent", "a", node) for node in tally.nodes] == [5, 0, 5, 2]
    assert [ever(tally, "earned", "b", node) for node in tally.nodes] == [25, 25, 0, 0]
    assert tally.pairs.tolist() == [[2, 3]]
    assert tally.sums["spent"][:, 0, 4:].sum() == 2


@pytest.mark.parametrize(
    ("pair", "by_option"),
    [
        (("earned", "earned"), [625, 0]),
        (("spent", "spent"), [13, 16]),
        (("earned", "spent"), [0, 0]),
        # The product of a metric with the hits is the metric; that of hits, the hits.
        (("earned", "hits"), [25, 0]),
        (("hits", "hits"), [2, 1]),
    ],
)
def test_products_are_those_of_the_events(
    services: Services, reader: EvidenceReader, pair: tuple[str, str], by_option: list[float]
) -> None:
    expose(services, "a", metrics={"spent": 2})
    expose(services, "a", metrics={"spent": 3})
    expose(services, "a", metrics={"hits": 0, "earned": 25})
    expose(services, "b", metrics={"spent": 4})

    tally = reader.tally(PK, ["a", "b"], ["earned", "spent"], [pair])

    assert tally.products[pair].sum(axis=0).tolist() == by_option


def test_buckets_are_the_older_then_days_then_the_hours_of_two_days(
    services: Services, reader: EvidenceReader
) -> None:
    ages: Mapping[str, float] = {
        "older": 200 * DAY_S,
        "days": 10 * DAY_S,
        "hours": 20 * HOUR_S,
        "now": 0,
    }
    for number, age_s in enumerate(ages.values(), 1):
        expose(services, "a", at=NOW_S - age_s, metrics={"hits": number})

    tally = reader.tally(PK, ["a"], ["hits"], [])

    hits = tally.sums["hits"][:, 0, 0]
    found = {
        float(count): (float(age_s), float(width_s))
        for count, age_s, width_s in zip(hits, tally.ages_s, tally.widths_s, strict=True)
        if count
    }
    # It is 12:10:30: ten days ago ended 9 days 12:10:30 ago, the hour of 16:10 ended 19:10:30 ago.
    assert found == {
        1: (59 * DAY_S + 12 * HOUR_S + 630, 30 * DAY_S),
        2: (9 * DAY_S + 12 * HOUR_S + 630, DAY_S),
        3: (19 * HOUR_S + 630, HOUR_S),
        4: (0, HOUR_S),
    }
    assert np.all(np.diff(tally.ages_s) <= 0)
    assert hits.sum() == 1 + 2 + 3 + 4


def test_a_store_that_keeps_no_days_has_one_bucket_of_everything(
    make_services: MakeServices, clock: Clock
) -> None:
    services = make_services(rollups=parse_rollups("1m:2h"))
    expose(services, "a", metrics={"earned": 3})

    tally = reader_of(services, clock).tally(PK, ["a"], ["earned"], [])

    assert tally.sums["earned"].shape == (1, 1, 1)
    assert ever(tally, "earned", "a") == 3


def test_only_the_busiest_of_many_nodes_are_read(
    services: Services, reader: EvidenceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_module, "MAX_NODES", 2)
    monkeypatch.setattr(evidence_module, "MAX_PAIRS", 1)
    for country, hits in (("US", 5), ("UK", 1), ("DE", 7)):
        for device in ("mobile", "tablet"):
            expose(
                services,
                "a",
                dimensions={"country": country, "device": device},
                metrics={"hits": hits + (device == "mobile")},
            )

    tally = reader.tally(PK, ["a"], ["hits"], [])

    assert tally.nodes == (OVERALL, ("country", "DE"), MOBILE)  # of 16 and 15 hits
    assert tally.pairs.tolist() == [[1, 2]]


def test_a_path_of_one_label_is_a_node_where_nothing_is_below(
    services: Services, reader: EvidenceReader
) -> None:
    expose(services, "a", dimensions=[["vip"], ["country", "US", "NY"]])

    tally = reader.tally(PK, ["a"], ["hits"], [])

    assert tally.nodes == (OVERALL, US, ("country", "US", "NY"), ("vip",))
    assert sorted(map(tuple, tally.pairs.tolist())) == [(1, 3), (2, 3)]


def test_negative_sums_and_cents_come_through(services: Services, reader: EvidenceReader) -> None:
    for cents in ("0.1", "0.2", "-2000.35"):
        expose(services, "a", metrics={"dollars": cents}, at=NOW_S - 3 * DAY_S)

    tally = reader.tally(PK, ["a"], ["dollars"], [])

    assert ever(tally, "dollars", "a") == pytest.approx(-2000.05, abs=1e-9)
    assert tally.sums["dollars"][0, 0, 0] == 0
