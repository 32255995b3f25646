"""`hailwhale demo`: a believable shop, its past once, its present as it happens, all over HTTP."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from hailwhale.cli import main
from hailwhale.commands.demo import shop
from hailwhale.commands.demo.command import live, past, past_landings
from hailwhale.commands.demo.patient_service import PatientService, open_client
from hailwhale.core.decisions.parameters import parse_reasons
from hailwhale.core.query.parameters import parse_plot, parse_rank, parse_totals
from hailwhale.services.container import Services
from hailwhale.services.json_shapes import totals_json
from hailwhale.settings import Settings
from hailwhale.web.apps import whale_app
from tests.browser.serving import serving, site
from tests.conftest import NOW_S, Clock

DAY_S, HOUR_S = 86_400, 3_600
MakeServices = Callable[..., Services]


@pytest.fixture
def present(make_services: MakeServices, clock: Clock) -> Iterator[tuple[Services, str]]:
    """A service that lives now, and where it is."""
    clock.now_s = time.time()
    services = make_services()
    with serving(whale_app(services, buffered=True)) as origin:
        yield services, origin


def total(services: Services, pk: object, metric: str = "hits", **more: object) -> Any:
    services.drain.flush()
    question = {"pk": pk, "metrics": metric, "period": "all", **more}
    [found] = totals_json(services.reporting.totals(parse_totals(question)))["all"].values()
    return found[metric]


def test_the_same_seed_is_the_same_shop() -> None:
    first, second, other = (list(past(NOW_S, 1, 1, Random(seed))) for seed in (3, 3, 4))
    assert first == second != other


def test_what_happens_is_in_order_and_within_its_span() -> None:
    events = list(shop.happening(NOW_S - HOUR_S, NOW_S, 1, Random(1), NOW_S))
    instants = [float(str(event["at"])) for event in events]
    assert instants == sorted(instants)
    assert NOW_S - HOUR_S < instants[0] <= instants[-1] < NOW_S
    assert 1_500 < sum(event["pk"] == shop.VISITS for event in events) < 6_500


def test_the_past_is_as_busy_as_the_present_whatever_an_event_stands_for() -> None:
    hits: Counter[int] = Counter()
    for event in past(NOW_S, 7, 2, Random(5)):
        metrics = event["metrics"]
        assert isinstance(metrics, dict)
        age_s = NOW_S - float(str(event["at"]))
        assert 0 < age_s <= 7 * DAY_S
        assert metrics["hits"] == (4 if age_s <= 2 * HOUR_S else 30 if age_s <= DAY_S else 200)
        if event["pk"] == shop.VISITS:
            hits[int(age_s // DAY_S)] += metrics["hits"]
    assert sorted(hits) == [0, 1, 2, 3, 4, 5, 6]
    for day in hits.values():
        assert 80_000 < day < 260_000  # 2 a second are 172,800


def test_orders_have_a_product_a_visitor_and_money() -> None:
    orders = [event for event in past(NOW_S, 3, 2, Random(2)) if isinstance(event["pk"], list)]
    assert {event["pk"][0] for event in orders if isinstance(event["pk"], list)} == {shop.SHOP}
    for event in orders:
        dimensions, metrics = event["dimensions"], event["metrics"]
        assert isinstance(dimensions, dict)
        assert isinstance(metrics, dict)
        assert set(dimensions) == {"country", "device", "campaign"}
        assert metrics["revenue"] > metrics["cost"] > 0
        assert metrics["items"] >= metrics["hits"]


def test_the_best_page_depends_on_the_country() -> None:
    def earned(country: str, option: str) -> float:
        chance = Random(9)
        return sum(shop.landing(country, option, chance) for _ in range(20_000))

    assert max(shop.OPTIONS, key=lambda option: earned("US", option)) == "bold"
    assert max(shop.OPTIONS, key=lambda option: earned("DE", option)) == "classic"


def test_it_sends_the_past_once_and_then_the_present(
    present: tuple[Services, str], capsys: pytest.CaptureFixture[str]
) -> None:
    services, origin = present
    command = ["demo", "--url", origin, "--rate", "1", "--seed", "7"]
    assert main([*command, "--days", "1", "--seconds", "1"]) == 0
    services.drain.flush()
    told = capsys.readouterr().out
    assert "events of the last day" in told
    roots = {pk[0] for pk in services.reporting.pks()}
    assert roots == {shop.SHOP, shop.VISITS, shop.SIGNUPS, shop.ERRORS, shop.LANDING}
    visits = total(services, shop.VISITS)
    assert 40_000 < visits < 130_000  # 1 a second are 86,400
    assert total(services, [shop.LANDING, "bold"], "earned") > 0
    assert total(services, shop.LANDING) >= 2_000
    assert services.reporting.known((shop.LANDING,)).is_decision
    assert total(services, shop.SHOP, "revenue", dimensions=[["country", "US"]]) > 0

    assert main([*command, "--days", "1", "--seconds", "0.5"]) == 0
    assert "The service has the history already" in capsys.readouterr().out
    assert total(services, shop.VISITS) < visits + 100


def test_live_visitors_are_given_the_page_that_the_service_decides(
    present: tuple[Services, str],
) -> None:
    services, origin = present
    now_s = time.time()
    ticks = iter([now_s + 20, now_s + 40])
    with open_client(origin, "") as client:
        service = PatientService(client, pause=lambda _s: None)
        sent = live(service, 3, now_s, now_s + 40, Random(8), lambda: next(ticks))
    decided = total(services, shop.LANDING, "decided")
    assert decided == total(services, shop.LANDING) > 5
    roots = (shop.SHOP, shop.VISITS, shop.SIGNUPS, shop.ERRORS)
    assert sent == decided + sum(total(services, root) for root in roots)


def test_landings_of_the_past_are_spread_over_their_days() -> None:
    ages = [NOW_S - float(str(event["at"])) for event in past_landings(NOW_S, 3, Random(1))]
    assert len(ages) == 6_000
    assert {int(age // DAY_S) for age in ages} == {0, 1, 2}


def test_without_a_url_it_sends_to_where_the_service_of_these_variables_is(
    present: tuple[Services, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    services, origin = present
    monkeypatch.setenv("HAILWHALE_PORT", origin.rpartition(":")[2])
    assert main(["demo", "--days", "0", "--seconds", "1", "--rate", "50"]) == 0
    assert f"to {origin} for 1 s." in capsys.readouterr().out
    assert total(services, shop.VISITS) > 0


def test_a_page_that_is_not_a_service_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(site({})) as origin:
        assert main(["demo", "--url", origin, "--days", "0", "--seconds", "1", "--rate", "50"]) == 2
    assert "answered 404" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--url", "localhost:8085"], "url"),
        (["--days", "some"], "days"),
        (["--days", "-1"], "days"),
        (["--rate", "0"], "rate"),
        (["--rate", "nan"], "rate"),
        (["--seconds", "-1"], "seconds"),
    ],
)
def test_wrong_options_are_reported(
    options: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", *options]) == 2
    assert f"hailwhale: {named}: " in capsys.readouterr().err


def test_what_its_pages_ask_stays_far_below_the_limits_on_questions(
    make_services: MakeServices, clock: Clock
) -> None:
    """A fifth of the defaults is enough for the dashboards, at their widest, and for decisions."""
    services = make_services(
        max_query_cells=Settings().max_query_cells // 5,
        max_decision_cells=Settings().max_decision_cells // 5,
    )
    services.counting.count_many_now(past(NOW_S, 30, 2, Random(2)))
    services.exposing_now.count_many(past_landings(NOW_S, 1, Random(2)))
    for period in ("1m:1h", "1h:1d", "1h:7d", "1d:1mo", "1d:1y", "all"):
        for dimension in ("", "country", "device", "page", "campaign"):
            asked = {"pk": shop.VISITS, "dimensions": dimension or None, "period": period}
            services.graphing.graph(parse_plot({**asked, "depth": 2, "threshold": 0, "limit": 50}))
            services.graphing.graph(parse_plot({**asked, "metrics": "hits,dollars,dollars/hits"}))
            services.ranking.rank(
                parse_rank({**asked, "limit": 50, "metrics": "hits,dollars/hits"})
            )
    choice = {"pk": shop.LANDING, "options": list(shop.OPTIONS), "by_metric": "dollars/hits"}
    found = services.deciding.reasons(parse_reasons(choice))
    assert {each.option for each in found.report.options} == set(shop.OPTIONS)
