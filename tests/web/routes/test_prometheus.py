"""/prometheus: chosen totals in OpenMetrics, read by the parser of Prometheus's own client."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from hailwhale.core.events.limits import DEFAULT_LIMITS
from hailwhale.services.container import Services
from hailwhale.services.security.bearer_tokens import Scope
from hailwhale.web.apps import whale_app
from tests.conftest import NOW_S
from tests.web.client import Client

US, CA, DE = '["country", "US"]', '["country", "CA"]', '["country", "DE"]'


def samples(whale: Client, query: str | Mapping[str, object]) -> list[tuple[dict[str, str], float]]:
    """Labels and values of all that is scraped."""
    answer = whale.get("/prometheus", query)
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    families = text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
    [family] = list(families)
    assert (family.name, family.type) == ("hailwhale_value", "gauge")
    return [(sample.labels, sample.value) for sample in family.samples]


def by(label: str, found: list[tuple[dict[str, str], float]]) -> dict[str, float]:
    return {labels[label]: value for labels, value in found}


def test_everything_ever_counted_is_exported_with_its_labels(visited: Client) -> None:
    [(labels, value)] = samples(visited, "pk=Shop&metric=revenue")
    assert value == 55.5
    assert labels == {
        "pk": "Shop",
        "dimension": "_",
        "label": "",
        "metric": "revenue",
        "period": "all",
    }


def test_all_children_are_listed_by_depth(visited: Client) -> None:
    found = samples(visited, "pk=Shop&dimensions=country&depth=1")
    assert by("dimension", found) == {"country": 11, US: 8, CA: 2, DE: 1}
    assert set(by("label", found)) == {"country", "US", "CA", "DE"}


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("pk=Shop&metric=hits&period=today", 7),
        ("pk=Shop&metric=revenue/hits&period=1h:1d", 40.5 / 7),
        ("pk=Nowhere", 0),
        ("pk=Shop&dimension=['country','US']&period=1d:1mo", 7),
    ],
)
def test_any_period_and_formula_can_be_chosen(visited: Client, query: str, value: float) -> None:
    [(_, found)] = samples(visited, query)
    assert found == pytest.approx(value)


def test_labels_of_any_sign_are_escaped(whale: Client) -> None:
    label = 'a"b\\c{d}=é,'
    whale.post("/count", {"pk": ["x\\y", '"'], "dimensions": {"k": label}, "metrics": {'m"x': 2}})
    asked = {"pk": ["x\\y", '"'], "dimensions": "k", "depth": 1, "metrics": ['m"x']}
    found = samples(whale, asked)
    assert by("label", found) == {"k": 2, label: 2}
    assert {labels["metric"] for labels, _ in found} == {'m"x'}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("pk=Shop&metrcis=x", "metrcis"),
        ("pk=Shop&depth=99", "depth"),
        ("pk=Shop&format=csv", "format"),
        ("pk=Shop&period=5x:1h", "period"),
        ("pk=Shop&limit=-1", "limit"),
    ],
)
def test_invalid_input_is_refused_by_name(whale: Client, query: str, parameter: str) -> None:
    answer = whale.get("/prometheus", query)
    assert (answer.status, answer.error["parameter"]) == (400, parameter)


def test_a_bound_token_scrapes_its_own_roots_alone(
    make_services: Callable[..., Services],
) -> None:
    services = make_services(reading="token")
    services.counting.count_now({"pk": "Shop"})
    _, text = services.tokens.add("scrape", [Scope.READ], ["Shop"], DEFAULT_LIMITS, NOW_S)
    whale, shown = Client(whale_app(services)), {"authorization": f"Bearer {text}"}
    assert whale.get("/prometheus", "pk=Shop", **shown).status == 200
    assert whale.get("/prometheus", "pk=Blog", **shown).status == 403
    assert whale.get("/prometheus", "pk=Shop").status == 401
