"""Evidence: what is counted of a decision is found again in its tally, sum for sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise, product

import numpy as np
import pytest

from hailwhale.core.decisions import DecisionSums
from hailwhale.core.events.paths import OVERALL, Path
from hailwhale.core.time.rollups import parse_rollups
from hailwhale.errors import BadInput
from hailwhale.services.container import Services
from hailwhale.services.decisions import node_selection
from hailwhale.services.decisions.evidence import EvidenceReader
from hailwhale.services.query.ranges import RangeReader
from hailwhale.store.protocol import CellStore
from hailwhale.store.types import CellQuery
from tests.conftest import NOW_S, Clock

DAY_S, HOUR_S = 86_400, 3_600
US, UK, MOBILE = ("country", "US"), ("country", "UK"), ("device", "mobile")
PK = ("Shop", "Layout")

MakeServices = Callable[..., Services]


@pytest.fixture
def reader(services: Services, clock: Clock) -> EvidenceReader:
    return reader_of(services, clock)


def reader_of(
    services: Services, clock: Clock, max_cells: int = 500_000, cells: CellStore | None = None
) -> EvidenceReader:
    settings = services.settings
    store = services.store
    spans = RangeReader(
        cells=cells or store.cells,
        visitors=store.visitors,
        grid=settings.zone,
        rollups=settings.rollups,
        since={},
        clock=clock,
        max_points=10_000,
    )
    return EvidenceReader(store.labels, cells or store.cells, spans, clock, max_cells)


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
    monkeypatch.setattr(node_selection, "MAX_NODES", 2)
    monkeypatch.setattr(node_selection, "MAX_PAIRS", 1)
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


class CountedCells:
    """Cells that count how many of those in time buckets are read."""

    def __init__(self, real: CellStore) -> None:
        self._real = real
        self.read_by_option: dict[str, int] = {}

    def read(self, asks: Sequence[CellQuery]) -> list[list[Decimal | None]]:
        for each in asks:
            pk = each.chunk.pk
            if len(pk) > len(PK):
                option = pk[-1]
                known = self.read_by_option.get(option, 0)
                self.read_by_option[option] = known + len(each.cells)
        return self._real.read(asks)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def fill(services: Services, options: Sequence[str], values: int) -> None:
    """Expose options to visitors of two dimensions, value 0 most often."""
    for option, (place, of) in product(options, enumerate(_visitors(values))):
        hits = {"hits": 1 + place}
        expose(services, option, dimensions=of, metrics=hits)


def _visitors(values: int) -> Iterator[dict[str, str]]:
    for one, other in pairwise(range(values, -1, -1)):
        yield {"country": f"c{one:03}", "device": f"d{other:03}"}


# At each node: all time, 60 days, and the 37 hours since yesterday began.
BUCKETS = 98


@pytest.mark.parametrize("max_cells", [10 * BUCKETS, 60 * BUCKETS, 10_000 * BUCKETS])
@pytest.mark.parametrize("options", [["a"], ["a", "b"]])
def test_no_fit_reads_more_cells_than_are_allowed(
    services: Services, clock: Clock, options: list[str], max_cells: int
) -> None:
    fill(services, ["a", "b", "c"], 20)
    cells = CountedCells(services.store.cells)
    reader = reader_of(services, clock, max_cells, cells)  # type: ignore[arg-type]

    tally = reader.tally(PK, options, ["hits"], [])

    assert tally.options == tuple(options)
    assert set(cells.read_by_option) == set(options)
    assert sum(cells.read_by_option.values()) <= max_cells
    assert tally.sums["hits"].size <= max_cells


def test_the_busiest_nodes_and_then_pairs_are_read_as_far_as_there_is_room(
    services: Services, clock: Clock
) -> None:
    fill(services, ["a"], 20)

    tally = reader_of(services, clock, 6 * BUCKETS).tally(PK, ["a"], ["hits"], [])

    assert tally.nodes == (
        *(OVERALL, ("country", "c001"), ("country", "c002"), ("country", "c003")),
        *(("device", "d000"), ("device", "d001")),
    )
    assert len(tally.pairs) == 0

    tally = reader_of(services, clock, 42 * BUCKETS).tally(PK, ["a"], ["hits"], [])

    assert len(tally.nodes) == 41
    [(low, high)] = tally.pairs
    assert (tally.nodes[low], tally.nodes[high]) == (("country", "c001"), ("device", "d000"))


def test_all_counted_options_are_read_while_there_is_room_for_every_node_of_them(
    services: Services, clock: Clock
) -> None:
    fill(services, ["a", "b", "c"], 2)
    counted = ["a", "b", "c"]

    ample = reader_of(services, clock).tally(PK, ["a"], ["hits"], [], counted)
    scarce = reader_of(services, clock, 18 * BUCKETS).tally(PK, ["a"], ["hits"], [], counted)

    assert ample.options == ("a", "b", "c")
    assert scarce.options == ("a",)
    assert scarce.nodes == ample.nodes  # all that was left out are the options not asked for


def test_too_many_metrics_for_the_overall_are_refused_by_the_name_of_the_setting(
    services: Services, clock: Clock
) -> None:
    fill(services, ["a"], 2)
    names = [f"m{place}" for place in range(10)]
    products = [(one, other) for one in names for other in names if one <= other]

    with pytest.raises(BadInput, match="HAILWHALE_MAX_DECISION_CELLS"):
        reader_of(services, clock, 20 * BUCKETS).tally(PK, ["a"], names, products)


def test_an_option_that_was_never_counted_costs_nothing(services: Services, clock: Clock) -> None:
    fill(services, ["a"], 20)
    reader = reader_of(services, clock, 10 * BUCKETS)

    tally = reader.tally(PK, [], ["hits"], [], ["a"])

    assert tally.options == ()
    assert tally.nodes == (OVERALL,)


def test_no_more_paths_are_listed_than_are_looked_at(
    services: Services, reader: EvidenceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(services, ["a"], 20)
    monkeypatch.setattr(node_selection, "MAX_LOOKED_AT", 30)

    tally = reader.tally(PK, ["a"], ["hits"], [])

    assert {node[0] for node in tally.nodes[1:]} == {"country"}
