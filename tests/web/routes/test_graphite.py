"""/render, /metrics/find and the rest of what Graphite's clients ask for.

The visits are those of conftest.py; it is Sunday 2026-03-15 12:10:30 UTC.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

import pytest
from graphite_exporter.collector import CustomMetricCollector, Graphite

from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.core.events.paths import Path
from hailwhale.core.query.cost import QueryCost
from hailwhale.services.container import Services
from hailwhale.services.query.children import ChildrenReader, SiblingAxis
from hailwhale.services.security.bearer_tokens import Scope
from hailwhale.web.apps import whale_app
from tests.browser.serving import serving
from tests.conftest import NOW_S
from tests.web.client import FORM, Answer, Client

NOON_S = 1_773_576_000
DAY_S = 86_400


def render(whale: Client, *targets: str, **more: object) -> Answer:
    """As a client of Graphite asks: the targets one after the other."""
    pairs = [("target", target) for target in targets]
    pairs += [("from" if name == "from_" else name, str(value)) for name, value in more.items()]
    return whale.get("/render", urlencode(pairs))


def sums(answer: Answer) -> dict[str, Any]:
    """Each curve by what its points add up to."""
    assert answer.status == 200, answer.text
    return {
        curve["target"]: sum(value for value, _ in curve["datapoints"] if value is not None)
        for curve in answer.json
    }


def names(answer: Answer) -> list[str]:
    assert answer.status == 200, answer.text
    return [each["text"] for each in answer.json]


# Paths and spans


@pytest.mark.parametrize(
    ("target", "from_", "expected"),
    [
        ("Shop.hits", "-1h", {"Shop.hits": 6}),
        ("Shop.hits", "-24h", {"Shop.hits": 7}),
        ("Shop.revenue", "-1h", {"Shop.revenue": "36.50"}),
        ("Shop.by.country.US.hits", "-24h", {"Shop.by.country.US.hits": 5}),
        (
            "Shop.by.country.{US,CA}.hits",
            "-1h",
            {"Shop.by.country.CA.hits": 1, "Shop.by.country.US.hits": 4},
        ),
        (
            "Shop.by.*.US.*.revenue",
            "-24h",
            {"Shop.by.country.US.LA.revenue": 10, "Shop.by.country.US.NY.revenue": 24},
        ),
        ("S*.by.country.US.N?.hits", "-24h", {"Shop.by.country.US.NY.hits": 3}),
        (
            "Shop.by.country.DE.*",
            "-24h",
            {"Shop.by.country.DE.hits": 1, "Shop.by.country.DE.revenue": 1},
        ),
        ("Nowhere.hits", "-1h", {"Nowhere.hits": 0}),
        ("Shop.by.country.Nowhere.hits", "-1h", {"Shop.by.country.Nowhere.hits": 0}),
        ("Shop.by.nothing.*.hits", "-1h", {}),
    ],
)
def test_what_a_path_names_is_rendered(
    visited: Client, target: str, from_: str, expected: dict[str, object]
) -> None:
    found = sums(render(visited, target, from_=from_))
    assert found == {name: Decimal(str(value)) for name, value in expected.items()}


def test_a_pattern_finds_what_is_known_in_order(visited: Client) -> None:
    found = sums(render(visited, "Shop.by.country.*.hits", from_="-24h"))
    assert found == {
        "Shop.by.country.CA.hits": 1,
        "Shop.by.country.DE.hits": 1,
        "Shop.by.country.US.hits": 5,
    }


def test_points_are_a_value_and_the_start_of_its_bucket(visited: Client) -> None:
    [curve] = render(visited, "Shop.hits", from_=NOON_S, until="now").json
    points = {at_s: value for value, at_s in curve["datapoints"]}
    assert list(points) == [NOON_S + 60 * minute for minute in range(11)]
    assert points[NOON_S + 300] == 2
    assert points[NOON_S + 600] == 3
    assert sum(points.values()) == 5


@pytest.mark.parametrize(
    ("from_", "until", "points", "width_s"),
    [
        ("-1h", "now", 60, 60),
        ("-6h", "now", 7, 3_600),  # minutes are kept for two hours
        ("-30d", "now", 721, 3_600),
        ("-90d", "now", 91, DAY_S),
        ("20260314", "20260315", 24, 3_600),
        ("-20s", "now", 1, 60),
        ("-1h", "-30min", 30, 60),
    ],
)
def test_the_finest_buckets_that_are_kept_are_answered(
    visited: Client, from_: str, until: str, points: int, width_s: int
) -> None:
    [curve] = render(visited, "Shop.hits", from_=from_, until=until).json
    starts = [at_s for _, at_s in curve["datapoints"]]
    assert abs(len(starts) - points) <= 1
    assert {b - a for a, b in pairwise(starts)} <= {width_s}


@pytest.mark.parametrize(("most", "width_s"), [(60, 60), (13, 300), (3, 1_800), (1, 3_600)])
def test_with_fewer_points_buckets_are_wider_and_their_sum_is_the_same(
    visited: Client, most: int, width_s: int
) -> None:
    asked = {"from_": NOON_S - 3_600, "until": NOON_S}
    [curve] = render(visited, "Shop.hits", maxDataPoints=most, **asked).json
    points = curve["datapoints"]
    assert len(points) == 3_600 // width_s <= most
    assert sum(value for value, _ in points) == 1


def test_a_formula_is_worked_out_on_the_sums_of_wide_buckets(visited: Client) -> None:
    whole = {"from_": "20260315", "until": "now", "maxDataPoints": 1}
    found = sums(render(visited, "Shop.by.country.US.revenue/hits", **whole))
    assert str(found["Shop.by.country.US.revenue/hits"]) == "6.9"


def test_what_is_yet_to_come_is_not_rendered(visited: Client) -> None:
    assert render(visited, "Shop.hits", from_=NOW_S + 3_600, until=NOW_S + 7_200).json == []
    [curve] = render(visited, "Shop.hits", from_=NOON_S, until=NOW_S + 7_200).json
    assert curve["datapoints"][-1][1] == NOON_S + 600


def test_days_are_those_of_the_zone_that_is_named(visited: Client) -> None:
    asked = {"from_": "midnight-1d", "until": "now", "maxDataPoints": 2, "tz": "America/New_York"}
    [curve] = render(visited, "Shop.hits", **asked).json
    starts = [at_s for _, at_s in curve["datapoints"]]
    assert starts == [1_773_547_200 - DAY_S, 1_773_547_200]  # 04:00 UTC, clocks having gone forward


def test_visitors_are_shown_by_day(whale: Client) -> None:
    for visitor in ("a", "b", "a"):
        whale.get("/count", {"pk": "Site", "uid": visitor})
    [curve] = render(whale, "Site.uniques", from_="-2d").json
    assert curve["datapoints"][-1] == [2, NOW_S - NOW_S % DAY_S]
    assert render(whale, "sumSeries(Site.uniques)", from_="-2d").status == 400


# Functions


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("alias(Shop.hits, 'all of them')", {"all of them": 7}),
        ("aliasByNode(Shop.by.country.*.hits, 3)", {"CA": 1, "DE": 1, "US": 5}),
        ("aliasByNode(Shop.by.country.US.hits, -2, -1)", {"US.hits": 5}),
        ("aliasByMetric(Shop.by.country.US.hits)", {"hits": 5}),
        ("alias(sumSeries(Shop.by.country.{CA,DE}.hits), 'x')", {"x": 2}),
        ("sum(Shop.by.country.CA.hits, Shop.hits)", {"sum(Shop.by.country.CA.hits,Shop.hits)": 8}),
        ("sumSeries(Shop.by.nothing.*.hits)", {}),
        ("scale(Shop.hits, 0.5)", {"scale(Shop.hits,0.5)": 3.5}),
        ("consolidateBy(Shop.hits, 'sum')", {"Shop.hits": 7}),
        ("aliasByNode(highest(Shop.by.country.*.hits, 1), 3)", {"US": 5}),
        ("aliasByNode(highest(Shop.by.country.*.hits, 2, 'max'), 3)", {"US": 5, "CA": 1}),
        ("alias(summarize(Shop.hits, '1d'), 'x')", {"x": 7}),
        ('alias(summarize(Shop.hits, "12h", "sum"), "x")', {"x": 7}),
    ],
)
def test_functions_make_what_they_say(
    visited: Client, target: str, expected: dict[str, float]
) -> None:
    assert sums(render(visited, target, from_="20260315")) == expected


def test_a_quotient_has_no_value_where_it_divides_by_nothing(visited: Client) -> None:
    asked = "divideSeries(Shop.by.country.US.revenue, Shop.by.country.US.hits)"
    [curve] = render(visited, asked, from_=NOON_S).json
    values = {at_s: value for value, at_s in curve["datapoints"]}
    assert values[NOON_S] is None
    assert str(values[NOON_S + 300]) == "5.25"


def test_shares_are_of_a_total_or_of_all_together(visited: Client) -> None:
    asked = {"from_": "20260315", "maxDataPoints": 1}
    of_all = sums(render(visited, "asPercent(Shop.by.country.{CA,DE}.hits)", **asked))
    assert list(of_all.values()) == [50, 50]
    of_total = sums(render(visited, "asPercent(Shop.by.country.CA.hits, Shop.hits)", **asked))
    assert [f"{value:.4f}" for value in of_total.values()] == ["14.2857"]


@pytest.mark.parametrize(
    ("query", "parameter", "says"),
    [
        ("", "target", "a path such as"),
        ("target=", "target", "a path such as"),
        ("target=movingAverage(Shop.hits,5)", "target", "got 'movingAverage'; expected one of"),
        ("target=sumSeries(Shop.revenue/hits)", "target", "divideSeries(sumSeries("),
        ("target=summarize(Shop.hits,'1d','avg')", "target", "one of sum total"),
        ("target=summarize(Shop.hits)", "target", "an interval"),
        ("target=consolidateBy(Shop.hits,'average')", "target", "one of sum total"),
        ("target=scale(Shop.hits)", "target", "scale with the argument factor"),
        ("target=scale(Shop.hits,'a')", "target", "a number as the argument factor of scale"),
        ("target=scale(Shop.hits,1,2)", "target", "at most 2 arguments"),
        ("target=aliasByNode(Shop.hits,7)", "target", "nodes of Shop.hits"),
        ("target=aliasByNode(Shop.hits,0.5)", "target", "a whole number"),
        ("target=highest(Shop.hits,0)", "target", "from 1 to 1000"),
        ("target=divideSeries(Shop.hits,Shop.by.country.*.hits)", "target", "not 3"),
        ("target=sum(Shop.hits,summarize(Shop.hits,'12h'))", "target", "the same interval"),
        ("target=scale(scale(scale(scale(Shop.hits,1e99),1e99),1e99),1e99)", "target", "10^300"),
        ("target=Shop", "target", "a path such as"),
        ("target=*", "target", "a path that ends"),
        ("target=Shop.by.*", "target", "a path that ends"),
        ("target=Shop.a/", "target", "a/"),
        ("target=Shop.hits&from=soon", "from", "-1h"),
        ("target=Shop.hits&from=-1h&until=-2h", "until", "after from"),
        ("target=Shop.hits&format=png", "format", "one of json csv raw"),
        ("target=Shop.hits&maxDataPoints=0", "maxDataPoints", "from 1"),
        ("target=Shop.hits&tz=Nowhere", "tz", ""),
        ("target=Shop.hits&form=json", "form", "did you mean format?"),
        ("target=Shop.hits&from=-1h&from=-2h", "from", "only once"),
        ("target=Shop.hits&from=19700101", "from", "stored rollups"),
        ("target=Shop.hits&from=-2y&maxDataPoints=30&format=raw", "format", "one width"),
    ],
)
def test_an_unanswerable_question_is_refused_by_name(
    visited: Client, query: str, parameter: str, says: str
) -> None:
    answer = visited.get("/render", query)
    assert answer.status == 400
    assert answer.error["parameter"] == parameter
    assert says in answer.error["message"]


def test_too_many_series_are_refused(whale: Client) -> None:
    whale.post("/count", [{"pk": "Big", "dimensions": {"n": str(n)}} for n in range(1_001)])
    refused = render(whale, "Big.by.n.*.hits", from_="-2min")
    assert refused.status == 400
    assert "at most 1000" in refused.error["message"]
    assert len(render(whale, "Big.by.n.1??.hits", from_="-2min").json) == 100


# Forms


def test_a_pattern_with_too_many_paths_is_refused_without_reading_them(
    whale: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [{"pk": "Many", "dimensions": {f"d{n}": ["a", "b", "c"]}} for n in range(20)]
    whale.post("/count", events)
    read: list[int] = []
    labels = ChildrenReader.labels

    def noted(
        self: ChildrenReader, line: SiblingAxis, parents: Sequence[Path], cost: QueryCost
    ) -> list[list[str]]:
        read.append(len(parents) if line.pk else 0)
        return labels(self, line, parents, cost)

    monkeypatch.setattr(ChildrenReader, "labels", noted)
    monkeypatch.setattr("hailwhale.services.query.graphite.MAX_FOUND", 10)
    found = whale.get("/metrics/find", "query=Many.by.*.*")
    assert (found.status, found.error["parameter"]) == (400, "query")
    assert sum(read) < 10
    read.clear()
    monkeypatch.setattr("hailwhale.services.query.graphite.MAX_CURVES", 20)
    monkeypatch.setattr("hailwhale.services.query.graphite._READ_AT_ONCE", 2)
    rendered = render(whale, "Many.by.*.*.hits")
    assert (rendered.status, rendered.error["parameter"]) == (400, "target")
    assert sum(read) < 15


def test_csv_is_graphites_and_no_cell_is_a_formula(whale: Client) -> None:
    whale.post("/count", {"pk": "Shop", "metrics": {"dollars": -2}})
    answer = render(whale, "alias(Shop.dollars, '=SUM(A1)')", from_="-1s", format="csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["'=SUM(A1)", "2026-03-15 12:10:00", "-2"]
    ]


def test_raw_is_a_line_a_series(visited: Client) -> None:
    asked = {"from_": NOON_S, "until": NOON_S + 360, "format": "raw"}
    answer = render(
        visited, "Shop.hits", "divideSeries(Shop.hits,Shop.by.country.US.hits)", **asked
    )
    first, second = answer.text.splitlines()
    assert first == f"Shop.hits,{NOON_S},{NOON_S + 360},60|0,0,0,0,0,2"
    assert second.endswith("|None,None,None,None,None,1")


def test_a_form_and_json_ask_the_same_as_a_url(visited: Client) -> None:
    targets = ["Shop.hits", "Shop.by.country.{US,CA}.hits"]
    by_url = render(visited, *targets, from_="-1h", maxDataPoints=10)
    form = urlencode([*(("target", each) for each in targets), ("from", "-1h")])
    assert visited.post("/render", f"{form}&maxDataPoints=10", FORM).json == by_url.json
    body = {"target": targets, "from": "-1h", "maxDataPoints": 10}
    assert visited.post("/render/", body).json == by_url.json
    assert visited.post("/render", "target=Shop.hits", FORM, "from=-1h&meta=true").status == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"target=%ff", FORM),
        (b'{"target":[["Shop.hits"]]}', "application/json"),
        (b'{"target":null}', "application/json"),
        (b"{", "application/json"),
        (b"target=Shop.hits", "multipart/form-data"),
        (b"&".join(b"target=Shop.hits" for _ in range(200)), FORM),
        (b"target=Shop%0A.hits", FORM),
    ],
)
def test_bodies_that_cannot_be_read_are_refused(visited: Client, body: bytes, kind: str) -> None:
    assert visited.post("/render", body, kind).status == 400


# Finding


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ("*", ["Shop"]),
        ("S*", ["Shop"]),
        ("Shop", ["Shop"]),
        ("Nowhere", []),
        ("Shop.*", ["by", "hits", "revenue"]),
        ("Shop.h*", ["hits"]),
        ("Shop.revenue", ["revenue"]),
        ("Shop.by.*", ["country"]),
        ("Shop.by.country.*", ["CA", "DE", "US", "hits", "revenue"]),
        ("Shop.by.country.U*", ["US"]),
        ("Shop.by.country.*.*", ["LA", "NY", *["hits"] * 3, *["revenue"] * 3]),
        ("Shop.by.country.US.NY.*", ["hits", "revenue"]),
        ("Shop.by.nothing.*", []),
        ("Nowhere.*", []),
    ],
)
def test_the_tree_of_paths_can_be_walked(visited: Client, query: str, texts: list[str]) -> None:
    answer = visited.get("/metrics/find", {"query": query})
    assert sorted(names(answer)) == sorted(texts)
    assert visited.post("/metrics/find/", urlencode({"query": query}), FORM).json == answer.json


def test_a_node_says_whether_it_is_a_series_and_whether_there_is_more(visited: Client) -> None:
    visited.get("/count", {"pk": ["Shop", "hits"]})
    found = {each["id"]: each for each in visited.get("/metrics/find", "query=Shop.*").json}
    kinds = {path: (each["leaf"], each["expandable"]) for path, each in found.items()}
    assert kinds == {
        "Shop.by": (0, 1),
        "Shop.hits": (1, 1),  # a metric of Shop, and a pk below it
        "Shop.revenue": (1, 0),
    }


@pytest.mark.parametrize(
    ("query", "results"),
    [
        ("query=Shop.*", ["Shop.by", "Shop.hits", "Shop.revenue"]),
        ("query=Shop.*&leavesOnly=1", ["Shop.hits", "Shop.revenue"]),
        ("query=Shop.by.country.C*", ["Shop.by.country.CA"]),
    ],
)
def test_paths_alone(visited: Client, query: str, results: list[str]) -> None:
    assert visited.get("/metrics/expand", query).json == {"results": results}


@pytest.mark.parametrize(
    "query", ["", "query=", "query=a..b", "query=*&format=pickle", "query=*&zz=1", "query=a.{b"]
)
def test_questions_that_are_wrong_are_refused(visited: Client, query: str) -> None:
    assert visited.get("/metrics/find", query).status == 400


def test_labels_of_any_script_and_sign_are_found_and_rendered(whale: Client) -> None:
    label = 'v1.2 {beta}, "by" *'
    whale.post("/count", {"pk": ["Größe", "by"], "dimensions": {"release": label}})
    [found] = whale.get("/metrics/find", {"query": "Größe.%62y.by.release.v*"}).json
    assert sums(render(whale, f"{found['id']}.hits", from_="-1h")) == {f"{found['id']}.hits": 1}
    named = render(whale, f"aliasByNode({found['id']}.hits, 4)", from_="-1h")
    assert list(sums(named)) == [label]


# Who may


def test_a_bound_token_finds_and_renders_its_own_roots_alone(
    make_services: Callable[..., Services],
) -> None:
    services = make_services(reading="token")
    for pk in ("Shop", "Secret"):
        services.counting.count_now({"pk": pk, "dimensions": {"country": "US"}})
    _, text = services.tokens.add("shop", [Scope.READ], ["Shop"], DEFAULT_LIMITS, NOW_S)
    whale = Client(whale_app(services))
    shown: dict[str, Any] = {"authorization": f"Bearer {text}"}
    assert names(whale.get("/metrics/find", "query=*", **shown)) == ["Shop"]
    everything = whale.get("/render", "target=*.hits&from=-1h", **shown)
    assert list(sums(everything)) == ["Shop.hits"]
    for query in ("Secret.hits", "sum(Shop.hits,Secret.hits)", "S{hop,ecret}.hits", "S?cret.hits"):
        answer = whale.get("/render", {"target": query}, **shown)
        assert answer.status == 403 or "Secret" not in answer.text
    assert whale.get("/metrics/find", "query=Secret.*", **shown).status == 403
    assert whale.get("/metrics/expand", "query=Secret", **shown).status == 403
    body = {"target": "Secret.by.country.*.hits"}
    assert whale.post("/render", body, **shown).status == 403
    assert whale.get("/render", "target=Shop.hits").status == 401


# Grafana, as it asks (its data source "Graphite", version 1.1, with or without its backend)


def test_the_health_check_of_grafana_succeeds(whale: Client) -> None:
    form = {
        "from": NOW_S - 3_600,
        "until": NOW_S,
        "format": "json",
        "maxDataPoints": 100,
        "target": "constantLine(100)",
    }
    [curve] = whale.post("/render", urlencode(form), FORM).json
    assert all(value == 100 for value, _ in curve["datapoints"])


def test_what_the_editor_of_grafana_asks_for_is_there(whale: Client) -> None:
    assert whale.get("/version").text.split(".")[:2] == ["1", "1"]
    functions = whale.get("/functions").json
    for name, told in functions.items():
        assert told["name"] == name
        assert {"function", "description", "module", "group", "params"} <= set(told)
        assert all({"name", "type", "required"} <= set(each) for each in told["params"])
    for path in ("/tags", "/tags/autoComplete/tags", "/tags/autoComplete/values"):
        assert whale.get(path, "limit=100&tagPrefix=x&expr=name%3Da").json == []


# A client of Graphite that is not ours, over HTTP


def test_graphite_exporter_reads_series_for_prometheus(visited: Client) -> None:
    """A public client, configured as its documentation has it: a label from a node of the path."""
    visits = {
        "name": "visits",
        "doc": "Visits",
        "metric": "Shop.by.country.*.hits",
        "labels": {"country": "${3}"},
    }
    period = {"prefix": "shop", "interval": "1m", "from": "-3h", "until": "now"}
    config: Any = {"global": period, "metrics": [visits]}
    with serving(visited.app) as url:
        port = int(url.rpartition(":")[2])
        pool = {"pool_connections": 1, "pool_maxsize": 1, "max_retries": 0, "pool_block": False}
        graphite = Graphite(ip_list=["127.0.0.1"], port=port, timeout=10, **pool)
        exporter = CustomMetricCollector(config, graphite)
        for fetch, _interval_s, _name in exporter.gen_job(config):
            fetch()
        graphite.session.close()
    [family] = exporter.collect()
    assert family.name == "shop_visits"
    found = {sample.labels["country"]: sample.value for sample in family.samples}
    assert found == {"CA": 1, "DE": 1, "US": 4}


def test_an_empty_alias_in_raw_is_what_cubism_asks_for(visited: Client) -> None:
    """Cubism.js asks so, and drops the first value."""
    target = "alias(summarize(Shop.hits,'1hour','sum'),'')"
    answer = render(visited, target, from_=NOON_S - 7_200, until=NOON_S - 1, format="raw")
    assert answer.text == f",{NOON_S - 7_200},{NOON_S},3600|0,1\n"
